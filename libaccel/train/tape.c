/* SPDX-License-Identifier: MIT */
#include <compress/blas.h>
#include <compress/floats.h>
#include <compress/operator.h>
#include <core/error.h>
#include <train/gradient.h>
#include <train/tape.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct tape_tensor - one tensor's place on the tape
 * @values: of the run; @own_values, or the caller's, or a constant's
 * @own_values: NULL for inputs that are not changed, and for constants
 * @replacement: of a constant's values; NULL for none
 * @gradient: NULL where nobody asks for it
 * @pass: what the transform let through; NULL where there is none
 * @wanted: from the options
 * @seeded: likewise
 * @transformed: likewise
 * @needs: a wanted tensor is at it, or above it in the graph
 * @reaches: a seeded tensor is at it, or below it
 */
struct tape_tensor {
	float *values;
	float *own_values;
	const float *replacement;
	float *gradient;
	uint8_t *pass;
	bool wanted;
	bool seeded;
	bool transformed;
	bool needs;
	bool reaches;
};

/**
 * struct tape - a graph planned for inputs of one size
 * @graph: not owned
 * @transform: from the options
 * @transform_context: handed to it
 * @shapes: of every tensor
 * @tensors: of every tensor
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
	struct tape_tensor *tensors;
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
	const struct tape_tensor *t;

	if (tensor < 0)
		return NULL;
	t = &tape->tensors[tensor];
	return t->needs && t->reaches ? t->gradient : NULL;
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

/* Does the way back lead through this node? Some input of it then has a gradient. */
static bool is_active(const struct tape *tape, const struct graph_node *node)
{
	for (int i = 0; i < node->output_count; i++)
		if (active_gradient(tape, node->outputs[i]))
			return true;
	return false;
}

static void mark_needs(struct tape *tape)
{
	const struct graph *graph = tape->graph;

	for (int t = 0; t < graph->tensor_count; t++)
		tape->tensors[t].needs = tape->tensors[t].wanted;
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];
		bool needs = false;

		for (int i = 0; i < node->input_count; i++)
			needs |= node->inputs[i] >= 0 &&
				 tape->tensors[node->inputs[i]].needs;
		for (int i = 0; i < node->output_count; i++)
			if (node->outputs[i] >= 0)
				tape->tensors[node->outputs[i]].needs |= needs;
	}
}

static void mark_reaches(struct tape *tape)
{
	const struct graph *graph = tape->graph;

	for (int t = 0; t < graph->tensor_count; t++)
		tape->tensors[t].reaches = tape->tensors[t].seeded;
	for (int n = graph->node_count - 1; n >= 0; n--) {
		const struct graph_node *node = &graph->nodes[n];
		bool reaches = false;

		for (int i = 0; i < node->output_count; i++)
			reaches |= node->outputs[i] >= 0 &&
				   tape->tensors[node->outputs[i]].reaches;
		for (int i = 0; i < node->input_count; i++)
			if (node->inputs[i] >= 0)
				tape->tensors[node->inputs[i]].reaches |=
					reaches;
	}
}

static void copy_options(struct tape *tape, const struct tape_options *options)
{
	tape->transform = options->transform;
	tape->transform_context = options->transform_context;
	for (int t = 0; t < tape->graph->tensor_count; t++) {
		struct tape_tensor *tensor = &tape->tensors[t];

		tensor->wanted = options->wanted && options->wanted[t];
		tensor->seeded = options->seeded && options->seeded[t];
		tensor->transformed = options->transform &&
				      options->transformed &&
				      options->transformed[t];
	}
}

static bool is_input(const struct graph *graph, int tensor)
{
	for (int i = 0; i < graph->input_count; i++)
		if (graph->inputs[i] == tensor)
			return true;
	return false;
}

/* An input keeps the caller's values unless they are to be changed. */
static bool has_own_values(const struct tape *tape, int t)
{
	if (tape->graph->tensors[t].data)
		return false;
	return tape->graph->tensors[t].producer >= 0 ||
	       (is_input(tape->graph, t) && tape->tensors[t].transformed);
}

