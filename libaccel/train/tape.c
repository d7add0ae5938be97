/* SPDX-License-Identifier: MIT */
#include <compress/blas.h>
#include <compress/floats.h>
#include <compress/operator.h>
#include <core/error.h>
#include <train/gradient.h>
#include <train/tape.h>
#include <train/tape_memory.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct tape_tensor - one tensor's place on the tape
 * @values: of the run; in the block, or the caller's, or a constant's
 * @replacement: of a constant's values; NULL for none
 * @gradient: in the block, or the caller's; NULL where nobody asks for it
 * @pass: what the transform let through; NULL where there is none
 */
struct tape_tensor {
	float *values;
	const float *replacement;
	float *gradient;
	uint8_t *pass;
};

/**
 * struct tape - a graph planned for inputs of one size
 * @graph: not owned
 * @transform: from the options
 * @transform_context: handed to it
 * @shapes: of every tensor
 * @roles: likewise
 * @memory: likewise, when they are where in @block
 * @tensors: likewise
 * @block: values and gradients
 * @workspace: the largest that any node asks for, forth or back
 * @inputs: values of the node that runs
 * @outputs: likewise
 * @input_gradients: likewise
 * @output_gradients: likewise
 */
struct tape {
	const struct graph *graph;
	tape_transform transform;
	void *transform_context;
	struct graph_shape *shapes;
	struct tape_role *roles;
	struct tape_memory memory;
	struct tape_tensor *tensors;
	float *block;
	float *workspace;
	struct operator_value *inputs;
	struct operator_value *outputs;
	float **input_gradients;
	const float **output_gradients;
};

static size_t tensor_bytes(const struct tape *tape, int tensor)
{
	return (size_t)operator_count(&tape->shapes[tensor]) * sizeof(float);
}

static struct operator_value value_of(const struct tape *tape, int tensor)
{
	struct operator_value value = { 0 };

	if (tensor >= 0) {
		value.shape = &tape->shapes[tensor];
		value.values = tape->tensors[tensor].values;
	}
	return value;
}

static void load_node(struct tape *tape, const struct graph_node *node)
{
	for (int i = 0; i < node->input_count; i++)
		tape->inputs[i] = value_of(tape, node->inputs[i]);
	for (int i = 0; i < node->output_count; i++)
		tape->outputs[i] = value_of(tape, node->outputs[i]);
}

static struct operator_call forward_call(struct tape *tape,
					 const struct graph_node *node)
{
	load_node(tape, node);
	return (struct operator_call){
		.node = node,
		.inputs = tape->inputs,
		.outputs = tape->outputs,
		.workspace = tape->workspace,
	};
}

/* A gradient is computed where it leads from a seed to what is wanted. */
static float *active_gradient(const struct tape *tape, int tensor)
{
	if (tensor < 0 || !tape->roles[tensor].active)
		return NULL;
	return tape->tensors[tensor].gradient;
}

static struct gradient_call backward_call(struct tape *tape,
					  const struct graph_node *node)
{
	load_node(tape, node);
	for (int i = 0; i < node->input_count; i++)
		tape->input_gradients[i] =
			active_gradient(tape, node->inputs[i]);
	for (int i = 0; i < node->output_count; i++)
		tape->output_gradients[i] =
			active_gradient(tape, node->outputs[i]);
	return (struct gradient_call){
		.node = node,
		.inputs = tape->inputs,
		.outputs = tape->outputs,
		.output_gradients = tape->output_gradients,
		.input_gradients = tape->input_gradients,
		.workspace = tape->workspace,
	};
}

/* A wanted tensor is at it or above it. */
static void mark_needs(const struct tape *tape, bool *needs)
{
	const struct graph *graph = tape->graph;

	for (int t = 0; t < graph->tensor_count; t++)
		needs[t] = tape->roles[t].wanted;
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		bool any = false;

		for (int i = 0; i < node->input_count; i++)
			any |= node->inputs[i] >= 0 && needs[node->inputs[i]];
		for (int i = 0; i < node->output_count; i++)
			if (node->outputs[i] >= 0)
				needs[node->outputs[i]] |= any;
	}
}

