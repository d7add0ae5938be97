/* SPDX-License-Identifier: MIT */
/* Channels that go with all that hangs on them. */
#include "unit.h"

#include "narrowing.h"

#include <compress/compress.h>

#include <errno.h>

enum { BATCH = 2, SIDE = 6, ROUNDS = 30 };

static int add_convolution(struct graph *graph, enum graph_op op, int x,
			   struct graph_shape weight, int64_t group)
{
	int64_t outputs = op == GRAPH_CONV ? weight.dims[0] : weight.dims[1];
	int inputs[3] = { x, constant(graph, weight),
			  constant(graph, SHAPE(outputs)) };
	int y = add_node(graph, op, inputs, 3);
	int64_t kernel = weight.dims[2];

	producer_of(graph, y)->conv = (struct graph_conv){
		.kernel = { kernel, kernel },
		.stride = { 1, 1 },
		.dilation = { 1, 1 },
		.pads = { kernel / 2, kernel / 2, kernel / 2, kernel / 2 },
		.group = group,
	};
	return y;
}

/* A sum, constants for each channel, a depthwise kernel: all of them tie. */
static int add_residual(struct graph *graph, int x, int64_t channels)
{
	int a = add_convolution(graph, GRAPH_CONV, x, SHAPE(channels, 3, 3, 3),
				1);
	int b, sum;

	a = add_node(graph, GRAPH_RELU, &a, 1);
	b = add_convolution(graph, GRAPH_CONV, a,
			    SHAPE(channels, channels, 3, 3), 1);
	sum = add_node(graph, GRAPH_ADD, (int[]){ a, b }, 2);
	sum = add_node(graph, GRAPH_AFFINE,
		       (int[]){ sum, constant(graph, SHAPE(channels)),
				constant(graph, SHAPE(1)) },
		       3);
	producer_of(graph, sum)->axis = 1;
	sum = add_node(graph, GRAPH_PRELU,
		       (int[]){ sum, constant(graph, SHAPE(channels)) }, 2);
	producer_of(graph, sum)->axis = 1;
	sum = add_convolution(graph, GRAPH_CONV, sum, SHAPE(channels, 1, 3, 3),
			      channels);
	sum = add_node(graph, GRAPH_CONCAT, (int[]){ sum, a }, 2);
	producer_of(graph, sum)->axis = 1;
	return sum;
}

/* Shuffled pixels, a picture that is flattened, and one that is unrolled again. */
static int add_head(struct graph *graph, int x, int64_t channels, bool crd)
{
	const struct graph_reshape_dim flat[] = {
		{ 0, 1, 1 },
		{ crd ? GRAPH_RESHAPE_REST : GRAPH_RESHAPE_NUMBER,
		  5 * 4 * SIDE * SIDE, 1 },
	};
	const struct graph_reshape_dim picture[] = {
		{ 0, 1, 1 },
		{ GRAPH_RESHAPE_NUMBER, 7, 1 },
		{ GRAPH_RESHAPE_NUMBER, 3, 1 },
		{ GRAPH_RESHAPE_NUMBER, 3, 1 },
	};

	x = add_convolution(graph, GRAPH_CONV, x,
			    SHAPE(4 * channels, 2 * channels, 1, 1), 1);
	x = add_node(graph, GRAPH_DEPTH_TO_SPACE, &x, 1);
	producer_of(graph, x)->depth_to_space =
		(struct graph_depth_to_space){ 2, crd };
	x = add_node(graph, GRAPH_MULTIPLY,
		     (int[]){ constant(graph, SHAPE(channels, 1, 1)), x }, 2);
	x = add_convolution(graph, GRAPH_CONV_TRANSPOSE, x,
			    SHAPE(channels, 5, 3, 3), 1);
	x = add_reshape(graph, x, 2, flat);
	x = add_gemm(graph, x, flat[1].numerator, 63);
	x = add_reshape(graph, x, 4, picture);
	return add_convolution(graph, GRAPH_CONV, x, SHAPE(2, 7, 3, 3), 1);
}

static struct graph *network_create(bool crd)
{
	struct graph *graph = graph_create("network");
	struct graph_shape shape = SHAPE(BATCH, 3, SIDE, SIDE);
	int64_t channels = random_integer(3, 6);
	int x = graph_add_tensor(graph, "x", &shape);

	assert_int_equal(graph_add_input(graph, x), 0);
	x = add_residual(graph, x, channels);
	x = add_head(graph, x, channels, crd);
	assert_int_equal(graph_add_output(graph, x), 0);
	assert_true(settle_shapes(graph));
	CHECK(graph_validate(graph));
	return graph;
}

