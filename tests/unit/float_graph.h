/* SPDX-License-Identifier: MIT */
/*
 * Building float graphs in a test, and running them beside what they are lowered
 * to.
 */
#ifndef FLOAT_GRAPH_H
#define FLOAT_GRAPH_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <accel/error.h>
#include <backend/cpu.h>
#include <compress/executor.h>
#include <compress/lower.h>

#include "random.h"

#define CHECK(call)                                           \
	do {                                                  \
		int result_ = (call);                         \
		if (result_ < 0)                              \
			fail_msg("%s: %d %s", #call, result_, \
				 accel_last_error());         \
	} while (0)

static inline int add_constant(struct graph *graph, int rank,
			       const int64_t *dims, const float *values)
{
	struct graph_shape shape = { .rank = rank };
	int tensor;

	memcpy(shape.dims, dims, (size_t)rank * sizeof(*dims));
	tensor = graph_add_constant(graph, "constant", &shape, values);
	assert_true(tensor >= 0);
	return tensor;
}

/* Add a node with one output; its attributes are for the caller. */
static inline int add_node(struct graph *graph, enum graph_op op,
			   const int *inputs, int count)
{
	struct graph_shape shape = { .rank = 1, .dims = { 1 } };
	char name[32];
	int output, node;

	snprintf(name, sizeof(name), "%s%d", graph_op_name(op),
		 graph->node_count);
	output = graph_add_tensor(graph, name, &shape);
	assert_true(output >= 0);
	node = graph_add_node(graph, op, name, inputs, count, &output, 1);
	assert_true(node >= 0);
	return output;
}

static inline struct graph_node *producer_of(struct graph *graph, int tensor)
{
	return &graph->nodes[graph->tensors[tensor].producer];
}

/* Give every tensor the shape that it has for the inputs'; false: none fits. */
static inline bool settle_shapes(struct graph *graph)
{
	struct graph_shape inputs[8];
	struct graph_shape *shapes =
		calloc((size_t)graph->tensor_count, sizeof(*shapes));
	int ret;

	for (int i = 0; i < graph->input_count; i++)
		inputs[i] = graph->tensors[graph->inputs[i]].shape;
	ret = graph_infer_shapes(graph, inputs, shapes);

	for (int t = 0; !ret && t < graph->tensor_count; t++)
		graph->tensors[t].shape = shapes[t];
	free(shapes);
	return !ret;
}

/* Give one tensor a quantization, as if its file had recorded it. */
static inline void record(struct graph *graph, int tensor, float scale,
			  int32_t zero)
{
	struct graph_quantization *q = calloc(1, sizeof(*q));

	q->count = 1;
	q->scale = malloc(sizeof(*q->scale));
	q->zero_point = malloc(sizeof(*q->zero_point));
	q->scale[0] = scale;
	q->zero_point[0] = zero;
	q->low = -128;
	q->high = 127;
	graph->tensors[tensor].quantization = q;
}

/* The float executor's results and the range of every tensor. */
struct float_run {
	struct executor *executor;
	struct quantize_range *ranges;
	float largest;
};

static inline int see_range(void *context, int tensor,
			    const struct graph_shape *shape,
			    const float *values)
{
	struct float_run *run = context;
	int64_t count = graph_shape_count(shape);

	for (int64_t i = 0; i < count; i++) {
		run->ranges[tensor].low =
			fminf(run->ranges[tensor].low, values[i]);
		run->ranges[tensor].high =
			fmaxf(run->ranges[tensor].high, values[i]);
		run->largest = fmaxf(run->largest, fabsf(values[i]));
	}
	return 0;
}

static inline void run_float(const struct graph *graph,
			     const float *const *inputs, struct float_run *run)
{
	struct executor_options options = { .observer = see_range,
					    .observer_context = run };
	struct graph_shape shapes[8];

	run->ranges = calloc((size_t)graph->tensor_count, sizeof(*run->ranges));
	run->largest = 0;
	for (int i = 0; i < graph->input_count; i++)
		shapes[i] = graph->tensors[graph->inputs[i]].shape;
	CHECK(executor_create(&run->executor, graph, shapes, &options));
	CHECK(executor_run(run->executor, inputs));
}

