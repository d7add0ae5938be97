/* SPDX-License-Identifier: MIT */
/*
 * The plan of a tape's memory: nothing lies over what is still needed. On spans alone,
 * and on random networks, whose gradients must be the same where all tensors are
 * parts of the loss, so that nothing of them may be overwritten.
 */
#include "unit.h"

#include <errno.h>

#include <train/parameters.h>
#include <train/tape.h>
#include <train/tape_memory.h>

#include "random.h"
#include "random_graph.h"

#define SPANS 60
#define STEPS 40

static void make_spans(struct tape_span *spans)
{
	for (int i = 0; i < SPANS; i++) {
		int begin = (int)pick(0, STEPS - 1);

		spans[i] = (struct tape_span){
			.used = pick(0, 9) > 0,
			.begin = begin,
			.end = (int)pick(begin, pick(0, 4) ? begin + 3 : STEPS),
			.size = 16 * pick(1, pick(0, 1) ? 4 : 100),
		};
	}
}

static bool overlap(const struct tape_span *a, const struct tape_span *b)
{
	return a->used && b->used && a->begin <= b->end && b->begin <= a->end &&
	       a->offset < b->offset + b->size &&
	       b->offset < a->offset + a->size;
}

/* What is in use at the busiest step: no plan can do with less. */
static int64_t busiest(const struct tape_span *spans)
{
	int64_t most = 0;

	for (int step = 0; step <= STEPS + 3; step++) {
		int64_t floats = 0;

		for (int i = 0; i < SPANS; i++)
			if (spans[i].used && spans[i].begin <= step &&
			    step <= spans[i].end)
				floats += spans[i].size;
		most = floats > most ? floats : most;
	}
	return most;
}

static void spans_in_use_do_not_overlap(void **state)
{
	struct tape_span spans[SPANS];
	int64_t floats, needed = 0, planned = 0;

	(void)state;
	for (int round = 0; round < 300; round++) {
		make_spans(spans);
		assert_int_equal(tape_memory_place(spans, SPANS, &floats), 0);
		for (int i = 0; i < SPANS; i++) {
			assert_true(
				!spans[i].used ||
				(spans[i].offset >= 0 &&
				 spans[i].offset + spans[i].size <= floats));
			for (int j = 0; j < i; j++)
				assert_false(overlap(&spans[i], &spans[j]));
		}
		needed += busiest(spans);
		planned += floats;
	}
	assert_true(planned >= needed);
	assert_true((double)planned < 1.2 * (double)needed);
}

static void sizes_that_cannot_be_counted_are_refused(void **state)
{
	struct tape_span spans[2] = {
		{ .used = true, .size = INT64_MAX / 2 + 1 },
		{ .used = true, .size = INT64_MAX / 2 + 1 },
	};
	int64_t floats;

	(void)state;
	assert_int_equal(tape_memory_place(spans, 2, &floats), -EOVERFLOW);
	assert_int_equal(tape_memory_place(spans, 0, &floats), 0);
	assert_int_equal(floats, 0);
}

/* Of the first output's sum of squares, by all parameters. */
static float *gradient_of(struct graph *graph,
			  const struct parameters *parameters,
			  float *const *inputs, bool keep_all)
{
	size_t tensors = (size_t)graph->tensor_count;
	bool *wanted = calloc(tensors, sizeof(*wanted));
	bool *seeded = calloc(tensors, sizeof(*seeded));
	struct tape_options options = { .wanted = wanted, .seeded = seeded };
	float *result = calloc(parameters->total + 1, sizeof(*result));
	int output = graph->outputs[0];
	struct graph_shape shapes[8];
	struct tape *tape;

	for (int i = 0; i < graph->input_count; i++)
		shapes[i] = graph->tensors[graph->inputs[i]].shape;
	for (int p = 0; p < parameters->count; p++)
		wanted[parameters->list[p].tensor] = true;
	for (size_t t = 0; t < tensors; t++)
		seeded[t] = keep_all || (int)t == output;
	assert_int_equal(tape_create(&tape, graph, shapes, &options), 0);
	/* The second time there is something in the memory. */
	for (int run = 0; run < 2; run++) {
		int64_t count = graph_shape_count(tape_shape(tape, output));

		assert_int_equal(
			tape_forward(tape, (const float *const *)inputs), 0);
		for (int64_t i = 0; i < count; i++)
			tape_seed(tape, output)[i] +=
				2 * tape_values(tape, output)[i];
		assert_int_equal(tape_backward(tape), 0);
	}
	for (int p = 0; p < parameters->count; p++)
		memcpy(result + parameters->list[p].first,
		       tape_gradient(tape, parameters->list[p].tensor),
		       parameters->list[p].count * sizeof(*result));
	tape_destroy(tape);
	free(wanted);
	free(seeded);
	return result;
}

static void plan_changes_no_gradient_of(struct graph *graph)
{
	struct parameters parameters;
	float *inputs[8], *planned, *kept;

	assert_int_equal(parameters_find(&parameters, graph), 0);
	for (int i = 0; i < graph->input_count; i++)
		inputs[i] = whole_values(
			graph_shape_count(
				&graph->tensors[graph->inputs[i]].shape),
			-1, 1);
	planned = gradient_of(graph, &parameters, inputs, false);
	kept = gradient_of(graph, &parameters, inputs, true);
	for (size_t i = 0; i < parameters.total; i++)
		assert_true(planned[i] == kept[i] ||
			    (isnan(planned[i]) && isnan(kept[i])));
	for (int i = 0; i < graph->input_count; i++)
		free(inputs[i]);
	free(planned);
	free(kept);
	parameters_release(&parameters);
	graph_destroy(graph);
}

static void plans_change_no_gradients(void **state)
{
	(void)state;
	whole = false;
	for (int i = 0; i < 150; i++)
		plan_changes_no_gradient_of(random_graph((int)pick(1, 12)));
	for (int i = 0; i < 60; i++)
		plan_changes_no_gradient_of(random_sequence_graph());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_in_use_do_not_overlap),
		cmocka_unit_test(sizes_that_cannot_be_counted_are_refused),
		cmocka_unit_test(plans_change_no_gradients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
