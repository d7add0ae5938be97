/* SPDX-License-Identifier: MIT */
/*
 * The gradient of a node against differences of its forward run: the loss is the
 * sum of the outputs, each with a random weight, in binary64.
 */
#ifndef GRADIENT_CHECK_H
#define GRADIENT_CHECK_H

#include <string.h>

#include <compress/blas.h>
#include <compress/operator.h>
#include <train/gradient.h>

#include "one_node.h"

/* Elements of an input that are moved; a larger one is sampled. */
#define GRADIENT_CHECK_ELEMENTS 24

/**
 * struct gradient_check - a node that is run without a graph's executor
 * @one: its attributes are filled in
 * @shapes: of all tensors
 * @inputs: values are those of @one, and are moved
 * @outputs: of the last forward run
 * @weights: of the loss, by output
 * @gradients: by input; NULL: not wanted
 * @before: what @gradients held before
 */
struct gradient_check {
	struct one_node *one;
	struct graph_shape shapes[2 * ONE_NODE_TENSORS];
	struct operator_value inputs[ONE_NODE_TENSORS];
	struct operator_value outputs[ONE_NODE_TENSORS];
	const float *weights[ONE_NODE_TENSORS];
	float *gradients[ONE_NODE_TENSORS];
	float *before[ONE_NODE_TENSORS];
};

static inline void gradient_check_shapes(struct gradient_check *check)
{
	const struct graph *graph = check->one->graph;
	struct graph_shape inputs[ONE_NODE_TENSORS];

	for (int i = 0; i < graph->input_count; i++)
		inputs[i] = graph->tensors[graph->inputs[i]].shape;
	if (graph_infer_shapes(graph, inputs, check->shapes))
		fail_msg("%s", accel_last_error());
}

static inline struct gradient_check gradient_check_create(struct one_node *one)
{
	struct gradient_check check = { .one = one };
	const struct graph_node *node = one->node;

	assert_int_equal(blas_init(), 0);
	gradient_check_shapes(&check);
	for (int i = 0; i < node->input_count; i++)
		if (node->inputs[i] >= 0)
			check.inputs[i] = (struct operator_value){
				.values = one->values[i],
			};
	for (int i = 0; i < node->output_count; i++) {
		const struct graph_shape *shape =
			&check.shapes[node->outputs[i]];

		check.outputs[i].values = random_values(shape);
		check.weights[i] = random_values(shape);
	}
	return check;
}

/* The structure has moved since it was created: shapes are looked up by place. */
static inline void gradient_check_link(struct gradient_check *check)
{
	const struct graph_node *node = check->one->node;

	for (int i = 0; i < node->input_count; i++)
		if (node->inputs[i] >= 0)
			check->inputs[i].shape =
				&check->shapes[node->inputs[i]];
	for (int i = 0; i < node->output_count; i++)
		check->outputs[i].shape = &check->shapes[node->outputs[i]];
}

/* Workspace as a user may leave it: anything, here NaN. */
static inline float *gradient_check_workspace(int64_t floats)
{
	size_t size = (size_t)(floats + 1) * sizeof(float);
	float *workspace = aligned_alloc(64, (size + 63) / 64 * 64);

	assert_non_null(workspace);
	memset(workspace, 0xff, size);
	return workspace;
}

static inline double gradient_check_loss(const struct gradient_check *check)
{
	struct operator_call call = {
		.node = check->one->node,
		.inputs = check->inputs,
		.outputs = check->outputs,
	};
	double loss = 0;

	call.workspace = gradient_check_workspace(operator_workspace(&call));
	assert_int_equal(operator_run(&call), 0);
	free(call.workspace);
	for (int i = 0; i < call.node->output_count; i++)
		for (int64_t k = 0; k < operator_count(check->outputs[i].shape);
		     k++)
			loss += (double)check->weights[i][k] *
				(double)check->outputs[i].values[k];
	return loss;
}

/* Of fourth order: (8·(f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h */
static inline double gradient_check_difference(struct gradient_check *check,
					       float *value, float step)
{
	static const double factors[] = { 8, -8, -1, 1 };
	static const float moves[] = { 1, -1, 2, -2 };
	double sum = 0;
	float old = *value;

	for (int i = 0; i < 4; i++) {
		*value = old + moves[i] * step;
		sum += factors[i] * gradient_check_loss(check);
	}
	*value = old;
	return sum / (12 * (double)step);
}

static inline void gradient_check_input(struct gradient_check *check, int input,
					float step, double tolerance)
{
	int64_t count = operator_count(check->inputs[input].shape);
	int64_t trials = count < GRADIENT_CHECK_ELEMENTS ?
				 count :
				 GRADIENT_CHECK_ELEMENTS;

	for (int64_t trial = 0; trial < trials; trial++) {
		int64_t i = trials == count ? trial :
					      random_integer(0, count - 1);
		double expected = gradient_check_difference(
			check, &check->inputs[input].values[i], step);
		double got = (double)check->gradients[input][i] -
			     (double)check->before[input][i];

		if (!(fabs(got - expected) <= tolerance * (1 + fabs(expected))))
			fail_msg("input %d, element %lld: %.9g is not %.9g",
				 input, (long long)i, got, expected);
	}
}

/* wanted: bit i for input i */
static inline void gradient_check_back(struct gradient_check *check,
				       unsigned int wanted)
{
	struct gradient_call call = {
		.node = check->one->node,
		.inputs = check->inputs,
		.outputs = check->outputs,
		.output_gradients = check->weights,
		.input_gradients = check->gradients,
	};

	for (int i = 0; i < call.node->input_count; i++) {
		size_t size;

		if (!(wanted >> i & 1) || call.node->inputs[i] < 0)
			continue;
		check->gradients[i] = random_values(check->inputs[i].shape);
		check->before[i] = random_values(check->inputs[i].shape);
		size = (size_t)operator_count(check->inputs[i].shape) *
		       sizeof(float);
		memcpy(check->gradients[i], check->before[i], size);
	}
	call.workspace = gradient_check_workspace(gradient_workspace(&call));
	assert_int_equal(gradient_run(&call), 0);
	free(call.workspace);
}

static inline void gradient_check_forget(struct gradient_check *check)
{
	for (int i = 0; i < ONE_NODE_TENSORS; i++) {
		free(check->gradients[i]);
		free(check->before[i]);
		check->gradients[i] = NULL;
		check->before[i] = NULL;
	}
}

static inline void gradient_check_destroy(struct gradient_check *check)
{
	for (int i = 0; i < ONE_NODE_TENSORS; i++) {
		free(check->outputs[i].values);
		free((float *)(uintptr_t)check->weights[i]);
	}
}

/*
 * Compare the gradients by the inputs of @wanted (bit i for input i), all of them
 * at once and each alone.
 */
static inline void gradient_check(struct one_node *one, unsigned int wanted,
				  float step, double tolerance)
{
	struct gradient_check check = gradient_check_create(one);

	gradient_check_link(&check);
	for (int alone = -1; alone < one->node->input_count; alone++) {
		unsigned int now = alone < 0 ? wanted : wanted & 1u << alone;

		gradient_check_loss(&check);
		gradient_check_back(&check, now);
		for (int i = 0; i < one->node->input_count; i++)
			if (check.gradients[i])
				gradient_check_input(&check, i, step,
						     tolerance);
		gradient_check_forget(&check);
	}
	gradient_check_destroy(&check);
}

#endif
