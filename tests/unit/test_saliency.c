/* SPDX-License-Identifier: MIT */
/* Weights are scored by what the result loses with them. */
#include "unit.h"

#include "float_graph.h"

#include <compress/compress.h>
#include <compress/saliency.h>

#include <errno.h>

enum { ROWS = 8, COLUMNS = 6, SAMPLES = 12, BATCH = 40 };

static uint64_t seed = 7;

/* One matrix; its score is w²·E[x²] for each weight, times the batch. */
static struct graph *one_matrix(int *weight)
{
	struct graph_shape shape = { 2, { GRAPH_DIM_DYNAMIC, COLUMNS } };
	struct graph_shape result = { 2, { GRAPH_DIM_DYNAMIC, ROWS } };
	float values[ROWS * COLUMNS];
	struct graph *graph = graph_create("test");
	int inputs[2], y;

	for (int i = 0; i < ROWS * COLUMNS; i++)
		values[i] = (float)(0.5 + random_unit(&seed));
	inputs[0] = graph_add_tensor(graph, "x", &shape);
	graph_add_input(graph, inputs[0]);
	*weight = add_constant(graph, 2, (int64_t[]){ ROWS, COLUMNS }, values);
	inputs[1] = *weight;
	y = graph_add_tensor(graph, "y", &result);
	graph_add_node(graph, GRAPH_GEMM, "matrix", inputs, 2, &y, 1);
	graph_add_output(graph, y);
	return graph;
}

/* Column c has the magnitude c: the first one does not matter at all. */
static void make_data(struct calibration_data *data)
{
	*data = (struct calibration_data){ .input_count = 1,
					   .sample_count = SAMPLES };
	data->samples = calloc(SAMPLES, sizeof(*data->samples));
	data->is_state = calloc(1, sizeof(bool));
	for (int s = 0; s < SAMPLES; s++) {
		struct array *array = calloc(1, sizeof(*array));

		array->shape = (struct graph_shape){ 2, { BATCH, COLUMNS } };
		array->values = malloc(BATCH * COLUMNS * sizeof(float));
		for (int i = 0; i < BATCH * COLUMNS; i++)
			array->values[i] =
				(float)(i % COLUMNS) *
				(random_below(&seed, 2) ? 1.0f : -1.0f);
		data->samples[s] = array;
	}
}

static void test_scores_are_those_of_the_matrix(void **state)
{
	const struct saliency_options options = { .passes = 600, .seed = 1 };
	struct calibration_data data;
	int weight;
	struct graph *graph = one_matrix(&weight);
	float **scores = saliency_create(graph);

	(void)state;
	make_data(&data);
	CHECK(saliency_gauss_newton(graph, &data, &options, scores));
	for (int i = 0; i < ROWS * COLUMNS; i++) {
		float w = graph->tensors[weight].data[i];
		float x = (float)(i % COLUMNS);
		float expected = w * w * BATCH * x * x;

		assert_true(fabsf(scores[weight][i] - expected) <=
			    0.3f * expected);
	}
	saliency_destroy(scores, graph);
	calibration_data_release(&data);
	graph_destroy(graph);
}

static void test_threads_do_not_matter(void **state)
{
	struct saliency_options options = { .seed = 5, .workers = 1 };
	struct calibration_data data;
	int weight;
	struct graph *graph = one_matrix(&weight);
	float **one = saliency_create(graph), **three = saliency_create(graph);

	(void)state;
	make_data(&data);
	CHECK(saliency_gauss_newton(graph, &data, &options, one));
	options.workers = 3;
	CHECK(saliency_gauss_newton(graph, &data, &options, three));
	assert_memory_equal(one[weight], three[weight],
			    ROWS * COLUMNS * sizeof(float));
	saliency_destroy(one, graph);
	saliency_destroy(three, graph);
	calibration_data_release(&data);
	graph_destroy(graph);
}

static void test_values_that_are_not_finite(void **state)
{
	const struct saliency_options options = { .passes = 2 };
	struct calibration_data data;
	int weight;
	struct graph *graph = one_matrix(&weight);
	float **scores = saliency_create(graph);

	(void)state;
	make_data(&data);
	data.samples[0]->values[0] = INFINITY;
	assert_int_equal(saliency_gauss_newton(graph, &data, &options, scores),
			 -EINVAL);
	saliency_destroy(scores, graph);
	calibration_data_release(&data);
	graph_destroy(graph);
}

/* Half of the weights go, those of the columns that do not matter first. */
static void test_columns_that_do_not_matter_go(void **state)
{
	const struct compress_options options = {
		.sparsity = 0.5,
		.scope = PRUNE_GLOBAL,
		.selection = prune_method_find("gn"),
		.reconstruct = true,
	};
	struct calibration_data data;
	int weight;
	int64_t total;
	struct graph *graph = one_matrix(&weight);
	struct prune_mask *mask = prune_mask_create(graph);

	(void)state;
	make_data(&data);
	CHECK(compress_prune(graph, &options, &data, mask));
	assert_int_equal(prune_count(graph, mask, &total), ROWS * COLUMNS / 2);
	for (int row = 0; row < ROWS; row++) {
		assert_int_equal(mask->keep[weight][row * COLUMNS], 0);
		assert_int_equal(
			mask->keep[weight][row * COLUMNS + COLUMNS - 1], 1);
	}
	assert_int_equal(compress_prune(graph, &options, NULL, mask), -EINVAL);
	prune_mask_destroy(mask);
	calibration_data_release(&data);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scores_are_those_of_the_matrix),
		cmocka_unit_test(test_threads_do_not_matter),
		cmocka_unit_test(test_values_that_are_not_finite),
		cmocka_unit_test(test_columns_that_do_not_matter_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
