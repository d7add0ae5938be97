/* SPDX-License-Identifier: MIT */
/* Methods that look at a layer's inputs: what each is better at than the one before. */
#include "unit.h"

#include "float_graph.h"

#include <compress/layer_problem.h>
#include <compress/obs.h>
#include <compress/prune_method.h>
#include <compress/reconstruct.h>
#include <compress/sample.h>

#include <accel/error.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 8, COLUMNS = 24, OBSERVATIONS = 256, KEPT = ROWS * COLUMNS / 2 };

/** struct network - one matrix, and inputs for it that have something in common */
struct network {
	struct graph *graph;
	struct calibration_data data;
	float x[OBSERVATIONS * COLUMNS];
	float weights[ROWS * COLUMNS];
	int tensor;
};

static void make_inputs(struct network *network)
{
	struct sample_generator generator;

	sample_seed(&generator, 11);
	for (int n = 0; n < OBSERVATIONS; n++) {
		double common = sample_normal(&generator);

		for (int i = 0; i < COLUMNS; i++)
			network->x[n * COLUMNS + i] =
				(float)((common + sample_normal(&generator)) *
					(i % 3 ? 0.3 : 2));
	}
	sample_normals(&generator, network->weights, ROWS * COLUMNS);
}

static struct network *make_network(int columns)
{
	struct network *network = calloc(1, sizeof(*network));
	struct graph_shape in = { 2, { GRAPH_DIM_DYNAMIC, columns } };
	struct graph_shape out = { 2, { GRAPH_DIM_DYNAMIC, ROWS } };
	struct array *array = calloc(1, sizeof(*array));
	struct graph *graph = graph_create("test");
	float *weights = calloc((size_t)(ROWS * columns), sizeof(float));
	int inputs[2] = { graph_add_tensor(graph, "x", &in), 0 };
	int output;

	make_inputs(network);
	if (columns == COLUMNS)
		memcpy(weights, network->weights, sizeof(network->weights));
	graph_add_input(graph, inputs[0]);
	inputs[1] =
		add_constant(graph, 2, (int64_t[]){ ROWS, columns }, weights);
	output = graph_add_tensor(graph, "y", &out);
	graph_add_node(graph, GRAPH_GEMM, "matrix", inputs, 2, &output, 1);
	graph_add_output(graph, output);
	network->graph = graph;
	network->tensor = inputs[1];
	network->data = (struct calibration_data){ .input_count = 1,
						   .sample_count = 1 };
	network->data.samples = calloc(1, sizeof(*network->data.samples));
	network->data.is_state = calloc(1, sizeof(bool));
	array->shape = (struct graph_shape){
		2, { OBSERVATIONS * COLUMNS / columns, columns }
	};
	array->values = malloc(sizeof(network->x));
	memcpy(array->values, network->x, sizeof(network->x));
	network->data.samples[0] = array;
	free(weights);
	return network;
}

static void free_network(struct network *network)
{
	calibration_data_release(&network->data);
	graph_destroy(network->graph);
	free(network);
}

/* What the matrix's results lose. */
static double loss_of(const struct network *network, const float *weights)
{
	double sum = 0;

	for (int n = 0; n < OBSERVATIONS; n++)
		for (int r = 0; r < ROWS; r++) {
			double error = 0;

			for (int i = 0; i < COLUMNS; i++)
				error += (double)network->x[n * COLUMNS + i] *
					 (double)(weights[r * COLUMNS + i] -
						  network->weights[r * COLUMNS +
								   i]);
			sum += error * error;
		}
	return sum;
}

static int prune(const struct network *network, const char *name,
		 enum prune_scope scope, struct graph *graph,
		 struct prune_mask *mask)
{
	const struct prune_budget budget = { .sparsity = 0.5, .scope = scope };
	const struct prune_method_context context = {
		.graph = network->graph,
		.data = &network->data,
		.budget = &budget,
		.workers = 1,
	};

	return prune_method_apply(prune_method_find(name), &context, graph,
				  mask);
}

static double loss_with(const char *name, enum prune_scope scope, int *rows)
{
	struct network *network = make_network(COLUMNS);
	struct graph *graph = graph_clone(network->graph);
	struct prune_mask *mask = prune_mask_create(graph);
	int64_t total;
	double loss;

	CHECK(prune(network, name, scope, graph, mask));
	assert_int_equal(prune_count(graph, mask, &total), KEPT);
	for (int i = 0; rows && i < ROWS * COLUMNS; i++)
		rows[i / COLUMNS] += mask->keep[network->tensor][i];
	loss = loss_of(network, graph->tensors[network->tensor].data);
	prune_mask_destroy(mask);
	graph_destroy(graph);
	free_network(network);
	return loss;
}

static void test_each_loses_less_than_the_one_before(void **state)
{
	double magnitude = loss_with("magnitude", PRUNE_PER_LAYER, NULL);
	double wanda = loss_with("wanda", PRUNE_PER_LAYER, NULL);
	double sparsegpt = loss_with("sparsegpt", PRUNE_PER_LAYER, NULL);
	double obs = loss_with("obs", PRUNE_PER_LAYER, NULL);

	(void)state;
	assert_true(wanda < 0.8 * magnitude);
	assert_true(sparsegpt < 0.8 * wanda);
	assert_true(obs < sparsegpt);
}

