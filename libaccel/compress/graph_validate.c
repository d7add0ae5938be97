/* SPDX-License-Identifier: MIT */
/*
 * What the other rooms need not check again: after graph_validate() an index is in
 * range, a weight has the shape its operator asks for, no attribute overflows a
 * product, and every number is finite.
 */
#include <compress/graph.h>
#include <compress/graph_shape.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* What each operator takes. */
struct signature {
	int min_inputs;
	int max_inputs;
	int max_outputs;
	unsigned int constants; /* bit i: input i must be constant */
};

#define ANY_COUNT 1000000

static const struct signature unary = { 1, 1, 1, 0 };

static const struct signature signatures[GRAPH_OP_COUNT] = {
	[GRAPH_CONV] = { 2, 3, 1, 6 },
	[GRAPH_CONV_TRANSPOSE] = { 2, 3, 1, 6 },
	[GRAPH_GEMM] = { 2, 3, 1, 6 },
	[GRAPH_PRELU] = { 2, 2, 1, 2 },
	[GRAPH_ADD] = { 2, 2, 1, 0 },
	[GRAPH_MULTIPLY] = { 2, 2, 1, 0 },
	[GRAPH_AFFINE] = { 3, 3, 1, 6 },
	[GRAPH_CONCAT] = { 2, ANY_COUNT, 1, 0 },
	[GRAPH_LSTM] = { 3, 6, 3, 14 },
	[GRAPH_GRU] = { 3, 5, 2, 14 },
};

static const struct signature *signature_of(enum graph_op op)
{
	return signatures[op].max_inputs ? &signatures[op] : &unary;
}

static bool in_range(int64_t value, int64_t low)
{
	return value >= low && value <= GRAPH_MAX_EXTENT;
}

static int attribute_error(const char *what)
{
	return accel_error(-EINVAL, "its %s is out of range", what);
}

static int weight_check(const struct graph *graph,
			const struct graph_node *node, int input, int rank)
{
	const struct graph_shape *shape =
		&graph->tensors[node->inputs[input]].shape;
	char text[GRAPH_SHAPE_TEXT_SIZE];

	if (shape->rank != rank)
		return accel_error(-EINVAL,
				   "input %d has shape %s, it takes %d axes",
				   input, graph_shape_text(shape, text), rank);
	for (int i = 0; i < rank; i++)
		if (shape->dims[i] <= 0)
			return accel_error(-EINVAL, "input %d is empty", input);
	return 0;
}

static int vector_check(const struct graph *graph,
			const struct graph_node *node, int input,
			int64_t length)
{
	const struct graph_shape *shape;

	if (input >= node->input_count ||
	    node->inputs[input] == GRAPH_NO_TENSOR)
		return 0;
	shape = &graph->tensors[node->inputs[input]].shape;
	if (shape->rank == 1 && shape->dims[0] == length)
		return 0;
	return accel_error(-EINVAL, "its bias must have %lld elements",
			   (long long)length);
}

static int conv_attributes_check(const struct graph_conv *conv,
				 const int64_t *kernel)
{
	for (int i = 0; i < 2; i++) {
		if (conv->kernel[i] != kernel[i])
			return accel_error(-EINVAL, "kernel_shape is not the "
						    "shape of its weight");
		if (!in_range(conv->kernel[i], 1))
			return attribute_error("kernel_shape");
		if (!in_range(conv->stride[i], 1))
			return attribute_error("stride");
		if (!in_range(conv->dilation[i], 1))
			return attribute_error("dilation");
		if (!in_range(conv->output_padding[i], 0))
			return attribute_error("output_padding");
		if (!in_range(conv->output_size[i], 0))
			return attribute_error("output_shape");
	}
	for (int i = 0; i < 4; i++)
		if (!in_range(conv->pads[i], 0))
			return attribute_error("padding");
	return 0;
}

