/* SPDX-License-Identifier: MIT */
/*
 * One function for each operator says what its result's shape is. The functions
 * compute with dimension_*() alone, and so serve numbers and unknown sizes alike; a
 * size that is not known is taken to fit.
 */
#include <compress/graph_shape.h>
#include <core/checked.h>
#include <core/error.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A node with the shapes of its inputs (NULL: absent) and first output. */
struct inference {
	const struct graph_node *node;
	struct dimension_table *table;
	const struct graph_shape *x;
	const struct graph_shape *weight;
	struct graph_shape *y;
	const struct graph *graph;
	struct graph_shape *shapes;
	/* Stands in for an output that has no name. */
	struct graph_shape unnamed;
};

const char *graph_shape_text(const struct graph_shape *shape,
			     char text[GRAPH_SHAPE_TEXT_SIZE])
{
	size_t used = 1;

	strcpy(text, "[");
	for (int i = 0; i < shape->rank; i++) {
		const char *comma = i ? ", " : "";

		if (dimension_is_number(shape->dims[i]) && shape->dims[i] >= 0)
			used += (size_t)snprintf(text + used, 24, "%s%lld",
						 comma,
						 (long long)shape->dims[i]);
		else
			used += (size_t)snprintf(text + used, 24, "%s?", comma);
	}
	strcpy(text + used, "]");
	return text;
}

static bool both_numbers(int64_t a, int64_t b)
{
	return dimension_is_number(a) && dimension_is_number(b);
}

/* May the two be equal? */
static bool compatible(int64_t a, int64_t b)
{
	return a == b || !both_numbers(a, b);
}

static int rank_error(const struct inference *inference, const char *wanted)
{
	char text[GRAPH_SHAPE_TEXT_SIZE];

	return accel_error(-EINVAL, "its input has shape %s, it takes %s",
			   graph_shape_text(inference->x, text), wanted);
}

static int infer_same(const struct inference *inference)
{
	*inference->y = *inference->x;
	return 0;
}

/* Operators with one parameter for each element of an axis. */
static int infer_per_axis(const struct inference *inference)
{
	int axis = inference->node->axis;
	const struct graph_shape *parameter = inference->weight;

	if (axis >= inference->x->rank && parameter->dims[0] != 1)
		return rank_error(inference, "more axes");
	if (parameter->dims[0] != 1 &&
	    !compatible(parameter->dims[0], inference->x->dims[axis]))
		return accel_error(-EINVAL,
				   "%lld parameters for an axis of length %lld",
				   (long long)parameter->dims[0],
				   (long long)inference->x->dims[axis]);
	return infer_same(inference);
}

bool graph_shape_broadcast(const struct graph_shape *a,
			   const struct graph_shape *b,
			   struct graph_shape *result)
{
	int rank = a->rank > b->rank ? a->rank : b->rank;

	for (int i = 1; i <= rank; i++) {
		int64_t x = i <= a->rank ? a->dims[a->rank - i] : 1;
		int64_t y = i <= b->rank ? b->dims[b->rank - i] : 1;

		if (x != 1 && y != 1 && !compatible(x, y))
			return false;
		/* a number other than 1 says most */
		if (x == 1 || (y != 1 && dimension_is_number(y)))
			x = y;
		result->dims[rank - i] = x;
	}
	result->rank = rank;
	return true;
}

static int infer_broadcast(const struct inference *inference)
{
	char left[GRAPH_SHAPE_TEXT_SIZE], right[GRAPH_SHAPE_TEXT_SIZE];

	if (graph_shape_broadcast(inference->x, inference->weight,
				  inference->y))
		return 0;
	return accel_error(-EINVAL, "shapes %s and %s do not fit each other",
			   graph_shape_text(inference->x, left),
			   graph_shape_text(inference->weight, right));
}

static int infer_gemm(const struct inference *inference)
{
	const struct graph_shape *x = inference->x;

	if (x->rank < 1)
		return rank_error(inference, "a matrix");
	if (!compatible(x->dims[x->rank - 1], inference->weight->dims[1]))
		return accel_error(
			-EINVAL,
			"its input has %lld columns, its weight takes %lld",
			(long long)x->dims[x->rank - 1],
			(long long)inference->weight->dims[1]);
	*inference->y = *x;
	inference->y->dims[x->rank - 1] = inference->weight->dims[0];
	return 0;
}