static void test_wanda_compares_within_rows(void **state)
{
	int rows[ROWS] = { 0 };

	(void)state;
	loss_with("wanda", PRUNE_PER_LAYER, rows);
	for (int i = 0; i < ROWS; i++)
		assert_int_equal(rows[i], COLUMNS / 2);
}

static void test_one_threshold_counts_the_same(void **state)
{
	(void)state;
	loss_with("wanda", PRUNE_GLOBAL, NULL);
	loss_with("sparsegpt", PRUNE_GLOBAL, NULL);
	loss_with("obs", PRUNE_GLOBAL, NULL);
}

/* ---- exact ---- */

static int fill(void *context, int part, int64_t first, int64_t count,
		float *inputs, float *targets)
{
	const struct network *network = context;

	(void)part;
	for (int64_t n = 0; n < count; n++) {
		const float *x = network->x + (first + n) * COLUMNS;

		targets[n] = 0;
		for (int i = 0; i < COLUMNS; i++) {
			inputs[i * count + n] = x[i];
			targets[n] += x[i] * network->weights[i];
		}
	}
	return 0;
}

static int problem_observe(struct network *network,
			   struct layer_problem *problem)
{
	const int64_t count = OBSERVATIONS;
	const struct least_squares_source source = {
		.counts = &count,
		.parts = 1,
		.fill = fill,
		.context = network,
	};

	return least_squares_add(problem->system, &source);
}

static double row_loss(const struct network *network, const float *row)
{
	float weights[ROWS * COLUMNS];

	memcpy(weights, network->weights, sizeof(weights));
	memcpy(weights, row, COLUMNS * sizeof(float));
	return loss_of(network, weights);
}

/* Any single weight that goes in place of the one chosen costs more. */
static void test_the_first_step_of_obs_is_the_best(void **state)
{
	struct network *network = make_network(COLUMNS);
	const struct least_squares_options options = { .unknowns = COLUMNS,
						       .rows = 1,
						       .workers = 1 };
	struct layer_problem problem;
	float best[COLUMNS];
	int chosen = -1;

	(void)state;
	CHECK(layer_problem_create(&problem, "matrix", &options));
	CHECK(layer_problem_open(&problem));
	CHECK(problem_observe(network, &problem));
	memcpy(problem.values, network->weights, sizeof(best));
	memset(problem.keep, 1, COLUMNS);
	problem.keep[0] = 0;
	problem.values[0] = network->weights[0];
	CHECK(obs_solve(NULL, &problem));
	memcpy(best, problem.values, sizeof(best));
	for (int i = 0; i < COLUMNS; i++)
		if (!problem.keep[i])
			chosen = i;
	for (int i = 0; i < COLUMNS; i++) {
		double ridge = 5e-4;

		if (i == chosen)
			continue;
		memcpy(problem.values, network->weights, sizeof(best));
		memset(problem.keep, 1, COLUMNS);
		problem.keep[i] = 0;
		problem.values[i] = 0;
		CHECK(layer_problem_least_squares(&ridge, &problem));
		assert_true(row_loss(network, best) <=
			    1.01 * row_loss(network, problem.values));
	}
	layer_problem_release(&problem);
	free_network(network);
}

static void test_obs_refuses_rows_that_take_hours(void **state)
{
	struct network *network = make_network(OBS_COLUMNS_MAX + 1);
	struct graph *graph = graph_clone(network->graph);
	struct prune_mask *mask = prune_mask_create(graph);

	(void)state;
	assert_int_equal(prune(network, "obs", PRUNE_PER_LAYER, graph, mask),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "matrix"));
	prune_mask_destroy(mask);
	graph_destroy(graph);
	free_network(network);
}

/* Their squares are not: what follows from those would look like a result. */
static void test_values_too_large_to_be_squared(void **state)
{
	static const char *const names[] = { "wanda", "sparsegpt", "obs", "l0",
					     "l1" };
	struct network *network = make_network(COLUMNS);

	(void)state;
	network->data.samples[0]->values[0] = 1e30F;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct graph *graph = graph_clone(network->graph);
		struct prune_mask *mask = prune_mask_create(graph);

		assert_int_equal(prune(network, names[i], PRUNE_PER_LAYER,
				       graph, mask),
				 -EINVAL);
		assert_non_null(strstr(accel_last_error(),
				       "matrix: calibration values"));
		prune_mask_destroy(mask);
		graph_destroy(graph);
	}
	free_network(network);
}

static void test_repair_with_values_too_large_to_be_squared(void **state)
{
	const struct reconstruct_options options = { .workers = 1 };
	struct network *network = make_network(COLUMNS);
	struct graph *graph = graph_clone(network->graph);
	struct prune_mask *mask = prune_mask_create(graph);

	(void)state;
	CHECK(prune(network, "magnitude", PRUNE_PER_LAYER, graph, mask));
	network->data.samples[0]->values[0] = 1e30F;
	assert_int_equal(reconstruct_least_squares(network->graph, graph, mask,
						   &network->data, &options),
			 -EINVAL);
	prune_mask_destroy(mask);
	graph_destroy(graph);
	free_network(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_loses_less_than_the_one_before),
		cmocka_unit_test(test_wanda_compares_within_rows),
		cmocka_unit_test(test_one_threshold_counts_the_same),
		cmocka_unit_test(test_the_first_step_of_obs_is_the_best),
		cmocka_unit_test(test_obs_refuses_rows_that_take_hours),
		cmocka_unit_test(test_values_too_large_to_be_squared),
		cmocka_unit_test(
			test_repair_with_values_too_large_to_be_squared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
