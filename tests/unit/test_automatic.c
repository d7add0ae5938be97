/* SPDX-License-Identifier: MIT */
/* A target is met by the best of all that is tried, or refused with what can be had. */
#include "unit.h"

#include "two_layers.h"

#include <compress/automatic.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LOOKS 4

/*
 * A device without one: every non-zero of the first layer is worth ten of the second, and
 * takes a tenth of its time.
 */
static void count_nonzeros(const struct model *model, int64_t nonzeros[2])
{
	int found = 0;

	for (uint32_t i = 0; i < model->layer_count && found < 2; i++)
		if (model->layers[i].op == MODEL_SPMM)
			nonzeros[found++] = model_csr_nonzeros(
				&model->layers[i].spmm.weights);
	assert_int_equal(found, 2);
}

static int probe_quality(void *context, const struct model *model,
			 double *quality)
{
	int64_t nonzeros[2];

	(*(int *)context)++;
	count_nonzeros(model, nonzeros);
	*quality = 10.0 * (double)nonzeros[0] / (ROWS * COLUMNS) +
		   (double)nonzeros[1] / (ROWS * ROWS);
	return 0;
}

static int probe_size(void *context, const struct model *model, uint64_t *bytes)
{
	int64_t nonzeros[2];

	(void)context;
	count_nonzeros(model, nonzeros);
	*bytes = 100 + 3 * (uint64_t)(nonzeros[0] + nonzeros[1]);
	return 0;
}

static int probe_time(void *context, const struct model *model,
		      uint64_t *cycles,
		      void (*layer)(void *layer_context, const char *name,
				    uint64_t cycles),
		      void *layer_context)
{
	int64_t nonzeros[2];

	(void)context;
	count_nonzeros(model, nonzeros);
	for (uint32_t i = 0, found = 0; i < model->layer_count; i++)
		if (model->layers[i].op == MODEL_SPMM) {
			layer(layer_context, model->layers[i].name,
			      (found ? 10 : 1) * (uint64_t)nonzeros[found]);
			found++;
		}
	*cycles = (uint64_t)(nonzeros[0] + 10 * nonzeros[1]);
	return 0;
}

/* A file in which a code takes as many bytes as its matrix's largest one makes it. */
static int probe_narrow_size(void *context, const struct model *model,
			     uint64_t *bytes)
{
	(void)context;
	*bytes = 100;
	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct model_csr *csr = &model->layers[i].spmm.weights;
		int64_t count = model_csr_nonzeros(csr);
		int most = 0;

		assert_int_equal(model->layers[i].op, MODEL_SPMM);
		for (int64_t k = 0; k < count; k++)
			most = abs(csr->value[k]) > most ? abs(csr->value[k]) :
							   most;
		*bytes += (uint64_t)count * (most > 31 ? 3 : most > 7 ? 2 : 1);
	}
	return 0;
}

/* A row costs 50, and what reads it one for each weight: those who have few rows can spend more. */
static int probe_rows(void *context, const struct model *model,
		      uint64_t *cycles,
		      void (*layer)(void *layer_context, const char *name,
				    uint64_t cycles),
		      void *layer_context)
{
	uint64_t rows = 50 * (uint64_t)model->layers[0].spmm.weights.rows;
	int64_t nonzeros[2];

	(void)context;
	count_nonzeros(model, nonzeros);
	layer(layer_context, model->layers[0].name, rows);
	layer(layer_context, model->layers[1].name, (uint64_t)nonzeros[1]);
	*cycles = rows + (uint64_t)nonzeros[1];
	return 0;
}

static int run_with(const struct automatic_options *how,
		    struct automatic_result *result)
{
	static struct graph *graph;
	int count = 0;
	const struct automatic_probe probe = {
		.context = &count,
		.quality = probe_quality,
		.size = how->narrow ? probe_narrow_size : probe_size,
		.time = probe_time,
	};
	struct automatic_options options = *how;
	struct calibration_data data;
	int ret;

	if (!how->probe)
		options.probe = &probe;
	options.looks = LOOKS;
	graph_destroy(graph);
	graph = two_layers(); /* results have its names */
	make_data(&data);
	ret = automatic_run(graph, &data, &options, result);
	calibration_data_release(&data);
	return ret;
}

static int run(enum automatic_quantity quantity, double bound, int workers,
	       const volatile sig_atomic_t *stop,
	       struct automatic_result *result)
{
	const struct automatic_options options = {
		.compress = { .seed = 3, .workers = workers },
		.target = { .quantity = quantity, .bound = bound },
		.stop = stop,
	};

	return run_with(&options, result);
}

/* Nothing that was tried and meets the target is better. */
static void assert_best(const struct automatic_result *result)
{
	assert_true(result->best.meets);
	for (int i = 0; i < result->trial_count; i++)
		if (result->trials[i].meets)
			assert_true(result->trials[i].measured.quality <=
				    result->best.measured.quality);
}

