/* SPDX-License-Identifier: MIT */
#include <train/network.h>

#include <compress/graph_shape.h>
#include <core/error.h>
#include <train/network_layer.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int network_begin(struct network *network, const char *name, uint64_t seed)
{
	*network = (struct network){ .graph = graph_create(name),
				     .state = GRAPH_NO_TENSOR };
	sample_seed(&network->generator, seed);
	return network->graph ? 0 : accel_error(-ENOMEM, "no memory");
}

void network_release(struct network *network)
{
	graph_destroy(network->graph);
	free(network->shapes);
	*network = (struct network){ .graph = NULL };
}

/* Room for the shapes of all tensors; those of constants are looked up. */
static int grow_shapes(struct network *network)
{
	int count = network->graph->tensor_count;
	struct graph_shape *shapes;

	if (count <= network->shape_capacity)
		return 0;
	shapes = reallocarray(network->shapes, (size_t)count * 2,
			      sizeof(*shapes));
	if (!shapes)
		return accel_error(-ENOMEM, "no memory for the network");
	network->shapes = shapes;
	network->shape_capacity = count * 2;
	return 0;
}

/* What the graph says of a tensor: the batch may have any size. */
static void set_batch(struct network *network, int tensor)
{
	struct graph_shape *shape = &network->graph->tensors[tensor].shape;

	*shape = network->shapes[tensor];
	if (shape->rank)
		shape->dims[network->sequence ? 1 : 0] = GRAPH_DIM_DYNAMIC;
}

const struct graph_shape *network_shape(const struct network *network,
					int tensor)
{
	return &network->shapes[tensor];
}

int network_add_input(struct network *network, const char *name,
		      const struct graph_shape *sample, bool sequence)
{
	struct graph_shape shape = { .rank = sample->rank + 1 };
	int batch = sequence ? 1 : 0;
	int tensor, ret;

	for (int i = 0, from = 0; i < shape.rank; i++)
		shape.dims[i] = i == batch ? 1 : sample->dims[from++];
	tensor = graph_add_tensor(network->graph, name, &shape);
	if (tensor < 0)
		return tensor;
	ret = grow_shapes(network);
	if (!ret)
		ret = graph_add_input(network->graph, tensor);
	if (ret)
		return ret;
	network->shapes[tensor] = shape;
	network->sequence = sequence;
	set_batch(network, tensor);
	network->graph->tensors[tensor].symbols[batch] = strdup("N");
	return tensor;
}

static int infer(struct network *network, int node)
{
	struct graph *graph = network->graph;
	int ret = grow_shapes(network);

	for (int t = 0; t < graph->tensor_count && !ret; t++)
		if (graph->tensors[t].data)
			network->shapes[t] = graph->tensors[t].shape;
	if (!ret)
		ret = graph_infer_node(graph, &graph->nodes[node], NULL,
				       network->shapes);
	return ret;
}

/* Attributes only: what the node owns is its own. */
static void copy_attributes(struct graph_node *to,
			    const struct graph_node *from)
{
	struct graph_node copy = *from;

	copy.name = to->name;
	copy.inputs = to->inputs;
	copy.outputs = to->outputs;
	copy.input_count = to->input_count;
	copy.output_count = to->output_count;
	*to = copy;
}

int network_add_node(struct network *network, const struct graph_node *node,
		     const char *name, const int *inputs, int count)
{
	struct graph *graph = network->graph;
	struct graph_shape unknown = { .rank = 0 };
	int output = graph_add_tensor(graph, name, &unknown);
	int index, ret;

	if (output < 0)
		return output;
	index = graph_add_node(graph, node->op, name, inputs, count, &output,
			       1);
	if (index < 0)
		return index;
	copy_attributes(&graph->nodes[index], node);
	ret = infer(network, index);
	if (ret)
		return ret;
	set_batch(network, output);
	return output;
}

/* ---- descriptions ---- */

static const char *layer_word(const json_t *json)
{
	const char *word = json_string_value(
		json_is_object(json) ? json_object_get(json, "layer") : json);

	return word ? word : "";
}

static int add_layer(struct network *network, const char *prefix, int tensor,
		     const json_t *layers, size_t index)
{
	const json_t *json = json_array_get(layers, index);
	const json_t *next = json_array_get(layers, index + 1);
	json_t *object = json_is_string(json) ?
				 json_pack("{s:s}", "layer", layer_word(json)) :
				 json_deep_copy(json);
	char name[64];
	struct network_layer layer = {
		.network = network,
		.json = object,
		.next = next ? layer_word(next) : "",
		.name = name,
		.input = tensor,
	};
	int ret;

	snprintf(name, sizeof(name), "%s.%zu.%.20s", prefix, index,
		 layer_word(json));
	ret = network_layer_add(&layer);
	json_decref(object);
	if (ret < 0)
		return accel_error_prefix(ret, "%s[%zu], %.20s", prefix, index,
					  layer_word(json));
	return ret;
}

int network_add_layers(struct network *network, const char *prefix, int tensor,
		       const json_t *layers)
{
	if (!json_is_array(layers))
		return accel_error(
			-EINVAL,
			"the description's \"%s\" is no list of layers",
			prefix);
	for (size_t i = 0; i < json_array_size(layers) && tensor >= 0; i++)
		tensor = add_layer(network, prefix, tensor, layers, i);
	return tensor;
}

/* ---- a part for itself ---- */

/* What fed the new inputs is cut off; graph_compact() drops it. */
static int cut_inputs(struct graph *graph, const int *inputs, int count)
{
	graph->input_count = 0;
	for (int i = 0; i < count; i++) {
		struct graph_tensor *tensor = &graph->tensors[inputs[i]];
		int batch = 0, ret;

		if (tensor->producer >= 0)
			graph_remove_node(graph, tensor->producer);
		ret = graph_add_input(graph, inputs[i]);
		if (ret)
			return ret;
		while (batch < tensor->shape.rank &&
		       tensor->shape.dims[batch] != GRAPH_DIM_DYNAMIC)
			batch++;
		if (batch < tensor->shape.rank && !tensor->symbols[batch])
			tensor->symbols[batch] = strdup("N");
	}
	return 0;
}

int network_part(const struct graph *graph, const int *inputs, int input_count,
		 const int *outputs, int output_count, const char *name,
		 struct graph **part)
{
	struct graph *clone = graph_clone(graph);
	char *copy = strdup(name);
	int ret = clone && copy ? cut_inputs(clone, inputs, input_count) :
				  accel_error(-ENOMEM, "no memory");

	if (clone && copy) {
		free(clone->name);
		clone->name = copy;
		copy = NULL;
		clone->output_count = 0;
	}
	for (int i = 0; i < output_count && !ret; i++)
		ret = graph_add_output(clone, outputs[i]);
	if (!ret)
		ret = graph_compact(clone);
	if (!ret)
		ret = graph_validate(clone);
	free(copy);
	if (ret)
		graph_destroy(clone);
	else
		*part = clone;
	return ret;
}
