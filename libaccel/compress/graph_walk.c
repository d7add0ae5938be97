// SPDX-License-Identifier: MIT
#include <compress/blas.h>
#include <compress/graph_walk.h>
#include <compress/parallel.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

/* The last axis of a sequence [T,N,F]. */
enum { FEATURES = 2 };

/**
 * struct walk_sample - one run of the graph
 * @shapes: of every tensor
 * @values: of every tensor; NULL where there are none
 * @sequence: hidden states that no tensor stands for
 */
struct walk_sample {
	struct graph_shape *shapes;
	float **values;
	float *sequence;
};

/**
 * struct graph_walk - a graph on its way
 * @graph: not owned
 * @samples: [@sample_count]
 * @sample_count: of the data
 * @last: of each tensor: the last node that reads it, −1 for none
 * @workers: threads
 */
struct graph_walk {
	const struct graph *graph;
	struct walk_sample *samples;
	int sample_count;
	int *last;
	int workers;
};

static bool is_owned(const struct graph *graph, int tensor)
{
	return graph->tensors[tensor].producer >= 0;
}

static int sample_create(const struct graph *graph, const struct array *arrays,
			 struct walk_sample *sample)
{
	size_t tensors = (size_t)graph->tensor_count + 1;
	struct graph_shape *inputs =
		calloc((size_t)graph->input_count, sizeof(*inputs));
	int ret;

	sample->shapes = calloc(tensors, sizeof(*sample->shapes));
	sample->values = calloc(tensors, sizeof(*sample->values));
	if (!inputs || !sample->shapes || !sample->values) {
		free(inputs);
		return accel_error(-ENOMEM, "no memory to run %s", graph->name);
	}
	for (int i = 0; i < graph->input_count; i++)
		inputs[i] = arrays[i].shape;
	ret = graph_infer_shapes(graph, inputs, sample->shapes);
	free(inputs);
	for (int t = 0; t < graph->tensor_count; t++)
		sample->values[t] = graph->tensors[t].data;
	for (int i = 0; i < graph->input_count; i++)
		sample->values[graph->inputs[i]] = arrays[i].values;
	return ret;
}

/* Outputs of the graph are nobody's to read here, and go like the others. */
static int find_last_readers(struct graph_walk *walk)
{
	const struct graph *graph = walk->graph;

	walk->last = calloc((size_t)graph->tensor_count + 1, sizeof(int));
	if (!walk->last)
		return accel_error(-ENOMEM, "no memory to run %s", graph->name);
	for (int t = 0; t < graph->tensor_count; t++)
		walk->last[t] = -1;
	for (int n = 0; n < graph->node_count; n++)
		for (int i = 0; i < graph->nodes[n].input_count; i++)
			if (graph->nodes[n].inputs[i] >= 0)
				walk->last[graph->nodes[n].inputs[i]] = n;
	return 0;
}

int graph_walk_create(struct graph_walk **out, const struct graph *graph,
		      const struct calibration_data *data, int workers)
{
	struct graph_walk *walk;
	int ret = blas_init();

	if (ret)
		return ret;
	walk = calloc(1, sizeof(*walk));
	if (!walk)
		return accel_error(-ENOMEM, "no memory to run %s", graph->name);
	walk->graph = graph;
	walk->workers = workers;
	walk->samples =
		calloc((size_t)data->sample_count + 1, sizeof(*walk->samples));
	walk->sample_count = walk->samples ? data->sample_count : 0;
	ret = walk->samples ?
		      find_last_readers(walk) :
		      accel_error(-ENOMEM, "no memory to run %s", graph->name);
	for (int s = 0; s < data->sample_count && !ret; s++)
		ret = sample_create(graph, data->samples[s], &walk->samples[s]);
	if (ret) {
		graph_walk_destroy(walk);
		return ret;
	}
	*out = walk;
	return 0;
}

/* ---- one node ---- */

/** struct step - one node, for the threads that run it */
struct step {
	struct graph_walk *walk;
	const struct graph_node *node;
};

static float *allocate(const struct graph_shape *shape)
{
	int64_t count = graph_shape_count(shape);

	return count < 0 ? NULL : malloc(((size_t)count + 1) * sizeof(float));
}

static int allocate_outputs(const struct graph_node *node,
			    struct walk_sample *sample,
			    struct operator_value *values)
{
	for (int i = 0; i < node->output_count; i++) {
		int tensor = node->outputs[i];

		values[i] = (struct operator_value){ 0 };
		if (tensor < 0)
			continue;
		sample->values[tensor] = allocate(&sample->shapes[tensor]);
		if (!sample->values[tensor])
			return -ENOMEM;
		values[i].shape = &sample->shapes[tensor];
		values[i].values = sample->values[tensor];
	}
	return 0;
}