/* floor((size + padding − window) / stride) + 1, or with ceil */
static int64_t window_count(struct dimension_table *table, int64_t size,
			    int64_t padding, int64_t window, int64_t stride,
			    bool ceil)
{
	int64_t span = dimension_add(table, size, padding - window);
	int64_t steps = dimension_divide(table, span, stride);

	steps = ceil ? dimension_ceil(table, steps) :
		       dimension_floor(table, steps);
	return dimension_add(table, steps, 1);
}

/* The message has both numbers: it is the commonest fault of a model by hand. */
static int channels_check(const struct inference *inference, int64_t channels)
{
	if (inference->x->rank != 4)
		return rank_error(inference, "an image [N, C, H, W]");
	if (compatible(inference->x->dims[1], channels))
		return 0;
	return accel_error(-EINVAL,
			   "its input has %lld channels, its weight takes %lld",
			   (long long)inference->x->dims[1],
			   (long long)channels);
}

static int infer_conv(const struct inference *inference)
{
	const struct graph_conv *conv = &inference->node->conv;
	const struct graph_shape *x = inference->x;
	struct graph_shape *y = inference->y;
	int ret;

	ret = channels_check(inference,
			     inference->weight->dims[1] * conv->group);
	if (ret)
		return ret;
	y->rank = 4;
	y->dims[0] = x->dims[0];
	y->dims[1] = inference->weight->dims[0];
	for (int i = 0; i < 2; i++) {
		int64_t reach = (conv->kernel[i] - 1) * conv->dilation[i] + 1;

		if (conv->auto_pad == GRAPH_PAD_EXPLICIT)
			y->dims[2 + i] =
				window_count(inference->table, x->dims[2 + i],
					     conv->pads[i] + conv->pads[2 + i],
					     reach, conv->stride[i], false);
		else
			y->dims[2 + i] = dimension_ceil(
				inference->table,
				dimension_divide(inference->table,
						 x->dims[2 + i],
						 conv->stride[i]));
	}
	return 0;
}

static int64_t transposed_size(const struct inference *inference, int i)
{
	const struct graph_conv *conv = &inference->node->conv;
	struct dimension_table *table = inference->table;
	int64_t size = inference->x->dims[2 + i];
	int64_t reach = (conv->kernel[i] - 1) * conv->dilation[i] + 1;

	if (conv->output_size[i])
		return conv->output_size[i];
	if (conv->auto_pad != GRAPH_PAD_EXPLICIT)
		return dimension_multiply(table, size, conv->stride[i]);
	size = dimension_add(table, size, -1);
	size = dimension_multiply(table, size, conv->stride[i]);
	return dimension_add(table, size,
			     reach + conv->output_padding[i] - conv->pads[i] -
				     conv->pads[2 + i]);
}

/* A size asked for must be within a stride of what the taps reach. */
static int output_size_check(const struct inference *inference, int i)
{
	const struct graph_conv *conv = &inference->node->conv;
	int64_t reach = (conv->kernel[i] - 1) * conv->dilation[i] + 1;
	int64_t size = inference->x->dims[2 + i];

	if (!conv->output_size[i] || !dimension_is_number(size) ||
	    conv->output_size[i] <
		    conv->stride[i] * size + reach + conv->output_padding[i])
		return 0;
	return accel_error(-EINVAL,
			   "output_shape asks for %lld, more than an input of "
			   "%lld gives",
			   (long long)conv->output_size[i], (long long)size);
}

static int infer_conv_transpose(const struct inference *inference)
{
	int ret = channels_check(inference, inference->weight->dims[0]);

	for (int i = 0; i < 2 && !ret; i++)
		ret = output_size_check(inference, i);
	if (ret)
		return ret;
	inference->y->rank = 4;
	inference->y->dims[0] = inference->x->dims[0];
	inference->y->dims[1] =
		inference->weight->dims[1] * inference->node->conv.group;
	inference->y->dims[2] = transposed_size(inference, 0);
	inference->y->dims[3] = transposed_size(inference, 1);
	return 0;
}

