/* SPDX-License-Identifier: MIT */
/*
 * Every node of the graph is made here: checked, its shape inferred with what is
 * known of the input's size, and the result given a name that is free.
 */
#include <compress/graph_shape.h>
#include <compress/onnx_context.h>
#include <core/error.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void onnx_node_error(const struct onnx_node *node, const char *prefix,
		     const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	accel_error(0, "%s (%s): %s%s", node->name, node->proto->op_type,
		    prefix, text);
}

const char *onnx_output_name(const struct onnx_node *node)
{
	return node->proto->n_output ? node->proto->output[0] : node->name;
}

/* Keep shapes[] as long as the graph's tensors. */
static int remember_shape(struct onnx_context *context, int tensor,
			  const struct graph_shape *shape)
{
	if (tensor >= context->shape_capacity) {
		int wanted = context->shape_capacity * 2 + 64;
		struct graph_shape *grown = realloc(
			context->shapes, sizeof(*grown) * (size_t)wanted);

		if (!grown)
			return accel_error(-ENOMEM,
					   "out of memory for the model");
		context->shapes = grown;
		context->shape_capacity = wanted;
	}
	context->shapes[tensor] = *shape;
	return tensor;
}

/* A tensor without shape, under the name or, if taken, the name and a number. */
static int add_result(struct onnx_context *context, const char *name)
{
	const struct graph_shape unknown = { 0 };
	char *text = NULL;
	int tensor, ret;

	tensor = graph_add_tensor(context->graph, name, &unknown);
	for (int i = 1; tensor == -EEXIST; i++) {
		if (asprintf(&text, "%s.%d", name, i) < 0)
			return accel_error(-ENOMEM, "out of memory");
		tensor = graph_add_tensor(context->graph, text, &unknown);
		free(text);
	}
	if (tensor < 0)
		return tensor;
	ret = remember_shape(context, tensor, &unknown);
	return ret < 0 ? ret : tensor;
}

int onnx_add_input(struct onnx_context *context, const char *name, int rank)
{
	const struct graph_shape shape = { .rank = rank };
	int input = graph_add_tensor(context->graph, name, &shape);
	int ret;

	if (input < 0)
		return input;
	ret = remember_shape(context, input, &shape);
	if (ret >= 0)
		ret = graph_add_input(context->graph, input);
	return ret < 0 ? ret : input;
}

/* What of a shape with handles is known before run time. */
static void store_shape(struct onnx_context *context, int tensor)
{
	struct graph_shape *shape = &context->graph->tensors[tensor].shape;

	*shape = context->shapes[tensor];
	for (int i = 0; i < shape->rank; i++)
		if (!dimension_is_number(shape->dims[i]))
			shape->dims[i] = GRAPH_DIM_DYNAMIC;
}

/* Give a graph node the attributes of a template. */
static void copy_attributes(struct graph_node *to,
			    const struct graph_node *template)
{
	struct graph_node filled = *template;

	filled.name = to->name;
	filled.inputs = to->inputs;
	filled.outputs = to->outputs;
	filled.input_count = to->input_count;
	filled.output_count = to->output_count;
	*to = filled;
}

int onnx_emit_many(struct onnx_context *context, const struct onnx_node *node,
		   const struct graph_node *template, const int *inputs,
		   int input_count, const char *const *names, int *outputs,
		   int output_count)
{
	struct graph *graph = context->graph;
	int index, ret;

	for (int i = 0; i < output_count; i++) {
		outputs[i] = GRAPH_NO_TENSOR;
		if (!names[i])
			continue;
		outputs[i] = add_result(context, names[i]);
		if (outputs[i] < 0)
			return outputs[i];
	}
	index = graph_add_node(graph, template->op, node->name, inputs,
			       input_count, outputs, output_count);
	if (index < 0)
		return index;
	copy_attributes(&graph->nodes[index], template);
	ret = graph_validate_node(graph, index);
	if (!ret)
		ret = graph_infer_node(graph, &graph->nodes[index],
				       context->table, context->shapes);
	for (int i = 0; i < output_count && !ret; i++)
		if (outputs[i] != GRAPH_NO_TENSOR)
			store_shape(context, outputs[i]);
	return ret;
}

int onnx_emit(struct onnx_context *context, const struct onnx_node *node,
	      const struct graph_node *template, const int *inputs,
	      int input_count, const char *name)
{
	int output;
	int ret = onnx_emit_many(context, node, template, inputs, input_count,
				 &name, &output, 1);

	return ret ? ret : output;
}

int onnx_emit_output(struct onnx_context *context, const struct onnx_node *node,
		     const struct graph_node *template, const int *inputs,
		     int input_count)
{
	int tensor = onnx_emit(context, node, template, inputs, input_count,
			       onnx_output_name(node));

	if (tensor < 0)
		return tensor;
	return onnx_bind_tensor(context, node, 0, tensor);
}

static int copy_quantization(struct graph_tensor *tensor,
			     const struct graph_quantization *quantization)
{
	size_t count = (size_t)quantization->count;
	struct graph_quantization *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return accel_error(-ENOMEM, "out of memory for the model");
	tensor->quantization = copy;
	*copy = *quantization;
	copy->scale = malloc(count * sizeof(*copy->scale));
	copy->zero_point = malloc(count * sizeof(*copy->zero_point));
	if (!copy->scale || !copy->zero_point)
		return accel_error(-ENOMEM, "out of memory for the model");
	memcpy(copy->scale, quantization->scale, count * sizeof(*copy->scale));
	memcpy(copy->zero_point, quantization->zero_point,
	       count * sizeof(*copy->zero_point));
	return 0;
}