/* A seeded tensor is at it or below it. */
static void mark_reaches(const struct tape *tape, bool *reaches)
{
	const struct graph *graph = tape->graph;

	for (int t = 0; t < graph->tensor_count; t++)
		reaches[t] = tape->roles[t].seeded;
	for (int n = graph->node_count - 1; n >= 0; n--) {
		const struct graph_node *node = &graph->nodes[n];
		bool any = false;

		for (int i = 0; i < node->output_count; i++)
			any |= node->outputs[i] >= 0 &&
			       reaches[node->outputs[i]];
		for (int i = 0; i < node->input_count; i++)
			if (node->inputs[i] >= 0)
				reaches[node->inputs[i]] |= any;
	}
}

static int mark_active(struct tape *tape)
{
	size_t tensors = (size_t)tape->graph->tensor_count + 1;
	bool *needs = calloc(tensors, sizeof(*needs));
	bool *reaches = calloc(tensors, sizeof(*reaches));
	bool complete = needs && reaches;

	if (complete) {
		mark_needs(tape, needs);
		mark_reaches(tape, reaches);
		for (int t = 0; t < tape->graph->tensor_count; t++)
			tape->roles[t].active = needs[t] && reaches[t];
	}
	free(needs);
	free(reaches);
	return complete ? 0 : -ENOMEM;
}

static bool is_input(const struct graph *graph, int tensor)
{
	for (int i = 0; i < graph->input_count; i++)
		if (graph->inputs[i] == tensor)
			return true;
	return false;
}

/* An input keeps the caller's values unless they are to be changed. */
static bool is_computed(const struct tape *tape, int t)
{
	if (tape->graph->tensors[t].data)
		return false;
	return tape->graph->tensors[t].producer >= 0 ||
	       (is_input(tape->graph, t) && tape->roles[t].transformed);
}

static void copy_options(struct tape *tape, const struct tape_options *options)
{
	tape->transform = options->transform;
	tape->transform_context = options->transform_context;
	for (int t = 0; t < tape->graph->tensor_count; t++) {
		struct tape_role *role = &tape->roles[t];

		role->wanted = options->wanted && options->wanted[t];
		role->seeded = options->seeded && options->seeded[t];
		role->transformed = options->transform &&
				    options->transformed &&
				    options->transformed[t];
		role->computed = is_computed(tape, t);
	}
}

static int allocate_block(struct tape *tape)
{
	const struct tape_memory *memory = &tape->memory;
	int ret = tape_memory_plan(&tape->memory, tape->graph, tape->shapes,
				   tape->roles);

	if (ret || !floats_fit_machine((double)memory->floats))
		return -ENOMEM;
	tape->block = floats_allocate(memory->floats);
	if (!tape->block)
		return -ENOMEM;
	for (int t = 0; t < tape->graph->tensor_count; t++) {
		struct tape_tensor *tensor = &tape->tensors[t];

		if (memory->values[t].used)
			tensor->values = tape->block + memory->values[t].offset;
		if (memory->gradients[t].used)
			tensor->gradient =
				tape->block + memory->gradients[t].offset;
		if (memory->passes[t].used)
			tensor->pass = (uint8_t *)(tape->block +
						   memory->passes[t].offset);
	}
	return 0;
}

static int allocate_lists(struct tape *tape)
{
	const struct graph *graph = tape->graph;
	size_t inputs = 1, outputs = 1;

	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];

		if ((size_t)node->input_count > inputs)
			inputs = (size_t)node->input_count;
		if ((size_t)node->output_count > outputs)
			outputs = (size_t)node->output_count;
	}
	tape->inputs = calloc(inputs, sizeof(*tape->inputs));
	tape->outputs = calloc(outputs, sizeof(*tape->outputs));
	tape->input_gradients = calloc(inputs, sizeof(*tape->input_gradients));
	tape->output_gradients =
		calloc(outputs, sizeof(*tape->output_gradients));
	return tape->inputs && tape->outputs && tape->input_gradients &&
			       tape->output_gradients ?
		       0 :
		       -ENOMEM;
}

