/* SPDX-License-Identifier: MIT */
/*
 * Convolutions are matrix products over tiles of im2col columns. A transposed
 * convolution is the gradient of a convolution by its input: the product first,
 * then the columns are added onto the output.
 */
#include <compress/blas.h>
#include <compress/im2col.h>
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

/* Windows over the image, which is x of a convolution, y of a transposed one. */
static struct im2col windows_of(const struct graph_node *node,
				const struct graph_shape *x,
				const struct graph_shape *image,
				const struct graph_shape *steps)
{
	const struct graph_conv *conv = &node->conv;
	struct im2col windows = {
		.channels = image->dims[CHANNELS] / conv->group,
	};
	int64_t pads[4];

	graph_conv_pads(node, x->dims[HEIGHT], x->dims[WIDTH], pads);
	for (int i = 0; i < 2; i++) {
		windows.image[i] = image->dims[HEIGHT + i];
		windows.windows[i] = steps->dims[HEIGHT + i];
		windows.kernel[i] = conv->kernel[i];
		windows.stride[i] = conv->stride[i];
		windows.dilation[i] = conv->dilation[i];
		windows.pad[i] = pads[i];
	}
	return windows;
}

static struct im2col conv_windows(const struct operator_call *call)
{
	const struct graph_shape *x = call->inputs[X].shape;

	return windows_of(call->node, x, x, call->outputs[0].shape);
}

static struct im2col conv_transpose_windows(const struct operator_call *call)
{
	const struct graph_shape *x = call->inputs[X].shape;

	return windows_of(call->node, x, call->outputs[0].shape, x);
}

/* Is the im2col matrix the image itself? */
static bool is_pointwise(const struct im2col *w)
{
	for (int i = 0; i < 2; i++)
		if (w->kernel[i] != 1 || w->stride[i] != 1 || w->pad[i] != 0 ||
		    w->image[i] != w->windows[i])
			return false;
	return true;
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
	bool pointwise = is_pointwise(p->windows);
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
	struct im2col windows = conv_windows(call);

	fill_bias(call);
	return for_each_product(call, &windows,
				call->outputs[0].shape->dims[CHANNELS],
				conv_product);
}

int operator_conv_transpose(const struct operator_call *call)
{
	struct im2col windows = conv_transpose_windows(call);

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
	struct im2col windows = conv_windows(call);

	return is_pointwise(&windows) ? 0 : tile_floats(&windows);
}

int64_t operator_conv_transpose_workspace(const struct operator_call *call)
{
	struct im2col windows = conv_transpose_windows(call);

	return tile_floats(&windows);
}
