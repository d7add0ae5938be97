/* SPDX-License-Identifier: MIT */
/*
 * Weights that stay take over exactly where they can: every input channel comes
 * twice, all weights of the second one are pruned, and the first one's have to become
 * the sum of both, in every kind of layer.
 */
#include "unit.h"

#include "float_graph.h"

#include <compress/graph_variant.h>
#include <compress/graph_walk.h>
#include <compress/reconstruct.h>

#include <errno.h>

#define SAMPLES 6

static uint64_t seed = 1;

static void fill(float *values, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		values[i] = (float)(2 * random_unit(&seed) - 1);
}

static int random_constant(struct graph *graph, int rank, const int64_t *dims)
{
	struct graph_shape shape = { .rank = rank };
	float *values;
	int tensor;

	memcpy(shape.dims, dims, (size_t)rank * sizeof(*dims));
	values = malloc((size_t)graph_shape_count(&shape) * sizeof(*values));
	fill(values, graph_shape_count(&shape));
	tensor = add_constant(graph, rank, dims, values);
	free(values);
	return tensor;
}

/* Samples whose channels come in twos: period elements, then the same again. */
static void make_data(struct calibration_data *data,
		      const struct graph_shape *shape, int64_t period)
{
	*data = (struct calibration_data){ .input_count = 1,
					   .sample_count = SAMPLES };
	data->samples = calloc(SAMPLES, sizeof(*data->samples));
	data->is_state = calloc(1, sizeof(bool));
	for (int s = 0; s < SAMPLES; s++) {
		int64_t count = graph_shape_count(shape);
		struct array *array = calloc(1, sizeof(*array));

		array->shape = *shape;
		array->values = malloc((size_t)count * sizeof(float));
		for (int64_t i = 0; i < count; i += 2 * period) {
			fill(array->values + i, period);
			memcpy(array->values + i + period, array->values + i,
			       (size_t)period * sizeof(float));
		}
		data->samples[s] = array;
	}
}

/* Of a weight [outer][channels][inner], prune the second of every two channels. */
static void prune_twins(struct prune_mask *mask, int tensor, int64_t outer,
			int64_t channels, int64_t inner)
{
	for (int64_t i = 0; i < outer * channels * inner; i++)
		mask->keep[tensor][i] = i / inner % channels % 2 == 0;
}

static double squares(const struct graph *dense, const struct graph *pruned,
		      const struct calibration_data *data)
{
	double sum = 0;

	for (int s = 0; s < SAMPLES; s++) {
		const struct array *array = data->samples[s];
		const float *input = array->values;
		struct executor *a, *b;
		int64_t count;

		CHECK(executor_create(&a, dense, &array->shape, NULL));
		CHECK(executor_create(&b, pruned, &array->shape, NULL));
		CHECK(executor_run(a, &input));
		CHECK(executor_run(b, &input));
		count = graph_shape_count(executor_shape(a, dense->outputs[0]));
		for (int64_t i = 0; i < count; i++) {
			double difference =
				(double)executor_values(a,
							dense->outputs[0])[i] -
				(double)executor_values(b,
							pruned->outputs[0])[i];

			sum += difference * difference / (double)count;
		}
		executor_destroy(a);
		executor_destroy(b);
	}
	return sum / SAMPLES;
}

static void check_zeros(const struct graph *graph,
			const struct prune_mask *mask)
{
	for (int t = 0; t < graph->tensor_count; t++)
		for (int64_t i = 0;
		     mask->keep[t] &&
		     i < graph_shape_count(&graph->tensors[t].shape);
		     i++)
			if (!mask->keep[t][i])
				assert_true(graph->tensors[t].data[i] == 0);
}

static void assert_same_constants(const struct graph *a, const struct graph *b)
{
	for (int t = 0; t < a->tensor_count; t++)
		if (a->tensors[t].data)
			assert_memory_equal(a->tensors[t].data,
					    b->tensors[t].data,
					    (size_t)graph_shape_count(
						    &a->tensors[t].shape) *
						    sizeof(float));
}

