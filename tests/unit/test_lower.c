/* SPDX-License-Identifier: MIT */
/*
 * A lowered model computes what the float graph does. With whole numbers for
 * weights and activations and all scales 1 nothing is rounded, so both agree
 * exactly, whatever was fused, permuted or merged on the way.
 */
#include "unit.h"

#include "float_graph.h"

static uint64_t seed = 1;

static int64_t pick(int64_t low, int64_t high)
{
	return low + random_below(&seed, (uint32_t)(high - low + 1));
}

/* Few, small and whole numbers. */
static float *sparse_values(int64_t count, int64_t one_in)
{
	float *values = calloc((size_t)count + 1, sizeof(*values));

	for (int64_t i = 0; i < count; i++)
		if (!pick(0, one_in - 1))
			values[i] = (float)(pick(0, 1) ? 1 : -1);
	return values;
}

static float *whole_values(int64_t count, int64_t low, int64_t high)
{
	float *values = calloc((size_t)count + 1, sizeof(*values));

	for (int64_t i = 0; i < count; i++)
		values[i] = (float)pick(low, high);
	return values;
}

static int take_constant(struct graph *graph, int rank, const int64_t *dims,
			 float *values)
{
	int tensor = add_constant(graph, rank, dims, values);

	free(values);
	return tensor;
}

static const int64_t *dims_of(const struct graph *graph, int tensor)
{
	return graph->tensors[tensor].shape.dims;
}

static int weight_of(struct graph *graph, int64_t a, int64_t b, int64_t kh,
		     int64_t kw, int rank)
{
	int64_t dims[4] = { a, b, kh, kw };
	int weight = take_constant(graph, rank, dims,
				   sparse_values(a * b * kh * kw,
						 1 + b * kh * kw / 3));

	record(graph, weight, 1, 0);
	return weight;
}

static int bias_of(struct graph *graph, int64_t count)
{
	return take_constant(graph, 1, &count, whole_values(count, -2, 2));
}

static void random_conv(struct graph_conv *conv, bool transposed)
{
	for (int i = 0; i < 2; i++) {
		conv->kernel[i] = pick(1, 3);
		conv->stride[i] = pick(1, 2);
		conv->dilation[i] = pick(1, 2);
		conv->pads[i] = pick(0, 2);
		conv->pads[i + 2] = pick(0, 2);
		if (transposed && conv->stride[i] > 1)
			conv->output_padding[i] = pick(0, 1);
	}
	conv->group = 1;
	if (!pick(0, 5)) {
		conv->auto_pad = pick(0, 1) ? GRAPH_PAD_SAME_UPPER :
					      GRAPH_PAD_SAME_LOWER;
		memset(conv->pads, 0, sizeof(conv->pads));
		memset(conv->output_padding, 0, sizeof(conv->output_padding));
	}
}

static int make_conv(struct graph *graph, int x)
{
	int64_t channels = dims_of(graph, x)[1], outputs = 4 * pick(1, 2);
	struct graph_conv conv = { .group = 1 };
	int inputs[3] = { x }, y;

	random_conv(&conv, false);
	if (channels % 2 == 0 && !pick(0, 3))
		conv.group = 2;
	inputs[1] = weight_of(graph, outputs, channels / conv.group,
			      conv.kernel[0], conv.kernel[1], 4);
	inputs[2] = bias_of(graph, outputs);
	y = add_node(graph, GRAPH_CONV, inputs, 3);
	producer_of(graph, y)->conv = conv;
	return y;
}

static int make_conv_transpose(struct graph *graph, int x)
{
	int64_t channels = dims_of(graph, x)[1], outputs = pick(1, 4);
	struct graph_conv conv = { .group = 1 };
	int inputs[3] = { x }, y;

	random_conv(&conv, true);
	if (channels % 2 == 0 && !pick(0, 3))
		conv.group = 2;
	inputs[1] = weight_of(graph, channels, outputs, conv.kernel[0],
			      conv.kernel[1], 4);
	inputs[2] = bias_of(graph, outputs * conv.group);
	y = add_node(graph, GRAPH_CONV_TRANSPOSE, inputs, 3);
	producer_of(graph, y)->conv = conv;
	return y;
}

