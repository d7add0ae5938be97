/* SPDX-License-Identifier: MIT */
/* Pruning keeps exactly as many weights as asked, and the right ones. */
#include <accel/error.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress/prune.h"
#include "compress/prune_threshold.h"
#include "unit.h"

#define COLUMNS 25

static float random_weight(void)
{
	/* Coarse, so that many magnitudes tie. */
	return (float)(rand() % 41 - 20) / 8;
}

static int by_magnitude(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x < y) - (x > y);
}

static void test_select_keeps_the_highest(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t count = 1 + (size_t)rand() % 200, kept = 0;
		size_t wanted = (size_t)rand() % (count + 1);
		float scores[200], sorted[200];
		uint8_t keep[200];

		for (size_t i = 0; i < count; i++)
			scores[i] = fabsf(random_weight());
		memcpy(sorted, scores, sizeof(sorted));
		qsort(sorted, count, sizeof(float), by_magnitude);
		assert_int_equal(prune_select(scores, count, wanted, keep), 0);
		for (size_t i = 0; i < count; i++) {
			kept += keep[i];
			if (!wanted)
				continue;
			/* What is above the threshold stays, below it goes. */
			if (scores[i] > sorted[wanted - 1])
				assert_int_equal(keep[i], 1);
			if (scores[i] < sorted[wanted - 1])
				assert_int_equal(keep[i], 0);
		}
		assert_int_equal(kept, wanted);
	}
}

static void test_first_of_equals_stays(void **state)
{
	static const float scores[] = { 1, 2, 1, 1, 3 };
	uint8_t keep[5];

	(void)state;
	assert_int_equal(prune_select(scores, 5, 3, keep), 0);
	assert_memory_equal(keep, ((uint8_t[]){ 1, 1, 0, 0, 1 }), 5);
}

/* x → Gemm "one" → Gemm "two", the second one's weights smaller by factor. */
static struct graph *two_layers(float factor)
{
	struct graph *graph = graph_create("test");
	struct graph_shape shape = { 2, { GRAPH_DIM_DYNAMIC, COLUMNS } };
	struct graph_shape weight = { 2, { COLUMNS, COLUMNS } };
	static const char *const names[] = { "one", "two" };
	float values[COLUMNS * COLUMNS];
	int x = graph_add_tensor(graph, "x", &shape);

	graph_add_input(graph, x);
	for (int l = 0; l < 2; l++) {
		char name[] = "y0";
		int inputs[2], y;

		name[1] = (char)('0' + l);
		y = graph_add_tensor(graph, name, &shape);
		for (int i = 0; i < COLUMNS * COLUMNS; i++)
			values[i] = random_weight() * (l ? factor : 1);
		inputs[0] = x;
		inputs[1] = graph_add_constant(graph, "w", &weight, values);
		graph_add_node(graph, GRAPH_GEMM, names[l], inputs, 2, &y, 1);
		x = y;
	}
	graph_add_output(graph, x);
	return graph;
}

static int64_t nonzeros(const struct graph *graph, int node)
{
	const float *data = graph->tensors[graph->nodes[node].inputs[1]].data;
	int64_t count = 0;

	for (int i = 0; i < COLUMNS * COLUMNS; i++)
		count += data[i] != 0;
	return count;
}

static void test_counts_are_exact(void **state)
{
	static const double sparsities[] = { 0, 0.1, 0.5, 0.77, 0.97 };

	(void)state;
	for (size_t i = 0; i < 10; i++) {
		struct graph *graph = two_layers(1);
		struct prune_mask *mask = prune_mask_create(graph);
		double sparsity = sparsities[i / 2];
		int64_t total, all = 2 * COLUMNS * COLUMNS;

		assert_int_equal(prune_magnitude(graph, sparsity,
						 i % 2 ? PRUNE_GLOBAL :
							 PRUNE_PER_LAYER,
						 mask),
				 0);
		if (i % 2)
			assert_int_equal(prune_count(graph, mask, &total),
					 all - llround(sparsity * (double)all));
		else
			assert_int_equal(
				prune_count(graph, mask, &total),
				all - 2 * llround(sparsity * (double)all / 2));
		assert_int_equal(total, all);
		prune_mask_destroy(mask);
		graph_destroy(graph);
	}
}

static void test_applied_zeros_are_kept_as_such(void **state)
{
	struct graph *graph = two_layers(1);
	struct prune_mask *mask = prune_mask_create(graph);
	int64_t total, before;

	(void)state;
	assert_int_equal(prune_magnitude(graph, 0.6, PRUNE_PER_LAYER, mask), 0);
	prune_apply(graph, mask);
	before = nonzeros(graph, 0) + nonzeros(graph, 1);
	assert_int_equal(prune_keep(graph, mask), 0);
	assert_int_equal(prune_count(graph, mask, &total), before);
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

static void test_empty_layer_is_named(void **state)
{
	struct graph *graph = two_layers(1e-4f);
	struct prune_mask *mask = prune_mask_create(graph);

	(void)state;
	assert_int_equal(prune_magnitude(graph, 0.6, PRUNE_GLOBAL, mask),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "two"));
	assert_int_equal(prune_magnitude(graph, 0.9999, PRUNE_PER_LAYER, mask),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "one"));
	assert_int_equal(prune_magnitude(graph, NAN, PRUNE_PER_LAYER, mask),
			 -EINVAL);
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

