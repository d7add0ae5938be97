/* SPDX-License-Identifier: MIT */
/*
 * Convolutions are matrix products over tiles of im2col columns. A transposed
 * convolution is the gradient of a convolution by its input: the product first,
 * then the columns are added onto the output.
 */
#include <compress/blas.h>
#include <compress/convolution.h>
#include <compress/operator.h>

enum { X, WEIGHT, BIAS };
enum { BATCH, CHANNELS, HEIGHT, WIDTH };

static void fill_bias(const struct operator_call *call)
{
	const struct operator_value *y = &call->outputs[0];
	const float *bias = call->node->input_count > BIAS ?
				    call->inputs[BIAS].values :
				    NULL;
	int64_t channels = y->shape->dims[CHANNELS];
	int64_t planes = y->shape->dims[BATCH] * channels;
	int64_t pixels = operator_extent(y->shape, HEIGHT, y->shape->rank);

	for (int64_t plane = 0; plane < planes; plane++) {
		float value = bias ? bias[plane % channels] : 0;

		for (int64_t i = 0; i < pixels; i++)
			y->values[plane * pixels + i] = value;
	}
}

static struct im2col windows_of(const struct operator_call *call)
{
	return convolution_windows(call->node, call->inputs[X].shape,
				   call->outputs[0].shape);
}

/**
 * struct product - the matrix product of one group in one image
 * @windows: over the image
 * @channels: of the side that is not the image, in one group
 * @pixels: window positions
 * @weight: of the group
 * @workspace: one tile of columns
 */
struct product {
	const struct im2col *windows;
	int64_t channels;
	int64_t pixels;
	const float *weight;
	float *workspace;
};

typedef int (*product_function)(const struct product *product, float *x,
				float *y);

/* y += weight · columns(x) */
static int conv_product(const struct product *p, float *x, float *y)
{
	int64_t rows = im2col_rows(p->windows);
	bool pointwise = im2col_is_image(p->windows);
	int64_t tile = pointwise ? p->pixels : im2col_tile(rows, p->pixels);

	for (int64_t first = 0; first < p->pixels; first += tile) {
		int64_t count = p->pixels - first < tile ? p->pixels - first :
							   tile;
		struct blas_matrix columns = { .values = p->workspace,
					       .stride = count };
		int ret;

		if (pointwise)
			columns = (struct blas_matrix){ .values = x,
							.stride = p->pixels };
		else
			im2col_gather(p->windows, x, first, count,
				      p->workspace);
		ret = blas_multiply(p->channels, count, rows,
				    (struct blas_matrix){ .values = p->weight,
							  .stride = rows },
				    columns, 1, y + first, p->pixels);
		if (ret)
			return ret;
	}
	return 0;
}

/* y += scatter(weightᵀ · x) */
static int conv_transpose_product(const struct product *p, float *x, float *y)
{
	int64_t rows = im2col_rows(p->windows);
	int64_t tile = im2col_tile(rows, p->pixels);

	for (int64_t first = 0; first < p->pixels; first += tile) {
		int64_t count = p->pixels - first < tile ? p->pixels - first :
							   tile;
		int ret = blas_multiply(
			rows, count, p->channels,
			(struct blas_matrix){ .values = p->weight,
					      .stride = rows,
					      .transposed = true },
			(struct blas_matrix){ .values = x + first,
					      .stride = p->pixels },
			0, p->workspace, count);

		if (ret)
			return ret;
		im2col_scatter(p->windows, p->workspace, first, count, y);
	}
	return 0;
}

/* Every group of every image. @channels: of x or y, whichever is no image. */
static int for_each_product(const struct operator_call *call,
			    const struct im2col *windows, int64_t channels,
			    product_function function)
{
	const struct operator_value *x = &call->inputs[X];
	const struct operator_value *y = &call->outputs[0];
	int64_t group = call->node->conv.group;
	int64_t parts = x->shape->dims[BATCH] * group;
	int64_t x_part = operator_count(x->shape) / parts;
	int64_t y_part = operator_count(y->shape) / parts;
	int64_t weight_part =
		operator_count(call->inputs[WEIGHT].shape) / group;
	struct product product = {
		.windows = windows,
		.channels = channels / group,
		.pixels = windows->windows[0] * windows->windows[1],
		.workspace = call->workspace,
	};

	for (int64_t part = 0; part < parts; part++) {
		int ret;

		product.weight = call->inputs[WEIGHT].values +
				 part % group * weight_part;
		ret = function(&product, x->values + part * x_part,
			       y->values + part * y_part);
		if (ret)
			return ret;
	}
	return 0;
}

int operator_conv(const struct operator_call *call)
{
	struct im2col windows = windows_of(call);

	fill_bias(call);
	return for_each_product(call, &windows,
				call->outputs[0].shape->dims[CHANNELS],
				conv_product);
}

int operator_conv_transpose(const struct operator_call *call)
{
	struct im2col windows = windows_of(call);

	fill_bias(call);
	return for_each_product(call, &windows,
				call->inputs[X].shape->dims[CHANNELS],
				conv_transpose_product);
}

static int64_t tile_floats(const struct im2col *windows)
{
	int64_t rows = im2col_rows(windows);

	return rows *
	       im2col_tile(rows, windows->windows[0] * windows->windows[1]);
}

int64_t operator_conv_workspace(const struct operator_call *call)
{
	struct im2col windows = windows_of(call);

	return im2col_is_image(&windows) ? 0 : tile_floats(&windows);
}

int64_t operator_conv_transpose_workspace(const struct operator_call *call)
{
	struct im2col windows = windows_of(call);

	return tile_floats(&windows);
}