/* The products of these numbers are computed unchecked elsewhere. */
static int conv_check(const struct graph *graph, const struct graph_node *node)
{
	const struct graph_conv *conv = &node->conv;
	const int64_t *dims = graph->tensors[node->inputs[1]].shape.dims;
	bool transposed = node->op == GRAPH_CONV_TRANSPOSE;
	int64_t rows;
	int ret = weight_check(graph, node, 1, 4);

	if (!ret)
		ret = conv_attributes_check(conv, dims + 2);
	if (ret)
		return ret;
	if (conv->group < 1 || dims[0] % conv->group)
		return accel_error(-EINVAL,
				   "%lld groups do not divide %lld channels",
				   (long long)conv->group, (long long)dims[0]);
	if (!in_range(conv->group, 1) || !in_range(dims[0], 1) ||
	    !in_range(dims[1], 1))
		return attribute_error("number of channels");
	rows = transposed ? dims[1] * conv->group : dims[0];
	return vector_check(graph, node, 2, rows);
}

static int gemm_check(const struct graph *graph, const struct graph_node *node)
{
	int ret = weight_check(graph, node, 1, 2);

	if (ret)
		return ret;
	return vector_check(graph, node, 2,
			    graph->tensors[node->inputs[1]].shape.dims[0]);
}

static int pool_check(const struct graph *graph, const struct graph_node *node)
{
	const struct graph_pool *pool = &node->pool;

	(void)graph;
	for (int i = 0; i < 2; i++) {
		if (!in_range(pool->kernel[i], 1))
			return attribute_error("kernel_shape");
		if (!in_range(pool->stride[i], 1))
			return attribute_error("stride");
		if (!in_range(pool->dilation[i], 1))
			return attribute_error("dilation");
		/* else a window might hold nothing but padding */
		if (!in_range(pool->pads[i], 0) ||
		    !in_range(pool->pads[2 + i], 0) ||
		    pool->pads[i] >= pool->kernel[i] * pool->dilation[i] ||
		    pool->pads[2 + i] >= pool->kernel[i] * pool->dilation[i])
			return attribute_error("padding");
	}
	return 0;
}

static int axis_check(const struct graph *graph, const struct graph_node *node)
{
	if (node->axis < 0 || node->axis >= GRAPH_MAX_RANK)
		return attribute_error("axis");
	if (node->op == GRAPH_CONCAT)
		return 0;
	for (int i = 1; i < node->input_count; i++) {
		int ret = weight_check(graph, node, i, 1);

		if (ret)
			return ret;
	}
	return 0;
}

static int slice_check(const struct graph *graph, const struct graph_node *node)
{
	(void)graph;
	if (node->slice.axis < 0 || node->slice.axis >= GRAPH_MAX_RANK)
		return attribute_error("axis");
	if (node->slice.step < 1)
		return attribute_error("step");
	return 0;
}

static int pad_check(const struct graph *graph, const struct graph_node *node)
{
	(void)graph;
	for (int i = 0; i < GRAPH_MAX_RANK; i++)
		if (!in_range(node->pad.before[i], 0) ||
		    !in_range(node->pad.after[i], 0))
			return attribute_error("padding");
	if (!isfinite(node->pad.value))
		return attribute_error("value");
	return 0;
}

static int reshape_check(const struct graph *graph,
			 const struct graph_node *node)
{
	const struct graph_reshape *reshape = &node->reshape;
	int rests = 0;

	(void)graph;
	if (reshape->rank < 0 || reshape->rank > GRAPH_MAX_RANK)
		return attribute_error("rank");
	for (int i = 0; i < reshape->rank; i++) {
		rests += reshape->dims[i].axis == GRAPH_RESHAPE_REST;
		if (reshape->dims[i].axis < GRAPH_RESHAPE_REST ||
		    reshape->dims[i].axis >= GRAPH_MAX_RANK)
			return attribute_error("axis");
		if (reshape->dims[i].axis != GRAPH_RESHAPE_REST &&
		    (reshape->dims[i].numerator < 1 ||
		     reshape->dims[i].denominator < 1))
			return attribute_error("shape");
	}
	return rests > 1 ? attribute_error("shape") : 0;
}

static int transpose_check(const struct graph *graph,
			   const struct graph_node *node)
{
	int rank = graph->tensors[node->inputs[0]].shape.rank;
	unsigned int seen = 0;

	for (int i = 0; i < rank; i++) {
		int axis = node->transpose.perm[i];

		if (axis < 0 || axis >= rank || seen & (1u << axis))
			return attribute_error("permutation");
		seen |= 1u << axis;
	}
	return 0;
}