/* Reconstruct; the network then does as the dense one did, with any threads. */
static void check_exact(struct graph *dense, struct prune_mask *mask,
			const struct calibration_data *data)
{
	struct reconstruct_options options = { .ridge = 1e-9, .workers = 1 };
	struct graph *pruned = graph_clone(dense), *again;
	double before;

	prune_apply(pruned, mask);
	again = graph_clone(pruned);
	before = squares(dense, pruned, data);
	CHECK(reconstruct_least_squares(dense, pruned, mask, data, &options));
	check_zeros(pruned, mask);
	assert_true(before > 1e-3);
	assert_true(squares(dense, pruned, data) < 1e-8);
	options.workers = 3;
	CHECK(reconstruct_least_squares(dense, again, mask, data, &options));
	assert_same_constants(pruned, again);
	graph_destroy(pruned);
	graph_destroy(again);
}

static int layer_of(const struct graph *graph)
{
	for (int n = 0; n < graph->node_count; n++)
		if (graph_op_is_linear(graph->nodes[n].op) ||
		    graph_op_is_recurrent(graph->nodes[n].op))
			return n;
	fail();
	return -1;
}

/* Several masks at once come to the same bits as each by itself; the dense one stays. */
static void check_variants(const struct graph *dense, struct prune_mask *mask,
			   const struct calibration_data *data)
{
	const struct reconstruct_options options = { .workers = 1 };
	double ridge = RECONSTRUCT_RIDGE;
	const struct layer_solver solver = {
		.solve = layer_problem_least_squares,
		.context = &ridge,
	};
	struct prune_mask *masks[3] = { mask, prune_mask_create(dense),
					prune_mask_create(dense) };
	struct reconstruct_variant variants[3];
	struct graph *before = graph_clone(dense);
	struct graph_walk *walk;
	int node = layer_of(dense);

	CHECK(prune_magnitude(dense, 0.4, PRUNE_PER_LAYER, masks[1]));
	CHECK(graph_walk_create(&walk, dense, data, 2));
	for (int n = 0; n <= node; n++)
		CHECK(graph_walk_run(walk, n));
	for (int v = 0; v < 3; v++) {
		variants[v] = (struct reconstruct_variant){
			graph_variant_create(dense, node), masks[v], &solver
		};
		prune_apply(variants[v].pruned, masks[v]);
	}
	CHECK(reconstruct_variants(dense, node, walk, variants, 3, 2));
	for (int v = 0; v < 3; v++) {
		struct graph *alone = graph_clone(dense);

		prune_apply(alone, masks[v]);
		CHECK(reconstruct_least_squares(dense, alone, masks[v], data,
						&options));
		assert_same_constants(alone, variants[v].pruned);
		graph_destroy(alone);
		graph_variant_destroy(variants[v].pruned, dense);
	}
	assert_same_constants(before, dense);
	prune_mask_destroy(masks[1]);
	prune_mask_destroy(masks[2]);
	graph_walk_destroy(walk);
	graph_destroy(before);
}

static void release(struct graph *graph, struct prune_mask *mask,
		    struct calibration_data *data)
{
	prune_mask_destroy(mask);
	graph_destroy(graph);
	calibration_data_release(data);
}

static struct graph *graph_of(const struct graph_shape *shape, int *input)
{
	struct graph *graph = graph_create("test");

	*input = graph_add_tensor(graph, "x", shape);
	graph_add_input(graph, *input);
	return graph;
}

