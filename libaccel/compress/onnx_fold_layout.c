/* SPDX-License-Identifier: MIT */
/* Constants from constants, with elements moved, selected or joined. */
#include <compress/onnx_fold.h>
#include <compress/onnx_operator.h>

#include <errno.h>
#include <string.h>

/* Distances of neighbours in row-major order; dims are numbers. */
static void strides(const struct graph_shape *shape, int64_t *stride)
{
	int64_t distance = 1;

	for (int i = shape->rank - 1; i >= 0; i--) {
		stride[i] = distance;
		distance *= shape->dims[i];
	}
}

/* Distances in a constant; 0 in a splat, whose size need not be known. */
static int value_strides(const struct onnx_node *node,
			 const struct onnx_value *value, int64_t *stride)
{
	memset(stride, 0, sizeof(*stride) * GRAPH_MAX_RANK);
	if (value->splat)
		return 0;
	if (graph_shape_count(&value->shape) < 0)
		return onnx_unsupported(node, "a constant of unknown size");
	strides(&value->shape, stride);
	return 0;
}

/* Of the same type, without elements yet. */
static int constant_like(struct onnx_context *context,
			 const struct onnx_value *from,
			 const struct graph_shape *shape, struct onnx_value *to)
{
	int ret;

	to->name = from->name;
	ret = from->reals ? onnx_value_reals(context, shape, to) :
			    onnx_value_integers(context, shape, to);
	to->real = from->real;
	to->element_type = from->element_type;
	/* scales of one axis would need to move with it */
	if (from->quantization && from->quantization->count == 1)
		to->quantization = from->quantization;
	return ret;
}

static void element_copy(struct onnx_value *to, int64_t i,
			 const struct onnx_value *from, int64_t j)
{
	if (to->reals)
		to->reals[i] = from->reals[j];
	else
		to->integers[i] = from->integers[j];
}

/*
 * Transpose, slice and expand are all this walk, with their own strides and offset. A splat
 * is the same everywhere: any view of it is one, whatever its size.
 */
int onnx_constant_view(struct onnx_context *context,
		       const struct onnx_node *node,
		       const struct onnx_value *from,
		       const struct graph_shape *shape, const int64_t *stride,
		       int64_t offset, struct onnx_value *to)
{
	int64_t index[GRAPH_MAX_RANK] = { 0 };
	int64_t count = graph_shape_count(shape);
	int ret;

	if (from->splat) {
		*to = *from;
		to->shape = *shape;
		to->tensor = GRAPH_NO_TENSOR;
		return 0;
	}
	if (count < 0 || count > ONNX_FOLD_LIMIT)
		return onnx_unsupported(node, "a constant of this size");
	ret = constant_like(context, from, shape, to);
	for (int64_t i = 0; i < count && !ret; i++) {
		element_copy(to, i, from, offset);
		for (int j = shape->rank - 1; j >= 0; j--) {
			offset += stride[j];
			if (++index[j] < shape->dims[j])
				break;
			offset -= stride[j] * shape->dims[j];
			index[j] = 0;
		}
	}
	return ret;
}

int onnx_permutation(const struct onnx_node *node, int rank,
		     int perm[GRAPH_MAX_RANK])
{
	int64_t values[GRAPH_MAX_RANK];
	size_t count = SIZE_MAX;
	unsigned int seen = 0;
	int ret = onnx_attribute_integers(node, "perm", values, GRAPH_MAX_RANK,
					  &count);

	if (ret)
		return ret;
	/* ONNX: without perm the axes are reversed */
	if (count == SIZE_MAX) {
		for (int i = 0; i < rank; i++)
			perm[i] = rank - 1 - i;
		return 0;
	}
	for (size_t i = 0; i < count && count == (size_t)rank; i++) {
		perm[i] = onnx_axis(node, values[i], rank);
		if (perm[i] < 0)
			return perm[i];
		seen |= 1u << perm[i];
	}
	/* each axis once: a bit for each is set */
	if (seen + 1 != 1u << rank)
		return onnx_invalid(node, "perm does not permute %d axes",
				    rank);
	return 0;
}

