// SPDX-License-Identifier: MIT
/* Weights are worth what they cost on the device, not only what they do. */
#include "unit.h"

#include "float_graph.h"

#include <accel/accel.h>
#include <compress/compress.h>
#include <compress/prune_cycles.h>
#include <model/file.h>

#include <errno.h>
#include <unistd.h>

enum { CHANNELS = 32, SIDE = 64, WIDE = 64, DEEP = 128, LAYERS = 3 };

static uint64_t seed = 5;

static int add_conv(struct graph *graph, int x, int64_t from, int64_t to,
		    int *weight)
{
	float *values = malloc((size_t)(from * to) * sizeof(*values));
	int inputs[2] = { x }, y;

	for (int64_t i = 0; i < from * to; i++)
		values[i] = (float)(random_unit(&seed) - 0.5);
	*weight = add_constant(graph, 4, (int64_t[]){ to, from, 1, 1 }, values);
	inputs[1] = *weight;
	y = add_node(graph, GRAPH_CONV, inputs, 2);
	producer_of(graph, y)->conv = (struct graph_conv){
		.kernel = { 1, 1 },
		.stride = { 1, 1 },
		.dilation = { 1, 1 },
		.group = 1,
	};
	free(values);
	return y;
}

/* A layer of many pixels and few weights, then two of one pixel and many weights. */
static struct graph *make_graph(int *weights)
{
	struct graph_shape shape = { 4, { 1, CHANNELS, SIDE, SIDE } };
	struct graph *graph = graph_create("test");
	int x = graph_add_tensor(graph, "x", &shape);

	graph_add_input(graph, x);
	x = add_conv(graph, x, CHANNELS, WIDE, &weights[0]);
	x = add_node(graph, GRAPH_GLOBAL_AVERAGE_POOL, &x, 1);
	x = add_conv(graph, x, WIDE, DEEP, &weights[1]);
	x = add_conv(graph, x, DEEP, DEEP, &weights[2]);
	graph_add_output(graph, x);
	assert_true(settle_shapes(graph));
	return graph;
}

static void make_data(struct calibration_data *data)
{
	struct array *array = calloc(1, sizeof(*array));

	*data = (struct calibration_data){ .input_count = 1,
					   .sample_count = 1 };
	data->samples = calloc(1, sizeof(*data->samples));
	data->is_state = calloc(1, sizeof(bool));
	data->samples[0] = array;
	array->shape = (struct graph_shape){ 4, { 1, CHANNELS, SIDE, SIDE } };
	array->values = malloc(CHANNELS * SIDE * SIDE * sizeof(float));
	for (int i = 0; i < CHANNELS * SIDE * SIDE; i++)
		array->values[i] = (float)random_unit(&seed);
}

static uint64_t run_cycles(struct accel_model *model)
{
	struct accel_layer_info total = { .size = sizeof(total) };
	struct accel_device *device;
	struct accel_plan *plan;
	uint64_t cycles = 0;

	CHECK(accel_device_open("sim:", NULL, &device));
	CHECK(accel_plan_create(device, model, NULL, &plan));
	CHECK(accel_run(plan, NULL, 0, NULL, 0, 60 * ACCEL_SECOND));
	for (uint32_t i = 0; accel_plan_get_layer(plan, i, &total) == 0; i++)
		cycles += total.cycles;
	accel_plan_destroy(plan);
	accel_device_close(device);
	return cycles;
}

/* Of the network with this mask, all layers together. */
static uint64_t cycles_of(const struct graph *graph,
			  const struct calibration_data *data,
			  const struct prune_mask *mask)
{
	const struct compress_options options = { .sparsity = COMPRESS_KEEP };
	struct graph *pruned = graph_clone(graph);
	char path[] = "/tmp/accel-test-XXXXXX";
	struct accel_model *loaded;
	struct model *model;
	uint64_t cycles;

	close(mkstemp(path));
	prune_apply(pruned, mask);
	CHECK(compress_quantize(pruned, &options, data, mask, &model));
	CHECK(model_file_write(model, path));
	CHECK(accel_model_load(path, &loaded));
	unlink(path);
	cycles = run_cycles(loaded);
	accel_model_free(loaded);
	model_destroy(model);
	graph_destroy(pruned);
	return cycles;
}

static double kept(const struct graph *graph, const struct prune_mask *mask)
{
	double sum = 0;

	for (int t = 0; t < graph->tensor_count; t++) {
		int64_t count = graph_shape_count(&graph->tensors[t].shape);

		for (int64_t i = 0; mask->keep[t] && i < count; i++)
			if (mask->keep[t][i])
				sum += fabs((double)graph->tensors[t].data[i]);
	}
	return sum;
}

/* The saliency here is the magnitude: any other would do. */
static void select_weights(const struct graph *graph, double sparsity,
			   const double *costs, struct prune_mask *mask)
{
	const struct prune_budget budget = {
		.sparsity = sparsity,
		.scope = PRUNE_GLOBAL,
		.costs = costs,
		.floor = true,
	};

	CHECK(prune_magnitudes(graph, &budget, mask));
}

/* What keeps as much and minds only the number of weights takes more cycles. */
static void test_budget_of_cycles_keeps_more(void **state)
{
	int weights[LAYERS];
	struct graph *graph = make_graph(weights);
	double *costs = calloc((size_t)graph->tensor_count, sizeof(*costs));
	struct prune_mask *own = prune_mask_create(graph);
	struct prune_mask *other = prune_mask_create(graph);
	struct calibration_data data;
	uint64_t cycles, more = 0;

	(void)state;
	make_data(&data);
	CHECK(prune_cost_cycles(graph, &data, NULL, 0.6, costs));
	assert_true(costs[weights[0]] > 2 * costs[weights[2]]);
	select_weights(graph, 0.6, costs, own);
	cycles = cycles_of(graph, &data, own);
	/* the sparsest one by size that is still slower */
	for (double sparsity = 0.95; more <= cycles; sparsity -= 0.05) {
		assert_true(sparsity > 0);
		select_weights(graph, sparsity, NULL, other);
		more = cycles_of(graph, &data, other);
	}
	assert_true(kept(graph, other) < kept(graph, own));
	prune_mask_destroy(own);
	prune_mask_destroy(other);
	calibration_data_release(&data);
	free(costs);
	graph_destroy(graph);
}

static void test_device_that_counts_none(void **state)
{
	int weights[LAYERS];
	struct graph *graph = make_graph(weights);
	double *costs = calloc((size_t)graph->tensor_count, sizeof(*costs));
	struct calibration_data data;

	(void)state;
	make_data(&data);
	assert_int_equal(prune_cost_cycles(graph, &data, "cpu:", 0.5, costs),
			 -EINVAL);
	calibration_data_release(&data);
	free(costs);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_budget_of_cycles_keeps_more),
		cmocka_unit_test(test_device_that_counts_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
