/* SPDX-License-Identifier: MIT */
#include <model/compact.h>

#include <compact/coder.h>
#include <compact/matrix.h>
#include <compact/mixer.h>
#include <compact/rows.h>
#include <compact/table.h>
#include <compact/text.h>
#include <core/error.h>
#include <model/graph.h>
#include <model/model.h>
#include <model/packing.h>

#include <errno.h>
#include <stdlib.h>

/**
 * struct compact - all that is learnt of a model on the way through it
 * @coder: in one of the directions
 * @odds: for all that follows
 * @rows: scales and biases
 * @matrix: weights
 * @table: entries
 * @has_table: has a layer a table?
 */
struct compact {
	struct coder coder;
	struct odds odds;
	struct rows_model rows;
	struct matrix_model matrix;
	struct opinion table[TABLE_OPINIONS];
	struct opinion has_table;
};

static void compact_destroy(struct compact *compact)
{
	if (compact)
		matrix_model_release(&compact->matrix);
	free(compact);
}

/* The direction is still to be chosen. */
static struct compact *compact_create(void)
{
	struct compact *compact = calloc(1, sizeof(*compact));

	if (!compact)
		return NULL;
	odds_create(&compact->odds);
	rows_reset(&compact->rows);
	opinions_reset(compact->table, TABLE_OPINIONS, CODER_HALF, 0);
	opinions_reset(&compact->has_table, 1, CODER_HALF, 0);
	if (matrix_model_create(&compact->matrix, &compact->odds)) {
		compact_destroy(compact);
		return NULL;
	}
	return compact;
}

/* Rows of a store that shuffles are alike where they go to the same place of a pixel. */
static struct positions_shape shape_of(const struct model_layer *layer)
{
	const struct model_spmm *spmm = &layer->spmm;

	if (layer->op != MODEL_SPMM)
		return (struct positions_shape){ .taps = 1, .phases = 1 };
	return (struct positions_shape){
		.taps = spmm->window.kernel_height * spmm->window.kernel_width,
		.phases = spmm->shuffle_height * spmm->shuffle_width,
	};
}

static int matrices_code(struct compact *compact, struct model_layer *layer)
{
	struct positions_shape shape = shape_of(layer);
	int ret = 0;

	for (int m = 0; !ret && m < model_matrix_count(layer); m++) {
		struct model_matrix matrix = model_matrix_of(layer, m);

		ret = rows_code(&compact->rows, &compact->odds, &compact->coder,
				matrix.csr->rows, matrix.scale, matrix.bias);
		if (!ret)
			ret = matrix_code(&compact->matrix, &compact->coder,
					  &shape, *matrix.scale, matrix.csr);
	}
	return ret;
}

static int spmm_table_code(struct compact *compact, struct model_spmm *spmm)
{
	uint32_t tables = spmm->table_per_row ? spmm->weights.rows : 1;

	if (!opinion_bit(&compact->has_table, &compact->odds, &compact->coder,
			 spmm->table != NULL))
		return compact->coder.error;
	return table_code(compact->table, &compact->odds, &compact->coder,
			  tables, &spmm->table);
}

/* The graph is not validated yet, so that the input's index may be anything. */
static int table_layer_code(struct compact *compact, const struct model *model,
			    struct model_layer *layer)
{
	int32_t input = layer->inputs[0];
	uint32_t tables = 1;

	if (layer->input_count < 1 || input < 0 ||
	    (uint32_t)input >= model->tensor_count)
		return -EBADMSG;
	if (layer->table.per_channel)
		tables = model->tensors[input].channels;
	return table_code(compact->table, &compact->odds, &compact->coder,
			  tables, &layer->table.entries);
}

static int layers_code(struct compact *compact, const struct model *model)
{
	int ret = 0;

	for (uint32_t i = 0; !ret && i < model->layer_count; i++) {
		struct model_layer *layer = &model->layers[i];

		ret = matrices_code(compact, layer);
		if (!ret && layer->op == MODEL_SPMM)
			ret = spmm_table_code(compact, &layer->spmm);
		if (!ret && layer->op == MODEL_TABLE)
			ret = table_layer_code(compact, model, layer);
	}
	return ret ? ret : coder_finish(&compact->coder);
}

static int encode(struct compact *compact, const struct model *model)
{
	char *graph = model_graph_write(model);
	int ret;

	if (!graph)
		return -ENOMEM;
	coder_encode(&compact->coder);
	ret = text_code(&compact->odds, &compact->coder, &graph);
	free(graph);
	return ret ? ret : layers_code(compact, model);
}

int model_compact_encode(const struct model *model, uint8_t **bytes,
			 size_t *length)
{
	struct compact *compact = compact_create();
	int ret = compact ? encode(compact, model) : -ENOMEM;

	if (!ret) {
		*bytes = compact->coder.out.bytes;
		*length = compact->coder.out.length;
	} else {
		accel_error(ret, "no memory to write the model");
		if (compact)
			coder_release(&compact->coder);
	}
	compact_destroy(compact);
	return ret;
}

static int damaged(int ret)
{
	if (ret == -ENOMEM)
		return accel_error(ret, "no memory for the model");
	return accel_error(
		-EBADMSG,
		"no model comes of the bytes; the file is damaged, recompress the model");
}

/* An error of the graph has a text that says more. */
static int decode(struct compact *compact, struct model **model)
{
	char *graph = NULL;
	int ret = text_code(&compact->odds, &compact->coder, &graph);

	ret = ret ? damaged(ret) : model_graph_read(graph, model);
	free(graph);
	if (ret)
		return ret;
	ret = layers_code(compact, *model);
	return ret ? damaged(ret) : 0;
}

int model_compact_decode(const uint8_t *bytes, size_t length,
			 struct model **out)
{
	struct compact *compact = compact_create();
	struct model *model = NULL;
	int ret;

	if (!compact)
		return damaged(-ENOMEM);
	coder_decode(&compact->coder, bytes, length);
	ret = decode(compact, &model);
	compact_destroy(compact);
	if (ret) {
		model_destroy(model);
		return ret;
	}
	*out = model;
	return 0;
}
