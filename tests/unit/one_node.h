/* SPDX-License-Identifier: MIT */
/*
 * Graphs of one node with random values, run by the executor, for comparison with a
 * reference in double precision that each test writes out for itself.
 */
#ifndef ONE_NODE_H
#define ONE_NODE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <accel/error.h>
#include <compress/executor.h>

/* A generator of its own (Knuth's MMIX): the tests share no code with the product. */
static uint64_t random_state = 1;

static inline int64_t random_integer(int64_t low, int64_t high)
{
	random_state =
		random_state * 6364136223846793005u + 1442695040888963407u;
	return low +
	       (int64_t)((random_state >> 33) % (uint64_t)(high - low + 1));
}

static inline float random_value(void)
{
	return (float)random_integer(-4096, 4096) / 2048;
}

#define ONE_NODE_TENSORS 8

/**
 * struct one_node - a graph of one node, its values and its results
 * @graph: owns the constants
 * @node: its attributes are to be filled in before running
 * @values: of the inputs, random
 * @executor: after one_node_run()
 */
struct one_node {
	struct graph *graph;
	struct graph_node *node;
	float *values[ONE_NODE_TENSORS];
	struct executor *executor;
};

static inline struct graph_shape shape_of(int rank, const int64_t *dims)
{
	struct graph_shape shape = { .rank = rank };

	for (int i = 0; i < rank; i++)
		shape.dims[i] = dims[i];
	return shape;
}

#define SHAPE(...)                                              \
	shape_of((int)(sizeof((int64_t[]){ __VA_ARGS__ }) / 8), \
		 (int64_t[]){ __VA_ARGS__ })

static inline float *random_values(const struct graph_shape *shape)
{
	int64_t count = graph_shape_count(shape);
	float *values = malloc((size_t)count * sizeof(*values));

	assert_non_null(values);
	for (int64_t i = 0; i < count; i++)
		values[i] = random_value();
	return values;
}

/* Add input i of the node: an input of the graph, or a constant. */
static inline int one_node_input(struct one_node *one, int i,
				 const struct graph_shape *shape, bool constant)
{
	char name[16];
	int tensor;

	snprintf(name, sizeof(name), "in%d", i);
	one->values[i] = random_values(shape);
	if (constant)
		return graph_add_constant(one->graph, name, shape,
					  one->values[i]);
	tensor = graph_add_tensor(one->graph, name, shape);
	assert_int_equal(graph_add_input(one->graph, tensor), 0);
	return tensor;
}

/*
 * A node over given shapes; a rank of −1 leaves an input out. Those from
 * first_constant up to end_constant are constants.
 */
static inline struct one_node one_node_create(enum graph_op op, int inputs,
					      const struct graph_shape *shapes,
					      int first_constant,
					      int end_constant, int outputs)
{
	struct one_node one = { .graph = graph_create("one node") };
	int in[ONE_NODE_TENSORS], out[ONE_NODE_TENSORS];
	int node;

	assert_non_null(one.graph);
	for (int i = 0; i < inputs; i++)
		in[i] = shapes[i].rank < 0 ?
				GRAPH_NO_TENSOR :
				one_node_input(&one, i, &shapes[i],
					       i >= first_constant &&
						       i < end_constant);
	for (int i = 0; i < outputs; i++) {
		struct graph_shape any = { .rank = 0 };
		char name[16];

		snprintf(name, sizeof(name), "out%d", i);
		out[i] = graph_add_tensor(one.graph, name, &any);
		assert_int_equal(graph_add_output(one.graph, out[i]), 0);
	}
	node = graph_add_node(one.graph, op, "node", in, inputs, out, outputs);
	assert_true(node >= 0);
	one.node = &one.graph->nodes[node];
	return one;
}

static inline int one_node_try(struct one_node *one)
{
	struct graph_shape shapes[ONE_NODE_TENSORS];
	const float *values[ONE_NODE_TENSORS];
	int ret;

	for (int i = 0, next = 0; i < one->node->input_count; i++) {
		int tensor = one->node->inputs[i];

		if (tensor < 0 || graph_tensor_is_constant(one->graph, tensor))
			continue;
		shapes[next] = one->graph->tensors[tensor].shape;
		values[next++] = one->values[i];
	}
	ret = executor_create(&one->executor, one->graph, shapes, NULL);
	return ret ? ret : executor_run(one->executor, values);
}

static inline void one_node_run(struct one_node *one)
{
	int ret = one_node_try(one);

	if (ret)
		fail_msg("%s", accel_last_error());
}

static inline const struct graph_shape *one_node_shape(struct one_node *one,
						       int output)
{
	return executor_shape(one->executor, one->node->outputs[output]);
}

static inline const float *one_node_result(struct one_node *one, int output)
{
	return executor_values(one->executor, one->node->outputs[output]);
}

static inline void one_node_destroy(struct one_node *one)
{
	executor_destroy(one->executor);
	for (int i = 0; i < ONE_NODE_TENSORS; i++)
		free(one->values[i]);
	graph_destroy(one->graph);
}

/* Close, measured against the size of the terms that were summed. */
static inline void assert_close(double got, double expected, double size)
{
	if (!(fabs(got - expected) <= 1e-5 * (1 + size)))
		fail_msg("%.9g is not %.9g", got, expected);
}

#endif