/* Channels 4 in, 6 out, two groups, strides, dilations and pads all different. */
static void check_conv(enum graph_op op, bool bias)
{
	struct graph_shape shape = { 4, { 2, 4, 9, 11 } };
	int64_t kernel[2] = { 3, 4 };
	int64_t dims[4] = { 6, 2, kernel[0], kernel[1] };
	int64_t biases = 6;
	struct calibration_data data;
	struct prune_mask *mask;
	struct graph *graph;
	struct graph_node *node;
	int inputs[3], y;

	if (op == GRAPH_CONV_TRANSPOSE) {
		dims[0] = 4;
		dims[1] = 3;
	}
	graph = graph_of(&shape, &inputs[0]);
	inputs[1] = random_constant(graph, 4, dims);
	inputs[2] = random_constant(graph, 1, &biases);
	y = add_node(graph, op, inputs, bias ? 3 : 2);
	node = producer_of(graph, y);
	node->conv = (struct graph_conv){
		.kernel = { kernel[0], kernel[1] },
		.stride = { 2, 3 },
		.dilation = { 1, 2 },
		.pads = { 1, 2, 0, 1 },
		.group = 2,
	};
	graph_add_output(graph, y);
	assert_true(settle_shapes(graph));
	mask = prune_mask_create(graph);
	prune_twins(mask, inputs[1], op == GRAPH_CONV ? 6 : 1,
		    op == GRAPH_CONV ? 2 : 4,
		    kernel[0] * kernel[1] * (op == GRAPH_CONV ? 1 : 3));
	make_data(&data, &shape, 9 * 11);
	check_exact(graph, mask, &data);
	check_variants(graph, mask, &data);
	release(graph, mask, &data);
}

static void test_convolution(void **state)
{
	(void)state;
	check_conv(GRAPH_CONV, true);
	check_conv(GRAPH_CONV, false);
}

static void test_transposed_convolution(void **state)
{
	(void)state;
	check_conv(GRAPH_CONV_TRANSPOSE, true);
	check_conv(GRAPH_CONV_TRANSPOSE, false);
}

static void test_matrices(void **state)
{
	struct graph_shape shape = { 2, { 40, 6 } };
	int64_t dims[2] = { 5, 6 };
	struct calibration_data data;
	struct prune_mask *mask;
	struct graph *graph;
	int inputs[3], y;

	(void)state;
	graph = graph_of(&shape, &inputs[0]);
	inputs[1] = random_constant(graph, 2, dims);
	inputs[2] = random_constant(graph, 1, dims);
	y = add_node(graph, GRAPH_GEMM, inputs, 3);
	graph_add_output(graph, y);
	assert_true(settle_shapes(graph));
	mask = prune_mask_create(graph);
	prune_twins(mask, inputs[1], 5, 6, 1);
	make_data(&data, &shape, 1);
	check_exact(graph, mask, &data);
	check_variants(graph, mask, &data);
	release(graph, mask, &data);
}

/* @sequence: is the tensor of all states there, or only the last one? */
static void check_recurrent(enum graph_op op, enum graph_direction direction,
			    bool linear, bool sequence)
{
	struct graph_shape shape = { 3, { 12, 5, 6 } };
	struct graph_shape any = { 1, { 1 } };
	int64_t hidden = 4, gates = op == GRAPH_LSTM ? 4 : 3;
	int64_t d = direction == GRAPH_BIDIRECTIONAL ? 2 : 1;
	struct calibration_data data;
	struct prune_mask *mask;
	struct graph *graph;
	int inputs[4], outputs[2] = { GRAPH_NO_TENSOR, GRAPH_NO_TENSOR };
	int node;

	graph = graph_of(&shape, &inputs[0]);
	inputs[1] =
		random_constant(graph, 3, (int64_t[]){ d, gates * hidden, 6 });
	inputs[2] = random_constant(graph, 3,
				    (int64_t[]){ d, gates * hidden, hidden });
	inputs[3] =
		random_constant(graph, 2, (int64_t[]){ d, 2 * gates * hidden });
	outputs[!sequence] = graph_add_tensor(graph, "y", &any);
	node = graph_add_node(graph, op, "cell", inputs, 4, outputs,
			      sequence ? 1 : 2);
	graph->nodes[node].recurrent = (struct graph_recurrent){
		.hidden = hidden,
		.direction = direction,
		.linear_before_reset = linear,
	};
	graph_add_output(graph, outputs[!sequence]);
	assert_true(settle_shapes(graph));
	mask = prune_mask_create(graph);
	prune_twins(mask, inputs[1], d * gates * hidden, 6, 1);
	make_data(&data, &shape, 1);
	check_exact(graph, mask, &data);
	check_variants(graph, mask, &data);
	release(graph, mask, &data);
}

