/* SPDX-License-Identifier: MIT */
/* Hidden units of LSTM and GRU that leave, and layers that keep all of theirs. */
#include "unit.h"

#include "narrowing.h"

#include <compress/compress.h>
#include <compress/hidden_units.h>
#include <compress/structured.h>

#include <errno.h>

enum { STEPS = 4, BATCH = 2, FEATURES = 3, OUTPUTS = 5, ROUNDS = 120 };
enum { Y, LAST_HIDDEN, LAST_CELL };
/* What the layers' results go through before they are read. */
enum { STACKED, TURNED, FLAT, STATE, CELL, SUM, HEADS };

/**
 * struct recurrence - a layer of a test
 * @op: LSTM or GRU
 * @features: that it reads
 * @hidden: units
 * @direction: of it
 * @states: it begins with constants
 */
struct recurrence {
	enum graph_op op;
	int64_t features;
	int64_t hidden;
	enum graph_direction direction;
	bool states;
};

static int64_t directions_of(const struct recurrence *layer)
{
	return layer->direction == GRAPH_BIDIRECTIONAL ? 2 : 1;
}

static struct recurrence random_recurrence(int64_t features)
{
	return (struct recurrence){
		.op = random_integer(0, 1) ? GRAPH_LSTM : GRAPH_GRU,
		.features = features,
		.hidden = random_integer(4, 9),
		.direction = (enum graph_direction)random_integer(0, 2),
		.states = random_integer(0, 1),
	};
}

/* Index of the node; its outputs: of y, h and c those whose bit is set. */
static int add_recurrence(struct graph *graph, int x,
			  const struct recurrence *layer, int wanted)
{
	int64_t d = directions_of(layer), h = layer->hidden;
	int64_t gates = (layer->op == GRAPH_LSTM ? 4 : 3) * h;
	int inputs[6] = { x, constant(graph, SHAPE(d, gates, layer->features)),
			  constant(graph, SHAPE(d, gates, h)),
			  constant(graph, SHAPE(d, 2 * gates)) };
	int states = layer->op == GRAPH_LSTM ? 2 : 1, count = 4, outputs[3];
	struct graph_shape any = SHAPE(1);
	char name[32];
	int node;

	while (layer->states && count < 4 + states)
		inputs[count++] = constant(graph, SHAPE(d, BATCH, h));
	for (int i = 0; i <= states; i++) {
		snprintf(name, sizeof(name), "r%d.%d", graph->node_count, i);
		outputs[i] = wanted & 1 << i ?
				     graph_add_tensor(graph, name, &any) :
				     GRAPH_NO_TENSOR;
	}
	node = graph_add_node(graph, layer->op, "recurrent", inputs, count,
			      outputs, states + 1);
	assert_true(node >= 0);
	graph->nodes[node].recurrent = (struct graph_recurrent){
		.hidden = h,
		.direction = layer->direction,
		.linear_before_reset = layer->op == GRAPH_GRU &&
				       random_integer(0, 1),
	};
	return node;
}

static int output_of(const struct graph *graph, int node, int output)
{
	return graph->nodes[node].outputs[output];
}

/* [1, N, H] to [N, H]; the width is a number, a dimension or what is left. */
static int drop_direction(struct graph *graph, int x, int64_t width)
{
	const struct graph_reshape_dim ways[] = {
		{ GRAPH_RESHAPE_NUMBER, width, 1 },
		{ 2, 1, 1 },
		{ GRAPH_RESHAPE_REST, 1, 1 },
	};

	return add_reshape(graph, x, 2,
			   (struct graph_reshape_dim[]){
				   { 1, 1, 1 }, ways[random_integer(0, 2)] });
}