static void test_meets_a_sparsity(void **state)
{
	struct automatic_result result;
	int64_t total, kept;

	(void)state;
	CHECK(run(AUTOMATIC_SPARSITY, 0.7, 1, NULL, &result));
	kept = prune_count(result.graph, result.mask, &total);
	assert_int_equal(kept, result.best.measured.nonzeros);
	assert_true((double)kept <= 0.3 * (double)total);
	assert_true((double)kept >= 0.25 * (double)total);
	assert_best(&result);
	assert_non_null(strstr(result.model->provenance, "\"automatic\""));
	assert_non_null(strstr(result.report, "\"sparser\""));
	assert_int_equal(result.choice_count, 2);
	automatic_release(&result);
}

static int count_meeting(const struct automatic_result *result,
			 const char *strategy, const char *scope)
{
	int count = 0;

	for (int i = 0; i < result->trial_count; i++)
		count += !strcmp(result->trials[i].strategy, strategy) &&
			 !strcmp(automatic_scope_name(&result->trials[i]),
				 scope) &&
			 result->trials[i].meets;
	return count;
}

/* Else there could be one that is better, and nobody knew. */
static void test_tries_methods_in_both_scopes(void **state)
{
	static const char *const methods[] = { "sparsegpt", "wanda", "gn",
					       "magnitude" };
	static const enum automatic_quantity quantities[] = {
		AUTOMATIC_SPARSITY, AUTOMATIC_CYCLES
	};
	static const double bounds[] = { 0.7, 4 * ROWS * ROWS };
	struct automatic_result result;

	(void)state;
	for (int q = 0; q < 2; q++) {
		CHECK(run(quantities[q], bounds[q], 1, NULL, &result));
		for (size_t m = 0; m < sizeof(methods) / sizeof(*methods);
		     m++) {
			assert_true(
				count_meeting(&result, methods[m], "layer"));
			assert_true(
				count_meeting(&result, methods[m], "global"));
		}
		assert_true(!q == !count_meeting(&result, "gn", "cycles"));
		automatic_release(&result);
	}
}

static void test_meets_cycles(void **state)
{
	struct automatic_result result;

	(void)state;
	CHECK(run(AUTOMATIC_CYCLES, 4 * ROWS * ROWS, 1, NULL, &result));
	assert_true(result.best.measured.cycles <= 4 * ROWS * ROWS);
	assert_best(&result);
	automatic_release(&result);
}

/* Allocations of which a method that solves chose the weights. */
static int count_solved(const struct automatic_result *result, const char *name)
{
	int count = 0;

	for (int i = 0; i < result->trial_count; i++) {
		const char *solver = result->trials[i].solver;

		if (!solver || strcmp(solver, name))
			continue;
		assert_string_equal(result->trials[i].strategy, "allocation");
		count++;
	}
	return count;
}

/* Weights alone leave all rows; fewer channels, and of these fewer weights, are the best. */
static void test_spares_rows(void **state)
{
	int count = 0;
	const struct automatic_probe probe = {
		.context = &count,
		.quality = probe_quality,
		.size = probe_size,
		.time = probe_rows,
	};
	const struct automatic_options options = {
		.compress = { .seed = 3, .workers = 1 },
		.target = { .quantity = AUTOMATIC_CYCLES, .bound = 700 },
		.probe = &probe,
	};
	struct automatic_result result;

	(void)state;
	CHECK(run_with(&options, &result));
	assert_best(&result);
	assert_int_not_equal(count_solved(&result, "sparsegpt"), 0);
	assert_int_not_equal(count_solved(&result, "wanda"), 0);
	assert_true(result.best.width < 1);
	assert_string_not_equal(result.best.strategy, "structured");
	assert_true(count_meeting(&result, "structured", "global"));
	assert_in_range(result.model->layers[0].spmm.weights.rows, 11,
			ROWS - 1);
	for (int i = 0; i < result.trial_count; i++)
		assert_true(!result.trials[i].meets ||
			    result.trials[i].width < 1 ||
			    !strcmp(result.trials[i].strategy, "structured"));
	assert_int_equal(
		result.choices[0].weights,
		COLUMNS * (int)result.model->layers[0].spmm.weights.rows);
	assert_int_equal(result.best.measured.weights, ROWS * (ROWS + COLUMNS));
	assert_int_equal(result.model->dense_bytes,
			 ROWS * (ROWS + COLUMNS) * (int)sizeof(float));
	automatic_release(&result);
}

/* Of those that are good enough, the smallest. */
static void test_meets_a_quality(void **state)
{
	struct automatic_result result;

	(void)state;
	CHECK(run(AUTOMATIC_PSNR, 7, 1, NULL, &result));
	assert_true(result.best.measured.quality >= 7);
	for (int i = 0; i < result.trial_count; i++)
		if (result.trials[i].meets)
			assert_true(result.trials[i].measured.bytes >=
				    result.best.measured.bytes);
	assert_true(result.best.measured.nonzeros <
		    result.best.measured.weights);
	automatic_release(&result);
}

/* The dense model shows it: nobody waits for the rest. */
static void test_refuses_a_quality_at_once(void **state)
{
	struct automatic_result result;

	(void)state;
	assert_int_equal(run(AUTOMATIC_PSNR, 12, 1, NULL, &result), -ERANGE);
	assert_int_equal(result.trial_count, 1);
	assert_float_equal(result.best.measured.quality, 11, 1e-9);
	assert_non_null(result.model);
	automatic_release(&result);
}