static int make_activation(struct graph *graph, int x)
{
	static const enum graph_op ops[] = { GRAPH_RELU,   GRAPH_LEAKY_RELU,
					     GRAPH_CLIP,   GRAPH_PRELU,
					     GRAPH_AFFINE, GRAPH_ABS };
	enum graph_op op = ops[pick(0, 5)];
	int64_t channels = dims_of(graph, x)[1];
	int inputs[3] = { x }, count = 1, y;

	if (op == GRAPH_PRELU || op == GRAPH_AFFINE)
		inputs[count++] = take_constant(graph, 1, &channels,
						whole_values(channels, -1, 2));
	if (op == GRAPH_AFFINE)
		inputs[count++] = bias_of(graph, channels);
	y = add_node(graph, op, inputs, count);
	if (op == GRAPH_LEAKY_RELU)
		producer_of(graph, y)->unary.alpha = 2;
	if (op == GRAPH_CLIP) {
		producer_of(graph, y)->unary.low = (float)pick(-4, 0);
		producer_of(graph, y)->unary.high = (float)pick(1, 6);
	}
	if (count > 1)
		producer_of(graph, y)->axis = 1;
	return y;
}

/* A tensor made earlier whose shape is the same but for the channels. */
static int find_partner(const struct graph *graph, int x, bool same_channels)
{
	const int64_t *dims = dims_of(graph, x);
	int first = (int)pick(0, graph->tensor_count - 1);

	for (int i = 0; i < graph->tensor_count; i++) {
		int t = (first + i) % graph->tensor_count;
		const int64_t *other = dims_of(graph, t);

		if (graph->tensors[t].data ||
		    graph->tensors[t].shape.rank != 4 || t == x ||
		    other[0] != dims[0] || other[2] != dims[2] ||
		    other[3] != dims[3] ||
		    (same_channels && other[1] != dims[1]))
			continue;
		return t;
	}
	return x;
}

static int make_add(struct graph *graph, int x)
{
	int inputs[2] = { find_partner(graph, x, true), x };

	return add_node(graph, GRAPH_ADD, inputs, 2);
}

static int make_concat(struct graph *graph, int x)
{
	int inputs[2] = { find_partner(graph, x, false), x }, y;

	if (inputs[0] == x)
		return x;
	y = add_node(graph, GRAPH_CONCAT, inputs, 2);
	producer_of(graph, y)->axis = 1;
	return y;
}

static int make_slice(struct graph *graph, int x)
{
	int axis = (int)pick(1, 3);
	int64_t size = dims_of(graph, x)[axis];
	int y;

	if (size < 3)
		return x;
	y = add_node(graph, GRAPH_SLICE, &x, 1);
	producer_of(graph, y)->slice = (struct graph_slice){
		.axis = axis,
		.start = pick(0, 1) ? pick(0, 1) : -size + 1,
		.end = pick(0, 1) ? GRAPH_SLICE_END :
		       pick(0, 1) ? size - 1 :
				    -1,
		.step = pick(1, 2),
	};
	return y;
}

static int make_pad(struct graph *graph, int x)
{
	int y = add_node(graph, GRAPH_PAD, &x, 1);

	for (int i = 1; i < 4; i++) {
		producer_of(graph, y)->pad.before[i] = pick(0, 2);
		producer_of(graph, y)->pad.after[i] = pick(0, 2);
	}
	return y;
}

static int make_depth_to_space(struct graph *graph, int x)
{
	int y;

	if (dims_of(graph, x)[1] % 4)
		return x;
	y = add_node(graph, GRAPH_DEPTH_TO_SPACE, &x, 1);
	producer_of(graph, y)->depth_to_space =
		(struct graph_depth_to_space){ 2, pick(0, 1) };
	return y;
}

static int make_resize(struct graph *graph, int x)
{
	int y = add_node(graph, GRAPH_RESIZE_NEAREST, &x, 1);

	producer_of(graph, y)->resize =
		(struct graph_resize){ { pick(1, 2), pick(1, 3) } };
	return y;
}

static int make_max_pool(struct graph *graph, int x)
{
	int y = add_node(graph, GRAPH_MAX_POOL, &x, 1);

	producer_of(graph, y)->pool = (struct graph_pool){
		.kernel = { 2, 3 },
		.stride = { pick(1, 2), pick(1, 2) },
		.dilation = { 1, pick(1, 2) },
		.pads = { pick(0, 1), pick(0, 2), pick(0, 1), pick(0, 2) },
		.ceil_mode = dims_of(graph, x)[2] > 4 &&
			     dims_of(graph, x)[3] > 4 && pick(0, 1),
	};
	return y;
}

static int transpose(struct graph *graph, int x, int a, int b, int c, int d)
{
	int y = add_node(graph, GRAPH_TRANSPOSE, &x, 1);

	memcpy(producer_of(graph, y)->transpose.perm, (int[]){ a, b, c, d },
	       4 * sizeof(int));
	return y;
}

