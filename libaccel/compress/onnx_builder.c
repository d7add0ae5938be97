/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compress/onnx_builder.h"
#include "core/error.h"
#include "formats/atomic_file.h"

#define TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name
#define ATTRIBUTE(name) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##name

/* Per-axis QuantizeLinear needs 13; runtimes of any age read it. */
#define OPSET 13
#define IR_VERSION 7

#define SEPARATOR_SIZE 16

/*
 * protobuf-c's structures point at each other and have no owner; they all live in blocks
 * that go together, each behind a link to the next.
 */
struct onnx_block {
	struct onnx_block *next;
	max_align_t data[];
};

struct onnx_arena {
	struct onnx_block *blocks;
	Onnx__ModelProto *model;
	unsigned int names;
	char separator[SEPARATOR_SIZE]; /* no reserved name holds it */
	bool failed;
};

/*
 * Zeroed. A failure is remembered, and what was built is not written in the end: so nobody
 * in between has to look, as long as NULL is left alone.
 */
static void *take(struct onnx_arena *arena, size_t size)
{
	struct onnx_block *block = calloc(1, sizeof(*block) + size + 1);

	if (!block) {
		arena->failed = true;
		return NULL;
	}
	block->next = arena->blocks;
	arena->blocks = block;
	return block->data;
}

static void *copy(struct onnx_arena *arena, const void *data, size_t size)
{
	void *result = take(arena, size);

	if (result && size)
		memcpy(result, data, size);
	return result;
}

static char *copy_text(struct onnx_arena *arena, const char *text)
{
	return copy(arena, text, strlen(text) + 1);
}

/* One more place at the end of a list of pointers; lists grow by doubling. */
static void append(struct onnx_arena *arena, void *list, size_t *count,
		   void *element)
{
	void **old, **grown;

	memcpy(&old, list, sizeof(old));
	/* full: there is room for a power of two */
	if (!(*count & (*count - 1))) {
		grown = take(arena, (*count ? 2 * *count : 1) * sizeof(*grown));
		if (!grown)
			return;
		if (*count)
			memcpy(grown, old, *count * sizeof(*grown));
		old = grown;
		memcpy(list, &grown, sizeof(grown));
	}
	old[(*count)++] = element;
}

bool onnx_model_create(struct onnx_builder *builder, const char *name)
{
	static const Onnx__ModelProto empty = ONNX__MODEL_PROTO__INIT;
	static const Onnx__OperatorSetIdProto opset =
		ONNX__OPERATOR_SET_ID_PROTO__INIT;
	struct onnx_arena *arena = calloc(1, sizeof(*arena));
	Onnx__OperatorSetIdProto *import;

	if (!arena)
		return false;
	strcpy(arena->separator, ":");
	builder->arena = arena;
	builder->graph = NULL;
	arena->model = copy(arena, &empty, sizeof(empty));
	import = copy(arena, &opset, sizeof(opset));
	if (arena->failed)
		return false;
	import->has_version = 1;
	import->version = OPSET;
	import->domain = copy_text(arena, "");
	arena->model->has_ir_version = 1;
	arena->model->ir_version = IR_VERSION;
	arena->model->producer_name = copy_text(arena, "accel");
	append(arena, &arena->model->opset_import,
	       &arena->model->n_opset_import, import);
	*builder = onnx_subgraph(builder, name);
	arena->model->graph = builder->graph;
	return !arena->failed;
}

struct onnx_builder onnx_subgraph(const struct onnx_builder *builder,
				  const char *name)
{
	static const Onnx__GraphProto empty = ONNX__GRAPH_PROTO__INIT;
	struct onnx_builder result = { .arena = builder->arena };

	result.graph = copy(builder->arena, &empty, sizeof(empty));
	if (result.graph)
		result.graph->name = copy_text(builder->arena, name);
	return result;
}

/* protobuf readers refuse messages of more than 2 GiB. */
static int write_packed(const Onnx__ModelProto *model, const char *path)
{
	size_t size = onnx__model_proto__get_packed_size(model);
	uint8_t *data;
	int ret;

	if (size > INT_MAX)
		return accel_error(-EFBIG,
				   "%s: an ONNX file ends at 2 GiB; use npz",
				   path);
	data = malloc(size + 1);
	if (!data)
		return accel_error(-ENOMEM, "out of memory for %s", path);
	onnx__model_proto__pack(model, data);
	ret = atomic_file_save(path, data, size);
	free(data);
	return ret;
}

int onnx_model_write(const struct onnx_builder *builder, const char *path)
{
	if (builder->arena->failed)
		return accel_error(-ENOMEM, "out of memory for %s", path);
	return write_packed(builder->arena->model, path);
}

