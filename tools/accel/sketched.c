/* SPDX-License-Identifier: MIT */
#include "sketched.h"

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