static inline void float_run_release(struct float_run *run)
{
	executor_destroy(run->executor);
	free(run->ranges);
}

/* Where [C][H][W][B] keeps the element of the user's array. */
static inline size_t stored_at(const struct graph_shape *shape,
			       enum model_layout layout, size_t i)
{
	size_t dims[4], index[4], axis[4] = { 0, 1, 2, 3 }; /* B, C, H, W */
	size_t extent[4] = { 1, 1, 1, 1 }, at[4] = { 0, 0, 0, 0 };

	if (layout == MODEL_LAYOUT_TNF || layout == MODEL_LAYOUT_DNF) {
		axis[0] = 2;
		axis[1] = 0;
		axis[2] = 1;
	}
	if (layout == MODEL_LAYOUT_NTF) {
		axis[1] = 2;
		axis[2] = 1;
	}
	for (int d = shape->rank - 1; d >= 0; d--) {
		dims[d] = (size_t)shape->dims[d];
		index[d] = i % dims[d];
		i /= dims[d];
		extent[axis[d]] = dims[d];
		at[axis[d]] = index[d];
	}
	return ((at[1] * extent[2] + at[2]) * extent[3] + at[3]) * extent[0] +
	       at[0];
}

/* Run a model on the float inputs; results dequantized, in the user's layout. */
static inline void run_model(const struct model *model,
			     const struct graph *graph,
			     const float *const *inputs, float **results)
{
	struct model_extent ports[8];
	struct model_extent *extents =
		calloc(model->tensor_count, sizeof(*extents));
	void *in[8], *out[8];
	uint32_t batch = 1;

	for (uint32_t i = 0; i < model->input_count; i++) {
		const struct model_port *port = &model->inputs[i];
		const struct model_tensor *tensor =
			&model->tensors[port->tensor];
		const struct graph_shape *shape =
			&graph->tensors[graph->inputs[i]].shape;
		size_t count = (size_t)graph_shape_count(shape);
		bool sequence = port->layout == MODEL_LAYOUT_TNF ||
				port->layout == MODEL_LAYOUT_DNF;

		batch = (uint32_t)shape->dims[sequence ? 1 : 0];
		ports[i] = (struct model_extent){ tensor->channels, 1, 1 };
		if (sequence)
			ports[i].height = (uint32_t)shape->dims[0];
		if (port->layout == MODEL_LAYOUT_NTF)
			ports[i].height = (uint32_t)shape->dims[1];
		if (shape->rank == 4) {
			ports[i].height = (uint32_t)shape->dims[2];
			ports[i].width = (uint32_t)shape->dims[3];
		}
		in[i] = malloc(count * sizeof(float));
		for (size_t k = 0; k < count; k++) {
			size_t at = stored_at(shape, port->layout, k);

			if (tensor->type == MODEL_INT8)
				((int8_t *)in[i])[at] = golden_quantize(
					inputs[i][k], tensor->quantization);
			else
				((float *)in[i])[at] = inputs[i][k];
		}
	}
	CHECK(model_infer_extents(model, ports, extents));
	for (uint32_t i = 0; i < model->output_count; i++)
		out[i] = malloc(
			(size_t)graph_shape_count(
				&graph->tensors[graph->outputs[i]].shape) *
			sizeof(float));
	CHECK(cpu_model_run(model, extents, batch, (const void *const *)in, out,
			    NULL));
	for (uint32_t i = 0; i < model->output_count; i++) {
		const struct model_port *port = &model->outputs[i];
		const struct model_tensor *tensor =
			&model->tensors[port->tensor];
		const struct graph_shape *shape =
			&graph->tensors[graph->outputs[i]].shape;
		size_t count = (size_t)graph_shape_count(shape);

		results[i] = malloc(count * sizeof(float));
		for (size_t k = 0; k < count; k++) {
			size_t at = stored_at(shape, port->layout, k);

			results[i][k] = tensor->type == MODEL_INT8 ?
						golden_dequantize(
							((int8_t *)out[i])[at],
							tensor->quantization) :
						((float *)out[i])[at];
		}
		free(out[i]);
	}
	for (uint32_t i = 0; i < model->input_count; i++)
		free(in[i]);
	free(extents);
}

#endif
