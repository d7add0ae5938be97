/* SPDX-License-Identifier: MIT */
#include "compress_data.h"

#include "binding.h"
#include "compress_arguments.h"

#include <compress/sketches.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

#define LATENTS_DEFAULT 512

/* To measure results on. */
#define HELD_OUT_LATENTS 256

/* Most are shorter, and good ones rather than odd ones. */
#define SKETCH_STEPS 100
#define SKETCH_TEMPERATURE 0.7

/* @paths: one for each input, of the command line; @names: room for as many */
static int bind_files(const struct compress_arguments *arguments,
		      const struct graph *graph, const char **names,
		      const char **paths)
{
	const struct binding_ports ports = { names,
					     (uint32_t)graph->input_count,
					     "input" };
	int ret;

	for (int i = 0; i < graph->input_count; i++)
		names[i] = graph->tensors[graph->inputs[i]].name;
	ret = binding_resolve(&ports, &arguments->calibrate, paths);
	if (!ret && !paths[0])
		ret = accel_error(
			-EINVAL, "%s: the first input; give --calibrate for it",
			names[0]);
	return ret;
}

/* A network of several inputs has a file for each but its recurrent states. */
static int load_files(const struct compress_arguments *arguments,
		      const struct graph *graph, struct calibration_data *data)
{
	size_t count = (size_t)graph->input_count + 1;
	const char **names = calloc(count, sizeof(*names));
	const char **paths = calloc(count, sizeof(*paths));
	const struct calibration_source source = {
		.layout = arguments->layout,
		.range = arguments->options.input_range,
		.others = paths,
	};
	int ret = names && paths ?
			  bind_files(arguments, graph, names, paths) :
			  accel_error(-ENOMEM, "no memory for the inputs");

	if (!ret)
		ret = calibration_data_read(data, graph, paths[0], &source);
	free(names);
	free(paths);
	return ret;
}

/* A decoder of strokes draws what it is calibrated with. */
static int draw_sketches(const struct compress_arguments *arguments,
			 const struct graph *graph,
			 struct calibration_data *data)
{
	const struct sketches_options options = {
		.count = (size_t)arguments->sketches,
		.steps = SKETCH_STEPS,
		.temperature = SKETCH_TEMPERATURE,
		.seed = arguments->options.seed,
	};
	struct sketches sketches;
	int ret = sketches_sample(&sketches, graph, &options);

	if (ret)
		return ret;
	ret = sketches_calibrate(&sketches, graph, data);
	sketches_release(&sketches);
	return ret;
}

/* Files if there are any, else latents: generators need no data. */
int compress_data_load(const struct compress_arguments *arguments,
		       const struct graph *graph, struct calibration_data *data)
{
	if (arguments->calibrate.count)
		return load_files(arguments, graph, data);
	if (arguments->sketches)
		return draw_sketches(arguments, graph, data);
	return calibration_data_sample(data, graph,
				       arguments->latents ? arguments->latents :
							    LATENTS_DEFAULT,
				       arguments->options.seed);
}

int compress_data_load_others(const struct compress_arguments *arguments,
			      const struct graph *graph,
			      struct calibration_data *data)
{
	struct compress_arguments others = *arguments;

	others.options.seed++;
	others.latents = HELD_OUT_LATENTS;
	return compress_data_load(&others, graph, data);
}
