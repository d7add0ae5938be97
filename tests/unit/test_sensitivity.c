/* SPDX-License-Identifier: MIT */
/* What layers lose on their own, as measured. */
#include "unit.h"

#include "two_layers.h"

#include <compress/saliency.h>
#include <compress/sensitivity.h>

#include <errno.h>
#include <string.h>

enum { KEPT = 3 };

static const double kept[KEPT] = { 0.75, 0.5, 0.25 };

/** struct telling - what an observer saw */
struct telling {
	int calls;
	int total;
	volatile sig_atomic_t stop;
};

static void observe(void *context, int done, int total)
{
	struct telling *telling = context;

	assert_int_equal(done, ++telling->calls);
	telling->total = total;
}

/* By magnitude, and by what is no measure at all. */
static int measure(struct sensitivity *sensitivity, const struct graph *graph,
		   int workers, struct telling *telling)
{
	float **zeros = saliency_create(graph);
	const float **magnitudes =
		calloc((size_t)graph->tensor_count, sizeof(*magnitudes));
	const struct sensitivity_scores scores[] = {
		{ "magnitude", magnitudes },
		{ "none", (const float *const *)zeros },
	};
	const struct sensitivity_options options = {
		.scores = scores,
		.methods = 2,
		.kept = kept,
		.kept_count = KEPT,
		.workers = workers,
		.stop = &telling->stop,
		.observer = observe,
		.observer_context = telling,
	};
	struct calibration_data data;
	int ret;

	for (int t = 0; t < graph->tensor_count; t++)
		magnitudes[t] = graph->tensors[t].data;
	make_data(&data);
	CHECK(sensitivity_create(sensitivity, graph, 2, KEPT, 0));
	ret = sensitivity_measure(sensitivity, graph, &data, &data, &options);
	calibration_data_release(&data);
	saliency_destroy(zeros, graph);
	free(magnitudes);
	return ret;
}

static void test_fewer_weights_lose_more(void **state)
{
	struct graph *graph = two_layers();
	struct telling telling = { .calls = 0 };
	struct sensitivity all;

	(void)state;
	CHECK(measure(&all, graph, 1, &telling));
	assert_int_equal(all.count, 2);
	assert_int_equal(telling.calls, telling.total);
	assert_int_equal(telling.total, 2 * 2 * KEPT);
	for (int l = 0; l < all.count; l++) {
		const double *losses = all.layers[l].losses;

		assert_true(losses[0] > 0);
		assert_true(losses[0] < losses[1] && losses[1] < losses[2]);
		/* the first weights, whatever they are */
		assert_true(losses[1] < losses[KEPT + 1]);
	}
	sensitivity_release(&all);
	graph_destroy(graph);
}

static void test_threads_do_not_matter(void **state)
{
	struct graph *graph = two_layers();
	struct telling telling[2] = { { .calls = 0 } };
	struct sensitivity one, three;

	(void)state;
	CHECK(measure(&one, graph, 1, &telling[0]));
	CHECK(measure(&three, graph, 3, &telling[1]));
	for (int l = 0; l < one.count; l++)
		assert_memory_equal(one.layers[l].losses,
				    three.layers[l].losses,
				    2 * KEPT * sizeof(double));
	sensitivity_release(&one);
	sensitivity_release(&three);
	graph_destroy(graph);
}

static void test_stops_when_told(void **state)
{
	struct graph *graph = two_layers();
	struct telling telling = { .stop = 1 };
	struct sensitivity all;

	(void)state;
	assert_int_equal(measure(&all, graph, 2, &telling), -EINTR);
	sensitivity_release(&all);
	graph_destroy(graph);
}

static void test_one_weight_stays(void **state)
{
	(void)state;
	assert_int_equal(sensitivity_keep_count(10, 0.001), 1);
	assert_int_equal(sensitivity_keep_count(10, 0.25), 3);
	assert_int_equal(sensitivity_keep_count(10, 1), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fewer_weights_lose_more),
		cmocka_unit_test(test_threads_do_not_matter),
		cmocka_unit_test(test_stops_when_told),
		cmocka_unit_test(test_one_weight_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
