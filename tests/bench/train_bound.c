/* SPDX-License-Identifier: MIT */
#include "train_bound.h"

#include <compress/blas.h>
#include <compress/im2col.h>

#include <stdlib.h>

enum { X, WEIGHT };
enum { BATCH, CHANNELS, HEIGHT, WIDTH };
enum { GRID, IMAGE, BY_WEIGHT };

/**
 * struct layer - weight [channels, rows] and columns [rows, columns]
 * @group: parts of the channels, each with such a weight
 * @channels: of one
 * @rows: of one
 * @columns: of one tile
 * @tiles: of the whole batch; the last one may be in part
 * @by_input: is that gradient needed?
 * @image_is_x: forward is weight · columns, else weightᵀ · grid
 */
struct layer {
	int64_t group, channels, rows, columns;
	double tiles;
	bool by_input;
	bool image_is_x;
};

struct train_bound {
	struct layer *layers;
	int count;
	float *a, *b, *c;
};

static int64_t extent(const struct graph_shape *shape, int from, int to)
{
	int64_t extent = 1;

	for (int axis = from; axis < to; axis++)
		extent *= shape->dims[axis];
	return extent;
}

static bool is_input(const struct graph *graph, int tensor)
{
	for (int i = 0; i < graph->input_count; i++)
		if (graph->inputs[i] == tensor)
			return true;
	return false;
}

static struct layer gemm_layer(const struct graph_shape *x,
			       const struct graph_shape *weight)
{
	return (struct layer){
		.group = 1,
		.channels = weight->dims[0],
		.rows = weight->dims[1],
		.columns = extent(x, 0, x->rank - 1),
		.tiles = 1,
		.image_is_x = true,
	};
}

/* With steps of one pixel the columns are made of the side with fewer channels. */
static struct layer conv_layer(const struct graph_node *node,
			       const struct graph_shape *x,
			       const struct graph_shape *y)
{
	const struct graph_conv *conv = &node->conv;
	bool either = conv->stride[0] == 1 && conv->stride[1] == 1;
	bool image_is_x = either ? x->dims[CHANNELS] <= y->dims[CHANNELS] :
				   node->op == GRAPH_CONV;
	const struct graph_shape *image = image_is_x ? x : y;
	const struct graph_shape *grid = image_is_x ? y : x;
	int64_t columns = grid->dims[BATCH] * extent(grid, HEIGHT, grid->rank);
	struct layer layer = {
		.group = conv->group,
		.channels = grid->dims[CHANNELS] / conv->group,
		.rows = image->dims[CHANNELS] / conv->group * conv->kernel[0] *
			conv->kernel[1],
		.image_is_x = image_is_x,
	};

	layer.columns = im2col_tile(layer.rows, columns);
	layer.tiles = (double)columns / (double)layer.columns;
	return layer;
}

static struct layer layer_of(const struct graph *graph,
			     const struct graph_node *node,
			     const struct graph_shape *shapes)
{
	const struct graph_shape *x = &shapes[node->inputs[X]];
	struct layer layer =
		node->op == GRAPH_GEMM ?
			gemm_layer(x, &shapes[node->inputs[WEIGHT]]) :
			conv_layer(node, x, &shapes[node->outputs[0]]);

	layer.by_input = !is_input(graph, node->inputs[X]);
	return layer;
}

static float *operand(int64_t count)
{
	float *values = malloc((size_t)count * sizeof(*values));

	for (int64_t i = 0; values && i < count; i++)
		values[i] = (float)(i % 17) / 16 - 0.5f;
	return values;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Each operand as large as the largest of any layer. */
static bool allocate(struct train_bound *bound)
{
	int64_t weight = 1, columns = 1, grid = 1;

	for (int i = 0; i < bound->count; i++) {
		const struct layer *l = &bound->layers[i];

		weight = larger(weight, l->channels * l->rows);
		columns = larger(columns, l->rows * l->columns);
		grid = larger(grid, l->channels * l->columns);
	}
	bound->a = operand(weight);
	bound->b = operand(columns);
	bound->c = operand(grid);
	return bound->a && bound->b && bound->c;
}

struct train_bound *train_bound_create(const struct graph *graph,
				       const struct graph_shape *shapes)
{
	struct train_bound *bound = calloc(1, sizeof(*bound));

	if (!bound)
		return NULL;
	bound->layers =
		calloc((size_t)graph->node_count, sizeof(*bound->layers));
	for (int i = 0; bound->layers && i < graph->node_count; i++)
		if (graph_op_is_linear(graph->nodes[i].op))
			bound->layers[bound->count++] =
				layer_of(graph, &graph->nodes[i], shapes);
	if (!bound->layers || blas_init() || !allocate(bound)) {
		train_bound_destroy(bound);
		return NULL;
	}
	return bound;
}

static void multiply(struct train_bound *bound, const struct layer *l,
		     int64_t columns, int which)
{
	struct blas_matrix weight = { .values = bound->a, .stride = l->rows };
	struct blas_matrix image = { .values = bound->b, .stride = columns };
	struct blas_matrix grid = { .values = bound->c, .stride = columns };

	switch (which) {
	case GRID:
		blas_multiply(l->channels, columns, l->rows, weight, image, 0,
			      bound->c, columns);
		break;
	case IMAGE:
		weight.transposed = true;
		blas_multiply(l->rows, columns, l->channels, weight, grid, 0,
			      bound->b, columns);
		break;
	default:
		image.transposed = true;
		blas_multiply(l->channels, l->rows, columns, grid, image, 0,
			      bound->a, l->rows);
	}
}

/* All tiles; of the last one what there is of it. */
static void multiply_all(struct train_bound *bound, const struct layer *l,
			 int which)
{
	int64_t whole = (int64_t)l->tiles;
	int64_t rest =
		(int64_t)((l->tiles - (double)whole) * (double)l->columns +
			  0.5);

	for (int64_t group = 0; group < l->group; group++) {
		for (int64_t i = 0; i < whole; i++)
			multiply(bound, l, l->columns, which);
		if (rest)
			multiply(bound, l, rest, which);
	}
}

void train_bound_run(struct train_bound *bound)
{
	for (int i = 0; i < bound->count; i++) {
		const struct layer *l = &bound->layers[i];

		multiply_all(bound, l, l->image_is_x ? GRID : IMAGE);
		multiply_all(bound, l, BY_WEIGHT);
		if (l->by_input)
			multiply_all(bound, l, l->image_is_x ? IMAGE : GRID);
	}
}

void train_bound_destroy(struct train_bound *bound)
{
	if (!bound)
		return;
	free(bound->layers);
	free(bound->a);
	free(bound->b);
	free(bound->c);
	free(bound);
}
