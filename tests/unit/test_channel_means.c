/* SPDX-License-Identifier: MIT */
/* The means of what a matrix multiplies, and biases that are corrected by them. */
#include "unit.h"

#include <compress/calibrate.h>
#include <compress/lower.h>

#include <math.h>
#include <string.h>

enum { IN = 2, OUT = 3, PIXELS = 4 };

static const float weights[OUT * IN] = { 1, 0.3337f, -2, 0.7001f, 0, 0.0101f };
static const float biases[OUT] = { 0.5f, 0, -1 };
/* Two images of two channels of 2 × 2 pixels. */
static float pixels[2 * IN * PIXELS] = { 1, 2,	3,  6,	10, 10, 10, 10,
					 4, -4, 11, 13, 20, 20, 40, 40 };
static const double means[IN] = { 4.5, 20 };

/* A convolution of 1 × 1. */
static struct graph *conv_graph(void)
{
	const struct graph_shape image = {
		.rank = 4, .dims = { GRAPH_DIM_DYNAMIC, IN, 2, 2 }
	};
	const struct graph_shape result = {
		.rank = 4, .dims = { GRAPH_DIM_DYNAMIC, OUT, 2, 2 }
	};
	const struct graph_shape weight = { .rank = 4,
					    .dims = { OUT, IN, 1, 1 } };
	const struct graph_shape bias = { .rank = 1, .dims = { OUT } };
	struct graph *graph = graph_create("test");
	int x = graph_add_tensor(graph, "x", &image);
	int w = graph_add_constant(graph, "w", &weight, weights);
	int b = graph_add_constant(graph, "b", &bias, biases);
	int y = graph_add_tensor(graph, "y", &result);
	int node = graph_add_node(graph, GRAPH_CONV, "conv", (int[]){ x, w, b },
				  3, &y, 1);

	assert_true(node >= 0);
	graph->nodes[node].conv = (struct graph_conv){
		.kernel = { 1, 1 },
		.stride = { 1, 1 },
		.dilation = { 1, 1 },
		.group = 1,
	};
	assert_int_equal(graph_add_input(graph, x), 0);
	assert_int_equal(graph_add_output(graph, y), 0);
	return graph;
}

static void calibrate(const struct graph *graph, struct quantize_range *ranges,
		      struct channel_means *result)
{
	const struct calibration_options nothing_known = { .input_range = {
								   0, 0 } };
	struct array samples[2];
	struct array *runs[2] = { &samples[0], &samples[1] };
	struct calibration_data data = { .samples = runs,
					 .sample_count = 2,
					 .input_count = 1 };

	for (int i = 0; i < 2; i++)
		samples[i] = (struct array){
			.shape = { .rank = 4, .dims = { 1, IN, 2, 2 } },
			.values = pixels + i * IN * PIXELS,
		};
	assert_int_equal(channel_means_create(result, graph), 0);
	assert_int_equal(calibration_run(graph, &data, &nothing_known, ranges,
					 result),
			 0);
}

static void means_are_of_channels_over_all_samples(void **state)
{
	struct graph *graph = conv_graph();
	struct quantize_range ranges[4];
	struct channel_means result;
	const struct channel_mean *mean;

	(void)state;
	calibrate(graph, ranges, &result);
	mean = channel_means_get(&result, graph, &graph->nodes[0],
				 graph->inputs[0]);
	assert_non_null(mean);
	assert_int_equal(mean->channels, IN);
	for (int c = 0; c < IN; c++)
		assert_true(fabs(mean->mean[c] - means[c]) < 1e-9);
	assert_null(channel_means_get(&result, graph, &graph->nodes[0],
				      graph->outputs[0]));
	channel_means_release(&result);
	graph_destroy(graph);
}

/* The axis that a convolution's channels have is not where a matrix finds its own. */
static void another_axis_has_no_means(void **state)
{
	struct graph *graph = conv_graph();
	struct quantize_range ranges[4];
	struct channel_means result;
	struct graph_node gemm = { .op = GRAPH_GEMM };

	(void)state;
	calibrate(graph, ranges, &result);
	assert_null(channel_means_get(&result, graph, &gemm, graph->inputs[0]));
	assert_null(channel_means_get(NULL, graph, &graph->nodes[0],
				      graph->inputs[0]));
	channel_means_release(&result);
	graph_destroy(graph);
}

/* On average the codes' result is that of the real weights. */
static void biases_take_what_rounding_weights_loses(void **state)
{
	struct graph *graph = conv_graph();
	struct quantize_range ranges[4];
	struct channel_means result;
	struct lower_options options = { .ranges = ranges, .means = &result };
	const struct model_spmm *spmm;
	struct model *model;

	(void)state;
	calibrate(graph, ranges, &result);
	assert_int_equal(graph_lower(graph, &options, &model), 0);
	spmm = &model->layers[0].spmm;
	for (int row = 0; row < OUT; row++) {
		double unit = (double)spmm->weight_scale[row] *
			      (double)model->tensors[0].quantization.scale;
		double exact = (double)biases[row];
		double coded = unit * spmm->bias[row];

		for (int c = 0; c < IN; c++)
			exact += (double)weights[row * IN + c] * means[c];
		for (int64_t i = spmm->weights.row_start[row];
		     i < spmm->weights.row_start[row + 1]; i++)
			coded += (double)spmm->weight_scale[row] *
				 spmm->weights.value[i] *
				 means[spmm->weights.column[i]];
		assert_true(fabs(exact - coded) <= 0.5001 * unit);
	}
	model_destroy(model);
	channel_means_release(&result);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(means_are_of_channels_over_all_samples),
		cmocka_unit_test(another_axis_has_no_means),
		cmocka_unit_test(biases_take_what_rounding_weights_loses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
