/* SPDX-License-Identifier: MIT */
/*
 * Values by name, and the memory of constants. All of it is freed with the context,
 * so that values may share it: an Identity or a Reshape of a weight copies nothing.
 */
#include <compress/onnx_context.h>
#include <core/checked.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more element behind count; array points to the pointer that may move. */
static int grow(void *array, int *capacity, int count, size_t size)
{
	void **memory = array;
	void *grown;
	int wanted = *capacity ? *capacity * 2 : 64;

	if (count < *capacity)
		return 0;
	grown = realloc(*memory, (size_t)wanted * size);
	if (!grown)
		return accel_error(-ENOMEM, "out of memory for the model");
	*memory = grown;
	*capacity = wanted;
	return 0;
}

/*
 * A few bytes can ask for a constant of gigabytes (ConstantOfShape, Expand): the size of
 * the file bounds what folding may take.
 */
bool onnx_charge(struct onnx_context *context, int64_t count, size_t size)
{
	uint64_t bytes;

	if (count >= 0 && checked_multiply_u64((uint64_t)count, size, &bytes) &&
	    bytes <= context->budget) {
		context->budget -= bytes;
		return true;
	}
	accel_error(-ENOMEM, "the model's constants are far larger than its "
			     "file; it is damaged");
	return false;
}

void *onnx_allocate(struct onnx_context *context, int64_t count, size_t size)
{
	void *memory;

	if (grow(&context->allocations, &context->allocation_capacity,
		 context->allocation_count, sizeof(*context->allocations)) ||
	    !onnx_charge(context, count, size))
		return NULL;
	memory = calloc(count ? (size_t)count : 1, size);
	if (!memory)
		accel_error(-ENOMEM, "out of memory for the model");
	else
		context->allocations[context->allocation_count++] = memory;
	return memory;
}

/* The table holds indices, since the values move when there are more of them. */
struct onnx_value *onnx_find_value(struct onnx_context *context,
				   const char *name)
{
	ENTRY wanted = { .key = (char *)(uintptr_t)name };
	ENTRY *found;

	if (!hsearch_r(wanted, FIND, &found, &context->names))
		return NULL;
	return &context->values[(intptr_t)found->data];
}

int onnx_bind(struct onnx_context *context, const char *name,
	      const struct onnx_value *value)
{
	ENTRY entry = { .key = (char *)(uintptr_t)name };
	/* It may lie among those that move when there is no room for more. */
	struct onnx_value copy = *value;
	ENTRY *found;
	int ret;

	if (onnx_find_value(context, name))
		return accel_error(-EINVAL, "two values are called %s", name);
	ret = grow(&context->values, &context->value_capacity,
		   context->value_count, sizeof(*context->values));
	if (ret)
		return ret;
	entry.data = (void *)(intptr_t)context->value_count;
	if (!hsearch_r(entry, ENTER, &found, &context->names))
		return accel_error(-ENOMEM, "out of memory for the model");
	copy.name = name;
	context->values[context->value_count++] = copy;
	return 0;
}

bool onnx_has_input(const struct onnx_node *node, size_t i)
{
	return i < node->proto->n_input && *node->proto->input[i];
}

bool onnx_has_output(const struct onnx_node *node, size_t i)
{
	return i < node->proto->n_output && *node->proto->output[i];
}

/* An optional output without a name has no readers. */
int onnx_bind_output(struct onnx_context *context, const struct onnx_node *node,
		     size_t i, const struct onnx_value *value)
{
	if (!onnx_has_output(node, i))
		return 0;
	return onnx_bind(context, node->proto->output[i], value);
}

int onnx_bind_tensor(struct onnx_context *context, const struct onnx_node *node,
		     size_t i, int tensor)
{
	struct onnx_value value = {
		.tensor = tensor,
		.real = true,
		.element_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
	};

	value.shape = context->shapes[tensor];
	return onnx_bind_output(context, node, i, &value);
}

struct onnx_value *onnx_input(struct onnx_context *context,
			      const struct onnx_node *node, size_t i)
{
	struct onnx_value *value;

	if (!onnx_has_input(node, i)) {
		onnx_invalid(node, "input %zu is missing", i);
		return NULL;
	}
	value = onnx_find_value(context, node->proto->input[i]);
	if (!value)
		onnx_invalid(node,
			     "its input %s is the result of no earlier node",
			     node->proto->input[i]);
	return value;
}

/* All elements of a real constant, a splat spread out; NULL with a message. */
static const float *spread(struct onnx_context *context,
			   const struct onnx_value *value)
{
	int64_t count = graph_shape_count(&value->shape);
	float *reals;

	if (value->reals && !value->splat)
		return value->reals;
	if (count < 0 || count > ONNX_FOLD_LIMIT) {
		accel_error(-ENOTSUP,
			    "constant %s has a size that depends on the input, "
			    "or is too large",
			    value->name);
		return NULL;
	}
	reals = onnx_allocate(context, count, sizeof(*reals));
	for (int64_t i = 0; reals && i < count; i++) {
		double number;

		if (!onnx_value_number(context, value, value->splat ? 0 : i,
				       &number)) {
			accel_error(-ENOTSUP,
				    "constant %s depends on the input's size",
				    value->name);
			return NULL;
		}
		reals[i] = (float)number;
	}
	return reals;
}