static int allocate_tensor(struct tape *tape, int t)
{
	struct tape_tensor *tensor = &tape->tensors[t];
	int64_t count = operator_count(&tape->shapes[t]);
	bool gradient = tensor->wanted || tensor->seeded ||
			(tensor->needs && tensor->reaches);

	tensor->values = tape->graph->tensors[t].data;
	if (has_own_values(tape, t)) {
		tensor->own_values = floats_allocate(count);
		tensor->values = tensor->own_values;
		if (!tensor->values)
			return -ENOMEM;
	}
	if (gradient) {
		tensor->gradient = floats_allocate(count);
		if (!tensor->gradient)
			return -ENOMEM;
	}
	if (gradient && tensor->transformed) {
		tensor->pass = malloc((size_t)count + 1);
		if (!tensor->pass)
			return -ENOMEM;
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
		need = is_active(tape, node) ? gradient_workspace(&back) : 0;
		if (need > largest)
			largest = need;
	}
	tape->workspace = floats_allocate(largest);
	return tape->workspace ? 0 : -ENOMEM;
}

static double planned_floats(const struct tape *tape)
{
	double floats = 0;

	for (int t = 0; t < tape->graph->tensor_count; t++) {
		const struct tape_tensor *tensor = &tape->tensors[t];
		double count = (double)operator_count(&tape->shapes[t]);

		if (has_own_values(tape, t))
			floats += count;
		if (tensor->wanted || tensor->seeded ||
		    (tensor->needs && tensor->reaches))
			floats += count;
	}
	return floats;
}

static int tape_allocate(struct tape *tape)
{
	int ret = 0;

	if (!floats_fit_machine(planned_floats(tape)))
		ret = -ENOMEM;
	for (int t = 0; t < tape->graph->tensor_count && !ret; t++)
		ret = allocate_tensor(tape, t);
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
	ret = tape->shapes && tape->tensors ?
		      infer_shapes(tape, inputs) :
		      accel_error(-ENOMEM, "no memory for a tape");
	if (!ret) {
		copy_options(tape, options);
		mark_needs(tape);
		mark_reaches(tape);
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

static int transform(struct tape *tape, int tensor)
{
	struct tape_tensor *t;

	if (tensor < 0 || !tape->tensors[tensor].transformed)
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
		if (tensor->gradient)
			memset(tensor->gradient, 0, tensor_bytes(tape, t));
	}
}

static int load_input(struct tape *tape, int tensor, const float *values)
{
	struct tape_tensor *t = &tape->tensors[tensor];

	if (!t->own_values) {
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

int tape_forward(struct tape *tape, const float *const *inputs)
{
	const struct graph *graph = tape->graph;
	int ret = 0;

	load_constants(tape);
	for (int i = 0; i < graph->input_count && !ret; i++)
		ret = load_input(tape, graph->inputs[i], inputs[i]);
	for (int n = 0; n < graph->node_count && !ret; n++)
		ret = run_node(tape, &graph->nodes[n]);
	return ret;
}

const struct graph_shape *tape_shape(const struct tape *tape, int tensor)
{
	return &tape->shapes[tensor];
}

const float *tape_values(const struct tape *tape, int tensor)
{
	return tape->tensors[tensor].values;
}

float *tape_seed(struct tape *tape, int tensor)
{
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

static int backward_node(struct tape *tape, const struct graph_node *node)
{
	struct gradient_call call;

	if (!is_active(tape, node))
		return 0;
	for (int i = 0; i < node->output_count; i++)
		if (node->outputs[i] >= 0)
			stop_gradient(tape, node->outputs[i]);
	call = backward_call(tape, node);
	return gradient_run(&call);
}

int tape_backward(struct tape *tape)
{
	const struct graph *graph = tape->graph;
	int ret = 0;

	for (int n = graph->node_count - 1; n >= 0 && !ret; n--)
		ret = backward_node(tape, &graph->nodes[n]);
	for (int i = 0; i < graph->input_count && !ret; i++)
		stop_gradient(tape, graph->inputs[i]);
	return ret;
}

const float *tape_gradient(const struct tape *tape, int tensor)
{
	return tape->tensors[tensor].gradient;
}

void tape_destroy(struct tape *tape)
{
	if (!tape)
		return;
	for (int t = 0; tape->tensors && t < tape->graph->tensor_count; t++) {
		free(tape->tensors[t].own_values);
		free(tape->tensors[t].gradient);
		free(tape->tensors[t].pass);
	}
	free(tape->tensors);
	free(tape->shapes);
	free(tape->workspace);
	free(tape->inputs);
	free(tape->outputs);
	free(tape->input_gradients);
	free(tape->output_gradients);
	free(tape);
}