int onnx_add_constant(struct onnx_context *context, const char *name,
		      const struct graph_shape *shape, const float *reals,
		      const struct graph_quantization *quantization)
{
	int tensor, ret = 0;

	if (!onnx_charge(context, graph_shape_count(shape), sizeof(*reals)))
		return -ENOMEM;
	tensor = graph_add_constant(context->graph, name, shape, reals);
	if (tensor < 0)
		return tensor;
	if (quantization)
		ret = copy_quantization(&context->graph->tensors[tensor],
					quantization);
	return ret ? ret : remember_shape(context, tensor, shape);
}

int onnx_add_vector(struct onnx_context *context, const char *name,
		    int64_t length, const float *reals)
{
	struct graph_shape shape = { 1, { length } };

	return onnx_add_constant(context, name, &shape, reals, NULL);
}

int onnx_quantization_set(struct onnx_context *context, int tensor,
			  const struct graph_quantization *quantization)
{
	return copy_quantization(&context->graph->tensors[tensor],
				 quantization);
}

/* The axis of the input that a dimension is a multiple of, its own one first. */
static bool find_source(struct onnx_context *context,
			const struct graph_shape *from, int64_t wanted, int own,
			struct graph_reshape_dim *dim)
{
	for (int i = -1; i < from->rank; i++) {
		int axis = i < 0 ? own : i;

		if (axis >= from->rank ||
		    dimension_is_number(from->dims[axis]) ||
		    !dimension_ratio(context->table, wanted, from->dims[axis],
				     &dim->numerator, &dim->denominator))
			continue;
		dim->axis = axis;
		return true;
	}
	return false;
}

static int64_t shape_product(struct onnx_context *context,
			     const struct graph_shape *shape)
{
	int64_t product = 1;

	for (int i = 0; i < shape->rank; i++)
		product = dimension_multiply(context->table, product,
					     shape->dims[i]);
	return product;
}

/*
 * The shape without floors, if it has as many elements as the input only then: a
 * view of halves is one where the halves are whole.
 */
static struct graph_shape exact_shape(struct onnx_context *context,
				      const struct graph_shape *from,
				      const struct graph_shape *to)
{
	struct graph_shape exact = *to;

	for (int i = 0; i < to->rank; i++)
		exact.dims[i] = dimension_exact(context->table, to->dims[i]);
	if (shape_product(context, &exact) == shape_product(context, from))
		return exact;
	return *to;
}

static int describe_reshape(struct onnx_context *context,
			    const struct onnx_node *node,
			    const struct graph_shape *from,
			    const struct graph_shape *to,
			    struct graph_reshape *reshape)
{
	struct graph_shape exact = exact_shape(context, from, to);
	bool rest = false;

	reshape->rank = to->rank;
	for (int i = 0; i < to->rank; i++) {
		struct graph_reshape_dim *dim = &reshape->dims[i];

		if (dimension_is_number(to->dims[i])) {
			*dim = (struct graph_reshape_dim){ GRAPH_RESHAPE_NUMBER,
							   to->dims[i], 1 };
		} else if (!find_source(context, from, to->dims[i], i, dim) &&
			   !find_source(context, from, exact.dims[i], i, dim)) {
			if (rest)
				return onnx_unsupported(
					node,
					"several dimensions of the new shape "
					"follow from no single old one");
			rest = true;
			*dim = (struct graph_reshape_dim){ GRAPH_RESHAPE_REST,
							   1, 1 };
		}
	}
	return 0;
}

int onnx_emit_reshape(struct onnx_context *context,
		      const struct onnx_node *node, int tensor,
		      const struct graph_shape *shape, const char *name)
{
	struct graph_node reshape = { .op = GRAPH_RESHAPE };
	const struct graph_shape *from = &context->shapes[tensor];
	int ret;

	if (from->rank == shape->rank &&
	    !memcmp(from->dims, shape->dims,
		    sizeof(*from->dims) * (size_t)from->rank))
		return tensor;
	ret = describe_reshape(context, node, from, shape, &reshape.reshape);
	if (ret)
		return ret;
	tensor = onnx_emit(context, node, &reshape, &tensor, 1, name);
	/* as the caller knows it, not with what REST was inferred to be */
	if (tensor >= 0)
		context->shapes[tensor] = *shape;
	return tensor;
}

int onnx_emit_transpose(struct onnx_context *context,
			const struct onnx_node *node, int tensor,
			const int *perm, const char *name)
{
	struct graph_node transpose = { .op = GRAPH_TRANSPOSE };
	const struct graph_shape *from = &context->shapes[tensor];
	struct graph_shape to = { .rank = from->rank };
	bool moves = false;
	int last = -1;

	for (int i = 0; i < from->rank; i++) {
		to.dims[i] = from->dims[perm[i]];
		transpose.transpose.perm[i] = perm[i];
		if (to.dims[i] == 1)
			continue;
		moves |= perm[i] < last;
		last = perm[i];
	}
	if (!moves)
		return onnx_emit_reshape(context, node, tensor, &to, name);
	return onnx_emit(context, node, &transpose, &tensor, 1, name);
}
