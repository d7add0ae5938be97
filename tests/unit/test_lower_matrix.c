/* SPDX-License-Identifier: MIT */
/*
 * A transposed convolution as one ordinary convolution and a shuffle is exact:
 * against the definition (every input value scatters its taps), over all small
 * kernels, strides, pads, dilations and output paddings.
 */
#include <stdlib.h>
#include <string.h>

#include "compress/lower_matrix.h"
#include "unit.h"

#define SIDE 40

struct setting {
	int64_t kernel, stride, pad, dilation, extra;
	int group;
};

/* Both axes differ, so that a mixed-up pair shows. */
static void set_conv(const struct setting *y, const struct setting *x,
		     struct graph_conv *conv)
{
	const struct setting *axis[2] = { y, x };

	memset(conv, 0, sizeof(*conv));
	for (int i = 0; i < 2; i++) {
		conv->kernel[i] = axis[i]->kernel;
		conv->stride[i] = axis[i]->stride;
		conv->dilation[i] = axis[i]->dilation;
		conv->pads[i] = axis[i]->pad;
		conv->pads[i + 2] = axis[i]->pad;
		conv->output_padding[i] = axis[i]->extra;
	}
	conv->group = y->group;
}

static int64_t output_size(const struct setting *s, int64_t size)
{
	return (size - 1) * s->stride + (s->kernel - 1) * s->dilation + 1 +
	       s->extra - 2 * s->pad;
}

/* The definition. Weight [C][M / group][kh][kw], image [C][h][w]. */
static void scatter(const struct graph_conv *conv, int channels, int outputs,
		    const float *weight, const float *image, int h, int w,
		    float *result, int64_t height, int64_t width)
{
	int per_group = channels / (int)conv->group;

	for (int c = 0; c < channels; c++)
		for (int o = 0; o < outputs; o++)
			for (int64_t at = 0; at < (int64_t)h * w; at++)
				for (int64_t k = 0;
				     k < conv->kernel[0] * conv->kernel[1];
				     k++) {
					int64_t ky = k / conv->kernel[1];
					int64_t kx = k % conv->kernel[1];
					int64_t y = at / w * conv->stride[0] +
						    ky * conv->dilation[0] -
						    conv->pads[0];
					int64_t x = at % w * conv->stride[1] +
						    kx * conv->dilation[1] -
						    conv->pads[1];
					int64_t m = c / per_group * outputs + o;

					if (y < 0 || x < 0 || y >= height ||
					    x >= width)
						continue;
					result[(m * height + y) * width + x] +=
						image[c * h * w + at] *
						weight[(c * outputs + o) *
							       conv->kernel[0] *
							       conv->kernel[1] +
						       k];
				}
}

/* One row of the matrix at one position of the stride-1 convolution. */
static float row_value(const struct lower_matrix *matrix,
		       const struct model_window *window, const float *image,
		       int h, int w, uint32_t row, int64_t p, int64_t q)
{
	uint32_t taps = window->kernel_height * window->kernel_width;
	float sum = matrix->bias[row];

	for (int64_t i = matrix->row_start[row]; i < matrix->row_start[row + 1];
	     i++) {
		uint32_t column = (uint32_t)matrix->column[i];
		int64_t y = p - window->pad_top +
			    column % taps / window->kernel_width;
		int64_t x =
			q - window->pad_left + column % window->kernel_width;

		if (y >= 0 && x >= 0 && y < h && x < w)
			sum += matrix->value[i] *
			       image[(int)(column / taps) * h * w + y * w + x];
	}
	return sum;
}

static void fill(float *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		values[i] = (float)(rand() % 15 - 7);
}

static struct graph *make_graph(const struct graph_conv *conv, int channels,
				int outputs)
{
	struct graph *graph = graph_create("test");
	struct graph_shape shape = { 4, { -1, channels, -1, -1 } };
	struct graph_shape weight = {
		4, { channels, outputs, conv->kernel[0], conv->kernel[1] }
	};
	struct graph_shape bias = { 1, { outputs * conv->group } };
	float *values = calloc(8192, sizeof(float));
	int inputs[3], output;

	fill(values, 8192);
	inputs[0] = graph_add_tensor(graph, "x", &shape);
	inputs[1] = graph_add_constant(graph, "w", &weight, values);
	inputs[2] = graph_add_constant(graph, "b", &bias, values + 100);
	shape.dims[1] = outputs * conv->group;
	output = graph_add_tensor(graph, "y", &shape);
	graph_add_node(graph, GRAPH_CONV_TRANSPOSE, "up", inputs, 3, &output,
		       1);
	graph->nodes[0].conv = *conv;
	free(values);
	return graph;
}

