/* SPDX-License-Identifier: MIT */
/* Convolutions against their definition, in double precision. */
#include "unit.h"

#include "one_node.h"

static double at(const float *values, const struct graph_shape *s, int64_t n,
		 int64_t c, int64_t y, int64_t x)
{
	if (y < 0 || x < 0 || y >= s->dims[2] || x >= s->dims[3])
		return 0;
	return (double)
		values[((n * s->dims[1] + c) * s->dims[2] + y) * s->dims[3] + x];
}

/* One output pixel by the definition; *size is the sum of the terms' sizes. */
static double conv_pixel(struct one_node *one, const int64_t pads[4],
			 const int64_t position[4], double *size)
{
	const struct graph_conv *conv = &one->node->conv;
	const struct graph_shape *x = &one->graph->tensors[0].shape;
	const struct graph_shape *w = &one->graph->tensors[1].shape;
	int64_t per_group = w->dims[0] / conv->group;
	int64_t first = position[1] / per_group * w->dims[1];
	double sum = one->values[2] ? (double)one->values[2][position[1]] : 0;

	*size = fabs(sum);
	for (int64_t c = 0; c < w->dims[1]; c++)
		for (int64_t i = 0; i < w->dims[2]; i++)
			for (int64_t j = 0; j < w->dims[3]; j++) {
				double term = at(one->values[0], x, position[0],
						 first + c,
						 position[2] * conv->stride[0] +
							 i * conv->dilation[0] -
							 pads[0],
						 position[3] * conv->stride[1] +
							 j * conv->dilation[1] -
							 pads[1]) *
					      at(one->values[1], w, position[1],
						 c, i, j);

				sum += term;
				*size += fabs(term);
			}
	return sum;
}

/* Input pixel that tap k of a transposed convolution brings to an output pixel. */
static int64_t source(int64_t out, int64_t pad, int64_t tap, int64_t dilation,
		      int64_t stride)
{
	int64_t distance = out + pad - tap * dilation;

	return distance >= 0 && distance % stride == 0 ? distance / stride : -1;
}

static double transposed_pixel(struct one_node *one, const int64_t pads[4],
			       const int64_t position[4], double *size)
{
	const struct graph_conv *conv = &one->node->conv;
	const struct graph_shape *x = &one->graph->tensors[0].shape;
	const struct graph_shape *w = &one->graph->tensors[1].shape;
	int64_t channels = w->dims[0] / conv->group;
	int64_t first = position[1] / w->dims[1] * channels;
	double sum = one->values[2] ? (double)one->values[2][position[1]] : 0;

	*size = fabs(sum);
	for (int64_t c = first; c < first + channels; c++)
		for (int64_t i = 0; i < w->dims[2]; i++)
			for (int64_t j = 0; j < w->dims[3]; j++) {
				int64_t y = source(position[2], pads[0], i,
						   conv->dilation[0],
						   conv->stride[0]);
				int64_t z = source(position[3], pads[1], j,
						   conv->dilation[1],
						   conv->stride[1]);
				double term = at(one->values[0], x, position[0],
						 c, y, z) *
					      at(one->values[1], w, c,
						 position[1] % w->dims[1], i,
						 j);

				sum += term;
				*size += fabs(term);
			}
	return sum;
}

static void compare(struct one_node *one, const int64_t pads[4])
{
	const struct graph_shape *y = one_node_shape(one, 0);
	const float *result = one_node_result(one, 0);
	int64_t count = graph_shape_count(y);

	for (int64_t i = 0; i < count; i++) {
		int64_t position[4] = {
			i / y->dims[3] / y->dims[2] / y->dims[1],
			i / y->dims[3] / y->dims[2] % y->dims[1],
			i / y->dims[3] % y->dims[2],
			i % y->dims[3],
		};
		double size;
		double expected =
			one->node->op == GRAPH_CONV ?
				conv_pixel(one, pads, position, &size) :
				transposed_pixel(one, pads, position, &size);

		assert_close((double)result[i], expected, size);
	}
}

static struct graph_conv random_attributes(int64_t group)
{
	struct graph_conv conv = { .group = group };

	for (int i = 0; i < 2; i++) {
		conv.kernel[i] = random_integer(1, 5);
		conv.stride[i] = random_integer(1, 3);
		conv.dilation[i] = random_integer(1, 2);
	}
	return conv;
}

static void random_conv(int64_t channels, int64_t group)
{
	struct graph_conv conv = random_attributes(group);
	int64_t in = channels + random_integer(1, 4);
	int64_t out = channels + random_integer(1, 5);
	struct graph_shape shapes[3] = {
		SHAPE(random_integer(1, 3), in * conv.group,
		      random_integer(9, 14), random_integer(9, 40)),
		SHAPE(out * conv.group, in, conv.kernel[0], conv.kernel[1]),
		SHAPE(out * conv.group),
	};
	struct one_node one = one_node_create(
		GRAPH_CONV, (int)random_integer(2, 3), shapes, 1, 3, 1);

	for (int i = 0; i < 4; i++)
		conv.pads[i] = random_integer(0, 3);
	one.node->conv = conv;
	one_node_run(&one);
	compare(&one, conv.pads);
	one_node_destroy(&one);
}