/* Constants enter the graph when a node of it first reads them, and once. */
int onnx_value_tensor(struct onnx_context *context, struct onnx_value *value)
{
	const float *reals;

	if (value->quantized)
		return accel_error(-ENOTSUP,
				   "%s is quantized: integer tensors are read "
				   "only where DequantizeLinear follows",
				   value->name);
	if (value->accumulated)
		return accel_error(-ENOTSUP,
				   "%s is an integer product: these are read "
				   "only in the recurrent layers that accel "
				   "exports",
				   value->name);
	if (value->gelu)
		return accel_error(-ENOTSUP,
				   "%s is an error function: these are read "
				   "only in x*(1 + erf(x / sqrt(2)))",
				   value->name);
	if (!value->constant || value->tensor != GRAPH_NO_TENSOR)
		return value->tensor;
	reals = spread(context, value);
	if (!reals)
		return -ENOTSUP;
	value->tensor = onnx_add_constant(context, value->name, &value->shape,
					  reals, value->quantization);
	return value->tensor;
}

int onnx_input_tensor(struct onnx_context *context,
		      const struct onnx_node *node, size_t i)
{
	struct onnx_value *value = onnx_input(context, node, i);
	int tensor;

	if (!value)
		return -EINVAL;
	tensor = onnx_value_tensor(context, value);
	if (tensor < 0)
		return accel_error_prefix(tensor, "%s (%s)", node->name,
					  node->proto->op_type);
	return tensor;
}

/* The value keeps the spread elements, for the next reader. */
const struct onnx_value *onnx_input_weight(struct onnx_context *context,
					   const struct onnx_node *node,
					   size_t i)
{
	struct onnx_value *value = onnx_input(context, node, i);
	const float *reals;

	if (!value)
		return NULL;
	if (!value->constant) {
		onnx_unsupported(node,
				 "its input %s is computed; only constants are "
				 "supported there",
				 value->name);
		return NULL;
	}
	reals = spread(context, value);
	if (!reals) {
		accel_error_prefix(-ENOTSUP, "%s (%s)", node->name,
				   node->proto->op_type);
		return NULL;
	}
	if (value->reals != reals) {
		value->reals = (float *)(uintptr_t)reals;
		value->count = graph_shape_count(&value->shape);
		value->splat = false;
		value->real = true;
	}
	return value;
}

const struct onnx_value *onnx_input_integers(struct onnx_context *context,
					     const struct onnx_node *node,
					     size_t i)
{
	struct onnx_value *value = onnx_input(context, node, i);

	if (!value)
		return NULL;
	if (!value->constant) {
		onnx_unsupported(node,
				 "its input %s is computed from the data; it "
				 "must follow from shapes alone",
				 value->name);
		return NULL;
	}
	if (value->real || !value->integers || value->splat ||
	    value->shape.rank > 1) {
		onnx_invalid(node, "its input %s is not a list of integers",
			     value->name);
		return NULL;
	}
	return value;
}

/* All but the name, which stays, and the memory, which depends on the type. */
static int value_prepare(const struct graph_shape *of, struct onnx_value *value)
{
	/* which may be the value's own */
	const struct graph_shape shape = *of;
	int64_t count = graph_shape_count(&shape);

	if (count < 0)
		return accel_error(-EOVERFLOW, "a constant is too large");
	memset(value, 0, sizeof(*value));
	value->constant = true;
	value->tensor = GRAPH_NO_TENSOR;
	value->shape = shape;
	value->count = count;
	return 0;
}

int onnx_value_reals(struct onnx_context *context,
		     const struct graph_shape *shape, struct onnx_value *value)
{
	const char *name = value->name;
	int ret = value_prepare(shape, value);

	if (ret)
		return ret;
	value->name = name;
	value->real = true;
	value->element_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	value->reals = onnx_allocate(context, value->count, sizeof(float));
	return value->reals ? 0 : -ENOMEM;
}

int onnx_value_integers(struct onnx_context *context,
			const struct graph_shape *shape,
			struct onnx_value *value)
{
	const char *name = value->name;
	int ret = value_prepare(shape, value);

	if (ret)
		return ret;
	value->name = name;
	value->element_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
	value->integers = onnx_allocate(context, value->count, sizeof(int64_t));
	return value->integers ? 0 : -ENOMEM;
}

/*
 * A real number has an expression too, if it is a fraction of moderate size: scales of
 * Resize are given that way.
 */
int64_t onnx_value_expression(struct onnx_context *context,
			      const struct onnx_value *value, int64_t i)
{
	if (value->splat)
		i = 0;
	if (value->integers)
		return value->integers[i];
	return dimension_from_double(context->table, (double)value->reals[i]);
}

bool onnx_value_number(struct onnx_context *context,
		       const struct onnx_value *value, int64_t i,
		       double *number)
{
	if (value->splat)
		i = 0;
	if (value->integers)
		return dimension_to_double(context->table, value->integers[i],
					   number);
	if (!value->reals)
		return false;
	*number = (double)value->reals[i];
	return true;
}
