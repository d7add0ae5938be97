// SPDX-License-Identifier: MIT
#include <compress/graph.h>
#include <compress/low_rank_factor.h>
#include <compress/low_rank_graph.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Convolutions between channels alone. */
static const struct graph_conv pointwise = {
	.kernel = { 1, 1 },
	.stride = { 1, 1 },
	.dilation = { 1, 1 },
	.group = 1,
};

/* A tensor's name with what it is behind it; NULL without memory. */
static char *name_of(const struct graph *graph, int tensor, const char *part)
{
	char *name;

	return asprintf(&name, "%s.low_rank.%s", graph->tensors[tensor].name,
			part) < 0 ?
		       NULL :
		       name;
}

static int add_constant(struct graph *graph, int like, const char *part,
			const struct graph_shape *shape, const float *values)
{
	char *name = name_of(graph, like, part);
	int tensor = name ? graph_add_constant(graph, name, shape, values) :
			    -ENOMEM;

	free(name);
	return tensor;
}

static int add_tensor(struct graph *graph, int like, const char *part,
		      const struct graph_shape *shape)
{
	char *name = name_of(graph, like, part);
	int tensor = name ? graph_add_tensor(graph, name, shape) : -ENOMEM;

	free(name);
	return tensor;
}

/* ---- weights ---- */

static int transpose(float *values, size_t rows, size_t columns)
{
	float *copy = malloc((rows * columns + 1) * sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	memcpy(copy, values, rows * columns * sizeof(*copy));
	for (size_t r = 0; r < rows; r++)
		for (size_t c = 0; c < columns; c++)
			values[c * rows + r] = copy[r * columns + c];
	free(copy);
	return 0;
}

/* Weights of a transposed convolution begin with its inputs. */
static int turn(const struct low_rank_factors *factors)
{
	size_t rows = (size_t)factors->rows;
	int ret = transpose(factors->left, rows, (size_t)factors->rank);

	if (!ret && factors->rest)
		ret = transpose(factors->rest, rows, (size_t)factors->columns);
	return ret;
}

/*
 * V first, which has the kernel, and U behind it; of a transposed convolution the
 * kernel is U's.
 */
static int add_weights(struct graph *graph, const struct graph_node *node,
		       const struct low_rank_factors *factors,
		       struct low_rank_parts *parts)
{
	int weights = node->inputs[1];
	struct graph_shape whole = graph->tensors[weights].shape;
	struct graph_shape first = whole, second = whole;
	bool transposed = node->op == GRAPH_CONV_TRANSPOSE;
	struct graph_shape *narrow = transposed ? &first : &second;

	for (int i = 2; i < whole.rank; i++)
		narrow->dims[i] = 1;
	first.dims[0] = factors->rank;
	if (transposed)
		first.dims[1] = whole.dims[0];
	second.dims[transposed ? 0 : 1] = factors->rank;
	parts->first =
		add_constant(graph, weights, "first", &first, factors->right);
	parts->second =
		add_constant(graph, weights, "second", &second, factors->left);
	parts->rest = factors->rest ? add_constant(graph, weights, "rest",
						   &whole, factors->rest) :
				      GRAPH_NO_TENSOR;
	if (parts->first < 0)
		return parts->first;
	if (parts->second < 0)
		return parts->second;
	return factors->rest && parts->rest < 0 ? parts->rest : 0;
}

/* ---- nodes ---- */

/* The tensor between the two: as many channels as the rank. */
static int add_middle(struct graph *graph, const struct graph_node *node,
		      int64_t rank)
{
	bool transposed = node->op == GRAPH_CONV_TRANSPOSE;
	int like = transposed ? node->inputs[0] : node->outputs[0];
	struct graph_shape shape = graph->tensors[like].shape;

	shape.dims[node->op == GRAPH_GEMM ? shape.rank - 1 : 1] = rank;
	return add_tensor(graph, node->outputs[0], "first", &shape);
}

static int put_before(struct graph *graph, int index, int64_t rank,
		      const struct low_rank_parts *parts)
{
	const struct graph_node old = graph->nodes[index];
	bool transposed = old.op == GRAPH_CONV_TRANSPOSE;
	int middle = add_middle(graph, &old, rank);
	const int inputs[2] = { old.inputs[0], parts->first };
	int node;

	if (middle < 0)
		return middle;
	node = graph_add_node(graph, transposed ? GRAPH_CONV : old.op,
			      graph->tensors[middle].name, inputs, 2, &middle,
			      1);
	if (node < 0)
		return node;
	if (old.op != GRAPH_GEMM)
		graph->nodes[node].conv = transposed ? pointwise : old.conv;
	if (old.op == GRAPH_CONV)
		graph->nodes[index].conv = pointwise;
	graph->nodes[index].inputs[0] = middle;
	graph->nodes[index].inputs[1] = parts->second;
	return 0;
}

/* S sees what the layer saw, and has its shape but no bias. */
static int add_rest(struct graph *graph, const struct graph_node *node,
		    const struct graph_conv *conv, int weights)
{
	struct graph_shape shape = graph->tensors[node->outputs[0]].shape;
	const int inputs[2] = { node->inputs[0], weights };
	int output = add_tensor(graph, node->outputs[0], "rest", &shape);
	int added;

	if (output < 0)
		return output;
	added = graph_add_node(graph, node->op, graph->tensors[output].name,
			       inputs, 2, &output, 1);
	if (added < 0)
		return added;
	if (node->op != GRAPH_GEMM)
		graph->nodes[added].conv = *conv;
	return output;
}

/* The old result is that of the sum now, and the layer has another. */
static int put_beside(struct graph *graph, int index, int weights)
{
	const struct graph_node old = graph->nodes[index];
	const struct graph_conv conv = old.conv;
	struct graph_shape shape = graph->tensors[old.outputs[0]].shape;
	int result = old.outputs[0], sum[2], ret;

	sum[0] = add_tensor(graph, result, "dense", &shape);
	if (sum[0] < 0)
		return sum[0];
	sum[1] = add_rest(graph, &old, &conv, weights);
	if (sum[1] < 0)
		return sum[1];
	graph->nodes[index].outputs[0] = sum[0];
	graph->tensors[sum[0]].producer = index;
	graph->tensors[result].producer = -1;
	ret = graph_add_node(graph, GRAPH_ADD, graph->tensors[result].name, sum,
			     2, &result, 1);
	return ret < 0 ? ret : 0;
}

int low_rank_graph_split(struct graph *graph, int node,
			 struct low_rank_factors *factors,
			 struct low_rank_parts *parts)
{
	int ret = graph->nodes[node].op == GRAPH_CONV_TRANSPOSE ?
			  turn(factors) :
			  0;

	if (!ret)
		ret = add_weights(graph, &graph->nodes[node], factors, parts);
	if (!ret && parts->rest >= 0)
		ret = put_beside(graph, node, parts->rest);
	return ret ? ret : put_before(graph, node, factors->rank, parts);
}