/* Axes change places, and come back or not. */
static int make_transpose(struct graph *graph, int x)
{
	x = transpose(graph, x, 0, 2, 3, 1);
	settle_shapes(graph);
	if (pick(0, 1))
		return transpose(graph, x, 0, 3, 1, 2);
	return transpose(graph, x, 0, 2, 1, 3);
}

/* [N, C, H, W] to [N, C·H·W/2, 2] to [N, C/2, 2, H·W]-like shapes. */
static int make_reshape(struct graph *graph, int x)
{
	const int64_t *dims = dims_of(graph, x);
	int64_t count = dims[1] * dims[2] * dims[3];
	int64_t width = count % 3 ? 1 : 3, height = count / width % 2 ? 1 : 2;
	int y;

	y = add_node(graph, GRAPH_RESHAPE, &x, 1);
	producer_of(graph, y)->reshape = (struct graph_reshape){
		4,
		{ { 0, 1, 1 },
		  { GRAPH_RESHAPE_REST, 1, 1 },
		  { GRAPH_RESHAPE_NUMBER, height, 1 },
		  { GRAPH_RESHAPE_NUMBER, width, 1 } }
	};
	return y;
}

static int make_flat_gemm(struct graph *graph, int x)
{
	const int64_t *dims = dims_of(graph, x);
	int64_t count = dims[1] * dims[2] * dims[3];
	int inputs[3], y;

	if (count > 2000)
		return x;
	y = add_node(graph, GRAPH_RESHAPE, &x, 1);
	producer_of(graph, y)->reshape = (struct graph_reshape){
		2, { { 0, 1, 1 }, { GRAPH_RESHAPE_REST, 1, 1 } }
	};
	inputs[0] = y;
	inputs[1] = weight_of(graph, 16, count, 1, 1, 2);
	inputs[2] = bias_of(graph, 16);
	y = add_node(graph, GRAPH_GEMM, inputs, 3);
	x = add_node(graph, GRAPH_RESHAPE, &y, 1);
	producer_of(graph, x)->reshape =
		(struct graph_reshape){ 4,
					{ { 0, 1, 1 },
					  { GRAPH_RESHAPE_NUMBER, 4, 1 },
					  { GRAPH_RESHAPE_NUMBER, 2, 1 },
					  { GRAPH_RESHAPE_NUMBER, 2, 1 } } };
	return x;
}

static int (*const makers[])(struct graph *, int) = {
	make_conv,	 make_conv,	      make_conv_transpose,
	make_activation, make_activation,     make_add,
	make_add,	 make_concat,	      make_slice,
	make_pad,	 make_depth_to_space, make_resize,
	make_max_pool,	 make_transpose,      make_reshape,
	make_flat_gemm,
};

#define MAKER_COUNT (sizeof(makers) / sizeof(makers[0]))

static struct graph *random_graph(int length)
{
	struct graph *graph = graph_create("random");
	struct graph_shape shape = {
		4, { pick(1, 3), pick(1, 4), pick(3, 7), pick(3, 7) }
	};
	int x = graph_add_tensor(graph, "x", &shape);

	graph_add_input(graph, x);
	for (int i = 0; i < length; i++) {
		struct graph *before = graph_clone(graph);
		int y = makers[pick(0, MAKER_COUNT - 1)](graph, x);

		/* Another try where the input has become too small. */
		if (settle_shapes(graph)) {
			graph_destroy(before);
			x = y;
		} else {
			graph_destroy(graph);
			graph = before;
		}
	}
	/* The result's axes shall be NCHW, not whatever a transposition left. */
	x = add_node(graph, GRAPH_MAX_POOL, &x, 1);
	producer_of(graph, x)->pool = (struct graph_pool){
		.kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 }
	};
	assert_true(settle_shapes(graph));
	graph_add_output(graph, x);
	return graph;
}

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

static void record_all(struct graph *graph)
{
	for (int t = 0; t < graph->tensor_count; t++)
		if (!graph->tensors[t].data)
			record(graph, t, 1, 0);
}

/* A model is independent of batch, height and width. */
static void forget_sizes(struct graph *graph)
{
	for (int t = 0; t < graph->tensor_count; t++) {
		struct graph_shape *shape = &graph->tensors[t].shape;

		if (!graph->tensors[t].data && shape->rank == 4)
			shape->dims[0] = GRAPH_DIM_DYNAMIC;
	}
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
		if (length % 2)
			forget_sizes(lowered);
		options.ranges = run.ranges;
		CHECK(graph_lower(lowered, &options, &model));
		compare(graph, &run, model, (const float *const *)&input);
		model_destroy(model);
		graph_destroy(lowered);
		compared = 1;
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
	for (int i = 0; i < 1500; i++)
		compared += check_random_graph(1 + i % 7);
	assert_true(compared > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_graphs_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