void onnx_model_release(struct onnx_builder *builder)
{
	struct onnx_arena *arena = builder->arena;

	while (arena && arena->blocks) {
		struct onnx_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	free(arena);
	builder->arena = NULL;
}

/*
 * What the builder makes up must meet no name of the model: the separator in its names
 * grows until the model has none with it.
 */
void onnx_reserve(const struct onnx_builder *builder, const char *name)
{
	char *separator = builder->arena->separator;

	while (strstr(name, separator) &&
	       strlen(separator) < SEPARATOR_SIZE - 1)
		strcat(separator, ":");
}

const char *onnx_name(const struct onnx_builder *builder, const char *begin)
{
	const char *separator = builder->arena->separator;
	size_t size = strlen(begin) + SEPARATOR_SIZE + 16;
	char *name = take(builder->arena, size);

	if (!name)
		return "";
	snprintf(name, size, "%s%s%u", begin, separator,
		 builder->arena->names++);
	return name;
}

/* Nodes have one output at least; onnx_add_output() adds the others. */
Onnx__NodeProto *onnx_node(const struct onnx_builder *builder, const char *op,
			   const char *output, size_t count,
			   const char *const *inputs)
{
	static const Onnx__NodeProto empty = ONNX__NODE_PROTO__INIT;
	struct onnx_arena *arena = builder->arena;
	Onnx__NodeProto *node = copy(arena, &empty, sizeof(empty));

	if (!node || !builder->graph)
		return NULL;
	node->op_type = copy_text(arena, op);
	node->name = copy_text(arena, onnx_name(builder, op));
	for (size_t i = 0; i < count; i++)
		onnx_append_input(builder, node, inputs[i]);
	onnx_add_output(builder, node, output);
	append(arena, &builder->graph->node, &builder->graph->n_node, node);
	return node;
}

void onnx_append_input(const struct onnx_builder *builder,
		       Onnx__NodeProto *node, const char *input)
{
	if (node)
		append(builder->arena, &node->input, &node->n_input,
		       copy_text(builder->arena, input));
}

void onnx_add_output(const struct onnx_builder *builder, Onnx__NodeProto *node,
		     const char *output)
{
	if (node)
		append(builder->arena, &node->output, &node->n_output,
		       copy_text(builder->arena, output));
}

void onnx_node_name(const struct onnx_builder *builder, Onnx__NodeProto *node,
		    const char *name)
{
	if (node)
		node->name = copy_text(builder->arena, name);
}

static Onnx__AttributeProto *
add_attribute(const struct onnx_builder *builder, Onnx__NodeProto *node,
	      const char *name, Onnx__AttributeProto__AttributeType type)
{
	static const Onnx__AttributeProto empty = ONNX__ATTRIBUTE_PROTO__INIT;
	Onnx__AttributeProto *attribute =
		copy(builder->arena, &empty, sizeof(empty));

	if (!node || !attribute)
		return NULL;
	attribute->name = copy_text(builder->arena, name);
	attribute->has_type = 1;
	attribute->type = type;
	append(builder->arena, &node->attribute, &node->n_attribute, attribute);
	return attribute;
}

void onnx_int(const struct onnx_builder *builder, Onnx__NodeProto *node,
	      const char *name, int64_t value)
{
	Onnx__AttributeProto *attribute =
		add_attribute(builder, node, name, ATTRIBUTE(INT));

	if (!attribute)
		return;
	attribute->has_i = 1;
	attribute->i = value;
}

void onnx_ints(const struct onnx_builder *builder, Onnx__NodeProto *node,
	       const char *name, size_t count, const int64_t *values)
{
	Onnx__AttributeProto *attribute =
		add_attribute(builder, node, name, ATTRIBUTE(INTS));

	if (!attribute)
		return;
	attribute->ints = copy(builder->arena, values, count * sizeof(*values));
	attribute->n_ints = attribute->ints ? count : 0;
}

void onnx_float(const struct onnx_builder *builder, Onnx__NodeProto *node,
		const char *name, float value)
{
	Onnx__AttributeProto *attribute =
		add_attribute(builder, node, name, ATTRIBUTE(FLOAT));

	if (!attribute)
		return;
	attribute->has_f = 1;
	attribute->f = value;
}

void onnx_string(const struct onnx_builder *builder, Onnx__NodeProto *node,
		 const char *name, const char *value)
{
	Onnx__AttributeProto *attribute =
		add_attribute(builder, node, name, ATTRIBUTE(STRING));

	if (!attribute)
		return;
	attribute->has_s = 1;
	attribute->s.data = (uint8_t *)copy_text(builder->arena, value);
	attribute->s.len = attribute->s.data ? strlen(value) : 0;
}

void onnx_graph(const struct onnx_builder *builder, Onnx__NodeProto *node,
		const char *name, const struct onnx_builder *value)
{
	Onnx__AttributeProto *attribute =
		add_attribute(builder, node, name, ATTRIBUTE(GRAPH));

	if (attribute)
		attribute->g = value->graph;
}

/* Raw data are little-endian by the standard, and as they lie in memory here. */
void onnx_initializer(const struct onnx_builder *builder, const char *name,
		      const struct onnx_values *values)
{
	static const Onnx__TensorProto empty = ONNX__TENSOR_PROTO__INIT;
	struct onnx_arena *arena = builder->arena;
	Onnx__TensorProto *tensor = copy(arena, &empty, sizeof(empty));

	if (!tensor || !builder->graph)
		return;
	tensor->name = copy_text(arena, name);
	tensor->has_data_type = 1;
	tensor->data_type = values->type;
	tensor->dims =
		copy(arena, values->dims, values->rank * sizeof(*values->dims));
	tensor->n_dims = tensor->dims ? values->rank : 0;
	tensor->has_raw_data = 1;
	tensor->raw_data.data = copy(arena, values->data, values->size);
	tensor->raw_data.len = tensor->raw_data.data ? values->size : 0;
	append(arena, &builder->graph->initializer,
	       &builder->graph->n_initializer, tensor);
}

const char *onnx_constant(const struct onnx_builder *builder, const char *begin,
			  const struct onnx_values *values)
{
	const char *name = onnx_name(builder, begin);

	onnx_initializer(builder, name, values);
	return name;
}

const char *onnx_vector_i64(const struct onnx_builder *builder, size_t count,
			    const int64_t *values)
{
	int64_t dims[1] = { (int64_t)count };
	struct onnx_values constant = { TYPE(INT64), 1, dims, values,
					count * sizeof(*values) };

	return onnx_constant(builder, "numbers", &constant);
}

const char *onnx_scalar_float(const struct onnx_builder *builder, float value)
{
	struct onnx_values constant = { TYPE(FLOAT), 0, NULL, &value,
					sizeof(value) };

	return onnx_constant(builder, "scale", &constant);
}

const char *onnx_scalar_uint8(const struct onnx_builder *builder, uint8_t value)
{
	struct onnx_values constant = { TYPE(UINT8), 0, NULL, &value,
					sizeof(value) };

	return onnx_constant(builder, "zero_point", &constant);
}

/* A negative size is one that the run decides; it has a name instead. */
static Onnx__TensorShapeProto *make_shape(struct onnx_arena *arena, size_t rank,
					  const int64_t *dims,
					  const char *const *symbols)
{
	static const Onnx__TensorShapeProto no_shape =
		ONNX__TENSOR_SHAPE_PROTO__INIT;
	static const Onnx__TensorShapeProto__Dimension no_dim =
		ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
	Onnx__TensorShapeProto *shape =
		copy(arena, &no_shape, sizeof(no_shape));

	for (size_t i = 0; shape && i < rank; i++) {
		Onnx__TensorShapeProto__Dimension *dim =
			copy(arena, &no_dim, sizeof(no_dim));

		if (!dim)
			return NULL;
		if (dims[i] >= 0) {
			dim->value_case =
				ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
			dim->dim_value = dims[i];
		} else {
			dim->value_case =
				ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
			dim->dim_param = copy_text(arena, symbols[i]);
		}
		append(arena, &shape->dim, &shape->n_dim, dim);
	}
	return shape;
}

void onnx_port(const struct onnx_builder *builder, bool output,
	       const char *name, int32_t type, size_t rank, const int64_t *dims,
	       const char *const *symbols)
{
	static const Onnx__ValueInfoProto no_info =
		ONNX__VALUE_INFO_PROTO__INIT;
	static const Onnx__TypeProto no_type = ONNX__TYPE_PROTO__INIT;
	static const Onnx__TypeProto__Tensor no_tensor =
		ONNX__TYPE_PROTO__TENSOR__INIT;
	struct onnx_arena *arena = builder->arena;
	Onnx__ValueInfoProto *info = copy(arena, &no_info, sizeof(no_info));
	Onnx__TypeProto *kind = copy(arena, &no_type, sizeof(no_type));
	Onnx__TypeProto__Tensor *tensor =
		copy(arena, &no_tensor, sizeof(no_tensor));
	Onnx__GraphProto *graph = builder->graph;

	if (!info || !kind || !tensor || !graph)
		return;
	tensor->has_elem_type = 1;
	tensor->elem_type = type;
	tensor->shape = make_shape(arena, rank, dims, symbols);
	kind->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	kind->tensor_type = tensor;
	info->name = copy_text(arena, name);
	info->type = kind;
	if (output)
		append(arena, &graph->output, &graph->n_output, info);
	else
		append(arena, &graph->input, &graph->n_input, info);
}
