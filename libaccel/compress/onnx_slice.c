/* SPDX-License-Identifier: MIT */
/* Operators that take parts of computed tensors. */
#include <compress/onnx_operator.h>

#include <errno.h>
#include <string.h>

/* "To the end" in what exporters write: INT64_MAX, INT32_MAX and the like. */
#define FAR INT32_MAX

/* One of Slice's lists: an attribute before opset 10, then an input. */
static int slice_list(struct onnx_context *context,
		      const struct onnx_node *node, const char *name,
		      size_t input, int64_t *values, size_t *count)
{
	const struct onnx_value *list;

	*count = SIZE_MAX;
	if (context->opset < 10)
		return onnx_attribute_integers(node, name, values,
					       GRAPH_MAX_RANK, count);
	if (!onnx_has_input(node, input))
		return 0;
	list = onnx_input_integers(context, node, input);
	if (!list)
		return -ENOTSUP;
	if (list->count > GRAPH_MAX_RANK)
		return onnx_invalid(node, "%s has %lld values", name,
				    (long long)list->count);
	*count = (size_t)list->count;
	memcpy(values, list->integers, *count * sizeof(*values));
	return 0;
}

int onnx_slice_ranges(struct onnx_context *context,
		      const struct onnx_node *node, int rank,
		      struct onnx_slice_range ranges[GRAPH_MAX_RANK])
{
	static const char *const names[] = { "starts", "ends", "axes",
					     "steps" };
	int64_t lists[4][GRAPH_MAX_RANK];
	size_t counts[4];

	memset(ranges, 0, sizeof(*ranges) * GRAPH_MAX_RANK);
	for (size_t i = 0; i < 4; i++) {
		int ret = slice_list(context, node, names[i], i + 1, lists[i],
				     &counts[i]);

		if (ret)
			return ret;
		if (counts[i] != counts[0] && (i < 2 || counts[i] != SIZE_MAX))
			return onnx_invalid(node, "%s does not fit starts",
					    names[i]);
	}
	if (counts[0] == SIZE_MAX)
		return onnx_invalid(node, "starts are missing");
	for (size_t i = 0; i < counts[0]; i++) {
		bool has_axes = counts[2] != SIZE_MAX;
		int axis = onnx_axis(node, has_axes ? lists[2][i] : (int64_t)i,
				     rank);

		if (axis < 0)
			return axis;
		ranges[axis].used = true;
		ranges[axis].start = lists[0][i];
		ranges[axis].end = lists[1][i];
		ranges[axis].step = counts[3] == SIZE_MAX ? 1 : lists[3][i];
		if (!dimension_is_number(ranges[axis].step) ||
		    !ranges[axis].step)
			return onnx_invalid(node, "a step of 0");
	}
	return 0;
}

/*
 * A bound in the terms of our Slice: a number, or counted from the end where it
 * is the axis' own length and less.
 */
static int slice_bound(struct onnx_context *context,
		       const struct onnx_node *node, int64_t bound,
		       int64_t length, int64_t *result)
{
	int64_t rest;

	if (dimension_is_number(bound)) {
		*result = bound >= FAR && !dimension_is_number(length) ?
				  GRAPH_SLICE_END :
				  bound;
		return 0;
	}
	rest = dimension_subtract(context->table, bound, length);
	if (!dimension_is_number(rest) || rest > 0)
		return onnx_unsupported(
			node, "a bound that follows from the size of another "
			      "axis or tensor");
	*result = rest ? rest : GRAPH_SLICE_END;
	return 0;
}

/* Would the slice give back the whole axis? */
static bool slice_is_whole(const struct graph_slice *slice, int64_t length)
{
	return !slice->start && slice->step == 1 &&
	       (slice->end == GRAPH_SLICE_END ||
		(dimension_is_number(length) && slice->end >= length));
}

static int emit_slice(struct onnx_context *context,
		      const struct onnx_node *node, int tensor,
		      const struct graph_slice *slice, const char *name)
{
	struct graph_node template = { .op = GRAPH_SLICE };

	if (slice_is_whole(slice, context->shapes[tensor].dims[slice->axis]))
		return tensor;
	template.slice = *slice;
	return onnx_emit(context, node, &template, &tensor, 1, name);
}

/* A node for each axis; axes that are taken whole need none. */
int onnx_import_slice(struct onnx_context *context,
		      const struct onnx_node *node)
{
	struct onnx_slice_range ranges[GRAPH_MAX_RANK];
	int tensor = onnx_input_tensor(context, node, 0);
	int ret;

	if (tensor < 0)
		return tensor;
	ret = onnx_slice_ranges(context, node, context->shapes[tensor].rank,
				ranges);
	if (ret)
		return ret;
	for (int i = 0; i < context->shapes[tensor].rank; i++) {
		struct graph_slice slice = { .axis = i };
		int64_t length = context->shapes[tensor].dims[i];

		if (!ranges[i].used)
			continue;
		slice.step = ranges[i].step;
		if (slice.step < 0)
			return onnx_unsupported(node, "negative steps");
		ret = slice_bound(context, node, ranges[i].start, length,
				  &slice.start);
		if (!ret)
			ret = slice_bound(context, node, ranges[i].end, length,
					  &slice.end);
		if (ret)
			return ret;
		tensor = emit_slice(context, node, tensor, &slice,
				    onnx_output_name(node));
		if (tensor < 0)
			return tensor;
	}
	return onnx_bind_tensor(context, node, 0, tensor);
}

