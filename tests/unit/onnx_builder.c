/* SPDX-License-Identifier: MIT */
#include "onnx_builder.h"
#include "unit.h"

#include <accel/error.h>
#include <compress/graph.h>
#include <compress/onnx_import.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct onnx_builder {
	Onnx__ModelProto model;
	uint32_t seed;
};

static void *allocate(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	assert_non_null(memory);
	return memory;
}

static char *copy_text(const char *text)
{
	return strcpy(allocate(strlen(text) + 1), text);
}

/* Append a pointer to one of protobuf-c's arrays. */
static void append(void *array, size_t *count, void *element)
{
	void ***pointers = array;

	*pointers = realloc(*pointers, (*count + 1) * sizeof(**pointers));
	assert_non_null(*pointers);
	(*pointers)[(*count)++] = element;
}

/* The next of the words that blanks separate; false at the end. */
static bool next_word(const char **text, char *word, size_t size)
{
	size_t length;

	*text += strspn(*text, " ");
	length = strcspn(*text, " ");
	assert_true(length < size);
	memcpy(word, *text, length);
	word[length] = '\0';
	*text += length;
	return length;
}

static bool is_number(const char *word)
{
	return (*word >= '0' && *word <= '9') || *word == '-';
}

struct onnx_builder *onnx_builder_create(int64_t opset)
{
	struct onnx_builder *builder = allocate(sizeof(*builder));
	Onnx__OperatorSetIdProto *import = allocate(sizeof(*import));

	onnx__model_proto__init(&builder->model);
	onnx__operator_set_id_proto__init(import);
	import->has_version = 1;
	import->version = opset;
	append(&builder->model.opset_import, &builder->model.n_opset_import,
	       import);
	builder->model.graph = allocate(sizeof(*builder->model.graph));
	onnx__graph_proto__init(builder->model.graph);
	builder->seed = 1;
	return builder;
}

/* Packing and unpacking gives a copy that protobuf-c can free; ours is like it. */
void onnx_builder_destroy(struct onnx_builder *builder)
{
	Onnx__ModelProto *model = allocate(sizeof(*model));

	*model = builder->model;
	free(builder);
	onnx__model_proto__free_unpacked(model, NULL);
}

static Onnx__ValueInfoProto *value_info(const char *name)
{
	Onnx__ValueInfoProto *info = allocate(sizeof(*info));

	onnx__value_info_proto__init(info);
	info->name = copy_text(name);
	return info;
}

static Onnx__TensorShapeProto *shape_of(const char *dims)
{
	Onnx__TensorShapeProto *shape = allocate(sizeof(*shape));
	char word[64];

	onnx__tensor_shape_proto__init(shape);
	while (next_word(&dims, word, sizeof(word))) {
		Onnx__TensorShapeProto__Dimension *dim = allocate(sizeof(*dim));

		onnx__tensor_shape_proto__dimension__init(dim);
		if (is_number(word)) {
			dim->value_case =
				ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
			dim->dim_value = atoll(word);
		} else {
			dim->value_case =
				ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
			dim->dim_param = copy_text(word);
		}
		append(&shape->dim, &shape->n_dim, dim);
	}
	return shape;
}

void onnx_builder_input(struct onnx_builder *builder, const char *name,
			const char *dims)
{
	Onnx__ValueInfoProto *info = value_info(name);

	info->type = allocate(sizeof(*info->type));
	onnx__type_proto__init(info->type);
	info->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	info->type->tensor_type = allocate(sizeof(*info->type->tensor_type));
	onnx__type_proto__tensor__init(info->type->tensor_type);
	info->type->tensor_type->has_elem_type = 1;
	info->type->tensor_type->elem_type = ONNX_FLOAT;
	info->type->tensor_type->shape = shape_of(dims);
	append(&builder->model.graph->input, &builder->model.graph->n_input,
	       info);
}

void onnx_builder_output(struct onnx_builder *builder, const char *name)
{
	append(&builder->model.graph->output, &builder->model.graph->n_output,
	       value_info(name));
}

/* Numbers from text, for free(). */
static int64_t *numbers_of(const char *text, size_t *count)
{
	int64_t *numbers = allocate((strlen(text) + 1) * sizeof(*numbers));
	char word[64];

	*count = 0;
	while (next_word(&text, word, sizeof(word)))
		numbers[(*count)++] = atoll(word);
	return numbers;
}

Onnx__TensorProto *onnx_builder_raw(struct onnx_builder *builder,
				    const char *name, int type,
				    const char *dims, const void *data,
				    size_t size)
{
	Onnx__TensorProto *tensor = allocate(sizeof(*tensor));

	onnx__tensor_proto__init(tensor);
	tensor->name = copy_text(name);
	tensor->has_data_type = 1;
	tensor->data_type = type;
	tensor->dims = numbers_of(dims, &tensor->n_dims);
	tensor->has_raw_data = 1;
	tensor->raw_data.len = size;
	tensor->raw_data.data = allocate(size);
	if (size)
		memcpy(tensor->raw_data.data, data, size);
	append(&builder->model.graph->initializer,
	       &builder->model.graph->n_initializer, tensor);
	return tensor;
}

static float random_float(struct onnx_builder *builder)
{
	builder->seed = builder->seed * 1664525 + 1013904223;
	return (float)(builder->seed >> 8) / (1 << 23) - 1;
}

