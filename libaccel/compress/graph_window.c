/* SPDX-License-Identifier: MIT */
/* How padding follows from sizes where the model leaves it open. */
#include <compress/graph.h>

static void distribute(int64_t total, enum graph_auto_pad auto_pad,
		       int64_t *head, int64_t *tail)
{
	int64_t half = total > 0 ? total / 2 : 0;

	/* Only SAME_UPPER puts the odd pixel at the end (ONNX, ConvTranspose). */
	if (auto_pad == GRAPH_PAD_SAME_UPPER || total <= 0)
		*head = half;
	else
		*head = total - half;
	*tail = total - *head;
}

/* Padding such that windows at the stride cover an axis: ceil(size / stride). */
static void same_pads(int64_t size, int64_t reach, int64_t stride,
		      enum graph_auto_pad auto_pad, int64_t *head,
		      int64_t *tail)
{
	int64_t count = (size + stride - 1) / stride;
	int64_t total = (count - 1) * stride + reach - size;

	distribute(total > 0 ? total : 0, auto_pad, head, tail);
}

static void transposed_pads(const struct graph_conv *conv, int i, int64_t size,
			    int64_t *head, int64_t *tail)
{
	int64_t reach = (conv->kernel[i] - 1) * conv->dilation[i] + 1;
	int64_t full =
		conv->stride[i] * (size - 1) + conv->output_padding[i] + reach;
	int64_t wanted = conv->output_size[i] ? conv->output_size[i] :
						size * conv->stride[i];

	distribute(full - wanted, conv->auto_pad, head, tail);
}

void graph_conv_pads(const struct graph_node *node, int64_t height,
		     int64_t width, int64_t pads[4])
{
	const struct graph_conv *conv = &node->conv;
	const int64_t size[2] = { height, width };

	for (int i = 0; i < 2; i++) {
		int64_t reach = (conv->kernel[i] - 1) * conv->dilation[i] + 1;

		pads[i] = conv->pads[i];
		pads[2 + i] = conv->pads[2 + i];
		if (node->op == GRAPH_CONV_TRANSPOSE) {
			if (conv->output_size[i] ||
			    conv->auto_pad != GRAPH_PAD_EXPLICIT)
				transposed_pads(conv, i, size[i], &pads[i],
						&pads[2 + i]);
		} else if (conv->auto_pad != GRAPH_PAD_EXPLICIT) {
			same_pads(size[i], reach, conv->stride[i],
				  conv->auto_pad, &pads[i], &pads[2 + i]);
		}
	}
}

void graph_pool_pads(const struct graph_node *node, int64_t height,
		     int64_t width, int64_t pads[4])
{
	const struct graph_pool *pool = &node->pool;
	const int64_t size[2] = { height, width };

	for (int i = 0; i < 2; i++) {
		int64_t reach = (pool->kernel[i] - 1) * pool->dilation[i] + 1;

		pads[i] = pool->pads[i];
		pads[2 + i] = pool->pads[2 + i];
		if (pool->auto_pad != GRAPH_PAD_EXPLICIT)
			same_pads(size[i], reach, pool->stride[i],
				  pool->auto_pad, &pads[i], &pads[2 + i]);
	}
}
