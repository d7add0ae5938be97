/* SPDX-License-Identifier: MIT */
/* Layers whose rows are several problems, or of two weights, and are rounded by gptq. */
#include "unit.h"

#include "float_graph.h"

#include <compress/calibration_data.h>
#include <compress/compress.h>
#include <compress/rounding.h>

enum { STEPS = 6, BATCH = 24, INPUTS = 10, HIDDEN = 8 };
enum { GROUPS = 4, CHANNELS = 8, FILTERS = 12, SIDE = 8 };
enum { SAMPLES = 3 };

static float *random_values(size_t count, uint64_t *seed)
{
	float *values = malloc((count + 1) * sizeof(*values));

	for (size_t i = 0; i < count; i++)
		values[i] = (float)(random_unit(seed) - 0.5);
	return values;
}

static int add_random(struct graph *graph, int rank, const int64_t *dims,
		      uint64_t *seed)
{
	size_t count = 1;
	float *values;
	int tensor;

	for (int i = 0; i < rank; i++)
		count *= (size_t)dims[i];
	values = random_values(count, seed);
	tensor = add_constant(graph, rank, dims, values);
	free(values);
	return tensor;
}

static struct graph *graph_of(const struct graph_shape *in)
{
	struct graph *graph = graph_create("test");

	graph_add_input(graph, graph_add_tensor(graph, "x", in));
	return graph;
}

static struct graph *make_recurrent(enum graph_op op, bool before_reset)
{
	const struct graph_shape in = { 3, { STEPS, BATCH, INPUTS } };
	const struct graph_shape out = { 4, { STEPS, 1, BATCH, HIDDEN } };
	int64_t rows = (op == GRAPH_LSTM ? 4 : 3) * HIDDEN;
	struct graph *graph = graph_of(&in);
	uint64_t seed = 11;
	int inputs[] = { 0, 0, 0, 0 }, y, node;

	inputs[1] = add_random(graph, 3, (int64_t[]){ 1, rows, INPUTS }, &seed);
	inputs[2] = add_random(graph, 3, (int64_t[]){ 1, rows, HIDDEN }, &seed);
	inputs[3] = add_random(graph, 2, (int64_t[]){ 1, 2 * rows }, &seed);
	y = graph_add_tensor(graph, "y", &out);
	node = graph_add_node(graph, op, "recurrent", inputs, 4, &y, 1);
	graph->nodes[node].recurrent = (struct graph_recurrent){
		.hidden = HIDDEN,
		.linear_before_reset = before_reset,
	};
	graph_add_output(graph, y);
	return graph;
}

static struct graph *make_directions(void)
{
	const struct graph_shape in = { 3, { STEPS, BATCH, INPUTS } };
	const struct graph_shape out = { 4, { STEPS, 2, BATCH, HIDDEN } };
	struct graph *graph = graph_of(&in);
	uint64_t seed = 17;
	int inputs[] = { 0, 0, 0 }, y, node;

	inputs[1] = add_random(graph, 3, (int64_t[]){ 2, 4 * HIDDEN, INPUTS },
			       &seed);
	inputs[2] = add_random(graph, 3, (int64_t[]){ 2, 4 * HIDDEN, HIDDEN },
			       &seed);
	y = graph_add_tensor(graph, "y", &out);
	node = graph_add_node(graph, GRAPH_LSTM, "both", inputs, 3, &y, 1);
	graph->nodes[node].recurrent = (struct graph_recurrent){
		.hidden = HIDDEN,
		.direction = GRAPH_BIDIRECTIONAL,
	};
	graph_add_output(graph, y);
	return graph;
}

static struct graph *make_grouped(void)
{
	const struct graph_shape in = { 4, { BATCH, CHANNELS, SIDE, SIDE } };
	const struct graph_shape out = { 4, { BATCH, FILTERS, SIDE, SIDE } };
	struct graph *graph = graph_of(&in);
	uint64_t seed = 13;
	int inputs[] = { 0, 0 }, y, node;

	inputs[1] = add_random(graph, 4,
			       (int64_t[]){ FILTERS, CHANNELS / GROUPS, 3, 3 },
			       &seed);
	y = graph_add_tensor(graph, "y", &out);
	node = graph_add_node(graph, GRAPH_CONV, "grouped", inputs, 2, &y, 1);
	graph->nodes[node].conv = (struct graph_conv){
		.kernel = { 3, 3 },
		.stride = { 1, 1 },
		.dilation = { 1, 1 },
		.pads = { 1, 1, 1, 1 },
		.group = GROUPS,
	};
	graph_add_output(graph, y);
	return graph;
}

