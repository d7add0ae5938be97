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
		for (int scope = PRUNE_PER_LAYER; scope <= PRUNE_GLOBAL;
		     scope++) {
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
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