/* Scales go with their axis. */
static int quantization_transpose(struct onnx_context *context,
				  const struct graph_quantization *from,
				  const int *perm, int rank,
				  struct onnx_value *to)
{
	struct graph_quantization *moved;

	if (!from || from->count == 1)
		return 0;
	moved = onnx_allocate(context, 1, sizeof(*moved));
	if (!moved)
		return -ENOMEM;
	*moved = *from;
	for (int i = 0; i < rank; i++)
		if (perm[i] == from->axis)
			moved->axis = i;
	to->quantization = moved;
	return 0;
}

int onnx_constant_transpose(struct onnx_context *context,
			    const struct onnx_node *node,
			    const struct onnx_value *from, const int *perm,
			    struct onnx_value *to)
{
	int64_t old[GRAPH_MAX_RANK], stride[GRAPH_MAX_RANK];
	struct graph_shape shape = { .rank = from->shape.rank };
	int ret;

	if (!from->splat)
		strides(&from->shape, old);
	for (int i = 0; i < shape.rank; i++) {
		shape.dims[i] = from->shape.dims[perm[i]];
		stride[i] = from->splat ? 0 : old[perm[i]];
	}
	ret = onnx_constant_view(context, node, from, &shape, stride, 0, to);
	return ret ? ret :
		     quantization_transpose(context, from->quantization, perm,
					    shape.rank, to);
}

int onnx_fold_transpose(struct onnx_context *context,
			const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	struct onnx_value result;
	int perm[GRAPH_MAX_RANK];
	int ret;

	if (!x)
		return -EINVAL;
	ret = onnx_permutation(node, x->shape.rank, perm);
	if (!ret)
		ret = onnx_constant_transpose(context, node, x, perm, &result);
	return ret ? ret : onnx_bind_output(context, node, 0, &result);
}

/* Shares the elements: no constant is changed once it is bound. */
int onnx_fold_reshape(struct onnx_context *context,
		      const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	struct onnx_value result;
	int ret;

	if (!x)
		return -EINVAL;
	result = *x;
	result.tensor = GRAPH_NO_TENSOR;
	/* a new shape leaves no axis for scales that belong to one */
	if (x->quantization && x->quantization->count != 1)
		result.quantization = NULL;
	ret = onnx_reshape_target(context, node, &x->shape, &result.shape);
	if (ret)
		return ret;
	if (!x->splat && graph_shape_count(&result.shape) != x->count)
		return onnx_invalid(node,
				    "the new shape of a constant has another "
				    "number of elements");
	return onnx_bind_output(context, node, 0, &result);
}

/* Identity, Dropout and the like: a second name for the same value, its tensor too. */
int onnx_fold_pass_through(struct onnx_context *context,
			   const struct onnx_node *node)
{
	struct onnx_value *x = onnx_input(context, node, 0);
	struct onnx_value result;

	if (!x)
		return -EINVAL;
	result = *x;
	return onnx_bind_output(context, node, 0, &result);
}

/* Copy a part of a concatenation: blocks of elements in turn. */
static void concat_copy(struct onnx_value *to, const struct onnx_value *from,
			int axis, int64_t position)
{
	int64_t outer = 1, inner = 1;
	int64_t length = from->shape.dims[axis];
	int64_t total = to->shape.dims[axis];

	for (int i = 0; i < axis; i++)
		outer *= to->shape.dims[i];
	for (int i = axis + 1; i < to->shape.rank; i++)
		inner *= to->shape.dims[i];
	for (int64_t i = 0; i < outer; i++)
		for (int64_t j = 0; j < length * inner; j++)
			element_copy(to, (i * total + position) * inner + j,
				     from,
				     from->splat ? 0 : i * length * inner + j);
}

/* The shape of a concatenation; all inputs alike but on its axis. */
static int concat_shape(struct onnx_context *context,
			const struct onnx_node *node, int axis,
			struct graph_shape *shape)
{
	const struct onnx_value *first = onnx_input(context, node, 0);

