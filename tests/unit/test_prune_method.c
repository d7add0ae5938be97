/* SPDX-License-Identifier: MIT */
/* What every way to prune has to hold: exact counts, and the same bytes each time. */
#include "unit.h"

#include "two_layers.h"

#include <compress/compress.h>
#include <compress/prune_method.h>

#include <string.h>

static int64_t prune(const struct prune_method *method, enum prune_scope scope,
		     int workers, struct graph *graph)
{
	const struct compress_options options = {
		.sparsity = 0.5,
		.scope = scope,
		.selection = method,
		.workers = workers,
		.seed = 5,
	};
	struct prune_mask *mask = prune_mask_create(graph);
	struct calibration_data data;
	int64_t total, kept;

	make_data(&data);
	CHECK(compress_prune(graph, &options, &data, mask));
	kept = prune_count(graph, mask, &total);
	for (int t = 0; t < graph->tensor_count; t++)
		for (int64_t i = 0;
		     mask->keep[t] &&
		     i < graph_shape_count(&graph->tensors[t].shape);
		     i++)
			if (!mask->keep[t][i])
				assert_true(graph->tensors[t].data[i] == 0);
	calibration_data_release(&data);
	prune_mask_destroy(mask);
	return kept;
}

static void assert_same_weights(const struct graph *a, const struct graph *b)
{
	for (int t = 0; t < a->tensor_count; t++)
		if (a->tensors[t].data)
			assert_memory_equal(a->tensors[t].data,
					    b->tensors[t].data,
					    (size_t)graph_shape_count(
						    &a->tensors[t].shape) *
						    sizeof(float));
}

static void test_as_many_stay_as_asked(void **state)
{
	const struct prune_method *method;

	(void)state;
	for (size_t i = 0; (method = prune_method_get(i)); i++) {
		for (int scope = method->shrinks ? PRUNE_GLOBAL :
						   PRUNE_PER_LAYER;
		     scope <= PRUNE_GLOBAL; scope++) {
			struct graph *graph = two_layers();

			assert_int_equal(prune(method, (enum prune_scope)scope,
					       1, graph),
					 ROWS * (ROWS + COLUMNS) / 2);
			graph_destroy(graph);
		}
	}
}

static void test_threads_do_not_matter(void **state)
{
	const struct prune_method *method;

	(void)state;
	for (size_t i = 0; (method = prune_method_get(i)); i++) {
		struct graph *one = two_layers(), *three = two_layers();

		prune(method, method->scope, 1, one);
		prune(method, method->scope, 3, three);
		assert_same_weights(one, three);
		graph_destroy(one);
		graph_destroy(three);
	}
}

/* In every group of @of of every row, as many as asked; how many of all. */
static int64_t check_groups(const uint8_t *keep, int64_t rows, int64_t columns,
			    const struct prune_pattern *pattern)
{
	int64_t all = 0;

	for (int64_t i = 0; i < rows * columns; i++) {
		int64_t at = i % columns % pattern->of;
		int64_t left = columns - (i % columns - at), kept = 0;
		int64_t size = left < pattern->of ? left : pattern->of;

		for (int64_t j = 0; !at && j < size; j++)
			kept += keep[i + j];
		if (!at)
			assert_int_equal(kept, size < pattern->keep ?
						       size :
						       pattern->keep);
		all += kept;
	}
	return all;
}

static void test_patterns_hold_in_every_group(void **state)
{
	static const struct prune_pattern patterns[] = {
		{ 2, 4 }, { 1, 4 }, { 3, 5 }, { 4, 8 }
	};
	const struct prune_method *method;

	(void)state;
	for (size_t i = 0; (method = prune_method_get(i)); i++) {
		for (size_t p = 0; method->score && !method->shrinks && p < 4;
		     p++) {
			struct graph *graph = two_layers();
			const struct compress_options options = {
				.selection = method,
				.pattern = patterns[p],
				.workers = 1,
			};
			struct prune_mask *mask = prune_mask_create(graph);
			struct calibration_data data;
			int64_t total, kept = 0;

			make_data(&data);
			CHECK(compress_prune(graph, &options, &data, mask));
			for (int n = 0; n < 2; n++)
				kept += check_groups(
					mask->keep[graph->nodes[n].inputs[1]],
					ROWS, n ? ROWS : COLUMNS, &patterns[p]);
			assert_int_equal(prune_count(graph, mask, &total),
					 kept);
			calibration_data_release(&data);
			prune_mask_destroy(mask);
			graph_destroy(graph);
		}
	}
}

/* However many rounds: as many as asked go, and those that went stay away. */
static void test_rounds_end_at_what_was_asked(void **state)
{
	const struct prune_method *method;

	(void)state;
	for (size_t i = 0; (method = prune_method_get(i)); i++) {
		for (int repair = 0; method->score && repair < 2; repair++) {
			struct graph *graph = two_layers();
			const struct compress_options options = {
				.sparsity = 0.75,
				.scope = method->scope,
				.selection = method,
				.rounds = 3,
				.reconstruct = repair,
				.workers = 1,
			};
			struct prune_mask *mask = prune_mask_create(graph);
			struct calibration_data data;
			int64_t total;

			make_data(&data);
			CHECK(compress_prune(graph, &options, &data, mask));
			assert_int_equal(prune_count(graph, mask, &total),
					 ROWS * (ROWS + COLUMNS) / 4);
			calibration_data_release(&data);
			prune_mask_destroy(mask);
			graph_destroy(graph);
		}
	}
}

static void test_what_went_stays_away(void **state)
{
	struct graph *graph = two_layers();
	struct prune_mask *mask = prune_mask_create(graph);
	int tensor = graph->nodes[0].inputs[1];
	float *scores[8] = { NULL };

	(void)state;
	assert_true(graph->tensor_count <= 8);
	scores[tensor] = calloc(ROWS * COLUMNS, sizeof(float));
	mask->keep[tensor][3] = 0;
	scores[tensor][3] = 7;
	free(mask->keep[graph->nodes[1].inputs[1]]);
	mask->keep[graph->nodes[1].inputs[1]] = NULL;
	prune_method_settle(graph, mask, scores);
	for (int i = 0; i < ROWS * COLUMNS; i++)
		assert_true(i == 3 ? scores[tensor][i] == 0 :
				     scores[tensor][i] > 0);
	free(scores[tensor]);
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

static void test_names(void **state)
{
	const struct prune_method *method;

	(void)state;
	for (size_t i = 0; (method = prune_method_get(i)); i++) {
		assert_ptr_equal(prune_method_find(method->name), method);
		assert_non_null(strstr(prune_method_names(), method->name));
	}
	assert_null(prune_method_find("none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_many_stay_as_asked),
		cmocka_unit_test(test_threads_do_not_matter),
		cmocka_unit_test(test_patterns_hold_in_every_group),
		cmocka_unit_test(test_rounds_end_at_what_was_asked),
		cmocka_unit_test(test_what_went_stays_away),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
