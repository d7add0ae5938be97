/* SPDX-License-Identifier: MIT */
/*
 * The inverse of pixel shuffle is written as a view of six axes, [N, C, H/b, b, W/b,
 * b], a transposition and a view of four. Neither the device nor a matrix knows it:
 * a convolution of stride b whose weights are ones and zeros does the same. A file that
 * has such a convolution already (an export of ours) is recognized, too.
 */
#include <compress/simplify.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WEIGHTS (INT64_C(1) << 24)

struct unshuffle {
	int input;
	int64_t channels;
	int64_t block;
	bool crd; /* channels of the result as (c, dy, dx); else (dy, dx, c) */
};

/* Does a view divide an axis of its input into blocks at dims[0], dims[1]? */
static bool splits(const struct graph_reshape_dim *dims, int axis,
		   int64_t length, int64_t block)
{
	if (dims[1].axis != GRAPH_RESHAPE_NUMBER || dims[1].numerator != block)
		return false;
	if (dims[0].axis == GRAPH_RESHAPE_NUMBER)
		return length > 0 && dims[0].numerator * block == length;
	return dims[0].axis == axis && dims[0].numerator == 1 &&
	       dims[0].denominator == block;
}

static bool find_split(const struct graph *graph,
		       const struct graph_node *split, struct unshuffle *found)
{
	const struct graph_reshape_dim *dims = split->reshape.dims;
	const struct graph_shape *shape =
		&graph->tensors[split->inputs[0]].shape;

	if (split->reshape.rank != 6 || shape->rank != 4)
		return false;
	found->input = split->inputs[0];
	found->channels = shape->dims[1];
	found->block = dims[3].numerator;
	return found->channels > 0 && found->block >= 2 &&
	       dims[1].axis == GRAPH_RESHAPE_NUMBER &&
	       dims[1].numerator == found->channels &&
	       splits(&dims[2], 2, shape->dims[2], found->block) &&
	       splits(&dims[4], 3, shape->dims[3], found->block);
}

/* Does the last view join channels and keep the sizes, axes 4 and 5? */
static bool joins(const struct graph *graph, const struct graph_node *join,
		  const struct unshuffle *found)
{
	const struct graph_shape *from = &graph->tensors[join->inputs[0]].shape;
	const struct graph_reshape_dim *dims = join->reshape.dims;
	int64_t channels = found->channels * found->block * found->block;

	if (join->reshape.rank != 4 || dims[1].axis != GRAPH_RESHAPE_NUMBER ||
	    dims[1].numerator != channels)
		return false;
	for (int i = 2; i < 4; i++) {
		bool same = dims[i].axis == GRAPH_RESHAPE_NUMBER ?
				    dims[i].numerator == from->dims[i + 2] :
				    dims[i].axis == i + 2 &&
					    dims[i].numerator == 1 &&
					    dims[i].denominator == 1;

		if (!same)
			return false;
	}
	return true;
}

static bool find_unshuffle(struct graph *graph, const struct graph_node *join,
			   struct unshuffle *found)
{
	static const int perms[2][6] = { { 0, 3, 5, 1, 2, 4 },
					 { 0, 1, 3, 5, 2, 4 } };
	const struct graph_node *transpose, *split;

	transpose = simplify_producer(graph, join->inputs[0]);
	if (!transpose || transpose->op != GRAPH_TRANSPOSE ||
	    graph->tensors[join->inputs[0]].quantization)
		return false;
	split = simplify_producer(graph, transpose->inputs[0]);
	if (!split || split->op != GRAPH_RESHAPE ||
	    graph->tensors[transpose->inputs[0]].quantization ||
	    !find_split(graph, split, found) || !joins(graph, join, found))
		return false;
	found->crd =
		!memcmp(transpose->transpose.perm, perms[1], sizeof(perms[1]));
	return found->crd ||
	       !memcmp(transpose->transpose.perm, perms[0], sizeof(perms[0]));
}

/* One row for each channel of the result, with a single one. */
static int add_weight(struct graph *graph, const struct unshuffle *found)
{
	int64_t channels = found->channels;
	int64_t area = found->block * found->block;
	const struct graph_shape shape = {
		4, { channels * area, channels, found->block, found->block }
	};
	int weight = graph_add_constant(graph, "unshuffle", &shape, NULL);
	float *data;

	if (weight < 0)
		return weight;
	data = graph->tensors[weight].data;
	for (int64_t c = 0; c < channels; c++)
		for (int64_t i = 0; i < area; i++) {
			int64_t row = found->crd ? c * area + i :
						   i * channels + c;

			data[(row * channels + c) * area + i] = 1;
		}
	return weight;
}

static int rewrite(struct graph *graph, int index,
		   const struct unshuffle *found)
{
	int weight = add_weight(graph, found);
	struct graph_node *node = &graph->nodes[index];
	int *inputs;

	if (weight < 0)
		return weight;
	inputs = realloc(node->inputs, 2 * sizeof(*inputs));
	if (!inputs)
		return accel_error(-ENOMEM, "out of memory for the model");
	inputs[0] = found->input;
	inputs[1] = weight;
	node->inputs = inputs;
	node->input_count = 2;
	node->op = GRAPH_CONV;
	node->structural = true;
	node->conv = (struct graph_conv){
		.kernel = { found->block, found->block },
		.stride = { found->block, found->block },
		.dilation = { 1, 1 },
		.group = 1,
	};
	return 1;
}

/* One 1 in a row, and zeros. */
static bool takes_one(const float *row, int64_t count)
{
	int64_t ones = 0;

	for (int64_t i = 0; i < count; i++) {
		if (row[i] != 0 && row[i] != 1)
			return false;
		ones += row[i] == 1;
	}
	return ones == 1;
}

/* Does a convolution give every pixel of a block a channel of its own? */
static bool only_moves(const struct graph *graph, const struct graph_node *node)
{
	const struct graph_conv *conv = &node->conv;
	const struct graph_tensor *weight;
	int64_t count;

	if (node->op != GRAPH_CONV || node->input_count != 2 ||
	    conv->group != 1 || conv->auto_pad != GRAPH_PAD_EXPLICIT)
		return false;
	for (int i = 0; i < 2; i++)
		if (conv->kernel[i] < 2 || conv->stride[i] != conv->kernel[i] ||
		    conv->dilation[i] != 1 || conv->pads[i] ||
		    conv->pads[2 + i])
			return false;
	weight = &graph->tensors[node->inputs[1]];
	count = weight->shape.dims[1] * conv->kernel[0] * conv->kernel[1];
	if (weight->shape.dims[0] != count)
		return false;
	for (int64_t row = 0; row < count; row++)
		if (!takes_one(weight->data + row * count, count))
			return false;
	return true;
}

int simplify_unshuffle(struct graph *graph)
{
	int changes = 0;

	for (int i = 0; i < graph->node_count; i++) {
		struct unshuffle found;
		int ret;

		if (only_moves(graph, &graph->nodes[i]))
			graph->nodes[i].structural = true;
		if (graph->nodes[i].op != GRAPH_RESHAPE ||
		    !graph->nodes[i].input_count ||
		    !find_unshuffle(graph, &graph->nodes[i], &found) ||
		    found.channels * found.block * found.block >
			    MAX_WEIGHTS / found.channels / found.block /
				    found.block)
			continue;
		ret = rewrite(graph, i, &found);
		if (ret < 0)
			return ret;
		changes++;
	}
	return changes;
}
