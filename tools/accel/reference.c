/* SPDX-License-Identifier: MIT */
#include "reference.h"

#include <compress/executor.h>
#include <compress/onnx_import.h>
#include <core/deadline.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the last node can give; a range with low = high if anything. */
static struct quantize_range bounds(const struct graph *graph, int tensor)
{
	for (int i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];

		if (node->outputs[0] != tensor)
			continue;
		if (node->op == GRAPH_SIGMOID)
			return (struct quantize_range){ 0, 1 };
		if (node->op == GRAPH_TANH)
			return (struct quantize_range){ -1, 1 };
	}
	return (struct quantize_range){ 0, 0 };
}

static struct quantize_range reach(const float *values, size_t count)
{
	struct quantize_range range = { 0, 0 };

	for (size_t i = 0; i < count; i++) {
		range.low = fminf(range.low, values[i]);
		range.high = fmaxf(range.high, values[i]);
	}
	return range;
}

static int copy_result(struct reference *reference, const struct graph *graph,
		       const struct executor *executor)
{
	int tensor = graph->outputs[0];
	const float *values = executor_values(executor, tensor);
	int64_t count;

	reference->shape = *executor_shape(executor, tensor);
	count = graph_shape_count(&reference->shape);
	if (count < 0)
		return accel_error((int)count, "its result is too large");
	reference->values = calloc((size_t)count + 1, sizeof(*values));
	if (!reference->values)
		return accel_error(-ENOMEM, "no memory for the dense result");
	memcpy(reference->values, values, (size_t)count * sizeof(*values));
	reference->range = bounds(graph, tensor);
	if (reference->range.low == reference->range.high)
		reference->range = reach(values, (size_t)count);
	return 0;
}

/**
 * struct node_clock - the time between two tensors
 * @reference: gets the nodes
 * @records: in the last run
 * @graph: that runs
 * @since: when the node before ended, of monotonic_ns()
 */
struct node_clock {
	struct reference *reference;
	bool records;
	const struct graph *graph;
	uint64_t since;
};

/* Inputs are shown, too: they have no producer, and start the clock. */
static int node_done(void *context, int tensor, const struct graph_shape *shape,
		     const float *values)
{
	struct node_clock *clock = context;
	int producer = clock->graph->tensors[tensor].producer;
	struct reference *reference = clock->reference;
	struct reference_node *node = &reference->nodes[reference->node_count];
	uint64_t now = monotonic_ns();

	(void)shape;
	(void)values;
	/* a node of several outputs is one node */
	if (clock->records && producer >= 0 &&
	    clock->graph->nodes[producer].outputs[0] == tensor) {
		node->name = strdup(clock->graph->nodes[producer].name);
		if (!node->name)
			return accel_error(-ENOMEM, "no memory for a name");
		node->seconds = (double)(now - clock->since) / 1e9;
		reference->node_count++;
	}
	clock->since = monotonic_ns();
	return 0;
}

static int run_graph(struct reference *reference, const struct graph *graph,
		     const struct graph_shape *shapes,
		     const float *const *values, int runs)
{
	struct node_clock clock = { .reference = reference, .graph = graph };
	const struct executor_options options = {
		.observer = node_done,
		.observer_context = &clock,
	};
	struct executor *executor;
	int ret;

	reference->nodes = calloc((size_t)graph->node_count + 1,
				  sizeof(*reference->nodes));
	if (!reference->nodes)
		return accel_error(-ENOMEM, "no memory for its nodes");
	ret = executor_create(&executor, graph, shapes, &options);
	if (ret)
		return ret;
	for (int i = 0; i < runs && !ret; i++) {
		uint64_t start = monotonic_ns();

		clock.since = start;
		clock.records = i == runs - 1;
		ret = executor_run(executor, values);
		reference->seconds = (double)(monotonic_ns() - start) / 1e9;
	}
	if (!ret)
		ret = copy_result(reference, graph, executor);
	executor_destroy(executor);
	return ret;
}

/* The states that nobody gave are zero: one array of zeros serves them all. */
static float *make_zeros(const struct inputs *inputs)
{
	int64_t longest = 0;

	for (uint32_t i = 0; i < inputs->count; i++) {
		int64_t count = graph_shape_count(&inputs->arrays[i].shape);

		if (count > longest)
			longest = count;
	}
	return calloc((size_t)longest + 1, sizeof(float));
}

static int run_on_inputs(struct reference *reference, const struct graph *graph,
			 const struct inputs *inputs, int runs)
{
	struct graph_shape *shapes = calloc(inputs->count, sizeof(*shapes));
	const float **values = calloc(inputs->count, sizeof(*values));
	float *zeros = make_zeros(inputs);
	int ret = -ENOMEM;

	if (!shapes || !values || !zeros)
		ret = accel_error(ret, "no memory for its inputs");
	else
		ret = 0;
	for (uint32_t i = 0; i < inputs->count && !ret; i++) {
		shapes[i] = inputs->arrays[i].shape;
		values[i] = inputs->arrays[i].values;
		if (!values[i])
			values[i] = zeros;
	}
	if (!ret)
		ret = run_graph(reference, graph, shapes, values, runs);
	free(zeros);
	free(values);
	free(shapes);
	return ret;
}

int reference_run(struct reference *reference, const char *path,
		  const struct inputs *inputs, int runs)
{
	struct graph *graph;
	int ret = onnx_import(path, &graph);

	*reference = (struct reference){ .values = NULL };
	if (ret)
		return accel_error_prefix(ret, "%s", path);
	if ((uint32_t)graph->input_count == inputs->count)
		ret = run_on_inputs(reference, graph, inputs, runs);
	else
		ret = accel_error(
			-EINVAL,
			"it takes %d inputs and the compressed model %u: they are not the same network",
			graph->input_count, inputs->count);
	graph_destroy(graph);
	return ret ? accel_error_prefix(ret, "%s", path) : 0;
}

void reference_release(struct reference *reference)
{
	for (int i = 0; i < reference->node_count; i++)
		free(reference->nodes[i].name);
	free(reference->nodes);
	free(reference->values);
}