static void check(const struct setting *sy, const struct setting *sx)
{
	enum { CHANNELS = 4, OUTPUTS = 2 };
	int64_t extra[2] = { output_size(sy, 1), output_size(sx, 1) };
	int h = 1 + rand() % 4, w = 1 + rand() % 4;
	int64_t height = output_size(sy, h), width = output_size(sx, w);
	int rows = OUTPUTS * sy->group;
	float image[CHANNELS * 25];
	float *expected = calloc(4 * SIDE * SIDE * 4, sizeof(float));
	struct model_window window;
	struct lower_matrix matrix;
	struct graph_conv conv;
	struct graph *graph;

	set_conv(sy, sx, &conv);
	graph = make_graph(&conv, CHANNELS, OUTPUTS);
	fill(image, CHANNELS * 25);
	assert_int_equal(lower_matrix_conv_transpose(graph, 0, NULL, conv.pads,
						     extra, &window, &matrix),
			 0);
	for (int m = 0; m < rows && height > 0 && width > 0; m++)
		for (int64_t i = 0; i < height * width; i++)
			expected[m * height * width + i] =
				graph->tensors[2].data[m];
	if (height > 0 && width > 0)
		scatter(&conv, CHANNELS, OUTPUTS, graph->tensors[1].data, image,
			h, w, expected, height, width);
	/* Its positions are ⌈output / stride⌉. */
	if (height > 0)
		assert_int_equal(h + window.pad_top + window.pad_bottom -
					 (int)window.kernel_height + 1,
				 (height + sy->stride - 1) / sy->stride);
	for (int64_t i = 0;
	     height > 0 && width > 0 && i < rows * height * width; i++) {
		int64_t m = i / (height * width);
		int64_t y = i / width % height, x = i % width;
		int64_t row = (m * sy->stride + y % sy->stride) * sx->stride +
			      x % sx->stride;

		assert_true(row_value(&matrix, &window, image, h, w,
				      (uint32_t)row, y / sy->stride,
				      x / sx->stride) == expected[i]);
	}
	lower_matrix_release(&matrix);
	graph_destroy(graph);
	free(expected);
}

static struct setting random_setting(void)
{
	struct setting s = {
		.kernel = 1 + rand() % 4,
		.stride = 1 + rand() % 4,
		.dilation = 1 + rand() % 3,
	};

	s.pad = rand() % 6;
	s.extra = rand() % (s.stride > s.dilation ? s.stride : s.dilation);
	return s;
}

static void test_every_small_setting(void **state)
{
	(void)state;
	for (int64_t kernel = 1; kernel <= 5; kernel++)
		for (int64_t stride = 1; stride <= 4; stride++)
			for (int64_t pad = 0; pad <= 4; pad++)
				for (int64_t dilation = 1; dilation <= 3;
				     dilation++)
					for (int64_t extra = 0; extra < stride;
					     extra++) {
						struct setting y = {
							kernel,	  stride, pad,
							dilation, extra,  1
						};
						struct setting x =
							random_setting();

						check(&y, &x);
					}
}

static void test_groups(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		struct setting y = random_setting(), x = random_setting();

		y.group = i % 2 ? 2 : 4;
		check(&y, &x);
	}
}

static void test_permutation_moves_rows_whole(void **state)
{
	static const int64_t move[3] = { 2, -1, 0 };
	static const uint32_t order[3] = { 1, 2, 0 };
	struct lower_matrix matrix;

	(void)state;
	assert_int_equal(lower_matrix_move(move, 3, 4, &matrix), 0);
	matrix.bias[0] = 5;
	assert_int_equal(lower_matrix_permute(&matrix, order), 0);
	assert_memory_equal(matrix.row_start, ((int64_t[]){ 0, 0, 1, 2 }),
			    4 * sizeof(int64_t));
	assert_int_equal(matrix.column[0], 0);
	assert_int_equal(matrix.column[1], 2);
	assert_true(matrix.bias[2] == 5);
	assert_true(matrix.identity);
	lower_matrix_release(&matrix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_small_setting),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_permutation_moves_rows_whole),
	};

	srand(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
