/* SPDX-License-Identifier: MIT */
/*
 * Strides, dilations and padding. SAME padding becomes explicit as soon as the sizes
 * are known; otherwise the graph keeps it, to be resolved for each size at run time.
 */
#include <compress/onnx_window.h>

#include <errno.h>
#include <string.h>

/* Before anything is computed from them; graph_validate() has the rest. */
static int range_check(const struct onnx_node *node, const char *name,
		       const int64_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (values[i] < 0 || values[i] > GRAPH_MAX_EXTENT)
			return onnx_invalid(node, "%s has %lld", name,
					    (long long)values[i]);
	return 0;
}

int onnx_window_pair(const struct onnx_node *node, const char *name,
		     int spatial, int64_t pair[2])
{
	int64_t values[2];
	size_t count = SIZE_MAX;
	int ret = onnx_attribute_integers(node, name, values, 2, &count);

	if (ret || count == SIZE_MAX || !count)
		return ret;
	if (count != (size_t)spatial)
		return onnx_invalid(node, "%s has %zu values, not %d", name,
				    count, spatial);
	memcpy(pair + 2 - spatial, values, count * sizeof(*values));
	return range_check(node, name, values, count);
}

static int read_pads(const struct onnx_node *node, int spatial, int64_t pads[4])
{
	int64_t values[4];
	size_t count = SIZE_MAX;
	int ret = onnx_attribute_integers(node, "pads", values, 4, &count);

	if (ret || count == SIZE_MAX || !count)
		return ret;
	if (count != 2 * (size_t)spatial)
		return onnx_invalid(node, "pads has %zu values, not %d", count,
				    2 * spatial);
	for (int i = 0; i < spatial; i++) {
		pads[2 - spatial + i] = values[i];
		pads[4 - spatial + i] = values[spatial + i];
	}
	return range_check(node, "pads", values, count);
}

int onnx_window_read(const struct onnx_node *node, int spatial,
		     struct onnx_window *window)
{
	static const char *const choices[] = { "NOTSET", "SAME_UPPER",
					       "SAME_LOWER", "VALID", NULL };
	int auto_pad = 0, ret;

	for (int i = 0; i < 2; i++) {
		window->stride[i] = 1;
		window->dilation[i] = 1;
	}
	memset(window->pads, 0, sizeof(window->pads));
	ret = onnx_attribute_choice(node, "auto_pad", choices, &auto_pad);
	if (!ret)
		ret = onnx_window_pair(node, "strides", spatial,
				       window->stride);
	if (!ret)
		ret = onnx_window_pair(node, "dilations", spatial,
				       window->dilation);
	if (!ret && !auto_pad)
		ret = read_pads(node, spatial, window->pads);
	window->auto_pad = GRAPH_PAD_EXPLICIT;
	if (auto_pad == 1)
		window->auto_pad = GRAPH_PAD_SAME_UPPER;
	else if (auto_pad == 2)
		window->auto_pad = GRAPH_PAD_SAME_LOWER;
	return ret;
}

void onnx_window_resolve(struct onnx_window *window,
			 const struct graph_shape *shape)
{
	struct graph_node node = { .op = GRAPH_CONV };
	int64_t size[2];

	if (window->auto_pad == GRAPH_PAD_EXPLICIT || shape->rank != 4)
		return;
	for (int i = 0; i < 2; i++) {
		size[i] = shape->dims[2 + i];
		if (window->stride[i] < 1)
			return;
		if (dimension_is_number(size[i]))
			continue;
		/* any size gives the same padding */
		if (window->stride[i] != 1)
			return;
		size[i] = 1;
	}
	memcpy(node.conv.kernel, window->kernel, sizeof(window->kernel));
	memcpy(node.conv.stride, window->stride, sizeof(window->stride));
	memcpy(node.conv.dilation, window->dilation, sizeof(window->dilation));
	node.conv.auto_pad = window->auto_pad;
	graph_conv_pads(&node, size[0], size[1], window->pads);
	window->auto_pad = GRAPH_PAD_EXPLICIT;
}