static int add_stacked(struct graph *graph, int x, struct recurrence layer)
{
	struct recurrence second =
		random_recurrence(directions_of(&layer) * layer.hidden);
	int64_t width;

	x = output_of(graph, add_recurrence(graph, x, &layer, 1), Y);
	x = add_node(graph, GRAPH_RELU, &x, 1);
	x = output_of(graph, add_recurrence(graph, x, &second, 7), Y);
	width = directions_of(&second) * second.hidden;
	x = add_node(graph, GRAPH_SLICE, &x, 1);
	producer_of(graph, x)->slice =
		(struct graph_slice){ 0, -1, GRAPH_SLICE_END, 1 };
	return add_gemm(graph, drop_direction(graph, x, width), width, OUTPUTS);
}

/* [T, N, H] as [N, T, H], or as [T·N, H]. */
static int add_sequence(struct graph *graph, int x, struct recurrence layer,
			bool turned)
{
	int64_t width = directions_of(&layer) * layer.hidden;

	x = output_of(graph, add_recurrence(graph, x, &layer, 3), Y);
	if (turned) {
		x = add_node(graph, GRAPH_TRANSPOSE, &x, 1);
		memcpy(producer_of(graph, x)->transpose.perm,
		       (int[]){ 1, 0, 2 }, 3 * sizeof(int));
	} else {
		x = add_reshape(graph, x, 2,
				(struct graph_reshape_dim[]){
					{ GRAPH_RESHAPE_REST, 1, 1 },
					{ GRAPH_RESHAPE_NUMBER, width, 1 } });
	}
	return add_gemm(graph, x, width, OUTPUTS);
}

/* The last state alone, of both directions as it is, [2, N, H]. */
static int add_state(struct graph *graph, int x, struct recurrence layer,
		     int state)
{
	if (state == LAST_CELL)
		layer.op = GRAPH_LSTM;
	x = output_of(graph, add_recurrence(graph, x, &layer, 1 << state),
		      state);
	if (directions_of(&layer) == 1)
		x = drop_direction(graph, x, layer.hidden);
	x = add_node(graph, GRAPH_TANH, &x, 1);
	return add_gemm(graph, x, layer.hidden, OUTPUTS);
}

/* Unit i of one layer is added to unit i of the next. */
static int add_sum(struct graph *graph, int x, struct recurrence layer)
{
	int64_t width = directions_of(&layer) * layer.hidden;
	int first, second;

	first = output_of(graph, add_recurrence(graph, x, &layer, 1), Y);
	layer.features = width;
	second = output_of(graph, add_recurrence(graph, first, &layer, 1), Y);
	x = add_node(graph, GRAPH_ADD, (int[]){ first, second }, 2);
	return add_gemm(graph, x, width, OUTPUTS);
}

static int add_head(struct graph *graph, int x, int head)
{
	const struct recurrence layer = random_recurrence(FEATURES);

	switch (head) {
	case STACKED:
		return add_stacked(graph, x, layer);
	case SUM:
		return add_sum(graph, x, layer);
	case STATE:
		return add_state(graph, x, layer, LAST_HIDDEN);
	case CELL:
		return add_state(graph, x, layer, LAST_CELL);
	default:
		return add_sequence(graph, x, layer, head == TURNED);
	}
}

static struct graph *network_create(int head)
{
	struct graph *graph = graph_create("sequence");
	struct graph_shape shape = SHAPE(STEPS, BATCH, FEATURES);
	int x = graph_add_tensor(graph, "x", &shape);

	assert_int_equal(graph_add_input(graph, x), 0);
	x = add_head(graph, x, head);
	assert_int_equal(graph_add_output(graph, x), 0);
	assert_true(settle_shapes(graph));
	CHECK(graph_validate(graph));
	return graph;
}

/* ---- what leaves changes nothing ---- */

static int64_t units_left(const struct channel_groups *groups, int node,
			  int64_t hidden, const bool *gone)
{
	int64_t left = 0;

	assert_non_null(groups->units[node]);
	for (int64_t i = 0; i < hidden; i++) {
		assert_in_range(groups->units[node][i], 0, groups->count - 1);
		left += !gone[groups->units[node][i]];
	}
	return left;
}