/* As many stay as without it, and of the layer that is worth least, its best. */
static void test_a_floor_keeps_a_weight_of_every_layer(void **state)
{
	struct graph *graph = two_layers(1e-4f);
	struct prune_mask *mask = prune_mask_create(graph);
	const struct prune_budget budget = { .sparsity = 0.6,
					     .scope = PRUNE_GLOBAL,
					     .floor = true };
	int second = graph->nodes[1].inputs[1];
	const float *weights = graph->tensors[second].data;
	int64_t total, count = COLUMNS * COLUMNS, kept = 0;
	float best = 0;

	(void)state;
	assert_int_equal(prune_magnitudes(graph, &budget, mask), 0);
	assert_int_equal(prune_count(graph, mask, &total), 2 * count / 5 * 2);
	for (int64_t i = 0; i < count; i++)
		best = fmaxf(best, fabsf(weights[i]));
	for (int64_t i = 0; i < count; i++) {
		kept += mask->keep[second][i];
		assert_true(!mask->keep[second][i] ||
			    fabsf(weights[i]) == best);
	}
	assert_int_equal(kept, 1);
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

/* Weights of the first layer cost three times as much as those of the second. */
static void test_costs_stay_in_the_budget(void **state)
{
	struct graph *graph = two_layers(1);
	struct prune_mask *mask = prune_mask_create(graph);
	double *costs = calloc((size_t)graph->tensor_count, sizeof(*costs));
	const struct prune_budget budget = { .sparsity = 0.5,
					     .scope = PRUNE_GLOBAL,
					     .costs = costs };
	int first = graph->nodes[0].inputs[1];
	int64_t count = COLUMNS * COLUMNS, kept[2] = { 0, 0 };

	(void)state;
	for (int t = 0; t < graph->tensor_count; t++)
		costs[t] = t == first ? 3 : 1;
	assert_int_equal(prune_magnitudes(graph, &budget, mask), 0);
	for (int l = 0; l < 2; l++)
		for (int64_t i = 0; i < count; i++)
			kept[l] += mask->keep[graph->nodes[l].inputs[1]][i];
	assert_true(3 * kept[0] + kept[1] <= 2 * count);
	assert_true(3 * kept[0] + kept[1] > 2 * count - 3);
	assert_true(kept[0] < kept[1]);
	free(costs);
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

/* Above, not at: 0.5 is a weight that occurs, and goes. */
static void test_a_threshold_keeps_what_is_above(void **state)
{
	struct graph *graph = two_layers(0.25f);
	struct prune_mask *mask = prune_mask_create(graph);
	struct prune_threshold threshold;
	int64_t at = 0;

	(void)state;
	assert_int_equal(prune_threshold_parse("0.5", &threshold), 0);
	assert_int_equal(prune_threshold_select(graph, &threshold, mask), 0);
	for (int l = 0; l < 2; l++) {
		int tensor = graph->nodes[l].inputs[1];
		const float *weights = graph->tensors[tensor].data;

		for (int i = 0; i < COLUMNS * COLUMNS; i++) {
			assert_int_equal(mask->keep[tensor][i],
					 fabsf(weights[i]) > 0.5f);
			at += fabsf(weights[i]) == 0.5f;
		}
	}
	assert_true(at > 0);
	threshold.value = 2;
	assert_int_equal(prune_threshold_select(graph, &threshold, mask),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "two"));
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

/* A layer of smaller weights then loses the same ones as if they were not smaller. */
static void test_a_threshold_in_deviations_knows_no_unit(void **state)
{
	struct graph *graph = two_layers(0.25f);
	struct prune_mask *mask = prune_mask_create(graph);
	const struct prune_threshold threshold = { .value = 0.8,
						   .deviations = true };
	int tensor = graph->nodes[1].inputs[1];
	uint8_t before[COLUMNS * COLUMNS];
	int64_t total, kept;

	(void)state;
	assert_int_equal(prune_threshold_select(graph, &threshold, mask), 0);
	kept = prune_count(graph, mask, &total);
	/* of a uniform distribution, 1 - 0.8 / sqrt(3) */
	assert_true(kept > total / 2 && kept < total * 3 / 5);
	memcpy(before, mask->keep[tensor], sizeof(before));
	memset(mask->keep[tensor], 1, sizeof(before));
	for (size_t i = 0; i < sizeof(before); i++)
		graph->tensors[tensor].data[i] *= 4;
	assert_int_equal(prune_threshold_select(graph, &threshold, mask), 0);
	assert_memory_equal(mask->keep[tensor], before, sizeof(before));
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

static void test_thresholds_are_read(void **state)
{
	static const char *const wrong[] = { "",    "0",      "-1", "nan",
					     "inf", "1:mean", "std" };
	struct prune_threshold threshold;

	(void)state;
	assert_int_equal(prune_threshold_parse("0.8:std", &threshold), 0);
	assert_true(threshold.deviations && threshold.value == 0.8);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(prune_threshold_parse(wrong[i], &threshold),
				 -EINVAL);
}

static void test_structural_weights_stay(void **state)
{
	struct graph *graph = two_layers(1);
	struct prune_mask *mask;

	(void)state;
	graph->nodes[0].structural = true;
	mask = prune_mask_create(graph);
	assert_null(mask->keep[graph->nodes[0].inputs[1]]);
	assert_non_null(mask->keep[graph->nodes[1].inputs[1]]);
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_select_keeps_the_highest),
		cmocka_unit_test(test_first_of_equals_stays),
		cmocka_unit_test(test_counts_are_exact),
		cmocka_unit_test(test_applied_zeros_are_kept_as_such),
		cmocka_unit_test(test_empty_layer_is_named),
		cmocka_unit_test(test_a_floor_keeps_a_weight_of_every_layer),
		cmocka_unit_test(test_costs_stay_in_the_budget),
		cmocka_unit_test(test_a_threshold_keeps_what_is_above),
		cmocka_unit_test(test_a_threshold_in_deviations_knows_no_unit),
		cmocka_unit_test(test_thresholds_are_read),
		cmocka_unit_test(test_structural_weights_stay),
	};

	srand(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
