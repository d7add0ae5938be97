/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <math.h>
#include <string.h>

#include <accel/error.h>
#include <compress/executor.h>
#include <train/network.h>

static const struct graph_shape image = { .rank = 3, .dims = { 1, 8, 8 } };

static int build(struct network *network, uint64_t seed, const char *text)
{
	json_t *layers = json_loads(text, 0, NULL);
	int tensor;

	assert_non_null(layers);
	assert_int_equal(network_begin(network, "test", seed), 0);
	tensor = network_add_input(network, "x", &image, false);
	assert_true(tensor >= 0);
	tensor = network_add_layers(network, "network", tensor, layers);
	json_decref(layers);
	return tensor;
}

static void assert_shape(const char *text, int rank, const int64_t *dims)
{
	struct network network;
	int tensor = build(&network, 0, text);

	if (tensor < 0)
		fail_msg("%s: %s", text, accel_last_error());
	assert_int_equal(graph_add_output(network.graph, tensor), 0);
	assert_int_equal(graph_validate(network.graph), 0);
	assert_int_equal(network_shape(&network, tensor)->rank, rank);
	for (int d = 0; d < rank; d++)
		assert_int_equal(network_shape(&network, tensor)->dims[d],
				 dims[d]);
	network_release(&network);
}

#define SHAPE(text, ...)                                                   \
	do {                                                               \
		const int64_t dims_[] = { __VA_ARGS__ };                   \
		assert_shape(text, sizeof(dims_) / sizeof(*dims_), dims_); \
	} while (0)

static void layers_give_their_shapes(void **state)
{
	(void)state;
	SHAPE("[\"flatten\", {\"layer\": \"linear\", \"outputs\": 5}, \"prelu\"]",
	      1, 5);
	SHAPE("[{\"layer\": \"conv\", \"outputs\": 6, \"kernel\": 3, \"padding\": 1},"
	      " \"relu\", {\"layer\": \"max_pool\", \"kernel\": 2},"
	      " {\"layer\": \"residual\", \"layers\": [{\"layer\": \"conv\","
	      " \"outputs\": 6, \"kernel\": 1}, \"silu\"]}]",
	      1, 6, 4, 4);
}

static void images_grow_and_shrink(void **state)
{
	(void)state;
	SHAPE("[{\"layer\": \"conv\", \"outputs\": 8, \"kernel\": 4, \"stride\": 2,"
	      " \"padding\": 1}, {\"layer\": \"pixel_shuffle\", \"block\": 2},"
	      " {\"layer\": \"upsample\", \"scale\": 3},"
	      " {\"layer\": \"average_pool\", \"kernel\": 2}]",
	      1, 2, 12, 12);
	SHAPE("[\"flatten\", {\"layer\": \"reshape\", \"shape\": [16, 2, 2]},"
	      " {\"layer\": \"conv_transpose\", \"outputs\": 3, \"kernel\": 4,"
	      " \"stride\": 2, \"padding\": 1}, \"tanh\"]",
	      1, 3, 4, 4);
	SHAPE("[{\"layer\": \"conv\", \"outputs\": 4, \"kernel\": 3},"
	      " \"global_average_pool\", \"flatten\"]",
	      1, 4);
}

static void rows_are_a_sequence(void **state)
{
	(void)state;
	SHAPE("[\"rows\", {\"layer\": \"lstm\", \"hidden\": 7}]", 8, 1, 7);
	SHAPE("[\"rows\", {\"layer\": \"gru\", \"hidden\": 7}, \"last\","
	      " {\"layer\": \"linear\", \"outputs\": 3}]",
	      1, 3);
}

static void assert_refused(const char *text, const char *why)
{
	struct network network;

	assert_true(build(&network, 0, text) < 0);
	if (!strstr(accel_last_error(), why))
		fail_msg("'%s' does not say '%s'", accel_last_error(), why);
	network_release(&network);
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	assert_refused("[\"flatten\", \"swirl\"]",
		       "network[1], swirl: no layer of this name");
	assert_refused("[{\"layer\": \"linear\", \"outputs\": 4}]",
		       "put flatten before it");
	assert_refused(
		"[\"flatten\", {\"layer\": \"linear\", \"outputs\": 4, \"bais\": 0}]",
		"bais");
	assert_refused("[\"flatten\", {\"layer\": \"linear\", \"outputs\": 0}]",
		       "\"outputs\" is 0");
	assert_refused(
		"[{\"layer\": \"conv\", \"outputs\": 4, \"kernel\": 11}]",
		"network[0], conv");
	assert_refused("[\"flatten\", {\"layer\": \"lstm\", \"hidden\": 4}]",
		       "takes sequences");
	assert_refused(
		"[\"flatten\", {\"layer\": \"reshape\", \"shape\": [5, 5]}]",
		"not as many elements");
	assert_refused("[{\"layer\": \"conv\", \"outputs\": 6, \"kernel\": 1},"
		       " \"pixel_shuffle\"]",
		       "network[1], pixel_shuffle");
	assert_refused("[17]", "an object with \"layer\"");
}