int onnx_split_sizes(struct onnx_context *context, const struct onnx_node *node,
		     int64_t length, int64_t *sizes)
{
	size_t parts = node->proto->n_output, count;
	int64_t left = length, each;
	int ret;

	if (!dimension_is_number(length))
		return onnx_unsupported(node, "splitting an axis of unknown "
					      "length");
	ret = onnx_integers_since(context, node, 13, "split", 1, sizes, parts,
				  &count);
	if (ret)
		return ret;
	if (count == SIZE_MAX) {
		/* opset 18: the last part may be shorter */
		each = (length + (int64_t)parts - 1) / (int64_t)parts;
		for (size_t i = 0; i < parts; i++) {
			sizes[i] = left < each ? left : each;
			left -= sizes[i];
		}
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (sizes[i] < 0 || sizes[i] > left)
			return onnx_invalid(node, "parts larger than the axis");
		left -= sizes[i];
	}
	if (count != parts || left)
		return onnx_invalid(node, "its parts do not make up the axis");
	return 0;
}

/* Parts that nobody reads are not made. */
int onnx_import_split(struct onnx_context *context,
		      const struct onnx_node *node)
{
	int tensor = onnx_input_tensor(context, node, 0);
	int64_t axis = 0, start = 0;
	int64_t *sizes;
	int ret;

	if (tensor < 0)
		return tensor;
	if (!node->proto->n_output)
		return onnx_invalid(node, "it has no output");
	ret = onnx_attribute_integer(node, "axis", &axis);
	if (ret)
		return ret;
	axis = onnx_axis(node, axis, context->shapes[tensor].rank);
	if (axis < 0)
		return (int)axis;
	sizes = onnx_allocate(context, (int64_t)node->proto->n_output,
			      sizeof(*sizes));
	if (!sizes)
		return -ENOMEM;
	ret = onnx_split_sizes(context, node,
			       context->shapes[tensor].dims[axis], sizes);
	for (size_t i = 0; i < node->proto->n_output && !ret; i++) {
		struct graph_slice slice = { (int)axis, start, start + sizes[i],
					     1 };
		int part;

		start += sizes[i];
		if (!onnx_has_output(node, i))
			continue;
		part = emit_slice(context, node, tensor, &slice,
				  node->proto->output[i]);
		ret = part < 0 ? part :
				 onnx_bind_tensor(context, node, i, part);
	}
	return ret;
}

/* The step of evenly spaced, rising indices; 0 if they are not so. */
static int64_t index_step(const struct onnx_value *indices)
{
	int64_t step;

	if (indices->count < 2)
		return indices->count;
	step = indices->integers[1] - indices->integers[0];
	for (int64_t i = 0; i + 1 < indices->count; i++)
		if (!dimension_is_number(indices->integers[i]) ||
		    !dimension_is_number(indices->integers[i + 1]) ||
		    indices->integers[i + 1] - indices->integers[i] != step)
			return 0;
	return step > 0 ? step : 0;
}

/* x[:, i] or x[:, i:j:k] of a computed tensor. */
int onnx_import_gather(struct onnx_context *context,
		       const struct onnx_node *node)
{
	int tensor = onnx_input_tensor(context, node, 0);
	const struct onnx_value *indices =
		tensor < 0 ? NULL : onnx_input_integers(context, node, 1);
	struct graph_slice slice = { 0 };
	struct graph_shape shape;
	int64_t axis = 0, last;
	int ret;

	if (!indices)
		return -EINVAL;
	ret = onnx_attribute_integer(node, "axis", &axis);
	if (ret)
		return ret;
	slice.axis = onnx_axis(node, axis, context->shapes[tensor].rank);
	slice.step = index_step(indices);
	if (slice.axis < 0)
		return slice.axis;
	if (!slice.step || !dimension_is_number(indices->integers[0]))
		return onnx_unsupported(node, "indices that are not a range");
	slice.start = indices->integers[0];
	last = indices->integers[indices->count - 1];
	slice.end = last == -1 ? GRAPH_SLICE_END : last + 1;
	tensor = emit_slice(context, node, tensor, &slice,
			    onnx_output_name(node));
	if (tensor < 0)
		return tensor;
	shape = context->shapes[tensor];
	if (!indices->shape.rank) {
		shape.rank--;
		memmove(shape.dims + slice.axis, shape.dims + slice.axis + 1,
			sizeof(*shape.dims) *
				(size_t)(shape.rank - slice.axis));
	}
	tensor = onnx_emit_reshape(context, node, tensor, &shape,
				   onnx_output_name(node));
	if (tensor < 0)
		return tensor;
	return onnx_bind_tensor(context, node, 0, tensor);
}