/* Every unit without readers has left, and one stays if all of them have none. */
static void assert_narrow(const struct graph *graph, const struct graph *before,
			  const struct channel_groups *groups, const bool *gone)
{
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		int64_t left;

		if (!graph_op_is_recurrent(node->op))
			continue;
		left = units_left(groups, n, before->nodes[n].recurrent.hidden,
				  gone);
		assert_int_equal(node->recurrent.hidden, left ? left : 1);
		assert_int_equal(graph->tensors[node->inputs[2]].shape.dims[2],
				 node->recurrent.hidden);
	}
}

static void check_removal(int head)
{
	struct graph *graph = network_create(head), *wide;
	struct graph_shape shape = graph->tensors[graph->inputs[0]].shape;
	float before[MOST], after[MOST], *input = random_values(&shape);
	struct channel_groups groups;
	bool gone[256], dead[256];
	int64_t count;

	CHECK(channel_groups_find(&groups, graph, &shape));
	assert_in_range(groups.count, 2, 256);
	for (int g = 0; g < groups.count; g++)
		gone[g] = random_integer(0, 2) == 0;
	silence(graph, &groups, gone);
	count = compute(graph, input, before);
	wide = graph_clone(graph);
	channels_find_dead(&groups, graph, dead);
	channels_remove(&groups, dead, graph, NULL);
	CHECK(graph_validate(graph));
	assert_narrow(graph, wide, &groups, gone);
	assert_int_equal(compute(graph, input, after), count);
	/* Sums over fewer terms: within 1e-5 of the largest result. */
	assert_same(before, after, count);
	channel_groups_release(&groups);
	free(input);
	graph_destroy(wide);
	graph_destroy(graph);
}

static void test_removal_changes_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++)
		check_removal(i % HEADS);
}

/* A unit that some other one still hears stays, though no layer reads it. */
static void test_recurrence_reads(void **state)
{
	struct graph *graph = network_create(TURNED);
	struct graph_shape shape = graph->tensors[graph->inputs[0]].shape;
	struct graph_node *node = &graph->nodes[0];
	int64_t hidden = node->recurrent.hidden;
	struct channel_groups groups;
	bool gone[256], dead[256];
	float *recurrence;
	int64_t gates;

	(void)state;
	CHECK(channel_groups_find(&groups, graph, &shape));
	for (int g = 0; g < groups.count; g++)
		gone[g] = true;
	silence(graph, &groups, gone);
	recurrence = graph->tensors[node->inputs[2]].data;
	gates = graph->tensors[node->inputs[2]].shape.dims[1];
	recurrence[(gates - 1) * hidden + 1] = 1;
	channels_find_dead(&groups, graph, dead);
	channels_remove(&groups, dead, graph, NULL);
	assert_int_equal(node->recurrent.hidden, 1);
	assert_false(dead[groups.units[0][1]]);
	assert_true(dead[groups.units[0][0]]);
	channel_groups_release(&groups);
	graph_destroy(graph);
}

/* ---- who keeps all units ---- */

static const char *reason_of(struct graph *graph)
{
	struct graph_shape shapes[2];
	struct channel_groups groups;
	const char *reason;

	assert_true(settle_shapes(graph));
	CHECK(graph_validate(graph));
	for (int i = 0; i < graph->input_count; i++)
		shapes[i] = graph->tensors[graph->inputs[i]].shape;
	CHECK(channel_groups_find(&groups, graph, shapes));
	reason = hidden_units_reason(&groups, graph, 0);
	for (int64_t i = 0;
	     reason && groups.units[0] && i < graph->nodes[0].recurrent.hidden;
	     i++)
		assert_int_equal(groups.units[0][i], CHANNEL_FIXED);
	channel_groups_release(&groups);
	graph_destroy(graph);
	return reason;
}

