/* SPDX-License-Identifier: MIT */
#include <compress/executor.h>
#include <compress/blas.h>
#include <compress/executor_memory.h>
#include <compress/floats.h>
#include <compress/operator.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct executor - a graph planned for inputs of one size
 * @graph: not owned
 * @options: as given
 * @shapes: of every tensor
 * @memory: which buffer holds which tensor
 * @buffers: one for each slot of @memory
 * @workspace: the largest that any node asks for
 * @values: where each tensor lies; set at creation, those of inputs at each run
 * @copies: of the graph's inputs, where they may be changed; NULL for none
 * @inputs: values of the node that runs
 * @outputs: likewise
 */
struct executor {
	const struct graph *graph;
	struct executor_options options;
	struct graph_shape *shapes;
	struct executor_memory memory;
	float **buffers;
	float *workspace;
	float **values;
	float **copies;
	struct operator_value *inputs;
	struct operator_value *outputs;
};

/* Where a node's tensors lie in this run; absent ones stay NULL. */
static void load_values(const struct executor *executor, const int *tensors,
			int count, struct operator_value *values)
{
	for (int i = 0; i < count; i++) {
		int tensor = tensors[i];

		values[i] = (struct operator_value){ 0 };
		if (tensor < 0)
			continue;
		values[i].shape = &executor->shapes[tensor];
		values[i].values = executor->values[tensor];
	}
}

static struct operator_call call_of(const struct executor *executor, int index)
{
	const struct graph_node *node = &executor->graph->nodes[index];

	load_values(executor, node->inputs, node->input_count,
		    executor->inputs);
	load_values(executor, node->outputs, node->output_count,
		    executor->outputs);
	return (struct operator_call){
		.node = node,
		.inputs = executor->inputs,
		.outputs = executor->outputs,
		.workspace = executor->workspace,
	};
}

/* One list of inputs and one of outputs serve all nodes, which run in turn. */
static int allocate_calls(struct executor *executor)
{
	const struct graph *graph = executor->graph;
	int inputs = 1;
	int outputs = 1;

	for (int n = 0; n < graph->node_count; n++) {
		if (graph->nodes[n].input_count > inputs)
			inputs = graph->nodes[n].input_count;
		if (graph->nodes[n].output_count > outputs)
			outputs = graph->nodes[n].output_count;
	}
	executor->inputs = calloc((size_t)inputs, sizeof(*executor->inputs));
	executor->outputs = calloc((size_t)outputs, sizeof(*executor->outputs));
	return executor->inputs && executor->outputs ? 0 : -ENOMEM;
}

static bool fits_machine(const struct executor_memory *memory)
{
	double floats = 0;

	for (int s = 0; s < memory->slot_count; s++)
		floats += (double)memory->size[s];
	return floats_fit_machine(floats);
}

static int allocate_buffers(struct executor *executor)
{
	const struct executor_memory *memory = &executor->memory;
	const struct graph *graph = executor->graph;

	if (!fits_machine(memory))
		return -ENOMEM;
	executor->buffers = calloc((size_t)memory->slot_count + 1,
				   sizeof(*executor->buffers));
	executor->values = calloc((size_t)graph->tensor_count + 1,
				  sizeof(*executor->values));
	if (!executor->buffers || !executor->values)
		return -ENOMEM;
	for (int s = 0; s < memory->slot_count; s++) {
		executor->buffers[s] = floats_allocate(memory->size[s]);
		if (!executor->buffers[s])
			return -ENOMEM;
	}
	for (int t = 0; t < graph->tensor_count; t++)
		executor->values[t] =
			memory->slot[t] < 0 ?
				graph->tensors[t].data :
				executor->buffers[memory->slot[t]];
	return 0;
}

static int allocate_workspace(struct executor *executor)
{
	int64_t largest = 0;

	for (int n = 0; n < executor->graph->node_count; n++) {
		struct operator_call call = call_of(executor, n);
		int64_t need = operator_workspace(&call);

		if (need > largest)
			largest = need;
	}
	executor->workspace = floats_allocate(largest);
	return executor->workspace ? 0 : -ENOMEM;
}

/* Shapes, and with them the certainty that every count fits 64 bits. */
static int infer_shapes(struct executor *executor,
			const struct graph_shape *inputs)
{
	const struct graph *graph = executor->graph;
	int ret;

	executor->shapes = calloc((size_t)graph->tensor_count + 1,
				  sizeof(*executor->shapes));
	if (!executor->shapes)
		return accel_error(-ENOMEM, "no memory for %d shapes",
				   graph->tensor_count);
	ret = graph_infer_shapes(graph, inputs, executor->shapes);
	if (ret)
		return ret;
	for (int t = 0; t < graph->tensor_count; t++)
		if (graph_shape_count(&executor->shapes[t]) < 0)
			return accel_error(
				-EOVERFLOW,
				"%s: more elements than can be counted",
				graph->tensors[t].name);
	return 0;
}

static int allocate_copies(struct executor *executor)
{
	const struct graph *graph = executor->graph;
	int64_t count;

	if (!executor->options.transform)
		return 0;
	executor->copies = calloc((size_t)graph->input_count + 1,
				  sizeof(*executor->copies));
	for (int i = 0; executor->copies && i < graph->input_count; i++) {
		count = graph_shape_count(&executor->shapes[graph->inputs[i]]);
		executor->copies[i] = floats_allocate(count);
		if (!executor->copies[i])
			return -ENOMEM;
	}
	return executor->copies ? 0 : -ENOMEM;
}

