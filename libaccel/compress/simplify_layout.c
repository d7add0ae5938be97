/* SPDX-License-Identifier: MIT */
/*
 * Views and transpositions are rewritten as one of what their producer reads, so
 * that chains shrink to a single one, or to none. The producer is left for its other
 * readers, or for graph_compact().
 */
#include <compress/simplify.h>

#include <errno.h>
#include <string.h>

static int64_t common_divisor(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* One dimension of the second view in terms of the first one's input. */
static bool compose_dim(const struct graph_reshape *first,
			const struct graph_reshape_dim *second,
			struct graph_reshape_dim *dim)
{
	const struct graph_reshape_dim *source;
	int64_t divisor;

	*dim = *second;
	if (second->axis < 0)
		return true;
	source = &first->dims[second->axis];
	/* a multiple of what was left over is left over again */
	if (source->axis == GRAPH_RESHAPE_REST) {
		*dim = *source;
		return true;
	}
	dim->axis = source->axis;
	if (__builtin_mul_overflow(source->numerator, second->numerator,
				   &dim->numerator) ||
	    __builtin_mul_overflow(source->denominator, second->denominator,
				   &dim->denominator))
		return false;
	divisor = common_divisor(dim->numerator, dim->denominator);
	dim->numerator /= divisor;
	dim->denominator /= divisor;
	return dim->axis >= 0 || dim->denominator == 1;
}

static bool compose_reshape(const struct graph_reshape *first,
			    const struct graph_reshape *second,
			    struct graph_reshape *both)
{
	int rests = 0;

	both->rank = second->rank;
	for (int i = 0; i < second->rank; i++) {
		if (!compose_dim(first, &second->dims[i], &both->dims[i]))
			return false;
		rests += both->dims[i].axis == GRAPH_RESHAPE_REST;
	}
	return rests <= 1;
}

/* Is dimension i of a view that of its input? */
static bool dim_is_same(const struct graph_shape *from,
			const struct graph_reshape_dim *dim, int i)
{
	if (dim->axis == GRAPH_RESHAPE_NUMBER)
		return dim->numerator == from->dims[i];
	return dim->axis == i && dim->numerator == 1 && dim->denominator == 1;
}

/* One dimension may be left over: it follows from the others. */
static bool reshape_is_identity(const struct graph *graph,
				const struct graph_node *node)
{
	const struct graph_shape *from = &graph->tensors[node->inputs[0]].shape;
	int same = 0;

	if (from->rank != node->reshape.rank)
		return false;
	for (int i = 0; i < from->rank; i++)
		same += dim_is_same(from, &node->reshape.dims[i], i);
	return same == from->rank || (same == from->rank - 1 && from->rank > 0);
}

/* The node that computes the input of another, if it is of an operator. */
static struct graph_node *producer_of(struct graph *graph,
				      const struct graph_node *node,
				      enum graph_op op)
{
	struct graph_node *producer = simplify_producer(graph, node->inputs[0]);

	if (!producer || producer->op != op ||
	    graph->tensors[node->inputs[0]].quantization)
		return NULL;
	return producer;
}

static int merge_reshape(struct graph *graph, int index)
{
	struct graph_node *node = &graph->nodes[index];
	const struct graph_node *first;
	struct graph_reshape both;

	if (reshape_is_identity(graph, node) &&
	    simplify_bypass(graph, index, node->inputs[0]))
		return 1;
	first = producer_of(graph, node, GRAPH_RESHAPE);
	if (!first || !compose_reshape(&first->reshape, &node->reshape, &both))
		return 0;
	node->inputs[0] = first->inputs[0];
	node->reshape = both;
	return 1;
}

static int merge_transpose(struct graph *graph, int index)
{
	struct graph_node *node = &graph->nodes[index];
	int rank = graph->tensors[node->inputs[0]].shape.rank;
	const struct graph_node *first;
	bool identity = true;

	for (int i = 0; i < rank; i++)
		identity &= node->transpose.perm[i] == i;
	if (identity && simplify_bypass(graph, index, node->inputs[0]))
		return 1;
	first = producer_of(graph, node, GRAPH_TRANSPOSE);
	if (!first)
		return 0;
	for (int i = 0; i < rank; i++)
		node->transpose.perm[i] =
			first->transpose.perm[node->transpose.perm[i]];
	node->inputs[0] = first->inputs[0];
	return 1;
}

/* Is a dimension of the last view factor times an axis of its input? */
static bool dim_is_multiple(const struct graph_shape *from,
			    const struct graph_reshape_dim *dim, int axis,
			    int64_t factor)
{
	if (dim->axis == GRAPH_RESHAPE_NUMBER)
		return from->dims[axis] > 0 &&
		       dim->numerator == from->dims[axis] * factor;
	return dim->axis == axis && dim->numerator == factor &&
	       dim->denominator == 1;
}

/*
 * Blocks of pixels are written as a view of six axes, a transposition and a view
 * of four: [N, C, b, b, H, W] with (c, dy, dx) as PyTorch, or [N, b, b, C, H, W].
 */
static int64_t shuffle_block(const struct graph *graph,
			     const struct graph_node *split,
			     const struct graph_node *transpose, bool *crd)
{
	static const int perms[2][6] = { { 0, 3, 4, 1, 5, 2 },
					 { 0, 1, 4, 2, 5, 3 } };
	const struct graph_shape *from =
		&graph->tensors[split->inputs[0]].shape;
	const int64_t *dims = graph->tensors[split->outputs[0]].shape.dims;
	const struct graph_reshape_dim *view = split->reshape.dims;
	int64_t block;

	if (from->rank != 4 || split->reshape.rank != 6)
		return 0;
	*crd = !memcmp(transpose->transpose.perm, perms[1], sizeof(perms[1]));
	if (!*crd &&
	    memcmp(transpose->transpose.perm, perms[0], sizeof(perms[0])))
		return 0;
	block = dims[*crd ? 2 : 1];
	if (block < 2 || dims[*crd ? 3 : 2] != block || dims[*crd ? 1 : 3] < 1)
		return 0;
	/* height and width stay; the batch may be what is left over */
	return dim_is_multiple(from, &view[4], 2, 1) &&
			       dim_is_multiple(from, &view[5], 3, 1) ?
		       block :
		       0;
}

/* Numbers or expressions: what counts is that height and width grow by the block. */
static int find_shuffle(struct graph *graph, int index)
{
	struct graph_node *node = &graph->nodes[index];
	const struct graph_reshape_dim *dims = node->reshape.dims;
	const struct graph_node *transpose, *split;
	const struct graph_shape *shape;
	int64_t block;
	bool crd;

	transpose = producer_of(graph, node, GRAPH_TRANSPOSE);
	split = transpose ? producer_of(graph, transpose, GRAPH_RESHAPE) : NULL;
	if (!split || node->reshape.rank != 4)
		return 0;
	block = shuffle_block(graph, split, transpose, &crd);
	shape = &graph->tensors[node->inputs[0]].shape;
	/* channels known, and height or width: the rest follows */
	if (!block || dims[1].axis != GRAPH_RESHAPE_NUMBER ||
	    dims[1].numerator != shape->dims[1] ||
	    !(dim_is_same(shape, &dims[0], 0) ||
	      dims[0].axis == GRAPH_RESHAPE_REST) ||
	    !(dim_is_multiple(shape, &dims[2], 2, block) ||
	      dims[2].axis == GRAPH_RESHAPE_REST) ||
	    !(dim_is_multiple(shape, &dims[3], 4, block) ||
	      dims[3].axis == GRAPH_RESHAPE_REST))
		return 0;
	node->inputs[0] = split->inputs[0];
	node->op = GRAPH_DEPTH_TO_SPACE;
	node->depth_to_space =
		(struct graph_depth_to_space){ .block = block, .crd = crd };
	return 1;
}

/* Does a node treat every element alike, wherever it lies? */
static bool is_elementwise(const struct graph *graph,
			   const struct graph_node *node)
{
	if (node->op == GRAPH_AFFINE)
		return graph->tensors[node->inputs[1]].shape.dims[0] == 1 &&
		       graph->tensors[node->inputs[2]].shape.dims[0] == 1;
	if (node->op == GRAPH_PRELU)
		return graph->tensors[node->inputs[1]].shape.dims[0] == 1;
	return graph_op_is_activation(node->op);
}

/*
 * Move a view or transposition past the activation that follows, if another one
 * comes then, so that the two meet: sequences between convolutions.
 */
static int sink(struct graph *graph, int index)
{
	struct graph_node *second = &graph->nodes[index];
	int middle = second->inputs[0];
	struct graph_node *activation = simplify_producer(graph, middle);
	const struct graph_node *first;

	if (!activation || !simplify_is_private(graph, middle) ||
	    !is_elementwise(graph, activation) ||
	    !simplify_is_private(graph, activation->inputs[0]))
		return 0;
	first = simplify_producer(graph, activation->inputs[0]);
	if (first->op != second->op)
		return 0;
	if (second->op == GRAPH_RESHAPE) {
		struct graph_reshape both;

		if (!compose_reshape(&first->reshape, &second->reshape, &both))
			return 0;
		second->reshape = both;
	} else {
		for (int i = 0; i < graph->tensors[middle].shape.rank; i++)
			second->transpose.perm[i] =
				first->transpose.perm[second->transpose.perm[i]];
	}
	activation->inputs[0] = first->inputs[0];
	if (activation->op == GRAPH_AFFINE || activation->op == GRAPH_PRELU)
		activation->axis = 0;
	graph->tensors[middle].shape = graph->tensors[first->inputs[0]].shape;
	return 1;
}

static int simplify_node(struct graph *graph, int index)
{
	enum graph_op op = graph->nodes[index].op;
	int ret = 0;

	if (op == GRAPH_RESHAPE) {
		ret = find_shuffle(graph, index);
		if (!ret)
			ret = merge_reshape(graph, index);
	} else if (op == GRAPH_TRANSPOSE) {
		ret = merge_transpose(graph, index);
	} else {
		return 0;
	}
	return ret ? ret : sink(graph, index);
}

int simplify_layout(struct graph *graph)
{
	int changes = 0;

	for (int i = 0; i < graph->node_count; i++)
		if (graph->nodes[i].input_count)
			changes += simplify_node(graph, i);
	return changes;
}
