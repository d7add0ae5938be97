/* SPDX-License-Identifier: MIT */
#include <compress/element_source.h>
#include <train/gradient.h>

enum { BATCH, CHANNELS, HEIGHT, WIDTH };

/* One line of one channel of the result, to the block² channels it came from. */
static void unshuffle_line(const struct gradient_call *call, int64_t row)
{
	const struct graph_depth_to_space *shuffle =
		&call->node->depth_to_space;
	const int64_t *x = call->inputs[0].shape->dims;
	const int64_t *y = call->outputs[0].shape->dims;
	int64_t line = row % y[HEIGHT];
	int64_t c = row / y[HEIGHT] % y[CHANNELS];
	int64_t n = row / y[HEIGHT] / y[CHANNELS];
	const float *dy = call->output_gradients[0] + row * y[WIDTH];

	for (int64_t dx = 0; dx < shuffle->block; dx++) {
		int64_t channel =
			n * x[CHANNELS] +
			element_shuffled_channel(shuffle, y[CHANNELS], c,
						 line % shuffle->block, dx);
		float *to = call->input_gradients[0] +
			    (channel * x[HEIGHT] + line / shuffle->block) *
				    x[WIDTH];

		for (int64_t column = 0; column < x[WIDTH]; column++)
			to[column] += dy[column * shuffle->block + dx];
	}
}

int gradient_depth_to_space(const struct gradient_call *call)
{
	int64_t rows = operator_extent(call->outputs[0].shape, BATCH, WIDTH);

	if (!call->output_gradients[0] || !call->input_gradients[0])
		return 0;
	for (int64_t row = 0; row < rows; row++)
		unshuffle_line(call, row);
	return 0;
}

/* Every pixel gets the sum over its block, line by line. */
int gradient_resize_nearest(const struct gradient_call *call)
{
	const int64_t *scale = call->node->resize.scale;
	const struct graph_shape *x = call->inputs[0].shape;
	int64_t lines = operator_extent(x, BATCH, WIDTH) * scale[0];
	int64_t width = x->dims[WIDTH];
	const float *dy = call->output_gradients[0];

	if (!dy || !call->input_gradients[0])
		return 0;
	for (int64_t line = 0; line < lines; line++) {
		float *to = call->input_gradients[0] + line / scale[0] * width;

		for (int64_t column = 0; column < width; column++)
			for (int64_t i = 0; i < scale[1]; i++)
				to[column] += *dy++;
	}
	return 0;
}