static int64_t pooled_size(const struct inference *inference, int i)
{
	const struct graph_pool *pool = &inference->node->pool;
	int64_t reach = (pool->kernel[i] - 1) * pool->dilation[i] + 1;
	int64_t size = inference->x->dims[2 + i];
	int64_t count;

	if (pool->auto_pad != GRAPH_PAD_EXPLICIT)
		return dimension_ceil(inference->table,
				      dimension_divide(inference->table, size,
						       pool->stride[i]));
	count = window_count(inference->table, size,
			     pool->pads[i] + pool->pads[2 + i], reach,
			     pool->stride[i], pool->ceil_mode);
	/* ceil_mode: a window must not begin in the padding at the end */
	if (pool->ceil_mode && both_numbers(size, count) &&
	    (count - 1) * pool->stride[i] >= size + pool->pads[i])
		count--;
	return count;
}

static int infer_pool(const struct inference *inference)
{
	if (inference->x->rank != 4)
		return rank_error(inference, "an image [N, C, H, W]");
	*inference->y = *inference->x;
	inference->y->dims[2] = pooled_size(inference, 0);
	inference->y->dims[3] = pooled_size(inference, 1);
	return 0;
}

static int infer_global_pool(const struct inference *inference)
{
	if (inference->x->rank != 4)
		return rank_error(inference, "an image [N, C, H, W]");
	*inference->y = *inference->x;
	inference->y->dims[2] = 1;
	inference->y->dims[3] = 1;
	return 0;
}

/* Sums lengths on the axis; on the others a number wins over an unknown size. */
static int infer_concat(const struct inference *inference)
{
	const struct graph_node *node = inference->node;
	struct graph_shape *y = inference->y;
	int axis = node->axis;

	if (axis >= inference->x->rank)
		return rank_error(inference, "more axes");
	*y = *inference->x;
	for (int i = 1; i < node->input_count; i++) {
		const struct graph_shape *x =
			&inference->shapes[node->inputs[i]];

		if (x->rank != y->rank)
			return accel_error(-EINVAL,
					   "input %d has %d axes, not %d", i,
					   x->rank, y->rank);
		for (int j = 0; j < x->rank; j++) {
			if (j == axis)
				y->dims[j] = dimension_add(inference->table,
							   y->dims[j],
							   x->dims[j]);
			else if (!compatible(x->dims[j], y->dims[j]))
				return accel_error(
					-EINVAL,
					"axis %d of input %d is %lld, not %lld",
					j, i, (long long)x->dims[j],
					(long long)y->dims[j]);
			else if (dimension_is_number(x->dims[j]))
				y->dims[j] = x->dims[j];
		}
	}
	return 0;
}

/* Where a bound lies on an axis of a known size. */
static int64_t bound_resolve(int64_t bound, int64_t size)
{
	if (bound < 0)
		bound += size;
	if (bound < 0)
		return 0;
	return bound > size ? size : bound;
}

static int64_t sliced_size(const struct inference *inference)
{
	const struct graph_slice *slice = &inference->node->slice;
	struct dimension_table *table = inference->table;
	int64_t size = inference->x->dims[slice->axis];
	int64_t start = slice->start, end = slice->end, length;

	if (dimension_is_number(size)) {
		start = bound_resolve(start, size);
		end = bound_resolve(end, size);
		length = end - start;
	} else {
		if (end == GRAPH_SLICE_END)
			end = size;
		else if (end < 0)
			end = dimension_add(table, size, end);
		if (start < 0)
			start = dimension_add(table, size, start);
		length = dimension_subtract(table, end, start);
	}
	return dimension_ceil(table,
			      dimension_divide(table, length, slice->step));
}

static int infer_slice(const struct inference *inference)
{
	int axis = inference->node->slice.axis;

	if (axis >= inference->x->rank)
		return rank_error(inference, "more axes");
	*inference->y = *inference->x;
	inference->y->dims[axis] = sliced_size(inference);
	return 0;
}

static int infer_pad(const struct inference *inference)
{
	const struct graph_pad *pad = &inference->node->pad;
	const struct graph_shape *x = inference->x;

	*inference->y = *x;
	for (int i = 0; i < x->rank; i++) {
		if (pad->mode == GRAPH_PAD_REFLECT &&
		    dimension_is_number(x->dims[i]) &&
		    (pad->before[i] >= x->dims[i] ||
		     pad->after[i] >= x->dims[i]) &&
		    (pad->before[i] || pad->after[i]))
			return accel_error(
				-EINVAL,
				"axis %d of length %lld is too short to reflect",
				i, (long long)x->dims[i]);
		inference->y->dims[i] =
			dimension_add(inference->table, x->dims[i],
				      pad->before[i] + pad->after[i]);
	}
	return 0;
}

