/* SPDX-License-Identifier: MIT */
#include "weight_picture.h"

#include <math.h>
#include <string.h>

/** struct coded - a matrix of the model, with what its codes count */
struct coded {
	const struct model_csr *csr;
	const float *scale;
};

static int read_coded(const struct model_layer *layer, struct coded coded[2])
{
	if (layer->op == MODEL_SPMM) {
		coded[0] = (struct coded){ &layer->spmm.weights,
					   layer->spmm.weight_scale };
		return 1;
	}
	if (layer->op != MODEL_LSTM && layer->op != MODEL_GRU)
		return 0;
	coded[0] = (struct coded){ &layer->recurrent.input_weights,
				   layer->recurrent.input_scale };
	coded[1] = (struct coded){ &layer->recurrent.hidden_weights,
				   layer->recurrent.hidden_scale };
	return 2;
}

/* A layer may stand for several nodes; its name is that of the one with weights. */
static const struct graph_node *find_node(const struct graph *dense,
					  const char *name)
{
	for (int n = 0; n < dense->node_count; n++) {
		const struct graph_node *node = &dense->nodes[n];

		if (strcmp(node->name, name) || node->structural)
			continue;
		if (graph_op_is_linear(node->op) ||
		    graph_op_is_recurrent(node->op))
			return node;
	}
	return NULL;
}

static size_t bin_of(const struct weight_picture *picture, double value)
{
	double part = (value / picture->limit + 1) / 2;

	return (size_t)fmin(WEIGHT_BINS - 1,
			    fmax(0, floor(part * WEIGHT_BINS)));
}

static double find_limit(const struct graph *dense,
			 const struct graph_node *node, int slots)
{
	double limit = 0;

	for (int slot = 1; slot <= slots; slot++) {
		const struct graph_tensor *tensor =
			&dense->tensors[node->inputs[slot]];
		int64_t count = graph_shape_count(&tensor->shape);

		for (int64_t i = 0; tensor->data && i < count; i++)
			limit = fmax(limit, fabs((double)tensor->data[i]));
	}
	return limit > 0 ? limit : 1;
}

static double largest_kept(const struct coded *coded)
{
	const struct model_csr *csr = coded->csr;
	double largest = 0;

	for (uint32_t r = 0; r < csr->rows; r++)
		for (int64_t i = csr->row_start[r]; i < csr->row_start[r + 1];
		     i++)
			largest = fmax(largest, fabs((double)coded->scale[r] *
						     csr->value[i]));
	return largest;
}

static double count_dense(struct weight_picture *picture,
			  const struct graph *dense,
			  const struct graph_node *node, int slots)
{
	double energy = 0;

	for (int slot = 1; slot <= slots; slot++) {
		const struct graph_tensor *tensor =
			&dense->tensors[node->inputs[slot]];
		int64_t count = graph_shape_count(&tensor->shape);

		for (int64_t i = 0; tensor->data && i < count; i++) {
			double value = (double)tensor->data[i];

			picture->dense[bin_of(picture, value)]++;
			energy += value * value;
		}
	}
	return energy;
}

static double count_kept(struct weight_picture *picture,
			 const struct coded *coded)
{
	const struct model_csr *csr = coded->csr;
	double energy = 0;

	for (uint32_t r = 0; r < csr->rows; r++)
		for (int64_t i = csr->row_start[r]; i < csr->row_start[r + 1];
		     i++) {
			double value = (double)coded->scale[r] * csr->value[i];

			picture->kept[bin_of(picture, value)]++;
			energy += value * value;
		}
	return energy;
}

static uint32_t cells_of(uint32_t count)
{
	return count < WEIGHT_CELLS ? count : WEIGHT_CELLS;
}

/* How many of count places fall into a cell. */
static double cell_size(uint32_t cell, uint32_t cells, uint32_t count)
{
	uint64_t first = ((uint64_t)cell * count + cells - 1) / cells;
	uint64_t end = ((uint64_t)(cell + 1) * count + cells - 1) / cells;

	return (double)(end - first);
}

static void fill_cells(struct weight_picture *picture,
		       const struct model_csr *csr)
{
	picture->rows = cells_of(csr->rows);
	picture->columns = cells_of(csr->columns);
	for (uint32_t r = 0; r < csr->rows; r++) {
		uint64_t row = (uint64_t)r * picture->rows / csr->rows;

		for (int64_t i = csr->row_start[r]; i < csr->row_start[r + 1];
		     i++)
			picture->filled[row][(uint64_t)csr->column[i] *
					     picture->columns / csr->columns]++;
	}
	for (uint32_t r = 0; r < picture->rows; r++)
		for (uint32_t c = 0; c < picture->columns; c++)
			picture->filled[r][c] /=
				cell_size(r, picture->rows, csr->rows) *
				cell_size(c, picture->columns, csr->columns);
}

bool weight_picture_take(struct weight_picture *picture,
			 const struct graph *dense,
			 const struct model_layer *layer)
{
	const struct graph_node *node = find_node(dense, layer->name);
	struct coded coded[2];
	int count = read_coded(layer, coded);
	double before, after = 0;

	if (!node || !count)
		return false;
	*picture = (struct weight_picture){
		.limit = find_limit(dense, node, count),
	};
	for (int i = 0; i < count; i++)
		picture->limit = fmax(picture->limit, largest_kept(&coded[i]));
	before = count_dense(picture, dense, node, count);
	for (int i = 0; i < count; i++)
		after += count_kept(picture, &coded[i]);
	picture->energy = before > 0 ? after / before : 1;
	fill_cells(picture, coded[0].csr);
	return true;
}
