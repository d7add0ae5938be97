// SPDX-License-Identifier: MIT
/* Channels are made of like size between layers, and the network stays the same. */
#include "unit.h"

#include "float_graph.h"

#include <compress/equalize.h>

enum { INPUTS = 3, CHANNELS = 8, OUTPUTS = 2, SIDE = 4, PIXELS = SIDE * SIDE };

static uint64_t seed = 11;

/* A kernel of one tap; row r is spread^r times as large as the first. */
static int add_weight(struct graph *graph, int64_t first, int64_t second,
		      float spread)
{
	float values[256];
	float scale = 1;

	for (int64_t i = 0; i < first; i++, scale *= spread)
		for (int64_t j = 0; j < second; j++)
			values[i * second + j] =
				scale * (float)(random_unit(&seed) - 0.5);
	return add_constant(graph, 4, (int64_t[]){ first, second, 1, 1 },
			    values);
}

static int add_conv(struct graph *graph, enum graph_op op, int x, int weight,
		    int64_t channels)
{
	float bias[CHANNELS];
	int inputs[3] = { x, weight };
	int y;

	for (int i = 0; i < CHANNELS; i++)
		bias[i] = (float)random_unit(&seed);
	inputs[2] = add_constant(graph, 1, (int64_t[]){ channels }, bias);
	y = add_node(graph, op, inputs, 3);
	producer_of(graph, y)->conv = (struct graph_conv){
		.kernel = { 1, 1 },
		.stride = { 1, 1 },
		.dilation = { 1, 1 },
		.group = 1,
	};
	return y;
}

/* A residual block, a concat and a transposed convolution. */
static struct graph *make_graph(enum graph_op activation, int *first,
				int *stream)
{
	struct graph_shape shape = { 4, { 1, INPUTS, SIDE, SIDE } };
	struct graph *graph = graph_create("test");
	int x = graph_add_tensor(graph, "x", &shape);
	int joined[2], y;

	graph_add_input(graph, x);
	*first = add_weight(graph, CHANNELS, INPUTS, 4);
	*stream = add_conv(graph, GRAPH_CONV, x, *first, CHANNELS);
	joined[0] = *stream;
	joined[1] = add_node(graph, activation, joined, 1);
	joined[1] = add_conv(graph, GRAPH_CONV, joined[1],
			     add_weight(graph, CHANNELS, CHANNELS, 3),
			     CHANNELS);
	*stream = add_node(graph, GRAPH_ADD, joined, 2);
	joined[0] = *stream;
	y = add_node(graph, GRAPH_CONCAT, joined, 2);
	producer_of(graph, y)->axis = 1;
	y = add_conv(graph, GRAPH_CONV_TRANSPOSE, y,
		     add_weight(graph, 2 * CHANNELS, OUTPUTS, 1), OUTPUTS);
	graph_add_output(graph, y);
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
	array->shape = (struct graph_shape){ 4, { 1, INPUTS, SIDE, SIDE } };
	array->values = malloc(INPUTS * PIXELS * sizeof(float));
	for (int i = 0; i < INPUTS * PIXELS; i++)
		array->values[i] = (float)random_unit(&seed);
}

/* The largest channel over the smallest. */
struct sizes {
	int tensor;
	float ratio;
};

static int see_sizes(void *context, int tensor, const struct graph_shape *shape,
		     const float *values)
{
	struct sizes *sizes = context;
	float low = INFINITY, high = 0;

	if (tensor != sizes->tensor)
		return 0;
	assert_int_equal(shape->dims[1], CHANNELS);
	for (int c = 0; c < CHANNELS; c++) {
		float largest = 0;

		for (int i = 0; i < PIXELS; i++)
			largest = fmaxf(largest, fabsf(values[c * PIXELS + i]));
		low = fminf(low, largest);
		high = fmaxf(high, largest);
	}
	sizes->ratio = high / low;
	return 0;
}

static float run(const struct graph *graph, const struct array *input,
		 int tensor, float *results)
{
	struct sizes sizes = { .tensor = tensor };
	const struct executor_options options = {
		.observer = see_sizes,
		.observer_context = &sizes,
	};
	const float *values = input->values;
	struct executor *executor;

	CHECK(executor_create(&executor, graph, &input->shape, &options));
	CHECK(executor_run(executor, &values));
	memcpy(results, executor_values(executor, graph->outputs[0]),
	       OUTPUTS * PIXELS * sizeof(*results));
	executor_destroy(executor);
	return sizes.ratio;
}

static void test_network_is_the_same(void **state)
{
	float before[OUTPUTS * PIXELS], after[OUTPUTS * PIXELS], ratio;
	struct calibration_data data;
	int first, stream;
	struct graph *graph = make_graph(GRAPH_RELU, &first, &stream);

	(void)state;
	make_data(&data);
	ratio = run(graph, data.samples[0], stream, before);
	assert_true(ratio > 100);
	CHECK(graph_equalize(graph, &data, NULL));
	assert_true(run(graph, data.samples[0], stream, after) <
		    1.2f * sqrtf(ratio));
	for (int i = 0; i < OUTPUTS * PIXELS; i++)
		assert_true(fabsf(after[i] - before[i]) <=
			    1e-4f * (fabsf(before[i]) + sqrtf(ratio)));
	calibration_data_release(&data);
	graph_destroy(graph);
}

/* σ(s·x) is not s·σ(x): what it reads keeps its size, and so all that is added to it. */
static void test_sigmoid_keeps_its_input(void **state)
{
	float results[OUTPUTS * PIXELS], ratio;
	struct calibration_data data;
	int first, stream;
	struct graph *graph = make_graph(GRAPH_SIGMOID, &first, &stream);
	float weights[CHANNELS * INPUTS];

	(void)state;
	make_data(&data);
	memcpy(weights, graph->tensors[first].data, sizeof(weights));
	ratio = run(graph, data.samples[0], stream, results);
	CHECK(graph_equalize(graph, &data, NULL));
	assert_memory_equal(weights, graph->tensors[first].data,
			    sizeof(weights));
	assert_true(run(graph, data.samples[0], stream, results) == ratio);
	calibration_data_release(&data);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network_is_the_same),
		cmocka_unit_test(test_sigmoid_keeps_its_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
