/* SPDX-License-Identifier: MIT */
/* What the executor promises about memory, order, observers and errors. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <compress/executor_memory.h>

#include "one_node.h"

#define LENGTH 8

/*
 * x → Relu → Relu → … → y, and one Add at the end that reads x again, so that the
 * first tensor outlives the others.
 */
static struct graph *chain_create(int relus)
{
	struct graph *graph = graph_create("chain");
	struct graph_shape shape = SHAPE(GRAPH_DIM_DYNAMIC, LENGTH);
	int first = graph_add_tensor(graph, "x", &shape);
	int last = first;
	int result;

	assert_int_equal(graph_add_input(graph, first), 0);
	for (int i = 0; i < relus; i++) {
		char name[16];
		int next;

		snprintf(name, sizeof(name), "t%d", i);
		next = graph_add_tensor(graph, name, &shape);
		assert_true(graph_add_node(graph, GRAPH_RELU, name, &last, 1,
					   &next, 1) >= 0);
		last = next;
	}
	result = graph_add_tensor(graph, "y", &shape);
	assert_true(graph_add_node(graph, GRAPH_ADD, "sum",
				   (int[]){ last, first }, 2, &result, 1) >= 0);
	assert_int_equal(graph_add_output(graph, result), 0);
	return graph;
}

static void buffers_are_used_again(void **state)
{
	struct graph *graph = chain_create(10);
	struct graph_shape shapes[12];
	struct executor_memory memory;

	(void)state;
	for (int i = 0; i < 12; i++)
		shapes[i] = SHAPE(2, LENGTH);
	assert_int_equal(executor_memory_plan(&memory, graph, shapes, false),
			 0);
	assert_int_equal(memory.slot_count, 2);
	assert_int_equal(memory.slot[0], -1);
	for (int i = 2; i < 12; i++)
		assert_int_not_equal(memory.slot[i], memory.slot[i - 1]);
	executor_memory_release(&memory);
	assert_int_equal(executor_memory_plan(&memory, graph, shapes, true), 0);
	assert_int_equal(memory.slot_count, 11);
	executor_memory_release(&memory);
	graph_destroy(graph);
}

static void run_chain(const struct graph *graph, int64_t batch, bool keep)
{
	struct graph_shape shape = SHAPE(batch, LENGTH);
	struct executor_options options = { .keep = keep };
	float *x = random_values(&shape);
	const float *inputs[] = { x };
	struct executor *executor;
	int result = graph_find_tensor(graph, "y");
	int middle = graph_find_tensor(graph, "t4");
	const float *y;

	assert_int_equal(executor_create(&executor, graph, &shape, &options),
			 0);
	assert_int_equal(executor_run(executor, inputs), 0);
	assert_int_equal(executor_shape(executor, result)->dims[0], batch);
	y = executor_values(executor, result);
	for (int64_t i = 0; i < batch * LENGTH; i++)
		assert_true(y[i] == x[i] + (x[i] < 0 ? 0 : x[i]));
	assert_true((executor_values(executor, middle) != NULL) == keep);
	executor_destroy(executor);
	free(x);
}

static void one_graph_runs_at_any_batch(void **state)
{
	struct graph *graph = chain_create(10);

	(void)state;
	run_chain(graph, 1, false);
	run_chain(graph, 7, false);
	run_chain(graph, 3, true);
	graph_destroy(graph);
}

/* From whichever node: with what was there before, the same; and then again as a whole. */
static void the_rest_can_be_run_alone(void **state)
{
	struct graph *graph = chain_create(10);
	struct graph_shape shape = SHAPE(3, LENGTH);
	struct executor_options keep = { .keep = true };
	float *x = random_values(&shape), *other = random_values(&shape);
	const float *inputs[] = { x }, *others[] = { other };
	const float *values[12], *y;
	struct executor *whole, *rest;

	(void)state;
	assert_int_equal(executor_create(&whole, graph, &shape, &keep), 0);
	assert_int_equal(executor_create(&rest, graph, &shape, NULL), 0);
	assert_int_equal(executor_run(whole, inputs), 0);
	y = executor_values(whole, graph->outputs[0]);
	for (int first = 0; first <= graph->node_count; first++) {
		assert_int_equal(executor_run(rest, others), 0);
		for (int t = 0; t < graph->tensor_count; t++)
			values[t] = graph->tensors[t].producer < first ?
					    executor_values(whole, t) :
					    NULL;
		assert_int_equal(executor_run_from(rest, first, values), 0);
		assert_memory_equal(executor_values(rest, graph->outputs[0]), y,
				    3 * LENGTH * sizeof(float));
	}
	assert_int_equal(executor_run(rest, inputs), 0);
	assert_memory_equal(executor_values(rest, graph->outputs[0]), y,
			    3 * LENGTH * sizeof(float));
	executor_destroy(whole);
	executor_destroy(rest);
	graph_destroy(graph);
	free(other);
	free(x);
}

