/* SPDX-License-Identifier: MIT */
#include <compress/pool_window.h>
#include <train/gradient.h>

enum { BATCH, CHANNELS, HEIGHT, WIDTH };

/* Give the gradient of one result to the pixels of its window in the plane. */
typedef void (*unfold_function)(const struct pool_window *window,
				const float *x, float *dx, int64_t width,
				float dy, bool count_padding);

/* Of equal pixels the first has been taken. */
static void unfold_max(const struct pool_window *window, const float *x,
		       float *dx, int64_t width, float dy, bool count_padding)
{
	int64_t largest = pool_window_largest(window, x, width);

	(void)count_padding;
	if (largest >= 0)
		dx[largest] += dy;
}

static void unfold_average(const struct pool_window *w, const float *x,
			   float *dx, int64_t width, float dy,
			   bool count_padding)
{
	int64_t count = pool_window_count(w, count_padding);
	float share = count ? dy / (float)count : 0;

	(void)x;
	for (int64_t row = w->first[0]; row < w->end[0]; row += w->step[0])
		for (int64_t i = w->first[1]; i < w->end[1]; i += w->step[1])
			dx[row * width + i] += share;
}

static int unpool(const struct gradient_call *call, unfold_function unfold)
{
	const struct graph_pool *attributes = &call->node->pool;
	const struct operator_value *x = &call->inputs[0];
	const struct graph_shape *y = call->outputs[0].shape;
	int64_t width = y->dims[WIDTH];
	int64_t count = operator_extent(y, HEIGHT, WIDTH + 1);
	int64_t planes = operator_extent(y, BATCH, HEIGHT);
	int64_t pixels = operator_extent(x->shape, HEIGHT, WIDTH + 1);
	const float *dy = call->output_gradients[0];
	int64_t pads[4];

	if (!dy || !call->input_gradients[0])
		return 0;
	graph_pool_pads(call->node, x->shape->dims[HEIGHT],
			x->shape->dims[WIDTH], pads);
	for (int64_t plane = 0; plane < planes; plane++)
		for (int64_t i = 0; i < count; i++) {
			struct pool_window window =
				pool_window_at(attributes, pads, x->shape,
					       i / width, i % width);

			unfold(&window, x->values + plane * pixels,
			       call->input_gradients[0] + plane * pixels,
			       x->shape->dims[WIDTH], *dy++,
			       attributes->count_include_pad);
		}
	return 0;
}

int gradient_max_pool(const struct gradient_call *call)
{
	return unpool(call, unfold_max);
}

int gradient_average_pool(const struct gradient_call *call)
{
	return unpool(call, unfold_average);
}

int gradient_global_average_pool(const struct gradient_call *call)
{
	const struct graph_shape *x = call->inputs[0].shape;
	int64_t planes = operator_extent(x, BATCH, HEIGHT);
	int64_t pixels = operator_extent(x, HEIGHT, x->rank);

	if (!call->output_gradients[0] || !call->input_gradients[0])
		return 0;
	for (int64_t plane = 0; plane < planes; plane++) {
		float *dx = call->input_gradients[0] + plane * pixels;
		float share = call->output_gradients[0][plane] / (float)pixels;

		for (int64_t i = 0; i < pixels; i++)
			dx[i] += share;
	}
	return 0;
}