static void test_refuses_a_size_with_the_smallest(void **state)
{
	struct automatic_result result;

	(void)state;
	assert_int_equal(run(AUTOMATIC_RATIO, 1e6, 1, NULL, &result), -ERANGE);
	for (int i = 0; i < result.trial_count; i++)
		assert_true(result.trials[i].measured.bytes >=
			    result.best.measured.bytes);
	assert_true(result.best.measured.nonzeros <
		    result.best.measured.weights / 4);
	automatic_release(&result);
}

static void test_threads_do_not_matter(void **state)
{
	struct automatic_result one, three;

	(void)state;
	CHECK(run(AUTOMATIC_SPARSITY, 0.6, 1, NULL, &one));
	CHECK(run(AUTOMATIC_SPARSITY, 0.6, 3, NULL, &three));
	assert_string_equal(one.report, three.report);
	for (int t = 0; t < one.graph->tensor_count; t++)
		if (one.graph->tensors[t].data)
			assert_memory_equal(
				one.graph->tensors[t].data,
				three.graph->tensors[t].data,
				(size_t)graph_shape_count(
					&one.graph->tensors[t].shape) *
					sizeof(float));
	automatic_release(&one);
	automatic_release(&three);
}

/* Where it was sent, as a number. */
static uint32_t way_of(const struct automatic_result *result, const char *name)
{
	uint32_t way = 0;

	for (int i = 0; i < result->trial_count; i++) {
		const struct automatic_trial *trial = &result->trials[i];

		if (!trial->search)
			continue;
		assert_string_equal(trial->search, name);
		assert_string_equal(trial->strategy, "allocation");
		way = 31 * way + trial->fingerprint;
	}
	return way;
}

/* Each goes its own way; trials have its name, and the report the one that was asked for. */
static void test_searches_as_told(void **state)
{
	const struct point_search_kind *kind;
	struct automatic_options options = {
		.compress = { .seed = 3, .workers = 1 },
		.target = { .quantity = AUTOMATIC_SPARSITY, .bound = 0.7 },
	};
	uint32_t ways[3] = { 0 };

	(void)state;
	for (size_t k = 0; (kind = point_search_get(k)); k++) {
		struct automatic_result result;
		char text[32];

		options.search = kind;
		assert_in_range(k, 0, 2);
		CHECK(run_with(&options, &result));
		ways[k] = way_of(&result, kind->name);
		for (size_t i = 0; i < k; i++)
			assert_int_not_equal(ways[i], ways[k]);
		snprintf(text, sizeof(text), "\"search\":\"%s\"", kind->name);
		assert_non_null(strstr(result.report, text));
		automatic_release(&result);
	}
}

/* What there is is kept; what is not there yet is said. */
static void test_stops_when_told(void **state)
{
	volatile sig_atomic_t stop = 1;
	struct automatic_result result;

	(void)state;
	CHECK(run(AUTOMATIC_PSNR, 7, 1, &stop, &result));
	assert_true(result.stopped);
	automatic_release(&result);
	assert_int_equal(run(AUTOMATIC_SPARSITY, 0.5, 1, &stop, &result),
			 -EINTR);
	automatic_release(&result);
}

/* Three bytes a code or one: for a small file the narrow ones leave more weights. */
static void test_takes_few_bits(void **state)
{
	const struct automatic_options options = {
		.compress = { .seed = 3, .workers = 1 },
		.target = { .quantity = AUTOMATIC_RATIO, .bound = 5 },
		.narrow = true,
	};
	struct automatic_result wide, narrow;
	bool any = false;

	(void)state;
	CHECK(run(AUTOMATIC_RATIO, 5, 1, NULL, &wide));
	CHECK(run_with(&options, &narrow));
	assert_true(narrow.best.meets);
	assert_string_equal(narrow.best.strategy, "allocation");
	assert_true(narrow.best.measured.nonzeros >
		    3 * wide.best.measured.nonzeros / 2);
	for (int i = 0; i < narrow.choice_count; i++)
		any |= narrow.choices[i].bits < 8;
	assert_true(any);
	for (int i = 0; i < wide.choice_count; i++)
		assert_int_equal(wide.choices[i].bits, 8);
	assert_non_null(strstr(narrow.report, "\"bits\":4"));
	automatic_release(&wide);
	automatic_release(&narrow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meets_a_sparsity),
		cmocka_unit_test(test_takes_few_bits),
		cmocka_unit_test(test_tries_methods_in_both_scopes),
		cmocka_unit_test(test_meets_cycles),
		cmocka_unit_test(test_spares_rows),
		cmocka_unit_test(test_meets_a_quality),
		cmocka_unit_test(test_refuses_a_quality_at_once),
		cmocka_unit_test(test_refuses_a_size_with_the_smallest),
		cmocka_unit_test(test_threads_do_not_matter),
		cmocka_unit_test(test_searches_as_told),
		cmocka_unit_test(test_stops_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