struct seen {
	int count;
	int order[32];
	int stop_at;
};

static int note(void *context, int tensor, const struct graph_shape *shape,
		const float *values)
{
	struct seen *seen = context;

	assert_int_equal(shape->dims[1], LENGTH);
	assert_non_null(values);
	if (seen->count == seen->stop_at)
		return -ECANCELED;
	seen->order[seen->count++] = tensor;
	return 0;
}

static int observe(const struct graph *graph, struct seen *seen)
{
	struct graph_shape shape = SHAPE(1, LENGTH);
	struct executor_options options = { .observer = note,
					    .observer_context = seen };
	float *x = random_values(&shape);
	const float *inputs[] = { x };
	struct executor *executor;
	int ret;

	assert_int_equal(executor_create(&executor, graph, &shape, &options),
			 0);
	ret = executor_run(executor, inputs);
	executor_destroy(executor);
	free(x);
	return ret;
}

static void observers_see_tensors_in_order(void **state)
{
	struct graph *graph = chain_create(10);
	struct seen seen = { .stop_at = -1 };

	(void)state;
	assert_int_equal(observe(graph, &seen), 0);
	assert_int_equal(seen.count, 12);
	for (int i = 0; i < 12; i++)
		assert_int_equal(seen.order[i], i);
	seen = (struct seen){ .stop_at = 5 };
	assert_int_equal(observe(graph, &seen), -ECANCELED);
	assert_int_equal(seen.count, 5);
	graph_destroy(graph);
}

static int negate(void *context, int tensor, const struct graph_shape *shape,
		  float *values)
{
	(void)context;
	for (int64_t i = 0; tensor == 0 && i < graph_shape_count(shape); i++)
		values[i] = -values[i];
	return 0;
}

/* x + relu(x) of -x; the caller's x stays. */
static void transforms_come_before_all_readers(void **state)
{
	struct graph *graph = chain_create(1);
	struct graph_shape shape = SHAPE(1, LENGTH);
	const struct executor_options options = { .transform = negate };
	float *x = random_values(&shape);
	const float *inputs[] = { x };
	struct executor *executor;
	float before[LENGTH];
	const float *y;

	(void)state;
	memcpy(before, x, sizeof(before));
	assert_int_equal(executor_create(&executor, graph, &shape, &options),
			 0);
	assert_int_equal(executor_run(executor, inputs), 0);
	y = executor_values(executor, graph->outputs[0]);
	for (int i = 0; i < LENGTH; i++)
		assert_true(y[i] == (x[i] < 0 ? -2 * x[i] : -x[i]));
	assert_memory_equal(x, before, sizeof(before));
	executor_destroy(executor);
	free(x);
	graph_destroy(graph);
}

static void wrong_shapes_are_refused(void **state)
{
	struct graph *graph = chain_create(1);
	struct graph_shape shape = SHAPE(1, LENGTH + 1);
	struct executor *executor;

	(void)state;
	assert_int_equal(executor_create(&executor, graph, &shape, NULL),
			 -EINVAL);
	assert_non_null(strstr(accel_last_error(), "x"));
	graph_destroy(graph);
}

/* Many results of a size that one alone would be granted. */
static void more_than_the_machine_has_is_refused(void **state)
{
	struct graph *graph = graph_create("large");
	struct graph_shape x = SHAPE(1, 1, 1024, 1024);
	int sum = graph_add_tensor(graph, "x", &x);
	struct executor *executor;

	(void)state;
	assert_int_equal(graph_add_input(graph, sum), 0);
	for (int i = 0; i < 64; i++) {
		struct graph_shape any =
			SHAPE(GRAPH_DIM_DYNAMIC, GRAPH_DIM_DYNAMIC,
			      GRAPH_DIM_DYNAMIC, GRAPH_DIM_DYNAMIC);
		char name[16];
		int large, node;

		/* 4 GiB each, all of them results */
		snprintf(name, sizeof(name), "large%d", i);
		large = graph_add_tensor(graph, name, &any);
		node = graph_add_node(graph, GRAPH_RESIZE_NEAREST, name, &sum,
				      1, &large, 1);
		graph->nodes[node].resize =
			(struct graph_resize){ .scale = { 32, 32 } };
		assert_int_equal(graph_add_output(graph, large), 0);
	}
	assert_int_equal(executor_create(&executor, graph, &x, NULL), -ENOMEM);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_are_used_again),
		cmocka_unit_test(one_graph_runs_at_any_batch),
		cmocka_unit_test(the_rest_can_be_run_alone),
		cmocka_unit_test(observers_see_tensors_in_order),
		cmocka_unit_test(transforms_come_before_all_readers),
		cmocka_unit_test(wrong_shapes_are_refused),
		cmocka_unit_test(more_than_the_machine_has_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