static int64_t product(struct dimension_table *table,
		       const struct graph_shape *shape, int skip)
{
	int64_t result = 1;

	for (int i = 0; i < shape->rank; i++)
		if (i != skip)
			result = dimension_multiply(table, result,
						    shape->dims[i]);
	return result;
}

static int64_t reshaped_dim(const struct inference *inference,
			    const struct graph_reshape_dim *dim)
{
	int64_t result;

	if (dim->axis == GRAPH_RESHAPE_NUMBER)
		return dim->numerator;
	result = dimension_multiply(inference->table,
				    inference->x->dims[dim->axis],
				    dim->numerator);
	return dimension_divide(inference->table, result, dim->denominator);
}

/*
 * Numbers of elements are compared as expressions: H·W may become W·H, but not 2·H·W,
 * whatever H and W turn out to be.
 */
static int infer_reshape(const struct inference *inference)
{
	const struct graph_reshape *reshape = &inference->node->reshape;
	struct dimension_table *table = inference->table;
	char from[GRAPH_SHAPE_TEXT_SIZE], to[GRAPH_SHAPE_TEXT_SIZE];
	struct graph_shape *y = inference->y;
	int rest = -1;
	int64_t total = product(table, inference->x, -1);

	y->rank = reshape->rank;
	for (int i = 0; i < reshape->rank; i++) {
		const struct graph_reshape_dim *dim = &reshape->dims[i];

		if (dim->axis >= inference->x->rank)
			return rank_error(inference, "more axes");
		if (dim->axis == GRAPH_RESHAPE_REST) {
			rest = i;
			y->dims[i] = GRAPH_DIM_DYNAMIC;
		} else {
			y->dims[i] = reshaped_dim(inference, dim);
		}
	}
	if (rest >= 0)
		y->dims[rest] =
			dimension_divide(table, total, product(table, y, rest));
	if (compatible(product(table, y, -1), total))
		return 0;
	return accel_error(-EINVAL,
			   "shape %s cannot become %s: the numbers of elements "
			   "differ",
			   graph_shape_text(inference->x, from),
			   graph_shape_text(y, to));
}

static int infer_transpose(const struct inference *inference)
{
	inference->y->rank = inference->x->rank;
	for (int i = 0; i < inference->x->rank; i++) {
		int axis = inference->node->transpose.perm[i];

		if (axis >= inference->x->rank)
			return rank_error(inference, "more axes");
		inference->y->dims[i] = inference->x->dims[axis];
	}
	return 0;
}

static int infer_depth_to_space(const struct inference *inference)
{
	int64_t block = inference->node->depth_to_space.block;
	const struct graph_shape *x = inference->x;
	struct graph_shape *y = inference->y;

	if (x->rank != 4)
		return rank_error(inference, "an image [N, C, H, W]");
	if (dimension_is_number(x->dims[1]) && x->dims[1] % (block * block))
		return accel_error(-EINVAL,
				   "%lld channels do not make blocks of %lld",
				   (long long)x->dims[1],
				   (long long)(block * block));
	*y = *x;
	y->dims[1] =
		dimension_divide(inference->table, x->dims[1], block * block);
	y->dims[2] = dimension_multiply(inference->table, x->dims[2], block);
	y->dims[3] = dimension_multiply(inference->table, x->dims[3], block);
	return 0;
}

static int infer_resize(const struct inference *inference)
{
	struct graph_shape *y = inference->y;

	if (inference->x->rank != 4)
		return rank_error(inference, "an image [N, C, H, W]");
	*y = *inference->x;
	for (int i = 0; i < 2; i++)
		y->dims[2 + i] =
			dimension_multiply(inference->table, y->dims[2 + i],
					   inference->node->resize.scale[i]);
	return 0;
}

