/* SPDX-License-Identifier: MIT */
/* Linear operators: differences are exact but for rounding, so steps are large. */
#include "unit.h"

#include "gradient_check.h"

#define STEP 0.5f
#define TOLERANCE 1e-3
#define ALL 7u

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

static void check_conv(enum graph_op op, struct graph_conv conv,
		       const struct graph_shape *shapes, int inputs)
{
	struct one_node one = one_node_create(op, inputs, shapes, 1, 3, 1);

	one.node->conv = conv;
	gradient_check(&one, ALL, STEP, TOLERANCE);
	one_node_destroy(&one);
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

	conv.auto_pad = random_integer(0, 3) ? GRAPH_PAD_EXPLICIT :
					       GRAPH_PAD_SAME_LOWER;
	for (int i = 0; i < 4 && conv.auto_pad == GRAPH_PAD_EXPLICIT; i++)
		conv.pads[i] = random_integer(0, 3);
	check_conv(GRAPH_CONV, conv, shapes, (int)random_integer(2, 3));
}

static void conv_has_its_gradients(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++)
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

	for (int i = 0; i < 4; i++)
		conv.pads[i] = random_integer(0, conv.kernel[i % 2] / 2);
	for (int i = 0; i < 2; i++)
		conv.output_padding[i] = random_integer(0, conv.stride[i] - 1);
	check_conv(GRAPH_CONV_TRANSPOSE, conv, shapes,
		   (int)random_integer(2, 3));
}

static void transposed_conv_has_its_gradients(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++)
		random_transposed(0, random_integer(1, 3), 3);
}

static void padding_may_follow_from_the_size(void **state)
{
	static const enum graph_auto_pad modes[] = { GRAPH_PAD_SAME_UPPER,
						     GRAPH_PAD_SAME_LOWER };
	const struct graph_shape conv[2] = { SHAPE(2, 2, 7, 9),
					     SHAPE(3, 2, 4, 4) };
	const struct graph_shape transposed[2] = { SHAPE(2, 2, 4, 5),
						   SHAPE(2, 3, 4, 3) };

	(void)state;
	for (int i = 0; i < 2; i++)
		for (int64_t stride = 1; stride <= 2; stride++) {
			struct graph_conv attributes = {
				.kernel = { 4, 4 },
				.stride = { stride, stride },
				.dilation = { 1, 1 },
				.group = 1,
				.auto_pad = modes[i],
			};

			check_conv(GRAPH_CONV, attributes, conv, 2);
			attributes.kernel[1] = 3;
			check_conv(GRAPH_CONV_TRANSPOSE, attributes, transposed,
				   2);
		}
}

/* What is asked for may be more than the taps reach: pads are then negative. */
static void transposed_conv_may_be_asked_for_a_size(void **state)
{
	const struct graph_shape shapes[2] = { SHAPE(2, 3, 4, 4),
					       SHAPE(3, 2, 3, 3) };

	(void)state;
	for (int64_t size = 7; size <= 10; size++)
		check_conv(GRAPH_CONV_TRANSPOSE,
			   (struct graph_conv){
				   .kernel = { 3, 3 },
				   .stride = { 2, 2 },
				   .dilation = { 1, 1 },
				   .group = 1,
				   .output_size = { size, size },
			   },
			   shapes, 2);
}

/* From some channels and pixels on there may be kernels of their own. */
static void many_channels_make_no_difference(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++) {
		int64_t group = i % 4 ? 1 : 2;

		random_conv(15, group);
		random_transposed(15, group, 12);
	}
}

/* More pixels than one tile holds, and images of a few pixels, of which one holds
 * many. */
static void tiles_meet_without_a_seam(void **state)
{
	static const enum graph_op ops[] = { GRAPH_CONV, GRAPH_CONV_TRANSPOSE };

	(void)state;
	for (int i = 0; i < 2; i++)
		for (int64_t stride = 1; stride <= 2; stride++) {
			const struct graph_shape large[2] = {
				SHAPE(1, 20, 67, 71), SHAPE(20, 20, 3, 3)
			};
			const struct graph_shape small[2] = {
				SHAPE(50, 20, 4, 3), SHAPE(20, 20, 3, 3)
			};
			const struct graph_conv attributes = {
				.kernel = { 3, 3 },
				.stride = { stride, stride },
				.dilation = { 1, 1 },
				.pads = { 1, 1, 1, 1 },
				.group = 1,
			};

			check_conv(ops[i], attributes, large, 2);
			check_conv(ops[i], attributes, small, 2);
		}
}

static void pointwise_conv_has_its_gradients(void **state)
{
	const struct graph_shape shapes[3] = { SHAPE(3, 7, 5, 6),
					       SHAPE(4, 7, 1, 1), SHAPE(4) };

	(void)state;
	check_conv(GRAPH_CONV,
		   (struct graph_conv){ .kernel = { 1, 1 },
					.stride = { 1, 1 },
					.dilation = { 1, 1 },
					.group = 1 },
		   shapes, 3);
}

static void gemm_has_its_gradients(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++) {
		int64_t depth = random_integer(1, 40);
		int64_t columns = random_integer(1, 40);
		struct graph_shape shapes[3] = {
			SHAPE(random_integer(1, 5), random_integer(1, 9),
			      depth),
			SHAPE(columns, depth),
			SHAPE(columns),
		};
		struct one_node one = one_node_create(
			GRAPH_GEMM, (int)random_integer(2, 3), shapes, 1, 3, 1);

		gradient_check(&one, ALL, STEP, TOLERANCE);
		one_node_destroy(&one);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conv_has_its_gradients),
		cmocka_unit_test(transposed_conv_has_its_gradients),
		cmocka_unit_test(padding_may_follow_from_the_size),
		cmocka_unit_test(transposed_conv_may_be_asked_for_a_size),
		cmocka_unit_test(many_channels_make_no_difference),
		cmocka_unit_test(tiles_meet_without_a_seam),
		cmocka_unit_test(pointwise_conv_has_its_gradients),
		cmocka_unit_test(gemm_has_its_gradients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
