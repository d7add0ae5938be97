/* SPDX-License-Identifier: MIT */
/*
 * dump_graphs random:SEED|MODEL.onnx FOLDER BATCH HEIGHT WIDTH
 *
 * Write float graphs as ONNX, with inputs and what our executor makes of them, for
 * floats.mjs: random nodes of every operator, or an imported model. manifest.json
 * lists them.
 */
#include "../unit/unit.h"

#include "../unit/random_node.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include <compress/export_graph.h>
#include <compress/onnx_import.h>

#define ROUNDS 8

struct dump {
	const char *folder;
	json_t *cases;
	int files;
};

static const char *path_of(const struct dump *dump, const char *file)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dump->folder, file);
	return path;
}

/* A tensor's values, in a file of their own. */
static int write_port(struct dump *dump, json_t *ports, const char *name,
		      const struct graph_shape *shape, const float *values)
{
	size_t count = (size_t)graph_shape_count(shape);
	json_t *dims = json_array();
	char file[32];
	FILE *stream;
	int ret = 0;

	for (int i = 0; i < shape->rank; i++)
		json_array_append_new(dims, json_integer(shape->dims[i]));
	snprintf(file, sizeof(file), "%d.bin", dump->files++);
	json_array_append_new(ports, json_pack("{ss ss so}", "name", name,
					       "file", file, "dims", dims));
	stream = fopen(path_of(dump, file), "wb");
	if (!stream)
		return -errno;
	if (fwrite(values, sizeof(*values), count, stream) != count)
		ret = -EIO;
	return fclose(stream) ? -EIO : ret;
}

static int write_inputs(struct dump *dump, const struct graph *graph,
			const struct graph_shape *shapes, float **values,
			json_t *ports)
{
	int ret = 0;

	for (int i = 0; i < graph->input_count && !ret; i++)
		ret = write_port(dump, ports,
				 graph->tensors[graph->inputs[i]].name,
				 &shapes[i], values[i]);
	return ret;
}

static int write_outputs(struct dump *dump, const struct graph *graph,
			 const struct graph_shape *shapes, float **values,
			 json_t *ports)
{
	struct executor *executor = NULL;
	int ret = executor_create(&executor, graph, shapes, NULL);

	if (!ret)
		ret = executor_run(executor, (const float *const *)values);
	for (int i = 0; i < graph->output_count && !ret; i++) {
		int tensor = graph->outputs[i];

		ret = write_port(dump, ports, graph->tensors[tensor].name,
				 executor_shape(executor, tensor),
				 executor_values(executor, tensor));
	}
	executor_destroy(executor);
	return ret;
}

static int dump_graph(struct dump *dump, const struct graph *graph,
		      const struct graph_shape *shapes, const char *name)
{
	json_t *inputs = json_array(), *outputs = json_array();
	float *values[ONE_NODE_TENSORS];
	char file[64];
	int ret;

	for (int i = 0; i < graph->input_count; i++)
		values[i] = random_values(&shapes[i]);
	snprintf(file, sizeof(file), "%s.onnx", name);
	ret = export_graph(graph, path_of(dump, file));
	if (!ret)
		ret = write_inputs(dump, graph, shapes, values, inputs);
	if (!ret)
		ret = write_outputs(dump, graph, shapes, values, outputs);
	json_array_append_new(dump->cases,
			      json_pack("{ss ss so so}", "name", name, "model",
					file, "inputs", inputs, "outputs",
					outputs));
	for (int i = 0; i < graph->input_count; i++)
		free(values[i]);
	return ret;
}

static int dump_node(struct dump *dump, enum graph_op op, int round)
{
	struct one_node one = random_node[op](op);
	struct graph_shape shapes[ONE_NODE_TENSORS];
	char name[48];
	int ret;

	for (int i = 0; i < one.graph->input_count; i++)
		shapes[i] = one.graph->tensors[one.graph->inputs[i]].shape;
	snprintf(name, sizeof(name), "%s%d", graph_op_name(op), round);
	ret = dump_graph(dump, one.graph, shapes, name);
	one_node_destroy(&one);
	return ret;
}

static int dump_nodes(struct dump *dump, const char *seed)
{
	int ret = 0;

	random_state = strtoull(seed, NULL, 10);
	for (int op = 0; op < GRAPH_OP_COUNT; op++) {
		/* It is settled before a network is written. */
		if (op == GRAPH_BATCH_NORM)
			continue;
		for (int i = 0; i < ROUNDS && !ret; i++)
			ret = dump_node(dump, (enum graph_op)op, i);
	}
	return ret;
}

/* What is open is batch, height and width; of sequences steps and batch. */
static int dump_model(struct dump *dump, const char *path, char **sizes)
{
	static const int image[4] = { 0, 0, 1, 2 }, sequence[3] = { 1, 0, 0 };
	struct graph_shape shapes[ONE_NODE_TENSORS];
	struct graph *graph;
	int ret = onnx_import(path, &graph);

	if (ret)
		return ret;
	for (int i = 0; i < graph->input_count; i++) {
		shapes[i] = graph->tensors[graph->inputs[i]].shape;
		for (int j = 0; j < shapes[i].rank; j++)
			if (shapes[i].dims[j] == GRAPH_DIM_DYNAMIC)
				shapes[i].dims[j] = atoi(
					sizes[shapes[i].rank == 3 ? sequence[j] :
								    image[j]]);
	}
	ret = dump_graph(dump, graph, shapes, "model");
	graph_destroy(graph);
	return ret;
}

int main(int argc, char **argv)
{
	struct dump dump = { .cases = json_array() };
	int ret;

	if (argc != 6)
		return 2;
	dump.folder = argv[2];
	if (!strncmp(argv[1], "random:", 7))
		ret = dump_nodes(&dump, argv[1] + 7);
	else
		ret = dump_model(&dump, argv[1], argv + 3);
	if (!ret && json_dump_file(dump.cases, path_of(&dump, "manifest.json"),
				   JSON_INDENT(1)))
		ret = -EIO;
	if (ret)
		fprintf(stderr, "%d %s\n", ret, accel_last_error());
	json_decref(dump.cases);
	return ret ? 1 : 0;
}