static void test_recurrent_layers(void **state)
{
	(void)state;
	check_recurrent(GRAPH_LSTM, GRAPH_FORWARD, false, true);
	check_recurrent(GRAPH_LSTM, GRAPH_BIDIRECTIONAL, false, true);
	check_recurrent(GRAPH_LSTM, GRAPH_REVERSE, false, false);
	check_recurrent(GRAPH_GRU, GRAPH_FORWARD, false, true);
	check_recurrent(GRAPH_GRU, GRAPH_FORWARD, true, true);
	check_recurrent(GRAPH_GRU, GRAPH_BIDIRECTIONAL, true, false);
}

/* x → Gemm → Relu → Gemm, whose bias two layers share. */
static struct graph *two_layers(int *weights)
{
	struct graph_shape shape = { 2, { 50, 12 } };
	int64_t dims[2] = { 12, 12 };
	int inputs[3], y;
	struct graph *graph = graph_of(&shape, &inputs[0]);

	inputs[2] = random_constant(graph, 1, dims);
	for (int l = 0; l < 2; l++) {
		weights[l] = random_constant(graph, 2, dims);
		inputs[1] = weights[l];
		y = add_node(graph, GRAPH_GEMM, inputs, 3);
		if (!l)
			y = add_node(graph, GRAPH_RELU, &y, 1);
		inputs[0] = y;
	}
	graph_add_output(graph, y);
	assert_true(settle_shapes(graph));
	return graph;
}

static void test_pruning_costs_less(void **state)
{
	struct graph_shape shape = { 2, { 50, 12 } };
	struct reconstruct_options options = { .workers = 2 };
	int weights[2];

	(void)state;
	for (int round = 0; round < 20; round++) {
		struct graph *dense = two_layers(weights);
		struct graph *pruned = graph_clone(dense);
		struct prune_mask *mask = prune_mask_create(dense);
		struct calibration_data data;
		double before;

		make_data(&data, &shape, 1);
		CHECK(prune_magnitude(dense, 0.6, PRUNE_PER_LAYER, mask));
		prune_apply(pruned, mask);
		before = squares(dense, pruned, &data);
		CHECK(reconstruct_least_squares(dense, pruned, mask, &data,
						&options));
		assert_true(squares(dense, pruned, &data) < before);
		check_zeros(pruned, mask);
		graph_destroy(pruned);
		release(dense, mask, &data);
	}
}

/* Nothing is known of weights whose inputs are never anything but zero. */
static void test_dead_inputs_leave_weights(void **state)
{
	struct graph_shape shape = { 2, { 50, 12 } };
	struct reconstruct_options options = { .workers = 1 };
	int weights[2];
	struct graph *dense = two_layers(weights);
	struct graph *pruned = graph_clone(dense);
	struct prune_mask *mask = prune_mask_create(dense);
	struct calibration_data data;
	size_t size = 12 * 12 * sizeof(float);

	(void)state;
	make_data(&data, &shape, 1);
	for (int s = 0; s < SAMPLES; s++)
		memset(data.samples[s]->values, 0, 50 * 12 * sizeof(float));
	CHECK(prune_magnitude(dense, 0.5, PRUNE_PER_LAYER, mask));
	prune_apply(pruned, mask);
	CHECK(reconstruct_least_squares(dense, pruned, mask, &data, &options));
	prune_apply(dense, mask);
	assert_memory_equal(dense->tensors[weights[0]].data,
			    pruned->tensors[weights[0]].data, size);
	graph_destroy(pruned);
	release(dense, mask, &data);
}

static void test_no_data(void **state)
{
	struct reconstruct_options options = { .workers = 1 };
	struct calibration_data data = { .input_count = 1 };
	int weights[2];
	struct graph *graph = two_layers(weights);
	struct prune_mask *mask = prune_mask_create(graph);

	(void)state;
	assert_int_equal(reconstruct_least_squares(graph, graph, mask, &data,
						   &options),
			 -EINVAL);
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_convolution),
		cmocka_unit_test(test_transposed_convolution),
		cmocka_unit_test(test_matrices),
		cmocka_unit_test(test_recurrent_layers),
		cmocka_unit_test(test_pruning_costs_less),
		cmocka_unit_test(test_dead_inputs_leave_weights),
		cmocka_unit_test(test_no_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