static void check_removal(bool crd)
{
	struct graph *graph = network_create(crd);
	struct graph_shape shape = graph->tensors[graph->inputs[0]].shape;
	float before[MOST], after[MOST], *input = random_values(&shape);
	int64_t count, size = constants_of(graph);
	struct channel_groups groups;
	bool gone[256], dead[256];
	int chosen = 0;

	CHECK(channel_groups_find(&groups, graph, &shape));
	assert_in_range(groups.count, 4, 256);
	for (int g = 0; g < groups.count; g++)
		chosen += gone[g] = random_integer(0, 2) == 0;
	silence(graph, &groups, gone);
	count = compute(graph, input, before);
	channels_find_dead(&groups, graph, dead);
	channels_remove(&groups, dead, graph, NULL);
	CHECK(graph_validate(graph));
	assert_int_equal(compute(graph, input, after), count);
	assert_same(before, after, count);
	if (chosen > 4)
		assert_true(constants_of(graph) < size);
	channel_groups_release(&groups);
	free(input);
	graph_destroy(graph);
}

/* What nobody reads may leave, whatever operators lie between. */
static void test_removal_changes_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++)
		check_removal(i % 2);
}

/* Both operands of a sum, four of a shuffle, all elements of a flattened channel. */
static void test_ties(void **state)
{
	struct graph *graph = network_create(true);
	struct graph_shape shape = graph->tensors[graph->inputs[0]].shape;
	struct channel_groups groups;

	(void)state;
	CHECK(channel_groups_find(&groups, graph, &shape));
	assert_null(groups.of[graph->inputs[0]]);
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		const int *x = groups.of[node->inputs[0]];
		const int *y = groups.of[node->outputs[0]];

		if (node->op == GRAPH_ADD)
			assert_memory_equal(
				x, groups.of[node->inputs[1]],
				(size_t)groups.widths[node->inputs[0]] *
					sizeof(*x));
		for (int i = 0; node->op == GRAPH_DEPTH_TO_SPACE &&
				i < groups.widths[node->inputs[0]];
		     i++)
			assert_int_equal(x[i], y[i / 4]);
		for (int i = 0; node->op == GRAPH_RESHAPE && i < 9; i++)
			assert_int_equal(node->reshape.rank == 4 ? x[i] : y[i],
					 node->reshape.rank == 4 ? y[0] : x[0]);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(groups.of[graph->outputs[0]][i],
				 CHANNEL_FIXED);
	channel_groups_release(&groups);
	graph_destroy(graph);
}

/* As many weights as asked, in a network that is little more than they. */
static void test_budget(void **state)
{
	struct graph *graph = network_create(false);
	struct prune_mask *mask = prune_mask_create(graph);
	struct compress_options options = {
		.sparsity = 0.5,
		.scope = PRUNE_GLOBAL,
		.selection = prune_method_find("structured"),
		.workers = 1,
	};
	struct array sample = { .shape = SHAPE(BATCH, 3, SIDE, SIDE) };
	struct array *samples = &sample;
	struct calibration_data data = { &samples, 1, 1, (bool[]){ false } };
	int64_t total, all;

	(void)state;
	sample.values = random_values(&sample.shape);
	prune_count(graph, mask, &all);
	CHECK(compress_prune(graph, &options, &data, mask));
	CHECK(graph_validate(graph));
	assert_int_equal(prune_count(graph, mask, &total), all - all / 2);
	assert_int_equal(count_kept(graph), all - all / 2);
	assert_in_range(total, all - all / 2, all * 6 / 10);
	options.scope = PRUNE_PER_LAYER;
	assert_int_equal(compress_prune(graph, &options, &data, mask),
			 -ENOTSUP);
	free(sample.values);
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

/* Between an input and an output there is no channel that is the network's own. */
static void test_nothing_to_spare(void **state)
{
	struct graph *graph = graph_create("one layer");
	struct array sample = { .shape = SHAPE(1, 4) };
	struct array *samples = &sample;
	struct calibration_data data = { &samples, 1, 1, (bool[]){ false } };
	const struct compress_options options = {
		.sparsity = 0.5,
		.scope = PRUNE_GLOBAL,
		.selection = prune_method_find("structured"),
		.workers = 1,
	};
	struct prune_mask *mask;
	int x = graph_add_tensor(graph, "x", &sample.shape);

	(void)state;
	assert_int_equal(graph_add_input(graph, x), 0);
	CHECK(graph_add_output(graph, add_gemm(graph, x, 4, 4)));
	assert_true(settle_shapes(graph));
	mask = prune_mask_create(graph);
	sample.values = random_values(&sample.shape);
	assert_int_equal(compress_prune(graph, &options, &data, mask),
			 -ENOTSUP);
	assert_non_null(strstr(accel_last_error(), "can go"));
	free(sample.values);
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_removal_changes_nothing),
		cmocka_unit_test(test_ties),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_nothing_to_spare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