/* Hidden states for who looks at them, where the graph does not want them. */
static int allocate_sequence(const struct graph_node *node,
			     struct walk_sample *sample,
			     struct graph_shape *shape,
			     struct operator_value *values)
{
	if (!graph_op_is_recurrent(node->op) || node->outputs[0] >= 0)
		return 0;
	*shape = sample->shapes[node->inputs[0]];
	shape->dims[FEATURES] =
		node->recurrent.hidden *
		(node->recurrent.direction == GRAPH_BIDIRECTIONAL ? 2 : 1);
	sample->sequence = allocate(shape);
	values[0].shape = shape;
	values[0].values = sample->sequence;
	return sample->sequence ? 0 : -ENOMEM;
}

static int run_operator(const struct graph_node *node,
			struct walk_sample *sample,
			struct operator_value *inputs,
			struct operator_value *outputs)
{
	struct operator_call call = {
		.node = node,
		.inputs = inputs,
		.outputs = outputs,
	};
	struct graph_shape sequence;
	int64_t workspace;
	int ret = allocate_outputs(node, sample, outputs);

	if (!ret)
		ret = allocate_sequence(node, sample, &sequence, outputs);
	if (ret)
		return ret;
	for (int i = 0; i < node->input_count; i++) {
		int tensor = node->inputs[i];

		inputs[i] = (struct operator_value){ 0 };
		if (tensor < 0)
			continue;
		inputs[i].shape = &sample->shapes[tensor];
		inputs[i].values = sample->values[tensor];
	}
	workspace = operator_workspace(&call);
	if (workspace < 0)
		return -EOVERFLOW;
	call.workspace = malloc(((size_t)workspace + 1) * sizeof(float));
	ret = call.workspace ? operator_run(&call) : -ENOMEM;
	free(call.workspace);
	return ret;
}

static int run_sample(void *context, int index)
{
	const struct step *step = context;
	const struct graph_node *node = step->node;
	struct operator_value *inputs =
		calloc((size_t)node->input_count + 1, sizeof(*inputs));
	struct operator_value *outputs =
		calloc((size_t)node->output_count + 1, sizeof(*outputs));
	int ret = inputs && outputs ?
			  run_operator(node, &step->walk->samples[index],
				       inputs, outputs) :
			  -ENOMEM;

	free(inputs);
	free(outputs);
	return ret;
}

int graph_walk_run(struct graph_walk *walk, int node)
{
	struct step step = { walk, &walk->graph->nodes[node] };
	int ret = parallel_run(walk->workers, walk->sample_count, run_sample,
			       &step);

	if (ret)
		return accel_error(ret, "%s: no memory to run it on all data",
				   step.node->name);
	return 0;
}

static void drop(struct graph_walk *walk, int tensor)
{
	for (int s = 0; s < walk->sample_count; s++) {
		free(walk->samples[s].values[tensor]);
		walk->samples[s].values[tensor] = NULL;
	}
}

void graph_walk_leave(struct graph_walk *walk, int node)
{
	const struct graph_node *left = &walk->graph->nodes[node];

	for (int i = 0; i < left->input_count; i++) {
		int tensor = left->inputs[i];

		if (tensor >= 0 && is_owned(walk->graph, tensor) &&
		    walk->last[tensor] <= node)
			drop(walk, tensor);
	}
	for (int i = 0; i < left->output_count; i++)
		if (left->outputs[i] >= 0 && walk->last[left->outputs[i]] < 0)
			drop(walk, left->outputs[i]);
	for (int s = 0; s < walk->sample_count; s++) {
		free(walk->samples[s].sequence);
		walk->samples[s].sequence = NULL;
	}
}

int graph_walk_samples(const struct graph_walk *walk)
{
	return walk->sample_count;
}

struct operator_value graph_walk_value(const struct graph_walk *walk,
				       int sample, int tensor)
{
	const struct walk_sample *of = &walk->samples[sample];

	return (struct operator_value){ &of->shapes[tensor],
					of->values[tensor] };
}

const float *const *graph_walk_values(const struct graph_walk *walk, int sample)
{
	return (const float *const *)walk->samples[sample].values;
}

const float *graph_walk_sequence(const struct graph_walk *walk, int sample,
				 int node)
{
	const struct walk_sample *of = &walk->samples[sample];
	int tensor = walk->graph->nodes[node].outputs[0];

	return tensor >= 0 ? of->values[tensor] : of->sequence;
}

void graph_walk_destroy(struct graph_walk *walk)
{
	if (!walk)
		return;
	for (int s = 0; s < walk->sample_count; s++) {
		struct walk_sample *sample = &walk->samples[s];

		for (int t = 0; sample->values && t < walk->graph->tensor_count;
		     t++)
			if (is_owned(walk->graph, t))
				free(sample->values[t]);
		free(sample->values);
		free(sample->shapes);
		free(sample->sequence);
	}
	free(walk->samples);
	free(walk->last);
	free(walk);
}