static void conv_follows_its_definition(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++)
		random_conv(0, random_integer(1, 3));
}

static void random_transposed(int64_t channels, int64_t group, int64_t size)
{
	struct graph_conv conv = random_attributes(group);
	int64_t in = channels + random_integer(1, 4);
	int64_t out = channels + random_integer(1, 5);
	struct graph_shape shapes[3] = {
		SHAPE(random_integer(1, 3), in * conv.group,
		      size + random_integer(0, 6), size + random_integer(0, 6)),
		SHAPE(in * conv.group, out, conv.kernel[0], conv.kernel[1]),
		SHAPE(out * conv.group),
	};
	struct one_node one = one_node_create(GRAPH_CONV_TRANSPOSE,
					      (int)random_integer(2, 3), shapes,
					      1, 3, 1);

	for (int i = 0; i < 4; i++)
		conv.pads[i] = random_integer(0, conv.kernel[i % 2] / 2);
	for (int i = 0; i < 2; i++)
		conv.output_padding[i] = random_integer(0, conv.stride[i] - 1);
	one.node->conv = conv;
	one_node_run(&one);
	compare(&one, conv.pads);
	one_node_destroy(&one);
}

static void transposed_conv_follows_its_definition(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++)
		random_transposed(0, random_integer(1, 3), 3);
}

/* From some channels and pixels on there may be kernels of their own. */
static void many_channels_make_no_difference(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++) {
		int64_t group = i % 4 ? 1 : 2;

		random_conv(15, group);
		random_transposed(15, group, 12);
	}
}

/* More pixels than one tile holds, with a width that no tile is a multiple of. */
static void tiles_meet_without_a_seam(void **state)
{
	static const enum graph_op ops[] = { GRAPH_CONV, GRAPH_CONV_TRANSPOSE };
	static const int64_t pads[4] = { 1, 1, 1, 1 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct graph_shape shapes[2] = { SHAPE(1, 40, 67, 71),
						 SHAPE(40, 40, 3, 3) };
		struct one_node one =
			one_node_create(ops[i], 2, shapes, 1, 2, 1);

		one.node->conv = (struct graph_conv){
			.kernel = { 3, 3 },
			.stride = { 1, 1 },
			.dilation = { 1, 1 },
			.pads = { 1, 1, 1, 1 },
			.group = 1,
		};
		one_node_run(&one);
		compare(&one, pads);
		one_node_destroy(&one);
	}
}

/* Sums are taken per pixel: a picture's result must not depend on its neighbours. */
static void pointwise_conv_is_a_product(void **state)
{
	struct graph_shape shapes[2] = { SHAPE(2, 7, 5, 6), SHAPE(4, 7, 1, 1) };
	struct one_node one = one_node_create(GRAPH_CONV, 2, shapes, 1, 2, 1);

	(void)state;
	one.node->conv = (struct graph_conv){ .kernel = { 1, 1 },
					      .stride = { 1, 1 },
					      .dilation = { 1, 1 },
					      .group = 1 };
	one_node_run(&one);
	compare(&one, one.node->conv.pads);
	one_node_destroy(&one);
}

/* 7 and 9 pixels under 4 taps lack three, with steps of one pixel and of two. */
static void same_padding(enum graph_auto_pad mode, const int64_t pads[4],
			 int64_t stride)
{
	struct graph_shape shapes[2] = { SHAPE(1, 2, 7, 9), SHAPE(3, 2, 4, 4) };
	struct one_node one = one_node_create(GRAPH_CONV, 2, shapes, 1, 2, 1);

	one.node->conv = (struct graph_conv){ .kernel = { 4, 4 },
					      .stride = { stride, stride },
					      .dilation = { 1, 1 },
					      .group = 1,
					      .auto_pad = mode };
	one_node_run(&one);
	assert_int_equal(one_node_shape(&one, 0)->dims[2],
			 (7 + stride - 1) / stride);
	assert_int_equal(one_node_shape(&one, 0)->dims[3],
			 (9 + stride - 1) / stride);
	compare(&one, pads);
	one_node_destroy(&one);
}

static void same_padding_keeps_the_size(void **state)
{
	static const int64_t upper[4] = { 1, 1, 2, 2 };
	static const int64_t lower[4] = { 2, 2, 1, 1 };

	(void)state;
	for (int64_t stride = 1; stride <= 2; stride++) {
		same_padding(GRAPH_PAD_SAME_UPPER, upper, stride);
		same_padding(GRAPH_PAD_SAME_LOWER, lower, stride);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conv_follows_its_definition),
		cmocka_unit_test(transposed_conv_follows_its_definition),
		cmocka_unit_test(many_channels_make_no_difference),
		cmocka_unit_test(tiles_meet_without_a_seam),
		cmocka_unit_test(pointwise_conv_is_a_product),
		cmocka_unit_test(same_padding_keeps_the_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
