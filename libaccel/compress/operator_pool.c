/* SPDX-License-Identifier: MIT */
#include <compress/operator.h>

#include <math.h>

enum { BATCH, CHANNELS, HEIGHT, WIDTH };

/**
 * struct pool_window - the pixels under one window; arrays are (height, width)
 * @first: the first tap inside the image, in image coordinates
 * @end: taps end before this one
 * @step: from tap to tap
 * @padded: taps that count with padding: inside the image grown by its pads
 */
struct pool_window {
	int64_t first[2];
	int64_t end[2];
	int64_t step[2];
	int64_t padded;
};

static struct pool_window window_at(const struct graph_pool *pool,
				    const int64_t pads[4],
				    const struct graph_shape *x, int64_t row,
				    int64_t column)
{
	const int64_t position[2] = { row, column };
	struct pool_window window = { .padded = 1 };

	for (int i = 0; i < 2; i++) {
		int64_t size = x->dims[HEIGHT + i];
		int64_t step = pool->dilation[i];
		int64_t start = position[i] * pool->stride[i] - pads[i];
		int64_t end = start + (pool->kernel[i] - 1) * step + 1;
		int64_t limit = size + pads[i + 2];
		int64_t last = end < limit ? end : limit;

		window.padded *= (last - start + step - 1) / step;
		while (start < 0)
			start += step;
		window.first[i] = start;
		window.end[i] = end < size ? end : size;
		window.step[i] = step;
	}
	return window;
}

/* Fold a window of one plane; the average of no pixels is 0. */
typedef float (*fold_function)(const struct pool_window *window,
			       const float *plane, int64_t width,
			       bool count_padding);

/* A NaN is no less than anything, and stays. */
static float fold_max(const struct pool_window *w, const float *plane,
		      int64_t width, bool count_padding)
{
	float largest = -INFINITY;

	(void)count_padding;
	for (int64_t y = w->first[0]; y < w->end[0]; y += w->step[0])
		for (int64_t x = w->first[1]; x < w->end[1]; x += w->step[1])
			if (!(plane[y * width + x] <= largest))
				largest = plane[y * width + x];
	return largest;
}

/* In binary64: a large window's sum would lose digits. */
static float fold_average(const struct pool_window *w, const float *plane,
			  int64_t width, bool count_padding)
{
	int64_t count = 0;
	double sum = 0;

	for (int64_t y = w->first[0]; y < w->end[0]; y += w->step[0])
		for (int64_t x = w->first[1]; x < w->end[1]; x += w->step[1]) {
			sum += (double)plane[y * width + x];
			count++;
		}
	if (count_padding)
		count = w->padded;
	return count ? (float)(sum / (double)count) : 0;
}

/* One window after the other: pools take no time beside convolutions. */
static void pool(const struct operator_call *call, fold_function fold)
{
	const struct graph_pool *attributes = &call->node->pool;
	const struct operator_value *x = &call->inputs[0];
	const struct operator_value *y = &call->outputs[0];
	int64_t height = y->shape->dims[HEIGHT];
	int64_t width = y->shape->dims[WIDTH];
	int64_t planes = operator_extent(x->shape, BATCH, HEIGHT);
	int64_t pixels = operator_extent(x->shape, HEIGHT, WIDTH + 1);
	float *result = y->values;
	int64_t pads[4];

	graph_pool_pads(call->node, x->shape->dims[HEIGHT],
			x->shape->dims[WIDTH], pads);
	for (int64_t plane = 0; plane < planes; plane++)
		for (int64_t i = 0; i < height * width; i++) {
			struct pool_window window =
				window_at(attributes, pads, x->shape, i / width,
					  i % width);

			*result++ = fold(&window, x->values + plane * pixels,
					 x->shape->dims[WIDTH],
					 attributes->count_include_pad);
		}
}

int operator_max_pool(const struct operator_call *call)
{
	pool(call, fold_max);
	return 0;
}

int operator_average_pool(const struct operator_call *call)
{
	pool(call, fold_average);
	return 0;
}

int operator_global_average_pool(const struct operator_call *call)
{
	const struct operator_value *x = &call->inputs[0];
	int64_t planes = operator_extent(x->shape, BATCH, HEIGHT);
	int64_t pixels = operator_extent(x->shape, HEIGHT, x->shape->rank);

	for (int64_t plane = 0; plane < planes; plane++) {
		double sum = 0;

		for (int64_t i = 0; i < pixels; i++)
			sum += (double)x->values[plane * pixels + i];
		call->outputs[0].values[plane] = (float)(sum / (double)pixels);
	}
	return 0;
}
