/* SPDX-License-Identifier: MIT */
/*
 * Attributes are optional everywhere: the callers set ONNX's default first. Several
 * operators moved an attribute to an input in some opset; onnx_integers_since()
 * reads whichever the model has.
 */
#include <compress/onnx_context.h>

#include <errno.h>
#include <string.h>

const Onnx__AttributeProto *onnx_attribute(const struct onnx_node *node,
					   const char *name)
{
	for (size_t i = 0; i < node->proto->n_attribute; i++) {
		const Onnx__AttributeProto *attribute =
			node->proto->attribute[i];

		if (attribute->name && !strcmp(attribute->name, name))
			return attribute;
	}
	return NULL;
}

/*
 * Find an attribute and check its type. Return 1 if it is there, 0 if not,
 * -EINVAL if it has another type. Old files leave the type out.
 */
static int find_typed(const struct onnx_node *node, const char *name,
		      Onnx__AttributeProto__AttributeType type,
		      const Onnx__AttributeProto **attribute)
{
	*attribute = onnx_attribute(node, name);
	if (!*attribute)
		return 0;
	if ((*attribute)->ref_attr_name && *(*attribute)->ref_attr_name)
		return onnx_unsupported(node, "attribute %s of a function",
					name);
	if ((*attribute)->has_type && (*attribute)->type != type)
		return onnx_invalid(node, "attribute %s has the wrong type",
				    name);
	return 1;
}

int onnx_attribute_integer(const struct onnx_node *node, const char *name,
			   int64_t *value)
{
	const Onnx__AttributeProto *attribute;
	int ret = find_typed(node, name,
			     ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT,
			     &attribute);

	if (ret <= 0)
		return ret;
	*value = attribute->i;
	return 0;
}

int onnx_attribute_real(const struct onnx_node *node, const char *name,
			float *value)
{
	const Onnx__AttributeProto *attribute;
	int ret = find_typed(node, name,
			     ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT,
			     &attribute);

	if (ret <= 0)
		return ret;
	*value = attribute->f;
	return 0;
}

int onnx_attribute_integers(const struct onnx_node *node, const char *name,
			    int64_t *values, size_t max, size_t *count)
{
	const Onnx__AttributeProto *attribute;
	int ret = find_typed(node, name,
			     ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS,
			     &attribute);

	if (ret <= 0)
		return ret;
	if (attribute->n_ints > max)
		return onnx_invalid(node, "attribute %s has %zu values", name,
				    attribute->n_ints);
	*count = attribute->n_ints;
	if (*count)
		memcpy(values, attribute->ints, *count * sizeof(*values));
	return 0;
}

/* What is not among the choices is named in the message. */
int onnx_attribute_choice(const struct onnx_node *node, const char *name,
			  const char *const *choices, int *value)
{
	const Onnx__AttributeProto *attribute;
	int ret = find_typed(node, name,
			     ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING,
			     &attribute);

	if (ret <= 0)
		return ret;
	for (int i = 0; choices[i]; i++)
		if (strlen(choices[i]) == attribute->s.len &&
		    !memcmp(choices[i], attribute->s.data, attribute->s.len)) {
			*value = i;
			return 0;
		}
	return onnx_unsupported(
		node, "%s %.*s", name, (int)(attribute->s.len & 0xff),
		attribute->s.data ? (const char *)attribute->s.data : "");
}

int onnx_axis(const struct onnx_node *node, int64_t axis, int rank)
{
	if (axis < -rank || axis >= rank)
		return onnx_invalid(node, "axis %lld of a tensor of %d axes",
				    (long long)axis, rank);
	return (int)(axis < 0 ? axis + rank : axis);
}

int onnx_integers_since(struct onnx_context *context,
			const struct onnx_node *node, int64_t since,
			const char *name, size_t input, int64_t *values,
			size_t max, size_t *count)
{
	const struct onnx_value *value;

	*count = SIZE_MAX;
	if (context->opset < since)
		return onnx_attribute_integers(node, name, values, max, count);
	if (!onnx_has_input(node, input))
		return 0;
	value = onnx_input_integers(context, node, input);
	if (!value)
		return -EINVAL;
	if ((uint64_t)value->count > max)
		return onnx_invalid(node, "%s has %lld values", name,
				    (long long)value->count);
	for (int64_t i = 0; i < value->count; i++) {
		if (!dimension_is_number(value->integers[i]))
			return onnx_unsupported(
				node, "%s depends on the input's size", name);
		values[i] = value->integers[i];
	}
	*count = (size_t)value->count;
	return 0;
}