static int allocate_workspace(struct tape *tape)
{
	int64_t largest = 0;

	for (int n = 0; n < tape->graph->node_count; n++) {
		const struct graph_node *node = &tape->graph->nodes[n];
		struct operator_call forth = forward_call(tape, node);
		struct gradient_call back = backward_call(tape, node);
		int64_t need = operator_workspace(&forth);

		if (need > largest)
			largest = need;
		need = tape_node_is_active(node, tape->roles) ?
			       gradient_workspace(&back) :
			       0;
		if (need > largest)
			largest = need;
	}
	tape->workspace = floats_allocate(largest);
	return tape->workspace ? 0 : -ENOMEM;
}

static int tape_allocate(struct tape *tape)
{
	int ret = mark_active(tape);

	if (!ret)
		ret = allocate_block(tape);
	if (!ret)
		ret = allocate_lists(tape);
	if (!ret)
		ret = allocate_workspace(tape);
	if (ret)
		return accel_error(
			ret,
			"no memory to train %s at this size of its inputs; try smaller batches",
			tape->graph->name);
	return 0;
}

static int infer_shapes(struct tape *tape, const struct graph_shape *inputs)
{
	const struct graph *graph = tape->graph;
	int ret = graph_infer_shapes(graph, inputs, tape->shapes);

	for (int t = 0; t < graph->tensor_count && !ret; t++)
		if (graph_shape_count(&tape->shapes[t]) < 0)
			ret = accel_error(
				-EOVERFLOW,
				"%s: more elements than can be counted",
				graph->tensors[t].name);
	return ret;
}

int tape_create(struct tape **out, const struct graph *graph,
		const struct graph_shape *inputs,
		const struct tape_options *options)
{
	struct tape *tape;
	int ret = blas_init();

	if (ret)
		return ret;
	tape = calloc(1, sizeof(*tape));
	if (!tape)
		return accel_error(-ENOMEM, "no memory for a tape");
	tape->graph = graph;
	tape->shapes =
		calloc((size_t)graph->tensor_count + 1, sizeof(*tape->shapes));
	tape->tensors =
		calloc((size_t)graph->tensor_count + 1, sizeof(*tape->tensors));
	tape->roles =
		calloc((size_t)graph->tensor_count + 1, sizeof(*tape->roles));
	ret = tape->shapes && tape->tensors && tape->roles ?
		      infer_shapes(tape, inputs) :
		      accel_error(-ENOMEM, "no memory for a tape");
	if (!ret) {
		copy_options(tape, options);
		ret = tape_allocate(tape);
	}
	if (ret) {
		tape_destroy(tape);
		return ret;
	}
	*out = tape;
	return 0;
}

void tape_replace_constant(struct tape *tape, int tensor, const float *values)
{
	tape->tensors[tensor].replacement = values;
}

void tape_place_gradient(struct tape *tape, int tensor, float *gradient)
{
	tape->tensors[tensor].gradient = gradient;
}

static int transform(struct tape *tape, int tensor)
{
	struct tape_tensor *t;

	if (tensor < 0 || !tape->roles[tensor].transformed)
		return 0;
	t = &tape->tensors[tensor];
	return tape->transform(tape->transform_context, tensor,
			       &tape->shapes[tensor], t->values, t->pass);
}

/* Training may have put a constant elsewhere since. Nobody writes to it here. */
static void load_constants(struct tape *tape)
{
	const struct graph *graph = tape->graph;

	for (int t = 0; t < graph->tensor_count; t++) {
		struct tape_tensor *tensor = &tape->tensors[t];

		if (graph->tensors[t].data)
			tensor->values = tensor->replacement ?
						 (float *)tensor->replacement :
						 graph->tensors[t].data;
	}
}

static int load_input(struct tape *tape, int tensor, const float *values)
{
	struct tape_tensor *t = &tape->tensors[tensor];

	if (!tape->roles[tensor].computed) {
		t->values = (float *)values;
		return 0;
	}
	memcpy(t->values, values, tensor_bytes(tape, tensor));
	return transform(tape, tensor);
}

