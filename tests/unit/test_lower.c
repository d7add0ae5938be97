/* SPDX-License-Identifier: MIT */
/*
 * A lowered model computes what the float graph does. With whole numbers for
 * weights and activations and all scales 1 nothing is rounded, so both agree
 * exactly, whatever was fused, permuted or merged on the way.
 */
#include "unit.h"

#include <errno.h>

#include "float_graph.h"
#include "random_graph.h"

static void print_graph(const struct graph *graph)
{
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];

		print_message("%d: %s(", n, node->name);
		for (int i = 0; i < node->input_count; i++)
			print_message(" %d", node->inputs[i]);
		print_message(") = %d [", node->outputs[0]);
		for (int d = 0; d < 4; d++)
			print_message(" %d",
				      (int)dims_of(graph, node->outputs[0])[d]);
		print_message("]\n");
	}
}

/*
 * Make free what follows the input's size: the dimensions that change when it does.
 * False if a larger input does not fit.
 */
static bool forget_sizes(struct graph *graph, bool pixels)
{
	struct graph_shape *shapes =
		calloc((size_t)graph->tensor_count, sizeof(*shapes));
	struct graph_shape larger = graph->tensors[0].shape;
	bool fits;

	larger.dims[0] += 1;
	if (pixels) {
		larger.dims[2] += 4;
		larger.dims[3] += 4;
	}
	for (int i = 0; i < 4; i++)
		graph->tensors[0].shape.dims[i] = GRAPH_DIM_DYNAMIC;
	graph->tensors[0].shape.dims[1] = larger.dims[1];
	fits = !graph_infer_shapes(graph, &larger, shapes);
	for (int t = 1; fits && t < graph->tensor_count; t++)
		for (int i = 0; i < shapes[t].rank; i++)
			if (!graph->tensors[t].data &&
			    shapes[t].dims[i] !=
				    graph->tensors[t].shape.dims[i])
				graph->tensors[t].shape.dims[i] =
					GRAPH_DIM_DYNAMIC;
	free(shapes);
	return fits;
}

static void compare(const struct graph *graph, const struct float_run *run,
		    const struct model *model, const float *const *inputs)
{
	float *results[4];

	run_model(model, graph, inputs, results);
	for (int i = 0; i < graph->output_count; i++) {
		const struct graph_shape *shape =
			executor_shape(run->executor, graph->outputs[i]);
		const float *expected =
			executor_values(run->executor, graph->outputs[i]);

		for (int64_t k = 0; k < graph_shape_count(shape); k++)
			if (results[i][k] != expected[k]) {
				print_graph(graph);
				fail_msg("output %d, element %lld: %g, not %g",
					 i, (long long)k, (double)results[i][k],
					 (double)expected[k]);
			}
		free(results[i]);
	}
}

/* 1 if it was compared, 0 if its values leave int8. */
static int check_random_graph(int length)
{
	struct graph *graph = random_graph(length);
	const struct graph_shape *shape = &graph->tensors[0].shape;
	struct lower_options options = { 0 };
	struct float_run run;
	struct model *model;
	float *input;
	int compared = 0;

	input = whole_values(graph_shape_count(shape), -3, 3);
	run_float(graph, (const float *const *)&input, &run);
	if (run.largest <= 127 && graph->node_count) {
		struct graph *lowered = graph_clone(graph);

		record_all(lowered);
		/* Not every network can do without knowing its input's size. */
		int mode = (int)pick(0, 2), ret = -ENOTSUP;

		if (!mode || forget_sizes(lowered, mode == 2)) {
			options.ranges = run.ranges;
			ret = graph_lower(lowered, &options, &model);
		}
		if (mode == 0 || ret != -ENOTSUP) {
			CHECK(ret);
			compare(graph, &run, model,
				(const float *const *)&input);
			model_destroy(model);
			compared = 1;
		}
		graph_destroy(lowered);
	}
	free(input);
	float_run_release(&run);
	graph_destroy(graph);
	return compared;
}

static void test_random_graphs_are_exact(void **state)
{
	int compared = 0;

	(void)state;
	for (int i = 0; i < 3000; i++)
		compared += check_random_graph(1 + i % 7);
	print_message("%d compared\n", compared);
	assert_true(compared > 2000);
}

/* Ratio of the output's largest value to the root of its mean square error. */
static double worst_ratio(const struct graph *graph,
			  const struct float_run *run,
			  const struct model *model, const float *const *inputs)
{
	double worst = INFINITY;
	float *results[8];

	run_model(model, graph, inputs, results);
	for (int i = 0; i < graph->output_count; i++) {
		int64_t count = graph_shape_count(
			executor_shape(run->executor, graph->outputs[i]));
		const float *expected =
			executor_values(run->executor, graph->outputs[i]);
		double error = 0, peak = 0;

		for (int64_t k = 0; k < count; k++) {
			double e = (double)results[i][k] - (double)expected[k];

			error += e * e / (double)count;
			peak = fmax(peak, fabs((double)expected[k]));
		}
		worst = fmin(worst, peak / sqrt(error + 1e-30));
		free(results[i]);
	}
	return worst;
}