static struct graph *plain_create(int *y)
{
	const struct recurrence layer = { GRAPH_LSTM, FEATURES, 4,
					  GRAPH_FORWARD, true };
	struct graph_shape shape = SHAPE(STEPS, BATCH, FEATURES);
	struct graph *graph = graph_create("plain");
	int x = graph_add_tensor(graph, "x", &shape);

	assert_int_equal(graph_add_input(graph, x), 0);
	*y = output_of(graph, add_recurrence(graph, x, &layer, 7), Y);
	CHECK(graph_add_output(graph, add_gemm(graph, *y, 4, OUTPUTS)));
	return graph;
}

/* The widths that a user of the network sees are not ours. */
static void test_interface_stays(void **state)
{
	struct graph_shape shape = SHAPE(1, BATCH, 4);
	struct graph *graph;
	int y, tensor;

	(void)state;
	assert_null(reason_of(plain_create(&y)));
	graph = plain_create(&y);
	tensor = graph_add_tensor(graph, "state", &shape);
	CHECK(graph_add_input(graph, tensor));
	graph->nodes[0].inputs[4] = tensor;
	assert_string_equal(reason_of(graph),
			    "its state is an input of the network");
	graph = plain_create(&y);
	CHECK(graph_add_output(graph, graph->nodes[0].outputs[LAST_CELL]));
	assert_string_equal(reason_of(graph),
			    "its state is an output of the network");
	graph = plain_create(&y);
	CHECK(graph_add_output(graph, add_node(graph, GRAPH_RELU, &y, 1)));
	assert_string_equal(reason_of(graph),
			    "what reads them, or an output, needs all of them");
}

static void test_shared_weights_stay(void **state)
{
	struct graph *graph;
	int y;

	(void)state;
	graph = plain_create(&y);
	graph->nodes[0].inputs[5] = graph->nodes[0].inputs[4];
	assert_string_equal(reason_of(graph),
			    "its first state is shared or quantized");
	graph = plain_create(&y);
	record(graph, graph->nodes[0].inputs[2], 0.5F, 0);
	assert_string_equal(reason_of(graph),
			    "its weights are shared or quantized");
}

/* ---- under a budget ---- */

static void forget(void *context, const char *layer, const char *reason)
{
	(void)context;
	fail_msg("%s stays: %s", layer, reason);
}

static void check_budget(int head)
{
	struct graph *graph = network_create(head);
	struct prune_mask *mask = prune_mask_create(graph);
	const struct compress_options options = {
		.sparsity = 0.5,
		.scope = PRUNE_GLOBAL,
		.selection = prune_method_find("structured"),
		.reconstruct = true,
		.workers = 1,
	};
	struct array sample = { .shape = SHAPE(STEPS, BATCH, FEATURES) };
	struct array *samples = &sample;
	struct calibration_data data = { &samples, 1, 1, (bool[]){ false } };
	int64_t total, all, kept, hidden = graph->nodes[0].recurrent.hidden;

	sample.values = random_values(&sample.shape);
	prune_count(graph, mask, &all);
	CHECK(structured_whole(graph, &data, forget, NULL));
	CHECK(compress_prune(graph, &options, &data, mask));
	CHECK(graph_validate(graph));
	/* Less where single weights that went were the last to read a unit. */
	kept = prune_count(graph, mask, &total);
	assert_in_range(kept, (all - all / 2) * 8 / 10, all - all / 2);
	assert_in_range(count_kept(graph), 1, kept);
	assert_in_range(total, kept, all - 1);
	/* With one recurrent layer nothing else can go. */
	if (head != STACKED)
		assert_in_range(graph->nodes[0].recurrent.hidden, 1,
				hidden - 1);
	free(sample.values);
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

/* No more weights than asked, and a narrower network, whatever reads the units. */
static void test_budget(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * HEADS; i++)
		check_budget(i % HEADS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_removal_changes_nothing),
		cmocka_unit_test(test_recurrence_reads),
		cmocka_unit_test(test_interface_stays),
		cmocka_unit_test(test_shared_weights_stay),
		cmocka_unit_test(test_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
