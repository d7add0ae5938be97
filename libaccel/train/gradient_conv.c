/* SPDX-License-Identifier: MIT */
/*
 * The way back through convolutions. Gradients by weights are products with the
 * im2col columns; the gradient by x of a convolution is what a transposed
 * convolution computes, and the other way round.
 */
#include <compress/blas.h>
#include <compress/convolution.h>
#include <train/gradient.h>

enum { X, WEIGHT, BIAS };
enum { BATCH, CHANNELS, HEIGHT, WIDTH };

/* Sums of a row in so many lanes can be taken side by side. */
#define LANES 16

static double sum(const float *values, int64_t count)
{
	float lanes[LANES] = { 0 };
	double total = 0;
	int64_t i;

	for (i = 0; i + LANES <= count; i += LANES)
		for (int lane = 0; lane < LANES; lane++)
			lanes[lane] += values[i + lane];
	for (int lane = 0; lane < LANES; lane++)
		total += (double)lanes[lane];
	for (; i < count; i++)
		total += (double)values[i];
	return total;
}

/* db += sums of the channels' planes */
static void by_bias(const struct gradient_call *call)
{
	const struct graph_shape *y = call->outputs[0].shape;
	const float *dy = call->output_gradients[0];
	int64_t channels = y->dims[CHANNELS];
	int64_t pixels = y->dims[HEIGHT] * y->dims[WIDTH];

	for (int64_t channel = 0; channel < channels; channel++) {
		double total = 0;

		for (int64_t n = 0; n < y->dims[BATCH]; n++)
			total += sum(dy + (n * channels + channel) * pixels,
				     pixels);
		call->input_gradients[BIAS][channel] += (float)total;
	}
}

/**
 * struct product - one group of one image
 * @windows: over the image, x of a convolution and y of a transposed one
 * @channels: of the other side, in one group
 * @pixels: of the other side: windows
 * @weight: of the group, [channels][rows of columns]
 * @workspace: one tile of columns
 * @x: values
 * @dy: gradient by y
 * @dx: gradient by x, or NULL
 * @dw: gradient by the group's weight, or NULL
 */
struct product {
	const struct im2col *windows;
	int64_t channels;
	int64_t pixels;
	const float *weight;
	float *workspace;
	const float *x, *dy;
	float *dx, *dw;
};

typedef int (*product_function)(const struct product *product, int64_t first,
				int64_t count);

/* dw += side · columnsᵀ; side has the product's channels and pixels */
static int by_weight(const struct product *p, const float *side, int64_t first,
		     int64_t count)
{
	int64_t rows = im2col_rows(p->windows);

	return blas_multiply(p->channels, rows, count,
			     (struct blas_matrix){ .values = side + first,
						   .stride = p->pixels },
			     (struct blas_matrix){ .values = p->workspace,
						   .stride = count,
						   .transposed = true },
			     1, p->dw, rows);
}

static int conv_tile(const struct product *p, int64_t first, int64_t count)
{
	int64_t rows = im2col_rows(p->windows);
	int ret = 0;

	if (p->dw) {
		im2col_gather(p->windows, p->x, first, count, p->workspace);
		ret = by_weight(p, p->dy, first, count);
	}
	if (ret || !p->dx)
		return ret;
	ret = blas_multiply(rows, count, p->channels,
			    (struct blas_matrix){ .values = p->weight,
						  .stride = rows,
						  .transposed = true },
			    (struct blas_matrix){ .values = p->dy + first,
						  .stride = p->pixels },
			    0, p->workspace, count);
	if (!ret)
		im2col_scatter(p->windows, p->workspace, first, count, p->dx);
	return ret;
}

static int conv_transpose_tile(const struct product *p, int64_t first,
			       int64_t count)
{
	int64_t rows = im2col_rows(p->windows);
	int ret = 0;

	im2col_gather(p->windows, p->dy, first, count, p->workspace);
	if (p->dw)
		ret = by_weight(p, p->x, first, count);
	if (ret || !p->dx)
		return ret;
	return blas_multiply(
		p->channels, count, rows,
		(struct blas_matrix){ .values = p->weight, .stride = rows },
		(struct blas_matrix){ .values = p->workspace, .stride = count },
		1, p->dx + first, p->pixels);
}

static int for_each_tile(const struct product *p, product_function function)
{
	int64_t tile = im2col_tile(im2col_rows(p->windows), p->pixels);

	for (int64_t first = 0; first < p->pixels; first += tile) {
		int64_t left = p->pixels - first;
		int ret = function(p, first, left < tile ? left : tile);

		if (ret)
			return ret;
	}
	return 0;
}

static struct im2col windows_of(const struct gradient_call *call)
{
	return convolution_windows(call->node, call->inputs[X].shape,
				   call->outputs[0].shape);
}

/* Every group of every image. */
static int for_each_product(const struct gradient_call *call,
			    product_function function)
{
	const struct operator_value *x = &call->inputs[X];
	const struct operator_value *weight = &call->inputs[WEIGHT];
	const struct im2col windows = windows_of(call);
	int64_t group = call->node->conv.group;
	int64_t parts = x->shape->dims[BATCH] * group;
	int64_t x_part = operator_count(x->shape) / parts;
	int64_t y_part = operator_count(call->outputs[0].shape) / parts;
	int64_t weight_part = operator_count(weight->shape) / group;
	float *dx = call->input_gradients[X];
	float *dw = call->input_gradients[WEIGHT];
	struct product product = {
		.windows = &windows,
		.channels = weight_part / im2col_rows(&windows),
		.pixels = windows.windows[0] * windows.windows[1],
		.workspace = call->workspace,
	};

	for (int64_t part = 0; part < parts; part++) {
		int64_t at = part % group * weight_part;
		int ret;

		product.weight = weight->values + at;
		product.x = x->values + part * x_part;
		product.dy = call->output_gradients[0] + part * y_part;
		product.dx = dx ? dx + part * x_part : NULL;
		product.dw = dw ? dw + at : NULL;
		ret = for_each_tile(&product, function);
		if (ret)
			return ret;
	}
	return 0;
}

static int convolution(const struct gradient_call *call,
		       product_function function)
{
	if (!call->output_gradients[0])
		return 0;
	if (call->node->input_count > BIAS && call->input_gradients[BIAS])
		by_bias(call);
	if (!call->input_gradients[X] && !call->input_gradients[WEIGHT])
		return 0;
	return for_each_product(call, function);
}

int gradient_conv(const struct gradient_call *call)
{
	return convolution(call, conv_tile);
}

int gradient_conv_transpose(const struct gradient_call *call)
{
	return convolution(call, conv_transpose_tile);
}

int64_t gradient_conv_workspace(const struct gradient_call *call)
{
	struct im2col windows = windows_of(call);
	int64_t rows = im2col_rows(&windows);

	return rows *
	       im2col_tile(rows, windows.windows[0] * windows.windows[1]);
}

int64_t gradient_conv_transpose_workspace(const struct gradient_call *call)
{
	return gradient_conv_workspace(call);
}