static int state_check(const struct inference *inference, int input,
		       const struct graph_shape *wanted)
{
	const struct graph_node *node = inference->node;
	char has[GRAPH_SHAPE_TEXT_SIZE], takes[GRAPH_SHAPE_TEXT_SIZE];
	const struct graph_shape *state;

	if (input >= node->input_count ||
	    node->inputs[input] == GRAPH_NO_TENSOR)
		return 0;
	state = &inference->shapes[node->inputs[input]];
	if (state->rank == 3 && compatible(state->dims[0], wanted->dims[0]) &&
	    compatible(state->dims[1], wanted->dims[1]) &&
	    compatible(state->dims[2], wanted->dims[2]))
		return 0;
	return accel_error(-EINVAL,
			   "the initial state has shape %s, it takes %s",
			   graph_shape_text(state, has),
			   graph_shape_text(wanted, takes));
}

/* The only operator with several results: y, then the last states. */
static int infer_recurrent(const struct inference *inference)
{
	const struct graph_node *node = inference->node;
	const struct graph_shape *x = inference->x;
	int64_t hidden = node->recurrent.hidden;
	int64_t directions =
		node->recurrent.direction == GRAPH_BIDIRECTIONAL ? 2 : 1;
	struct graph_shape state = { 3, { directions, 0, hidden } };
	int ret;

	if (x->rank != 3 || !compatible(x->dims[2], inference->weight->dims[2]))
		return rank_error(inference, "a sequence [T, N, features]");
	state.dims[1] = x->dims[1];
	for (int i = 4; i < 6; i++) {
		ret = state_check(inference, i, &state);
		if (ret)
			return ret;
	}
	for (int i = 0; i < node->output_count; i++) {
		if (node->outputs[i] == GRAPH_NO_TENSOR)
			continue;
		inference->shapes[node->outputs[i]] = state;
		if (!i)
			inference->shapes[node->outputs[i]] =
				(struct graph_shape){ 3,
						      { x->dims[0], x->dims[1],
							directions * hidden } };
	}
	return 0;
}

static int infer_batch_norm(const struct inference *inference)
{
	if (inference->x->rank < 2)
		return rank_error(inference, "[N, C, ...]");
	return infer_same(inference);
}

static int (*const infer[GRAPH_OP_COUNT])(const struct inference *) = {
	[GRAPH_CONV] = infer_conv,
	[GRAPH_CONV_TRANSPOSE] = infer_conv_transpose,
	[GRAPH_GEMM] = infer_gemm,
	[GRAPH_PRELU] = infer_per_axis,
	[GRAPH_ADD] = infer_broadcast,
	[GRAPH_MULTIPLY] = infer_broadcast,
	[GRAPH_AFFINE] = infer_per_axis,
	[GRAPH_CONCAT] = infer_concat,
	[GRAPH_SLICE] = infer_slice,
	[GRAPH_PAD] = infer_pad,
	[GRAPH_RESHAPE] = infer_reshape,
	[GRAPH_TRANSPOSE] = infer_transpose,
	[GRAPH_DEPTH_TO_SPACE] = infer_depth_to_space,
	[GRAPH_RESIZE_NEAREST] = infer_resize,
	[GRAPH_MAX_POOL] = infer_pool,
	[GRAPH_AVERAGE_POOL] = infer_pool,
	[GRAPH_GLOBAL_AVERAGE_POOL] = infer_global_pool,
	[GRAPH_LSTM] = infer_recurrent,
	[GRAPH_GRU] = infer_recurrent,
	[GRAPH_BATCH_NORM] = infer_batch_norm,
};

/* Every dimension is a positive number (or an expression) and bytes can count. */
static int result_check(const struct graph_shape *shape)
{
	char text[GRAPH_SHAPE_TEXT_SIZE];
	int64_t bytes = sizeof(float);

	for (int i = 0; i < shape->rank; i++) {
		int64_t dim = shape->dims[i];

		if (dim == DIMENSION_INVALID)
			return accel_error(-EINVAL,
					   "the shape of its result cannot be "
					   "computed: a number is too large or "
					   "does not divide");
		if (!dimension_is_number(dim))
			continue;
		if (dim <= 0)
			return accel_error(
				-EINVAL,
				"its result would have shape %s: the "
				"input is too small",
				graph_shape_text(shape, text));
		if (dim > GRAPH_MAX_LENGTH ||
		    !checked_multiply_i64(bytes, dim, &bytes))
			return accel_error(-EOVERFLOW,
					   "its result would have shape %s: "
					   "too large",
					   graph_shape_text(shape, text));
	}
	return 0;
}