/* Inputs that go together: what one weight loses, others can give back. */
static void make_data(const struct graph *graph, struct calibration_data *data)
{
	const struct graph_shape *shape = &graph->tensors[0].shape;
	size_t count = (size_t)graph_shape_count(shape);
	uint64_t seed = 3;

	*data = (struct calibration_data){ .input_count = 1,
					   .sample_count = SAMPLES };
	data->samples = calloc(SAMPLES, sizeof(*data->samples));
	data->is_state = calloc(1, sizeof(bool));
	for (int s = 0; s < SAMPLES; s++) {
		struct array *array = calloc(1, sizeof(*array));

		array->shape = *shape;
		array->values = random_values(count, &seed);
		for (size_t i = 1; i < count; i++)
			array->values[i] = 0.3F * array->values[i] +
					   0.8F * array->values[i - 1];
		data->samples[s] = array;
	}
}

static struct weight_format *formats_of(const struct graph *graph,
					const char *text)
{
	struct weight_format *formats =
		calloc((size_t)graph->tensor_count, sizeof(*formats));

	for (int t = 0; t < graph->tensor_count; t++)
		CHECK(weight_format_parse(text, &formats[t]));
	return formats;
}

/* The graph's weights become codes. */
static struct prune_mask *round_graph(struct graph *graph, const char *format,
				      enum rounding_method method, int workers)
{
	struct weight_format *formats = formats_of(graph, format);
	struct prune_mask *mask = prune_mask_create(graph);
	struct calibration_data data;

	CHECK(prune_magnitude(graph, 0.3, PRUNE_PER_LAYER, mask));
	prune_apply(graph, mask);
	make_data(graph, &data);
	CHECK(method == ROUNDING_NEAREST ?
		      rounding_nearest(graph, mask, formats) :
		      rounding_by_data(graph, method, mask, formats, &data,
				       workers, NULL));
	calibration_data_release(&data);
	free(formats);
	return mask;
}

static void check_codes(const struct graph *graph,
			const struct prune_mask *mask, int top)
{
	for (int t = 1; t < graph->tensor_count; t++) {
		const struct graph_tensor *weight = &graph->tensors[t];
		const struct graph_quantization *grid = weight->quantization;
		int64_t columns;

		if (!mask->keep[t])
			continue;
		assert_non_null(grid);
		columns = graph_shape_count(&weight->shape) / grid->count;
		for (int64_t i = 0; i < grid->count * columns; i++) {
			float code = weight->data[i] / grid->scale[i / columns];

			assert_float_equal(code, rintf(code), 1e-4F);
			assert_true(fabsf(code) < (float)top + 0.5F);
			if (!mask->keep[t][i])
				assert_true(weight->data[i] == 0);
		}
	}
}

static double loss_between(const struct graph *dense, const struct graph *graph)
{
	const struct graph *graphs[] = { dense, graph };
	struct executor *executors[2];
	struct calibration_data data;
	const float *input;
	double sum = 0;

	make_data(dense, &data);
	input = data.samples[0]->values;
	for (int i = 0; i < 2; i++) {
		CHECK(executor_create(&executors[i], graphs[i],
				      &data.samples[0]->shape, NULL));
		CHECK(executor_run(executors[i], &input));
	}
	for (int64_t i = 0;
	     i <
	     graph_shape_count(executor_shape(executors[0], dense->outputs[0]));
	     i++) {
		double d = (double)executor_values(executors[0],
						   dense->outputs[0])[i] -
			   (double)executor_values(executors[1],
						   graph->outputs[0])[i];

		sum += d * d;
	}
	executor_destroy(executors[0]);
	executor_destroy(executors[1]);
	calibration_data_release(&data);
	return sum;
}

/* Codes of its grids, better ones than the nearest, and the same for any number of threads. */
static void check_graph(struct graph *graph, const char *format, int top,
			enum rounding_method method)
{
	struct graph *pruned = graph_clone(graph), *nearest, *other;
	struct prune_mask *mask;