	*shape = first->shape;
	shape->dims[axis] = 0;
	for (size_t i = 0; i < node->proto->n_input; i++) {
		const struct onnx_value *x = onnx_input(context, node, i);

		if (!x)
			return -EINVAL;
		if (x->shape.rank != shape->rank ||
		    graph_shape_count(&x->shape) < 0 ||
		    !x->reals != !first->reals)
			return onnx_unsupported(node,
						"constants of different kinds");
		for (int j = 0; j < shape->rank; j++) {
			if (j == axis)
				shape->dims[j] += x->shape.dims[j];
			else if (x->shape.dims[j] != shape->dims[j])
				return onnx_invalid(
					node, "input %zu does not fit", i);
		}
	}
	if (graph_shape_count(shape) < 0 ||
	    graph_shape_count(shape) > ONNX_FOLD_LIMIT)
		return onnx_unsupported(node, "a constant of this size");
	return 0;
}

/* Lists of sizes are put together from single ones: the commonest of all. */
int onnx_fold_concat(struct onnx_context *context, const struct onnx_node *node)
{
	const struct onnx_value *first = onnx_input(context, node, 0);
	int64_t axis = 0, position = 0;
	struct onnx_value result;
	struct graph_shape shape;
	int ret;

	if (!first)
		return -EINVAL;
	ret = onnx_attribute_integer(node, "axis", &axis);
	if (ret)
		return ret;
	axis = onnx_axis(node, axis, first->shape.rank);
	if (axis < 0)
		return (int)axis;
	ret = concat_shape(context, node, (int)axis, &shape);
	if (!ret)
		ret = constant_like(context, first, &shape, &result);
	if (ret)
		return ret;
	for (size_t i = 0; i < node->proto->n_input; i++) {
		const struct onnx_value *x = onnx_input(context, node, i);

		concat_copy(&result, x, (int)axis, position);
		result.real |= x->real;
		position += x->shape.dims[axis];
	}
	return onnx_bind_output(context, node, 0, &result);
}

/* A bound of a slice, resolved as ONNX does: clamped, negative from the end. */
static int64_t slice_clamp(int64_t bound, int64_t size, int64_t low,
			   int64_t high)
{
	if (bound < 0)
		bound += size;
	if (bound < low)
		return low;
	return bound > high ? high : bound;
}

/* Where a slice begins on an axis, and how many elements it takes. */
static int slice_extent(const struct onnx_node *node,
			const struct onnx_slice_range *range, int64_t size,
			int64_t *start, int64_t *length)
{
	int64_t step = range->step, end, span;

	if (!dimension_is_number(range->start) ||
	    !dimension_is_number(range->end) || !dimension_is_number(size))
		return onnx_unsupported(node, "bounds of this kind");
	*start = slice_clamp(range->start, size, 0, step < 0 ? size - 1 : size);
	end = slice_clamp(range->end, size, step < 0 ? -1 : 0, size);
	span = step < 0 ? *start - end : end - *start;
	step = step < 0 ? -step : step;
	*length = span > 0 ? (span - 1) / step + 1 : 0;
	return 0;
}

int onnx_fold_slice(struct onnx_context *context, const struct onnx_node *node)
{
	struct onnx_slice_range ranges[GRAPH_MAX_RANK];
	const struct onnx_value *x = onnx_input(context, node, 0);
	int64_t stride[GRAPH_MAX_RANK], offset = 0;
	struct onnx_value result;
	struct graph_shape shape;
	int ret;

	if (!x)
		return -EINVAL;
	ret = onnx_slice_ranges(context, node, x->shape.rank, ranges);
	if (!ret)
		ret = value_strides(node, x, stride);
	shape = x->shape;
	for (int i = 0; i < shape.rank && !ret; i++) {
		int64_t start = 0, length = 0;

		if (!ranges[i].used)
			continue;
		ret = slice_extent(node, &ranges[i], shape.dims[i], &start,
				   &length);
		if (ret)
			return ret;
		shape.dims[i] = length;
		offset += start * stride[i];
		stride[i] = length > 1 ? stride[i] * ranges[i].step : 0;
	}
	if (!ret)
		ret = onnx_constant_view(context, node, x, &shape, stride,
					 offset, &result);
	return ret ? ret : onnx_bind_output(context, node, 0, &result);
}

