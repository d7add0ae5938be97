/* SPDX-License-Identifier: MIT */
/* Operators that spread pixels over a larger image. */
#include <compress/element_source.h>
#include <compress/operator.h>

enum { BATCH, CHANNELS, HEIGHT, WIDTH };

int operator_depth_to_space(const struct operator_call *call)
{
	const struct graph_depth_to_space *shuffle =
		&call->node->depth_to_space;
	const struct operator_value *x = &call->inputs[0];
	const struct operator_value *y = &call->outputs[0];
	int64_t channels = y->shape->dims[CHANNELS];
	int64_t height = y->shape->dims[HEIGHT];
	int64_t width = y->shape->dims[WIDTH];
	int64_t rows = y->shape->dims[BATCH] * channels * height;
	int64_t block = shuffle->block;

	for (int64_t row = 0; row < rows; row++) {
		int64_t line = row % height;
		int64_t c = row / height % channels;
		int64_t n = row / height / channels;

		for (int64_t column = 0; column < width; column++) {
			int64_t source = element_shuffled_channel(
				shuffle, channels, c, line % block,
				column % block);

			source += n * x->shape->dims[CHANNELS];
			source = source * x->shape->dims[HEIGHT] + line / block;
			source =
				source * x->shape->dims[WIDTH] + column / block;
			y->values[row * width + column] = x->values[source];
		}
	}
	return 0;
}

/* The importer lets only whole factors through, where all of ONNX's ways agree. */
int operator_resize_nearest(const struct operator_call *call)
{
	const struct graph_resize *resize = &call->node->resize;
	const struct operator_value *x = &call->inputs[0];
	const struct operator_value *y = &call->outputs[0];
	int64_t height = y->shape->dims[HEIGHT];
	int64_t width = y->shape->dims[WIDTH];
	int64_t rows = operator_extent(y->shape, BATCH, WIDTH);

	for (int64_t row = 0; row < rows; row++) {
		int64_t plane = row / height;
		const float *line =
			x->values + (plane * x->shape->dims[HEIGHT] +
				     row % height / resize->scale[0]) *
					    x->shape->dims[WIDTH];

		for (int64_t column = 0; column < width; column++)
			y->values[row * width + column] =
				line[column / resize->scale[1]];
	}
	return 0;
}