static int executor_allocate(struct executor *executor)
{
	int ret = allocate_calls(executor);

	if (!ret)
		ret = allocate_buffers(executor);
	if (!ret)
		ret = allocate_copies(executor);
	if (!ret)
		ret = allocate_workspace(executor);
	if (ret)
		return accel_error(
			ret, "no memory to run %s at this size of its inputs",
			executor->graph->name);
	return 0;
}

int executor_create(struct executor **out, const struct graph *graph,
		    const struct graph_shape *inputs,
		    const struct executor_options *options)
{
	struct executor *executor;
	int ret = blas_init();

	if (ret)
		return ret;
	executor = calloc(1, sizeof(*executor));
	if (!executor)
		return accel_error(-ENOMEM, "no memory for an executor");
	executor->graph = graph;
	if (options)
		executor->options = *options;
	ret = infer_shapes(executor, inputs);
	if (!ret)
		ret = executor_memory_plan(&executor->memory, graph,
					   executor->shapes,
					   executor->options.keep);
	if (!ret)
		ret = executor_allocate(executor);
	if (ret) {
		executor_destroy(executor);
		return ret;
	}
	*out = executor;
	return 0;
}

static int show(const struct executor *executor, int tensor)
{
	const struct executor_options *options = &executor->options;
	int ret = 0;

	if (tensor < 0)
		return 0;
	if (options->transform)
		ret = options->transform(options->transform_context, tensor,
					 &executor->shapes[tensor],
					 executor->values[tensor]);
	if (ret || !options->observer)
		return ret;
	return options->observer(options->observer_context, tensor,
				 &executor->shapes[tensor],
				 executor->values[tensor]);
}

/* Operators only read their inputs; what changes them gets a copy. */
static float *place_input(const struct executor *executor, int index,
			  const float *values)
{
	int tensor = executor->graph->inputs[index];
	int64_t count = graph_shape_count(&executor->shapes[tensor]);

	if (!executor->copies)
		return (float *)values;
	memcpy(executor->copies[index], values,
	       (size_t)count * sizeof(*values));
	return executor->copies[index];
}

static int run_node(struct executor *executor, int index)
{
	const struct graph_node *node = &executor->graph->nodes[index];
	struct operator_call call = call_of(executor, index);
	int ret = operator_run(&call);

	if (ret)
		return accel_error_prefix(ret, "%s", node->name);
	for (int i = 0; i < node->output_count && !ret; i++)
		ret = show(executor, node->outputs[i]);
	return ret;
}

/*
 * Training may have put a constant elsewhere since, and a run from the middle what others
 * had computed.
 */
static void place_values(struct executor *executor)
{
	const struct graph *graph = executor->graph;

	for (int t = 0; t < graph->tensor_count; t++)
		if (graph->tensors[t].data)
			executor->values[t] = graph->tensors[t].data;
		else if (executor->memory.slot[t] >= 0)
			executor->values[t] =
				executor->buffers[executor->memory.slot[t]];
}

int executor_run_from(struct executor *executor, int first,
		      const float *const *values)
{
	const struct graph *graph = executor->graph;
	int ret = 0;

	place_values(executor);
	/* Operators only read their inputs. */
	for (int t = 0; t < graph->tensor_count; t++)
		if (!graph->tensors[t].data &&
		    graph->tensors[t].producer < first)
			executor->values[t] = (float *)values[t];
	for (int n = first; n < graph->node_count && !ret; n++)
		ret = run_node(executor, n);
	return ret;
}

int executor_run(struct executor *executor, const float *const *inputs)
{
	const struct graph *graph = executor->graph;
	int ret = 0;

	place_values(executor);
	for (int i = 0; i < graph->input_count && !ret; i++) {
		executor->values[graph->inputs[i]] =
			place_input(executor, i, inputs[i]);
		ret = show(executor, graph->inputs[i]);
	}
	for (int n = 0; n < graph->node_count && !ret; n++)
		ret = run_node(executor, n);
	return ret;
}

const struct graph_shape *executor_shape(const struct executor *executor,
					 int tensor)
{
	return &executor->shapes[tensor];
}

static bool is_output(const struct graph *graph, int tensor)
{
	for (int i = 0; i < graph->output_count; i++)
		if (graph->outputs[i] == tensor)
			return true;
	return false;
}

const float *executor_values(const struct executor *executor, int tensor)
{
	bool computed = executor->memory.slot[tensor] >= 0;

	/* Another tensor may have the buffer by now. */
	if (computed && !executor->options.keep &&
	    !is_output(executor->graph, tensor))
		return NULL;
	return executor->values[tensor];
}

void executor_destroy(struct executor *executor)
{
	if (!executor)
		return;
	for (int s = 0; executor->buffers && s < executor->memory.slot_count;
	     s++)
		free(executor->buffers[s]);
	for (int i = 0; executor->copies && i < executor->graph->input_count;
	     i++)
		free(executor->copies[i]);
	free(executor->copies);
	free(executor->buffers);
	free(executor->workspace);
	free(executor->values);
	free(executor->inputs);
	free(executor->outputs);
	free(executor->shapes);
	executor_memory_release(&executor->memory);
	free(executor);
}