static int block_check(const struct graph *graph, const struct graph_node *node)
{
	(void)graph;
	if (node->op == GRAPH_DEPTH_TO_SPACE)
		return in_range(node->depth_to_space.block, 2) ?
			       0 :
			       attribute_error("blocksize");
	return in_range(node->resize.scale[0], 1) &&
			       in_range(node->resize.scale[1], 1) ?
		       0 :
		       attribute_error("scale");
}

static int recurrent_check(const struct graph *graph,
			   const struct graph_node *node)
{
	int64_t gates = node->op == GRAPH_LSTM ? 4 : 3;
	int64_t hidden = node->recurrent.hidden;
	int64_t directions =
		node->recurrent.direction == GRAPH_BIDIRECTIONAL ? 2 : 1;

	if (!in_range(hidden, 1))
		return attribute_error("hidden_size");
	for (int i = 1; i < 4; i++) {
		const struct graph_shape *shape;
		int ret;

		if (i >= node->input_count ||
		    node->inputs[i] == GRAPH_NO_TENSOR)
			continue;
		shape = &graph->tensors[node->inputs[i]].shape;
		ret = weight_check(graph, node, i, i == 3 ? 2 : 3);
		if (ret)
			return ret;
		if (shape->dims[0] != directions ||
		    shape->dims[1] != (i == 3 ? 2 : 1) * gates * hidden ||
		    (i == 2 && shape->dims[2] != hidden))
			return accel_error(-EINVAL,
					   "input %d does not have the shape "
					   "that hidden_size asks for",
					   i);
	}
	return 0;
}

static int (*const checks[GRAPH_OP_COUNT])(const struct graph *,
					   const struct graph_node *) = {
	[GRAPH_CONV] = conv_check,
	[GRAPH_CONV_TRANSPOSE] = conv_check,
	[GRAPH_GEMM] = gemm_check,
	[GRAPH_PRELU] = axis_check,
	[GRAPH_AFFINE] = axis_check,
	[GRAPH_CONCAT] = axis_check,
	[GRAPH_SLICE] = slice_check,
	[GRAPH_PAD] = pad_check,
	[GRAPH_RESHAPE] = reshape_check,
	[GRAPH_TRANSPOSE] = transpose_check,
	[GRAPH_DEPTH_TO_SPACE] = block_check,
	[GRAPH_RESIZE_NEAREST] = block_check,
	[GRAPH_MAX_POOL] = pool_check,
	[GRAPH_AVERAGE_POOL] = pool_check,
	[GRAPH_LSTM] = recurrent_check,
	[GRAPH_GRU] = recurrent_check,
};

/* Input i exists where it must, is a tensor, constant where it must be. */
static int input_check(const struct graph *graph, const struct graph_node *node,
		       int i)
{
	const struct signature *signature = signature_of(node->op);
	int tensor = node->inputs[i];

	if (tensor == GRAPH_NO_TENSOR) {
		if (i < signature->min_inputs)
			return accel_error(-EINVAL, "input %d is missing", i);
		return 0;
	}
	if (tensor < 0 || tensor >= graph->tensor_count)
		return accel_error(-EINVAL, "input %d does not exist", i);
	if (i < 32 && signature->constants & (1u << i) &&
	    !graph_tensor_is_constant(graph, tensor))
		return accel_error(-EINVAL,
				   "input %d (%s) is computed, it must be a "
				   "constant",
				   i, graph->tensors[tensor].name);
	return 0;
}

/* Optional inputs may be absent at the end or GRAPH_NO_TENSOR in between. */
static int arity_check(const struct graph *graph, const struct graph_node *node)
{
	const struct signature *signature = signature_of(node->op);

	if (node->input_count < signature->min_inputs ||
	    node->input_count > signature->max_inputs)
		return accel_error(-EINVAL, "it has %d inputs, it takes %d",
				   node->input_count, signature->min_inputs);
	if (node->output_count < 1 ||
	    node->output_count > signature->max_outputs)
		return accel_error(-EINVAL, "it has %d outputs",
				   node->output_count);
	for (int i = 0; i < node->input_count; i++) {
		int ret = input_check(graph, node, i);

		if (ret)
			return ret;
	}
	return 0;
}

