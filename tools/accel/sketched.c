/* SPDX-License-Identifier: MIT */
#include "sketched.h"

#include "execute.h"
#include "outputs.h"

#include <compress/onnx_import.h>
#include <core/error.h>
#include <metrics/stroke_likelihood.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int draw(struct sketches *sketches, const struct graph *graph,
		const struct inputs_source *source)
{
	const struct sketches_options options = {
		.count = (size_t)source->batch,
		.steps = SKETCHED_STEPS,
		.temperature = 1,
		.seed = source->seed,
	};

	return sketches_sample(sketches, graph, &options);
}

/* Strokes, and two states that start as zero. */
static int make_inputs(struct inputs *inputs, const struct sketches *sketches,
		       const struct graph *graph)
{
	size_t bytes = sketches->steps * sketches->batch * METRICS_STROKE_SIZE *
		       sizeof(float);
	int64_t batch = (int64_t)sketches->batch;

	*inputs = (struct inputs){
		.arrays = calloc((size_t)graph->input_count + 1,
				 sizeof(*inputs->arrays)),
		.count = (uint32_t)graph->input_count,
		.sizes = { .size = sizeof(inputs->sizes),
			   .batch = (uint32_t)batch,
			   .steps = (uint32_t)sketches->steps },
		.layout = ARRAY_LAYOUT_NCHW,
	};
	if (inputs->arrays)
		inputs->arrays[0].values = malloc(bytes + 1);
	if (!inputs->arrays || !inputs->arrays[0].values) {
		inputs_release(inputs);
		return accel_error(-ENOMEM, "no memory for the sketches");
	}
	memcpy(inputs->arrays[0].values, sketches->strokes, bytes);
	inputs->arrays[0].shape = (struct graph_shape){
		3, { (int64_t)sketches->steps, batch, METRICS_STROKE_SIZE }
	};
	for (uint32_t i = 1; i < inputs->count; i++)
		inputs->arrays[i].shape = (struct graph_shape){
			3,
			{ 1, batch,
			  graph->tensors[graph->inputs[i]].shape.dims[2] }
		};
	return 0;
}

int sketched_gather(struct inputs *inputs, struct sketches *sketches,
		    const char *dense, const struct inputs_source *source)
{
	struct graph *graph;
	int ret = onnx_import(dense, &graph);

	*sketches = (struct sketches){ .steps = 0 };
	if (ret)
		return ret;
	if (sketches_apply(graph)) {
		ret = draw(sketches, graph, source);
		if (!ret)
			ret = make_inputs(inputs, sketches, graph);
		if (ret)
			sketches_release(sketches);
		else
			ret = 1;
	}
	graph_destroy(graph);
	return ret;
}

/* ---- a model that draws ---- */

enum { PORTS = 3 };

/**
 * struct drawing - a model at work
 * @session: of one step
 * @execution: likewise
 * @inputs: a stroke of each sketch, and the states
 * @arrays: of @inputs
 */
struct drawing {
	struct session session;
	struct execution execution;
	struct inputs inputs;
	struct array arrays[PORTS];
};

static int read_output(const struct drawing *drawing, uint32_t index,
		       float *values)
{
	struct accel_port_info port = { .size = sizeof(port) };
	float *read = NULL;
	int ret = output_read(drawing->session.plan, index, ARRAY_LAYOUT_NCHW,
			      &port, &read);

	if (!ret)
		memcpy(values, read, port.elements * sizeof(*values));
	free(read);
	return ret;
}

/* The arrays are lent: nothing writes to an input. */
static int step_model(void *context, const float *strokes,
		      float *const states[2], float *outputs)
{
	struct drawing *drawing = context;
	int ret;

	drawing->arrays[0].values = (float *)strokes;
	drawing->arrays[1].values = states[0];
	drawing->arrays[2].values = states[1];
	ret = inputs_write(&drawing->inputs, drawing->session.plan);
	if (!ret)
		ret = execute(&drawing->execution);
	if (!ret)
		ret = read_output(drawing, 0, outputs);
	for (uint32_t i = 0; i < 2 && !ret; i++)
		ret = read_output(drawing, 1 + i, states[i]);
	return ret;
}

/* Another network's states have another size, and may pass for this one's until here. */
static int check_states(const struct drawing *drawing)
{
	for (uint32_t i = 1; i < PORTS; i++) {
		struct accel_port_info in = { .size = sizeof(in) };
		struct accel_port_info out = { .size = sizeof(out) };
		uint64_t count =
			(uint64_t)graph_shape_count(&drawing->arrays[i].shape);
		int ret = accel_plan_get_input(drawing->session.plan, i, &in);

		if (!ret)
			ret = accel_plan_get_output(drawing->session.plan, i,
						    &out);
		if (ret)
			return ret;
		if (in.elements != count || out.elements != count)
			return accel_error(
				-EINVAL,
				"%s: the model's state has another size than the dense network's",
				in.name);
	}
	return 0;
}

static int draw_with(struct drawing *drawing, struct accel_model *model,
		     uint64_t seed, struct stroke_statistics *statistics)
{
	const struct sketches_options options = {
		.count = drawing->inputs.sizes.batch,
		.steps = SKETCHED_STEPS,
		.temperature = 1,
		.seed = seed,
	};
	size_t hidden = (size_t)drawing->arrays[1].shape.dims[2];
	struct sketches sketches;
	int ret =
		session_prepare(&drawing->session, model, &drawing->inputs, 0);

	if (!ret)
		ret = check_states(drawing);
	if (ret)
		return ret;
	ret = sketches_draw(&sketches, &options, hidden, step_model, drawing);
	if (ret)
		return ret;
	ret = stroke_statistics_find(sketches.strokes, sketches.steps,
				     sketches.batch, statistics);
	sketches_release(&sketches);
	return ret;
}

int sketched_look(struct accel_device *device, struct accel_model *model,
		  const struct inputs *inputs, uint64_t seed, double timeout,
		  struct stroke_statistics *statistics)
{
	struct drawing drawing = {
		.session = { .device = device },
		.execution = { .repeat = 1,
			       .timeout_seconds = timeout,
			       .quiet = true },
		.inputs = *inputs,
	};
	int ret;

	for (uint32_t i = 0; i < PORTS; i++) {
		drawing.arrays[i].shape = inputs->arrays[i].shape;
		drawing.arrays[i].layout = inputs->arrays[i].layout;
	}
	/* the first step's strokes are the first of all steps */
	drawing.arrays[0].values = inputs->arrays[0].values;
	drawing.arrays[0].shape.dims[0] = 1;
	drawing.inputs.arrays = drawing.arrays;
	drawing.inputs.sizes.steps = 1;
	drawing.execution.session = &drawing.session;
	ret = draw_with(&drawing, model, seed, statistics);
	accel_plan_destroy(drawing.session.plan);
	return ret;
}