int onnx_fold_split(struct onnx_context *context, const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	int64_t stride[GRAPH_MAX_RANK], axis = 0, offset = 0;
	struct graph_shape shape;
	int64_t *sizes;
	int ret;

	if (!x)
		return -EINVAL;
	ret = onnx_attribute_integer(node, "axis", &axis);
	if (ret)
		return ret;
	axis = onnx_axis(node, axis, x->shape.rank);
	if (axis < 0)
		return (int)axis;
	shape = x->shape;
	sizes = onnx_allocate(context, (int64_t)node->proto->n_output,
			      sizeof(*sizes));
	if (!sizes)
		return -ENOMEM;
	ret = value_strides(node, x, stride);
	if (!ret)
		ret = onnx_split_sizes(context, node, shape.dims[axis], sizes);
	for (size_t i = 0; i < node->proto->n_output && !ret; i++) {
		struct onnx_value part;

		shape.dims[axis] = sizes[i];
		ret = onnx_constant_view(context, node, x, &shape, stride,
					 offset, &part);
		if (!ret)
			ret = onnx_bind_output(context, node, i, &part);
		offset += sizes[i] * stride[axis];
	}
	return ret;
}

/* Gather on axis 0 of a list, or on any axis with one index. */
static int gather_part(struct onnx_context *context,
		       const struct onnx_node *node, const struct onnx_value *x,
		       int axis, const struct onnx_value *indices, int64_t i,
		       struct onnx_value *part)
{
	int64_t stride[GRAPH_MAX_RANK];
	int64_t index = indices->integers[i];
	struct graph_shape shape = x->shape;

	if (!dimension_is_number(index))
		return onnx_unsupported(node, "an index of this kind");
	if (index < -shape.dims[axis] || index >= shape.dims[axis])
		return onnx_invalid(node, "index %lld of %lld elements",
				    (long long)index,
				    (long long)shape.dims[axis]);
	index += index < 0 ? shape.dims[axis] : 0;
	strides(&x->shape, stride);
	shape.dims[axis] = 1;
	return onnx_constant_view(context, node, x, &shape, stride,
				  index * stride[axis], part);
}

/* The shape of a result of Gather: the indices' in place of the axis. */
static void gather_shape(const struct graph_shape *x, int axis,
			 const struct graph_shape *indices,
			 struct graph_shape *shape)
{
	shape->rank = 0;
	for (int i = 0; i < axis; i++)
		shape->dims[shape->rank++] = x->dims[i];
	for (int i = 0; i < indices->rank; i++)
		shape->dims[shape->rank++] = indices->dims[i];
	for (int i = axis + 1; i < x->rank; i++)
		shape->dims[shape->rank++] = x->dims[i];
}

int onnx_fold_gather(struct onnx_context *context, const struct onnx_node *node)
{
	const struct onnx_value *x = onnx_input(context, node, 0);
	const struct onnx_value *indices =
		x ? onnx_input_integers(context, node, 1) : NULL;
	struct onnx_value result, part;
	struct graph_shape shape;
	int64_t axis = 0;
	int ret;

	if (!indices)
		return -EINVAL;
	ret = onnx_attribute_integer(node, "axis", &axis);
	if (ret)
		return ret;
	axis = onnx_axis(node, axis, x->shape.rank);
	if (axis < 0)
		return (int)axis;
	shape = x->shape;
	shape.dims[axis] = indices->count;
	if (graph_shape_count(&shape) < 0 || x->splat ||
	    graph_shape_count(&shape) > ONNX_FOLD_LIMIT)
		return onnx_unsupported(node, "a constant of this size");
	ret = constant_like(context, x, &shape, &result);
	for (int64_t i = 0; i < indices->count && !ret; i++) {
		ret = gather_part(context, node, x, (int)axis, indices, i,
				  &part);
		if (!ret)
			concat_copy(&result, &part, (int)axis, i);
	}
	if (ret)
		return ret;
	gather_shape(&x->shape, (int)axis, &indices->shape, &result.shape);
	return onnx_bind_output(context, node, 0, &result);
}