/* Inputs come from earlier nodes, outputs name this one as their producer. */
static int order_check(const struct graph *graph, int index)
{
	const struct graph_node *node = &graph->nodes[index];

	for (int i = 0; i < node->input_count; i++)
		if (node->inputs[i] != GRAPH_NO_TENSOR &&
		    graph->tensors[node->inputs[i]].producer >= index)
			return accel_error(-EINVAL,
					   "input %d is computed after it", i);
	for (int i = 0; i < node->output_count; i++)
		if (node->outputs[i] != GRAPH_NO_TENSOR &&
		    (node->outputs[i] >= graph->tensor_count ||
		     graph->tensors[node->outputs[i]].producer != index))
			return accel_error(-EINVAL,
					   "output %d has another producer", i);
	return 0;
}

static int node_check(const struct graph *graph, int index)
{
	const struct graph_node *node = &graph->nodes[index];
	int ret;

	if ((unsigned int)node->op >= GRAPH_OP_COUNT)
		return accel_error(-EINVAL, "unknown operator");
	ret = arity_check(graph, node);
	if (!ret)
		ret = order_check(graph, index);
	if (!ret && checks[node->op])
		ret = checks[node->op](graph, node);
	return ret;
}

/* NaN would pass through every comparison of pruning and calibration. */
static int constant_check(const struct graph_tensor *tensor)
{
	int64_t count = graph_shape_count(&tensor->shape);

	for (int64_t i = 0; i < count; i++)
		if (!isfinite(tensor->data[i]))
			return accel_error(-EINVAL,
					   "%s: element %lld is %f; repair or "
					   "retrain the model",
					   tensor->name, (long long)i,
					   (double)tensor->data[i]);
	return 0;
}

static int boundary_check(const struct graph *graph)
{
	if (!graph->output_count)
		return accel_error(-EINVAL, "the model has no output");
	for (int i = 0; i < graph->input_count; i++)
		if (graph->tensors[graph->inputs[i]].producer >= 0 ||
		    graph->tensors[graph->inputs[i]].data)
			return accel_error(
				-EINVAL, "%s is not an input",
				graph->tensors[graph->inputs[i]].name);
	for (int i = 0; i < graph->output_count; i++)
		if (graph->tensors[graph->outputs[i]].producer < 0)
			return accel_error(
				-EINVAL, "output %s is computed by no node",
				graph->tensors[graph->outputs[i]].name);
	return 0;
}

/* A tensor that nodes read is computed, constant or an input. */
static int sources_check(const struct graph *graph)
{
	char *source = calloc((size_t)graph->tensor_count + 1, 1);
	int ret = 0;

	if (!source)
		return accel_error(-ENOMEM, "out of memory");
	for (int i = 0; i < graph->input_count; i++)
		source[graph->inputs[i]] = 1;
	for (int i = 0; i < graph->node_count && !ret; i++)
		for (int j = 0; j < graph->nodes[i].input_count; j++) {
			int tensor = graph->nodes[i].inputs[j];

			if (tensor == GRAPH_NO_TENSOR || source[tensor] ||
			    graph->tensors[tensor].data ||
			    graph->tensors[tensor].producer >= 0)
				continue;
			ret = accel_error(-EINVAL,
					  "%s: nothing computes its input %s",
					  graph->nodes[i].name,
					  graph->tensors[tensor].name);
		}
	free(source);
	return ret;
}

int graph_validate_node(const struct graph *graph, int node)
{
	int ret = node_check(graph, node);

	if (ret)
		return accel_error_prefix(ret, "%s (%s)",
					  graph->nodes[node].name,
					  graph_op_name(graph->nodes[node].op));
	return 0;
}

int graph_validate(const struct graph *graph)
{
	int ret;

	for (int i = 0; i < graph->tensor_count; i++) {
		const struct graph_tensor *tensor = &graph->tensors[i];

		if (tensor->data) {
			ret = constant_check(tensor);
			if (ret)
				return ret;
		}
	}
	for (int i = 0; i < graph->node_count; i++) {
		ret = graph_validate_node(graph, i);
		if (ret)
			return ret;
	}
	ret = boundary_check(graph);
	return ret ? ret : sources_check(graph);
}