Onnx__TensorProto *onnx_builder_floats(struct onnx_builder *builder,
				       const char *name, const char *dims,
				       const float *data)
{
	Onnx__TensorProto *tensor;
	size_t axes, count = 1;
	int64_t *lengths = numbers_of(dims, &axes);
	float *values;

	for (size_t i = 0; i < axes; i++)
		count *= (size_t)lengths[i];
	free(lengths);
	values = allocate(count * sizeof(*values));
	for (size_t i = 0; i < count; i++)
		values[i] = data ? data[i] : random_float(builder);
	tensor = onnx_builder_raw(builder, name, ONNX_FLOAT, dims, values,
				  count * sizeof(*values));
	free(values);
	return tensor;
}

Onnx__TensorProto *onnx_builder_integers(struct onnx_builder *builder,
					 const char *name, const char *values)
{
	Onnx__TensorProto *tensor;
	bool scalar = *values == '=';
	char dims[32] = "";
	size_t count;
	int64_t *numbers = numbers_of(values + scalar, &count);

	if (!scalar)
		snprintf(dims, sizeof(dims), "%zu", count);
	tensor = onnx_builder_raw(builder, name, ONNX_INT64, dims, numbers,
				  count * sizeof(*numbers));
	free(numbers);
	return tensor;
}

static void append_names(char ***names, size_t *count, const char *text)
{
	char word[128];

	while (next_word(&text, word, sizeof(word)))
		append(names, count, copy_text(strcmp(word, "-") ? word : ""));
}

void onnx_builder_node(struct onnx_builder *builder, const char *op,
		       const char *inputs, const char *outputs)
{
	Onnx__NodeProto *node = allocate(sizeof(*node));

	onnx__node_proto__init(node);
	node->op_type = copy_text(op);
	append_names(&node->input, &node->n_input, inputs);
	append_names(&node->output, &node->n_output, outputs);
	append(&builder->model.graph->node, &builder->model.graph->n_node,
	       node);
}

static Onnx__NodeProto *last_node(struct onnx_builder *builder)
{
	return builder->model.graph->node[builder->model.graph->n_node - 1];
}

void onnx_builder_domain(struct onnx_builder *builder, const char *domain)
{
	last_node(builder)->domain = copy_text(domain);
}

static Onnx__AttributeProto *
add_attribute(struct onnx_builder *builder, const char *name,
	      Onnx__AttributeProto__AttributeType type)
{
	Onnx__NodeProto *node = last_node(builder);
	Onnx__AttributeProto *attribute = allocate(sizeof(*attribute));

	onnx__attribute_proto__init(attribute);
	attribute->name = copy_text(name);
	attribute->has_type = 1;
	attribute->type = type;
	append(&node->attribute, &node->n_attribute, attribute);
	return attribute;
}

void onnx_builder_int(struct onnx_builder *builder, const char *name,
		      int64_t value)
{
	Onnx__AttributeProto *attribute = add_attribute(
		builder, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);

	attribute->has_i = 1;
	attribute->i = value;
}

void onnx_builder_ints(struct onnx_builder *builder, const char *name,
		       const char *values)
{
	Onnx__AttributeProto *attribute = add_attribute(
		builder, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);

	attribute->ints = numbers_of(values, &attribute->n_ints);
}

void onnx_builder_float(struct onnx_builder *builder, const char *name,
			float value)
{
	Onnx__AttributeProto *attribute = add_attribute(
		builder, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

	attribute->has_f = 1;
	attribute->f = value;
}

void onnx_builder_string(struct onnx_builder *builder, const char *name,
			 const char *value)
{
	Onnx__AttributeProto *attribute = add_attribute(
		builder, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);

	attribute->has_s = 1;
	attribute->s.len = strlen(value);
	attribute->s.data = (uint8_t *)copy_text(value);
}

void onnx_builder_tensor(struct onnx_builder *builder, const char *name,
			 Onnx__TensorProto *tensor)
{
	Onnx__GraphProto *graph = builder->model.graph;

	assert_ptr_equal(graph->initializer[graph->n_initializer - 1], tensor);
	graph->n_initializer--;
	add_attribute(builder, name,
		      ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)
		->t = tensor;
}

void *onnx_builder_pack(struct onnx_builder *builder, size_t *size)
{
	void *data;

	*size = onnx__model_proto__get_packed_size(&builder->model);
	data = allocate(*size);
	onnx__model_proto__pack(&builder->model, data);
	return data;
}

int onnx_builder_import(struct onnx_builder *builder, struct graph **graph)
{
	size_t size;
	void *data = onnx_builder_pack(builder, &size);
	int ret = onnx_import_memory(data, size, NULL, graph);

	free(data);
	onnx_builder_destroy(builder);
	return ret;
}

struct graph *onnx_builder_graph(struct onnx_builder *builder)
{
	struct graph *graph;

	if (onnx_builder_import(builder, &graph))
		fail_msg("%s", accel_last_error());
	return graph;
}

void onnx_builder_refused(struct onnx_builder *builder, int code,
			  const char *text)
{
	struct graph *graph;

	assert_int_equal(onnx_builder_import(builder, &graph), code);
	if (!strstr(accel_last_error(), text))
		fail_msg("\"%s\" lacks \"%s\"", accel_last_error(), text);
}
