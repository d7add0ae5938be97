/* SPDX-License-Identifier: MIT */
#include <compress/operator.h>
#include <compress/pool_window.h>

#include <math.h>

enum { BATCH, CHANNELS, HEIGHT, WIDTH };

/* Fold a window of one plane; the average of no pixels is 0. */
typedef float (*fold_function)(const struct pool_window *window,
			       const float *plane, int64_t width,
			       bool count_padding);

static float fold_max(const struct pool_window *window, const float *plane,
		      int64_t width, bool count_padding)
{
	int64_t largest = pool_window_largest(window, plane, width);

	(void)count_padding;
	return largest < 0 ? -INFINITY : plane[largest];
}

/* In binary64: a large window's sum would lose digits. */
static float fold_average(const struct pool_window *w, const float *plane,
			  int64_t width, bool count_padding)
{
	int64_t count = pool_window_count(w, count_padding);
	double sum = 0;

	for (int64_t y = w->first[0]; y < w->end[0]; y += w->step[0])
		for (int64_t x = w->first[1]; x < w->end[1]; x += w->step[1])
			sum += (double)plane[y * width + x];
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
				pool_window_at(attributes, pads, x->shape,
					       i / width, i % width);

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