static double second_moment(const struct graph *graph, const char *name)
{
	int tensor = graph_find_tensor(graph, name);
	int64_t count;
	double sum = 0;

	assert_true(tensor >= 0);
	count = graph_shape_count(&graph->tensors[tensor].shape);
	for (int64_t i = 0; i < count; i++)
		sum += (double)graph->tensors[tensor].data[i] *
		       (double)graph->tensors[tensor].data[i];
	return sum / (double)count;
}

/* 16 inputs or more give at least 4096 numbers: moments within a tenth. */
static void weights_are_as_large_as_suits_what_follows(void **state)
{
	const char *text =
		"[\"flatten\", {\"layer\": \"linear\", \"outputs\": 512}, \"relu\","
		" {\"layer\": \"linear\", \"outputs\": 128}, \"tanh\","
		" {\"layer\": \"linear\", \"outputs\": 64, \"init\": 0.02}]";
	struct network network;

	(void)state;
	assert_true(build(&network, 5, text) >= 0);
	assert_true(
		fabs(second_moment(network.graph, "network.1.linear.weight") *
			     64 / 2 -
		     1) < 0.1);
	assert_true(
		fabs(second_moment(network.graph, "network.3.linear.weight") *
			     (512 + 128) / 2 -
		     1) < 0.1);
	assert_true(
		fabs(second_moment(network.graph, "network.5.linear.weight") /
			     4e-4 -
		     1) < 0.1);
	assert_true(second_moment(network.graph, "network.1.linear.bias") == 0);
	network_release(&network);
}

static void the_seed_decides_the_weights(void **state)
{
	const char *text =
		"[\"flatten\", {\"layer\": \"linear\", \"outputs\": 4}]";
	struct network a, b, c;
	int tensor;

	(void)state;
	assert_true(build(&a, 5, text) >= 0);
	assert_true(build(&b, 5, text) >= 0);
	assert_true(build(&c, 6, text) >= 0);
	tensor = graph_find_tensor(a.graph, "network.1.linear.weight");
	assert_memory_equal(a.graph->tensors[tensor].data,
			    b.graph->tensors[tensor].data, 256 * sizeof(float));
	assert_memory_not_equal(a.graph->tensors[tensor].data,
				c.graph->tensors[tensor].data,
				256 * sizeof(float));
	network_release(&a);
	network_release(&b);
	network_release(&c);
}

/* The second half of a network, cut out, goes on from the first half's result. */
static void a_part_computes_what_the_whole_does(void **state)
{
	const char *text =
		"[\"flatten\", {\"layer\": \"linear\", \"outputs\": 4}, \"relu\","
		" {\"layer\": \"linear\", \"outputs\": 3}]";
	struct network network;
	struct graph *part;
	struct executor *whole, *half;
	struct graph_shape shape = { .rank = 4, .dims = { 2, 1, 8, 8 } };
	struct graph_shape middle = { .rank = 2, .dims = { 2, 4 } };
	float x[2 * 64];
	const float *input = x;
	int last = build(&network, 1, text), cut;

	(void)state;
	assert_true(last >= 0);
	for (int i = 0; i < 128; i++)
		x[i] = (float)(i % 7) - 3;
	cut = graph_find_tensor(network.graph, "network.1.linear");
	assert_int_equal(graph_add_output(network.graph, last), 0);
	assert_int_equal(graph_add_output(network.graph, cut), 0);
	assert_int_equal(network_part(network.graph, &cut, 1, &last, 1, "half",
				      &part),
			 0);
	assert_int_equal(part->node_count, 2);
	assert_int_equal(executor_create(&whole, network.graph, &shape, NULL),
			 0);
	assert_int_equal(executor_create(&half, part, &middle, NULL), 0);
	assert_int_equal(executor_run(whole, &input), 0);
	input = executor_values(whole, cut);
	assert_int_equal(executor_run(half, &input), 0);
	assert_memory_equal(executor_values(half, part->outputs[0]),
			    executor_values(whole, last), 6 * sizeof(float));
	executor_destroy(whole);
	executor_destroy(half);
	graph_destroy(part);
	network_release(&network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_give_their_shapes),
		cmocka_unit_test(images_grow_and_shrink),
		cmocka_unit_test(rows_are_a_sequence),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(weights_are_as_large_as_suits_what_follows),
		cmocka_unit_test(the_seed_decides_the_weights),
		cmocka_unit_test(a_part_computes_what_the_whole_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