static int run_node(struct tape *tape, const struct graph_node *node)
{
	struct operator_call call = forward_call(tape, node);
	int ret = operator_run(&call);

	if (ret)
		return accel_error_prefix(ret, "%s", node->name);
	for (int i = 0; i < node->output_count && !ret; i++)
		ret = transform(tape, node->outputs[i]);
	return ret;
}

/* Those that the caller may add to, and those that nothing will be added to. */
static void clear_gradients(struct tape *tape)
{
	const struct tape_span *gradients = tape->memory.gradients;
	int loss = tape_step_loss(tape->graph);

	for (int t = 0; t < tape->graph->tensor_count; t++)
		if (gradients[t].used && gradients[t].begin == loss)
			memset(tape->tensors[t].gradient, 0,
			       tensor_bytes(tape, t));
}

int tape_forward(struct tape *tape, const float *const *inputs)
{
	const struct graph *graph = tape->graph;
	int ret = 0;

	load_constants(tape);
	for (int i = 0; i < graph->input_count && !ret; i++)
		ret = load_input(tape, graph->inputs[i], inputs[i]);
	for (int n = 0; n < graph->node_count && !ret; n++)
		ret = run_node(tape, &graph->nodes[n]);
	clear_gradients(tape);
	return ret;
}

const struct graph_shape *tape_shape(const struct tape *tape, int tensor)
{
	return &tape->shapes[tensor];
}

const float *tape_values(const struct tape *tape, int tensor)
{
	const struct tape_span *values = &tape->memory.values[tensor];

	/* Something else may lie there by now. */
	if (values->used && values->end < tape_step_end(tape->graph))
		return NULL;
	return tape->tensors[tensor].values;
}

float *tape_seed(struct tape *tape, int tensor)
{
	if (!tape->roles[tensor].seeded)
		return NULL;
	return tape->tensors[tensor].gradient;
}

/* All readers have added their parts: what was clipped passes nothing on. */
static void stop_gradient(struct tape *tape, int tensor)
{
	const struct tape_tensor *t = &tape->tensors[tensor];
	int64_t count = operator_count(&tape->shapes[tensor]);

	if (!t->pass || !t->gradient)
		return;
	for (int64_t i = 0; i < count; i++)
		t->gradient[i] = t->pass[i] ? t->gradient[i] : 0;
}

/* This node is the first to add to some of its inputs' gradients. */
static void begin_gradients(struct tape *tape, int index)
{
	const struct graph_node *node = &tape->graph->nodes[index];
	int step = tape_step_back(tape->graph, index);

	for (int i = 0; i < node->input_count; i++) {
		int t = node->inputs[i];
		float *gradient = active_gradient(tape, t);

		if (gradient && tape->memory.gradients[t].begin == step)
			memset(gradient, 0, tensor_bytes(tape, t));
	}
}

static int backward_node(struct tape *tape, int index)
{
	const struct graph_node *node = &tape->graph->nodes[index];
	struct gradient_call call;

	if (!tape_node_is_active(node, tape->roles))
		return 0;
	for (int i = 0; i < node->output_count; i++)
		if (node->outputs[i] >= 0)
			stop_gradient(tape, node->outputs[i]);
	begin_gradients(tape, index);
	call = backward_call(tape, node);
	return gradient_run(&call);
}

int tape_backward(struct tape *tape)
{
	const struct graph *graph = tape->graph;
	int ret = 0;

	for (int n = graph->node_count - 1; n >= 0 && !ret; n--)
		ret = backward_node(tape, n);
	for (int i = 0; i < graph->input_count && !ret; i++)
		stop_gradient(tape, graph->inputs[i]);
	return ret;
}

const float *tape_gradient(const struct tape *tape, int tensor)
{
	if (!tape->roles[tensor].wanted)
		return NULL;
	return tape->tensors[tensor].gradient;
}

void tape_destroy(struct tape *tape)
{
	if (!tape)
		return;
	tape_memory_release(&tape->memory);
	free(tape->block);
	free(tape->roles);
	free(tape->tensors);
	free(tape->shapes);
	free(tape->workspace);
	free(tape->inputs);
	free(tape->outputs);
	free(tape->input_gradients);
	free(tape->output_gradients);
	free(tape);
}
