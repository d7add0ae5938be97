/* SPDX-License-Identifier: MIT */
/*
 * random_models SEED FOLDER: write quantized models of random networks, so that an
 * export of every operator meets ONNX Runtime.
 */
#include "../unit/unit.h"

#include "../unit/random_graph.h"

#include <model/file.h>

#define IMAGES 12
#define SEQUENCES 6

static int write_model(struct graph *graph, const char *folder, int number)
{
	struct lower_options options = { 0 };
	struct model *model = NULL;
	struct float_run run;
	float *inputs[8];
	char path[4096];
	int ret = 0;

	for (int i = 0; i < graph->input_count; i++)
		inputs[i] = whole_values(
			graph_shape_count(
				&graph->tensors[graph->inputs[i]].shape),
			-1, 1);
	run_float(graph, (const float *const *)inputs, &run);
	options.ranges = run.ranges;
	forget_steps(graph);
	snprintf(path, sizeof(path), "%s/%s%d.safetensors", folder, graph->name,
		 number);
	if (run.largest < 100)
		ret = graph_lower(graph, &options, &model);
	if (!ret && model)
		ret = model_file_write(model, path);
	model_destroy(model);
	for (int i = 0; i < graph->input_count; i++)
		free(inputs[i]);
	float_run_release(&run);
	graph_destroy(graph);
	return ret;
}

int main(int argc, char **argv)
{
	int ret = 0;

	if (argc != 3)
		return 2;
	seed = 1 + (uint64_t)atoll(argv[1]);
	whole = false;
	for (int i = 0; !ret && i < IMAGES; i++)
		ret = write_model(random_graph(2 + i % 6), argv[2], i);
	for (int i = 0; !ret && i < SEQUENCES; i++)
		ret = write_model(random_sequence_graph(), argv[2], i);
	if (ret)
		fprintf(stderr, "%s\n", accel_last_error());
	return ret ? 1 : 0;
}