/* Float inputs of a graph; states are small. */
static void make_inputs(const struct graph *graph, float **inputs)
{
	for (int i = 0; i < graph->input_count; i++) {
		const struct graph_shape *shape =
			&graph->tensors[graph->inputs[i]].shape;

		inputs[i] = whole_values(graph_shape_count(shape), -1, 1);
	}
}

static double check_real_graph(struct graph *graph)
{
	struct lower_options options = { 0 };
	struct float_run run;
	struct model *model;
	double ratio = INFINITY;
	float *inputs[8];

	make_inputs(graph, inputs);
	run_float(graph, (const float *const *)inputs, &run);
	if (run.largest < 100) {
		struct graph *lowered = graph_clone(graph);

		/* However many steps a sequence has. */
		forget_steps(lowered);
		options.ranges = run.ranges;
		CHECK(graph_lower(lowered, &options, &model));
		graph_destroy(lowered);
		ratio = worst_ratio(graph, &run, model,
				    (const float *const *)inputs);
		model_destroy(model);
	}
	for (int i = 0; i < graph->input_count; i++)
		free(inputs[i]);
	float_run_release(&run);
	graph_destroy(graph);
	return ratio;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

#define REAL_GRAPHS 400

/*
 * Rounding to 8 bits in a few layers costs some percent of the range. Single
 * networks that cancel large values lose more, hence quantiles.
 */
static void check_ratios(double ratios[REAL_GRAPHS], double median, double low)
{
	qsort(ratios, REAL_GRAPHS, sizeof(*ratios), by_value);
	print_message("signal to error: median %.1f, 2nd percentile %.1f\n",
		      ratios[REAL_GRAPHS / 2], ratios[REAL_GRAPHS / 50]);
	assert_true(ratios[REAL_GRAPHS / 2] > median);
	assert_true(ratios[REAL_GRAPHS / 50] > low);
}

static void test_real_images_stay_close(void **state)
{
	double ratios[REAL_GRAPHS];

	(void)state;
	whole = false;
	for (int i = 0; i < REAL_GRAPHS; i++)
		ratios[i] = check_real_graph(random_graph(1 + i % 6));
	whole = true;
	check_ratios(ratios, 200, 80);
}

static void test_real_sequences_stay_close(void **state)
{
	double ratios[REAL_GRAPHS];

	(void)state;
	whole = false;
	for (int i = 0; i < REAL_GRAPHS; i++)
		ratios[i] = check_real_graph(random_sequence_graph());
	whole = true;
	check_ratios(ratios, 150, 50);
}

/* Which of the graph's tensors a tensor of the model is named after, or −1. */
static int named_after(const struct graph *graph,
		       const struct model_tensor *tensor)
{
	for (int t = 0; t < graph->tensor_count; t++)
		if (!strcmp(graph->tensors[t].name, tensor->name))
			return t;
	return -1;
}

static bool is_listed(const int *list, int count, int tensor)
{
	for (int i = 0; i < count; i++)
		if (list[i] == tensor)
			return true;
	return false;
}

/* Codes of the model are those that were foretold; its binary32 has none. */
static int compare_quantizations(const struct graph *graph,
				 const struct model *model,
				 const struct lower_options *options)
{
	bool *quantized =
		calloc((size_t)graph->tensor_count + 1, sizeof(*quantized));
	struct golden_quantization *foretold =
		calloc((size_t)graph->tensor_count + 1, sizeof(*foretold));
	int compared = 0;

	CHECK(lower_quantizations(graph, options, quantized, foretold));
	for (uint32_t i = 0; i < model->tensor_count; i++) {
		const struct model_tensor *tensor = &model->tensors[i];
		int t = named_after(graph, tensor);

		/* An output that is a view gives its name to what it views. */
		if (t < 0 ||
		    (is_listed(graph->outputs, graph->output_count, t) &&
		     !quantized[t]))
			continue;
		assert_int_equal(quantized[t], tensor->type == MODEL_INT8);
		if (!quantized[t])
			continue;
		assert_true(foretold[t].scale == tensor->quantization.scale);
		assert_int_equal(foretold[t].zero, tensor->quantization.zero);
		compared++;
	}
	free(quantized);
	free(foretold);
	return compared;
}

static int check_quantizations(struct graph *graph)
{
	struct lower_options options = { 0 };
	struct float_run run;
	struct model *model;
	float *inputs[8];
	int compared = 0;

	make_inputs(graph, inputs);
	run_float(graph, (const float *const *)inputs, &run);
	options.ranges = run.ranges;
	if (run.largest < 100) {
		CHECK(graph_lower(graph, &options, &model));
		compared = compare_quantizations(graph, model, &options);
		model_destroy(model);
	}
	for (int i = 0; i < graph->input_count; i++)
		free(inputs[i]);
	float_run_release(&run);
	graph_destroy(graph);
	return compared;
}

static void test_quantizations_are_those_foretold(void **state)
{
	int compared = 0;

	(void)state;
	whole = false;
	for (int i = 0; i < 300; i++)
		compared +=
			check_quantizations(i % 3 ? random_graph(1 + i % 6) :
						    random_sequence_graph());
	whole = true;
	assert_true(compared > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_graphs_are_exact),
		cmocka_unit_test(test_real_images_stay_close),
		cmocka_unit_test(test_real_sequences_stay_close),
		cmocka_unit_test(test_quantizations_are_those_foretold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