static int infer_and_check(struct inference *inference)
{
	const struct graph_node *node = inference->node;
	int (*function)(const struct inference *) = infer[node->op];
	int ret;

	inference->y = node->outputs[0] == GRAPH_NO_TENSOR ?
			       &inference->unnamed :
			       &inference->shapes[node->outputs[0]];
	ret = function ? function(inference) : infer_same(inference);
	for (int i = 0; i < node->output_count && !ret; i++)
		if (node->outputs[i] != GRAPH_NO_TENSOR)
			ret = result_check(
				&inference->shapes[node->outputs[i]]);
	return ret;
}

int graph_infer_node(const struct graph *graph, const struct graph_node *node,
		     struct dimension_table *table, struct graph_shape *shapes)
{
	struct inference inference = {
		.node = node, .table = table, .graph = graph, .shapes = shapes
	};
	int ret;

	inference.x = &shapes[node->inputs[0]];
	if (node->input_count > 1)
		inference.weight = &shapes[node->inputs[1]];
	ret = infer_and_check(&inference);
	if (ret)
		return accel_error_prefix(ret, "%s (%s)", node->name,
					  graph_op_name(node->op));
	return 0;
}

/* Symbols of one name stand for one number, over all inputs. */
static int symbol_check(const struct graph *graph,
			const struct graph_shape *inputs, int input, int axis)
{
	const struct graph_tensor *tensor =
		&graph->tensors[graph->inputs[input]];
	const char *symbol = tensor->symbols[axis];

	if (!symbol || !*symbol)
		return 0;
	for (int i = 0; i <= input; i++) {
		const struct graph_tensor *other =
			&graph->tensors[graph->inputs[i]];

		for (int j = 0; j < other->shape.rank; j++)
			if (other->symbols[j] &&
			    !strcmp(other->symbols[j], symbol) &&
			    other->shape.dims[j] == GRAPH_DIM_DYNAMIC &&
			    inputs[i].dims[j] != inputs[input].dims[axis])
				return accel_error(
					-EINVAL,
					"input %s: dimension %s is %lld, "
					"but %lld in input %s",
					tensor->name, symbol,
					(long long)inputs[input].dims[axis],
					(long long)inputs[i].dims[j],
					other->name);
	}
	return 0;
}

static int input_check(const struct graph *graph,
		       const struct graph_shape *inputs, int input)
{
	const struct graph_tensor *tensor =
		&graph->tensors[graph->inputs[input]];
	const struct graph_shape *given = &inputs[input];
	char has[GRAPH_SHAPE_TEXT_SIZE], takes[GRAPH_SHAPE_TEXT_SIZE];
	bool fits = given->rank == tensor->shape.rank;

	for (int i = 0; fits && i < given->rank; i++)
		fits = given->dims[i] > 0 &&
		       given->dims[i] <= GRAPH_MAX_LENGTH &&
		       (tensor->shape.dims[i] == GRAPH_DIM_DYNAMIC ||
			tensor->shape.dims[i] == given->dims[i]);
	if (!fits)
		return accel_error(-EINVAL, "input %s takes shape %s, not %s",
				   tensor->name,
				   graph_shape_text(&tensor->shape, takes),
				   graph_shape_text(given, has));
	for (int i = 0; i < given->rank; i++) {
		int ret = symbol_check(graph, inputs, input, i);

		if (ret)
			return ret;
	}
	return 0;
}

static int infer_nodes(const struct graph *graph, struct dimension_table *table,
		       struct graph_shape *shapes)
{
	for (int i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];
		int ret;

		if (!node->input_count)
			continue;
		ret = graph_infer_node(graph, node, table, shapes);
		if (ret)
			return ret;
	}
	return 0;
}

int graph_infer_shapes(const struct graph *graph,
		       const struct graph_shape *inputs,
		       struct graph_shape *shapes)
{
	struct dimension_table *table;
	int ret;

	for (int i = 0; i < graph->tensor_count; i++)
		shapes[i] = graph->tensors[i].shape;
	for (int i = 0; i < graph->input_count; i++) {
		ret = input_check(graph, inputs, i);
		if (ret)
			return ret;
		shapes[graph->inputs[i]] = inputs[i];
	}
	/* Numbers, too, are fractions on the way: size / stride. */
	table = dimension_table_create();
	if (!table)
		return accel_error(-ENOMEM, "no memory to infer shapes");
	ret = infer_nodes(graph, table, shapes);
	dimension_table_destroy(table);
	return ret;
}
