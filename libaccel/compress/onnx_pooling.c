/* SPDX-License-Identifier: MIT */
/* Pooling over windows and over whole images. */
#include <compress/onnx_operator.h>
#include <compress/onnx_window.h>

#include <errno.h>
#include <string.h>

/* The kernel is an attribute here, where convolutions have it from their weights. */
static int pool_read(const struct onnx_node *node, struct onnx_window *window,
		     struct graph_pool *pool)
{
	int64_t ceil_mode = 0, count_pads = 0;
	int ret = onnx_window_read(node, 2, window);

	window->kernel[0] = 0;
	if (!ret)
		ret = onnx_window_pair(node, "kernel_shape", 2, window->kernel);
	if (!ret)
		ret = onnx_attribute_integer(node, "ceil_mode", &ceil_mode);
	if (!ret)
		ret = onnx_attribute_integer(node, "count_include_pad",
					     &count_pads);
	pool->ceil_mode = ceil_mode;
	pool->count_include_pad = count_pads;
	return ret;
}

int onnx_import_pool(struct onnx_context *context, const struct onnx_node *node)
{
	struct graph_node pool = { 0 };
	struct onnx_window window = { 0 };
	int tensor = onnx_input_tensor(context, node, 0);
	int ret;

	if (tensor < 0)
		return tensor;
	if (context->shapes[tensor].rank != 4)
		return onnx_unsupported(node,
					"pooling over other than two axes");
	if (onnx_has_output(node, 1))
		return onnx_unsupported(node, "the indices of the maxima");
	pool.op = !strcmp(node->proto->op_type, "MaxPool") ? GRAPH_MAX_POOL :
							     GRAPH_AVERAGE_POOL;
	ret = pool_read(node, &window, &pool.pool);
	if (ret)
		return ret;
	onnx_window_resolve(&window, &context->shapes[tensor]);
	memcpy(pool.pool.kernel, window.kernel, sizeof(window.kernel));
	memcpy(pool.pool.stride, window.stride, sizeof(window.stride));
	memcpy(pool.pool.dilation, window.dilation, sizeof(window.dilation));
	memcpy(pool.pool.pads, window.pads, sizeof(window.pads));
	pool.pool.auto_pad = window.auto_pad;
	return onnx_emit_output(context, node, &pool, &tensor, 1);
}

int onnx_import_global_average(struct onnx_context *context,
			       const struct onnx_node *node)
{
	struct graph_node pool = { .op = GRAPH_GLOBAL_AVERAGE_POOL };
	int tensor = onnx_input_tensor(context, node, 0);

	if (tensor < 0)
		return tensor;
	return onnx_emit_output(context, node, &pool, &tensor, 1);
}

/* Of four axes, counted from either end. */
static bool is_axis(int64_t axis, int64_t wanted)
{
	return axis == wanted || axis == wanted - 4;
}

/* ReduceMean over height and width. */
int onnx_import_mean(struct onnx_context *context, const struct onnx_node *node)
{
	struct graph_node pool = { .op = GRAPH_GLOBAL_AVERAGE_POOL };
	int tensor = onnx_input_tensor(context, node, 0);
	int64_t axes[2], keep = 1;
	struct graph_shape shape;
	size_t count;
	int ret;

	if (tensor < 0)
		return tensor;
	ret = onnx_integers_since(context, node, 18, "axes", 1, axes, 2,
				  &count);
	if (!ret)
		ret = onnx_attribute_integer(node, "keepdims", &keep);
	if (ret)
		return ret;
	if (count != 2 || context->shapes[tensor].rank != 4 ||
	    !(is_axis(axes[0], 2) ? is_axis(axes[1], 3) :
				    is_axis(axes[0], 3) && is_axis(axes[1], 2)))
		return onnx_unsupported(node, "other axes than height and "
					      "width together");
	/* The pool keeps four axes; without keepdims those of length one go. */
	tensor = onnx_emit(context, node, &pool, &tensor, 1,
			   onnx_output_name(node));
	if (tensor < 0)
		return tensor;
	shape = context->shapes[tensor];
	shape.rank = keep ? 4 : 2;
	tensor = onnx_emit_reshape(context, node, tensor, &shape,
				   onnx_output_name(node));
	return tensor < 0 ? tensor : onnx_bind_tensor(context, node, 0, tensor);
}