	mask = prune_mask_create(pruned);
	CHECK(prune_magnitude(pruned, 0.3, PRUNE_PER_LAYER, mask));
	prune_apply(pruned, mask);
	prune_mask_destroy(mask);
	nearest = graph_clone(graph);
	prune_mask_destroy(round_graph(nearest, format, ROUNDING_NEAREST, 1));
	other = graph_clone(graph);
	prune_mask_destroy(round_graph(other, format, method, 3));
	mask = round_graph(graph, format, method, 1);
	check_codes(graph, mask, top);
	print_message("by data %g, nearest %g\n", loss_between(pruned, graph),
		      loss_between(pruned, nearest));
	assert_true(loss_between(pruned, graph) <
		    0.8 * loss_between(pruned, nearest));
	for (int t = 1; t < graph->tensor_count; t++)
		if (mask->keep[t])
			assert_memory_equal(graph->tensors[t].data,
					    other->tensors[t].data,
					    (size_t)graph_shape_count(
						    &graph->tensors[t].shape) *
						    sizeof(float));
	prune_mask_destroy(mask);
	graph_destroy(pruned);
	graph_destroy(nearest);
	graph_destroy(other);
	graph_destroy(graph);
}

static void test_gates(void **state)
{
	(void)state;
	check_graph(make_recurrent(GRAPH_LSTM, false), "int4", 7,
		    ROUNDING_GPTQ);
	check_graph(make_recurrent(GRAPH_GRU, false), "int3:mse", 3,
		    ROUNDING_GPTQ);
	check_graph(make_recurrent(GRAPH_GRU, true), "int4", 7, ROUNDING_GPTQ);
}

static void test_groups(void **state)
{
	(void)state;
	check_graph(make_grouped(), "int4", 7, ROUNDING_GPTQ);
	check_graph(make_grouped(), "int4", 7, ROUNDING_ADAROUND);
}

/* Rows that are several problems have no step in common. */
static void test_one_step_for_all_is_left(void **state)
{
	struct graph *graphs[] = { make_grouped(),
				   make_recurrent(GRAPH_LSTM, false) };

	(void)state;
	for (int i = 0; i < 2; i++) {
		prune_mask_destroy(round_graph(graphs[i], "int4:tensor",
					       ROUNDING_GPTQ, 1));
		for (int t = 0; t < graphs[i]->tensor_count; t++)
			assert_null(graphs[i]->tensors[t].quantization);
		graph_destroy(graphs[i]);
	}
}

/* Weights of both go or become codes in one sweep; exactly half of them stay. */
static void test_joint(void **state)
{
	struct graph *graphs[] = { make_recurrent(GRAPH_LSTM, false),
				   make_recurrent(GRAPH_GRU, true),
				   make_grouped() };
	struct compress_options options = {
		.sparsity = 0.5,
		.selection = prune_method_find("sparsegpt"),
		.order = COMPRESS_JOINT,
		.workers = 2,
	};

	(void)state;
	CHECK(weight_format_parse("int4", &options.format));
	for (int i = 0; i < 3; i++) {
		struct prune_mask *mask = prune_mask_create(graphs[i]);
		struct calibration_data data;
		int64_t total, kept;

		make_data(graphs[i], &data);
		CHECK(compress_prune(graphs[i], &options, &data, mask));
		check_codes(graphs[i], mask, 7);
		kept = prune_count(graphs[i], mask, &total);
		assert_int_equal(2 * kept, total);
		calibration_data_release(&data);
		prune_mask_destroy(mask);
		graph_destroy(graphs[i]);
	}
}

/* Both its scales would have to be one; and two directions are no matrix for lowering. */
static void test_gates_that_are_left(void **state)
{
	struct graph *graph = make_recurrent(GRAPH_GRU, false);

	(void)state;
	prune_mask_destroy(round_graph(graph, "int4", ROUNDING_ADAROUND, 1));
	assert_null(graph->tensors[1].quantization);
	assert_null(graph->tensors[2].quantization);
	graph_destroy(graph);
	graph = make_directions();
	prune_mask_destroy(round_graph(graph, "int4", ROUNDING_GPTQ, 1));
	assert_null(graph->tensors[1].quantization);
	assert_null(graph->tensors[2].quantization);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gates),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_joint),
		cmocka_unit_test(test_gates_that_are_left),
		cmocka_unit_test(test_one_step_for_all_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
