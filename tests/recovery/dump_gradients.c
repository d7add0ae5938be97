/* SPDX-License-Identifier: MIT */
/*
 * dump_gradients MODEL.onnx FOLDER BATCH HEIGHT WIDTH
 *
 * One way forth and back through a network on random inputs, towards random targets.
 * Writes the network as it was imported (graph.onnx), inputs (x0.npy …), targets
 * (target0.npy …), gradients by the parameters (gradient0.npy …), and manifest.json.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <accel/error.h>
#include <compress/export_graph.h>
#include <compress/onnx_import.h>
#include <compress/sample.h>
#include <formats/npy.h>
#include <train/loss.h>
#include <train/parameters.h>
#include <train/tape.h>

#define PORTS_MAX 8

struct dump {
	struct graph *graph;
	const char *folder;
	struct sample_generator generator;
	struct parameters parameters;
	struct graph_shape shapes[PORTS_MAX];
	float *inputs[PORTS_MAX];
	struct tape *tape;
	json_t *manifest;
};

/* Under a name of its kind and number, which the manifest lists with the tensor's. */
static int write_array(const struct dump *dump, const char *kind, int number,
		       int tensor, const struct graph_shape *shape,
		       const float *values)
{
	struct npy_array array = { .type = NPY_FLOAT32,
				   .rank = (unsigned int)shape->rank,
				   .data = (void *)(uintptr_t)values };
	char file[64], path[4096];
	json_t *list = json_object_get(dump->manifest, kind);

	for (int i = 0; i < shape->rank; i++)
		array.shape[i] = (size_t)shape->dims[i];
	snprintf(file, sizeof(file), "%s%d.npy", kind, number);
	snprintf(path, sizeof(path), "%s/%s", dump->folder, file);
	if (!list) {
		list = json_array();
		json_object_set_new(dump->manifest, kind, list);
	}
	json_array_append_new(list, json_pack("{ss ss}", "name",
					      dump->graph->tensors[tensor].name,
					      "file", file));
	return npy_write(path, &array);
}

static float *random_floats(struct dump *dump, const struct graph_shape *shape)
{
	size_t count = (size_t)graph_shape_count(shape);
	float *values = malloc((count + 1) * sizeof(*values));

	if (values)
		sample_normals(&dump->generator, values, count);
	return values;
}

/* Images are [N, C, H, W], sequences [H steps, N, C]. */
static void choose_shape(struct graph_shape *shape, char **sizes)
{
	static const int image[4] = { 0, -1, 1, 2 }, steps[3] = { 1, 0, -1 };

	for (int i = 0; i < shape->rank; i++) {
		int size = shape->rank == 3 ? steps[i] : image[i];

		if (shape->dims[i] == GRAPH_DIM_DYNAMIC && size >= 0)
			shape->dims[i] = atoi(sizes[size]);
	}
}

static int make_inputs(struct dump *dump, char **sizes)
{
	const struct graph *graph = dump->graph;
	int ret = 0;

	if (graph->input_count > PORTS_MAX)
		return -ENOTSUP;
	for (int i = 0; i < graph->input_count && !ret; i++) {
		int tensor = graph->inputs[i];

		dump->shapes[i] = graph->tensors[tensor].shape;
		choose_shape(&dump->shapes[i], sizes);
		dump->inputs[i] = random_floats(dump, &dump->shapes[i]);
		ret = dump->inputs[i] ?
			      write_array(dump, "input", i, tensor,
					  &dump->shapes[i], dump->inputs[i]) :
			      -ENOMEM;
	}
	return ret;
}

static int make_tape(struct dump *dump)
{
	const struct graph *graph = dump->graph;
	bool *wanted = calloc((size_t)graph->tensor_count, sizeof(*wanted));
	bool *seeded = calloc((size_t)graph->tensor_count, sizeof(*seeded));
	const struct tape_options options = { .wanted = wanted,
					      .seeded = seeded };
	int ret = -ENOMEM;

	if (wanted && seeded)
		ret = parameters_find(&dump->parameters, graph);
	for (int i = 0; i < dump->parameters.count; i++)
		wanted[dump->parameters.list[i].tensor] = true;
	for (int i = 0; i < graph->output_count && !ret; i++)
		seeded[graph->outputs[i]] = true;
	if (!ret)
		ret = tape_create(&dump->tape, graph, dump->shapes, &options);
	free(wanted);
	free(seeded);
	return ret;
}

/* The mean square of the distance to the target, summed over the outputs. */
static int add_losses(struct dump *dump, double *loss)
{
	const struct graph *graph = dump->graph;
	int ret = 0;

	*loss = 0;
	for (int i = 0; i < graph->output_count && !ret; i++) {
		int tensor = graph->outputs[i];
		const struct graph_shape *shape =
			tape_shape(dump->tape, tensor);
		size_t count = (size_t)graph_shape_count(shape);
		float *target = random_floats(dump, shape);

		if (!target)
			return -ENOMEM;
		*loss += loss_squared(tape_values(dump->tape, tensor), target,
				      count, 1.0 / (double)count,
				      tape_seed(dump->tape, tensor));
		ret = write_array(dump, "target", i, tensor, shape, target);
		free(target);
	}
	return ret;
}

static int write_gradients(struct dump *dump)
{
	int ret = 0;

	for (int i = 0; i < dump->parameters.count && !ret; i++) {
		int tensor = dump->parameters.list[i].tensor;

		ret = write_array(dump, "gradient", i, tensor,
				  &dump->graph->tensors[tensor].shape,
				  tape_gradient(dump->tape, tensor));
	}
	return ret;
}

static int dump_all(struct dump *dump, const char *model, char **sizes)
{
	char path[4096];
	double loss = 0;
	int ret = onnx_import(model, &dump->graph);

	snprintf(path, sizeof(path), "%s/graph.onnx", dump->folder);
	if (!ret)
		ret = export_graph(dump->graph, path);
	if (!ret)
		ret = make_inputs(dump, sizes);
	if (!ret)
		ret = make_tape(dump);
	if (!ret)
		ret = tape_forward(dump->tape,
				   (const float *const *)dump->inputs);
	if (!ret)
		ret = add_losses(dump, &loss);
	if (!ret)
		ret = tape_backward(dump->tape);
	if (!ret)
		ret = write_gradients(dump);
	snprintf(path, sizeof(path), "%s/manifest.json", dump->folder);
	json_object_set_new(dump->manifest, "loss", json_real(loss));
	if (!ret && json_dump_file(dump->manifest, path, JSON_INDENT(1)))
		ret = -EIO;
	return ret;
}

int main(int argc, char **argv)
{
	struct dump dump = { .manifest = json_object() };
	int ret;

	if (argc != 6)
		return 2;
	dump.folder = argv[2];
	sample_seed(&dump.generator, 1);
	ret = dump_all(&dump, argv[1], argv + 3);
	if (ret)
		fprintf(stderr, "%d %s\n", ret, accel_last_error());
	for (int i = 0; i < PORTS_MAX; i++)
		free(dump.inputs[i]);
	tape_destroy(dump.tape);
	parameters_release(&dump.parameters);
	graph_destroy(dump.graph);
	json_decref(dump.manifest);
	return ret ? 1 : 0;
}
