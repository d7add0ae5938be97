/* SPDX-License-Identifier: MIT */
/* Operators that change the resolution of an image. */
#include <compress/onnx_operator.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#define MAX_SCALE 64

enum coordinate { HALF_PIXEL, ASYMMETRIC, ALIGN_CORNERS, HALF_PIXEL_NN };
enum rounding { PREFER_FLOOR, PREFER_CEIL, FLOOR, CEIL };

struct resize {
	enum coordinate coordinate;
	enum rounding rounding;
};

/* Where pixel i of the result lies in the input, before rounding. */
static double source_position(enum coordinate coordinate, int i, int scale)
{
	if (coordinate == HALF_PIXEL)
		return (i + 0.5) / scale - 0.5;
	if (coordinate == HALF_PIXEL_NN)
		return (i + 0.5) / scale;
	return (double)i / scale;
}

static double source_round(enum rounding rounding, double position)
{
	switch (rounding) {
	case PREFER_FLOOR:
		return ceil(position - 0.5);
	case PREFER_CEIL:
		return floor(position + 0.5);
	case FLOOR:
		return floor(position);
	default:
		return ceil(position);
	}
}

/*
 * Is pixel i of the result pixel i / scale of the input? Tried on an axis of four
 * pixels: the rules repeat with each pixel, and clamp at the ends.
 */
static bool repeats_pixels(const struct resize *resize, int scale)
{
	if (scale == 1)
		return true;
	if (resize->coordinate == ALIGN_CORNERS)
		return false;
	for (int i = 0; i < 4 * scale; i++) {
		double position = source_round(
			resize->rounding,
			source_position(resize->coordinate, i, scale));

		position = fmin(fmax(position, 0), 3);
		if ((int)position != i / scale)
			return false;
	}
	return true;
}

static int resize_read(struct onnx_context *context,
		       const struct onnx_node *node, struct resize *resize)
{
	static const char *const modes[] = { "nearest", NULL };
	static const char *const coordinates[] = { "half_pixel",
						   "asymmetric",
						   "align_corners",
						   "tf_half_pixel_for_nn",
						   "pytorch_half_pixel",
						   "half_pixel_symmetric",
						   NULL };
	static const char *const roundings[] = { "round_prefer_floor",
						 "round_prefer_ceil", "floor",
						 "ceil", NULL };
	static const char *const policies[] = { "stretch", NULL };
	int ignored = 0, coordinate, rounding, ret;
	bool old = context->opset < 11 ||
		   !strcmp(node->proto->op_type, "Upsample");

	coordinate = old ? ASYMMETRIC : HALF_PIXEL;
	rounding = old ? FLOOR : PREFER_FLOOR;
	ret = onnx_attribute_choice(node, "mode", modes, &ignored);
	if (!ret)
		ret = onnx_attribute_choice(node,
					    "coordinate_transformation_mode",
					    coordinates, &coordinate);
	if (!ret)
		ret = onnx_attribute_choice(node, "nearest_mode", roundings,
					    &rounding);
	if (!ret)
		ret = onnx_attribute_choice(node, "keep_aspect_ratio_policy",
					    policies, &ignored);
	/* with whole factors the last two are the first */
	resize->coordinate = (enum coordinate)(
		coordinate > HALF_PIXEL_NN ? HALF_PIXEL : coordinate);
	resize->rounding = (enum rounding)rounding;
	return ret;
}

/* The axes that scales and sizes are about: all, or those of an attribute. */
static int resize_axes(const struct onnx_node *node, int rank, int64_t *axes,
		       size_t *count)
{
	int ret;

	for (int i = 0; i < rank; i++)
		axes[i] = i;
	*count = (size_t)rank;
	ret = onnx_attribute_integers(node, "axes", axes, GRAPH_MAX_RANK,
				      count);
	for (size_t i = 0; i < *count && !ret; i++) {
		axes[i] = onnx_axis(node, axes[i], rank);
		if (axes[i] < 0)
			ret = -EINVAL;
	}
	return ret;
}

/* The factor of an axis, from a scale or from a size asked for. */
static bool resize_factor(struct onnx_context *context,
			  const struct onnx_value *list, int64_t i, bool sizes,
			  int64_t length, double *factor)
{
	int64_t numerator, denominator;

	if (!sizes)
		return onnx_value_number(context, list, i, factor);
	if (!dimension_ratio(context->table,
			     onnx_value_expression(context, list, i), length,
			     &numerator, &denominator))
		return false;
	*factor = (double)numerator / (double)denominator;
	return true;
}

static int resize_factors(struct onnx_context *context,
			  const struct onnx_node *node,
			  const struct onnx_value *list, bool sizes,
			  const struct graph_shape *shape, double *factors)
{
	int64_t axes[GRAPH_MAX_RANK];
	size_t count;
	int ret = resize_axes(node, shape->rank, axes, &count);

	if (ret)
		return ret;
	if (list->count != (int64_t)count)
		return onnx_invalid(node, "%lld scales or sizes for %zu axes",
				    (long long)list->count, count);
	for (int i = 0; i < shape->rank; i++)
		factors[i] = 1;
	for (size_t i = 0; i < count; i++)
		if (!resize_factor(context, list, (int64_t)i, sizes,
				   shape->dims[axes[i]], &factors[axes[i]]))
			return onnx_unsupported(
				node, "a size that is not a multiple of the "
				      "input's");
	return 0;
}

/* The list of scales (or sizes) among the inputs of the operator's versions. */
static const struct onnx_value *resize_list(struct onnx_context *context,
					    const struct onnx_node *node,
					    bool *sizes)
{
	bool late = context->opset >= 11 &&
		    strcmp(node->proto->op_type, "Upsample") != 0;
	const struct onnx_value *list;
	size_t input = late ? 2 : 1;

	*sizes = false;
	if (late && onnx_has_input(node, 3)) {
		list = onnx_has_input(node, 2) ? onnx_input(context, node, 2) :
						 NULL;
		/* scales may be there, but empty */
		if (!list || (list->constant && !list->count)) {
			*sizes = true;
			input = 3;
		}
	}
	list = onnx_input(context, node, input);
	if (list && !list->constant) {
		onnx_unsupported(node, "a size that is computed from the data");
		return NULL;
	}
	return list;
}

int onnx_import_resize(struct onnx_context *context,
		       const struct onnx_node *node)
{
	struct graph_node template = { .op = GRAPH_RESIZE_NEAREST };
	int tensor = onnx_input_tensor(context, node, 0);
	double factors[GRAPH_MAX_RANK];
	const struct onnx_value *list;
	struct resize resize;
	bool sizes;
	int ret;

	if (tensor < 0)
		return tensor;
	ret = resize_read(context, node, &resize);
	if (ret)
		return ret;
	list = resize_list(context, node, &sizes);
	if (!list)
		return -ENOTSUP;
	ret = resize_factors(context, node, list, sizes,
			     &context->shapes[tensor], factors);
	if (ret)
		return ret;
	for (int i = 0; i < context->shapes[tensor].rank; i++) {
		if (factors[i] == 1)
			continue;
		if (context->shapes[tensor].rank != 4 || i < 2 ||
		    !(factors[i] >= 1 && factors[i] <= MAX_SCALE) ||
		    factors[i] != floor(factors[i]))
			return onnx_unsupported(
				node,
				"scale %g of axis %d; supported are whole "
				"factors of height and width up to %d",
				factors[i], i, MAX_SCALE);
		if (!repeats_pixels(&resize, (int)factors[i]))
			return onnx_unsupported(
				node,
				"this coordinate_transformation_mode and "
				"nearest_mode with scale %g",
				factors[i]);
	}
	if (context->shapes[tensor].rank != 4 ||
	    (factors[2] == 1 && factors[3] == 1))
		return onnx_bind_tensor(context, node, 0, tensor);
	template.resize.scale[0] = (int64_t)factors[2];
	template.resize.scale[1] = (int64_t)factors[3];
	return onnx_emit_output(context, node, &template, &tensor, 1);
}

static int block_read(const struct onnx_node *node, int64_t *block)
{
	int ret;

	*block = 0;
	ret = onnx_attribute_integer(node, "blocksize", block);
	if (!ret && (*block < 1 || *block > MAX_SCALE))
		return onnx_invalid(node, "blocksize is %lld",
				    (long long)*block);
	return ret;
}

int onnx_import_depth_to_space(struct onnx_context *context,
			       const struct onnx_node *node)
{
	static const char *const modes[] = { "DCR", "CRD", NULL };
	struct graph_node template = { .op = GRAPH_DEPTH_TO_SPACE };
	int tensor = onnx_input_tensor(context, node, 0);
	int mode = 0, ret;

	if (tensor < 0)
		return tensor;
	ret = onnx_attribute_choice(node, "mode", modes, &mode);
	if (!ret)
		ret = block_read(node, &template.depth_to_space.block);
	if (ret)
		return ret;
	if (template.depth_to_space.block == 1)
		return onnx_bind_tensor(context, node, 0, tensor);
	template.depth_to_space.crd = mode;
	return onnx_emit_output(context, node, &template, &tensor, 1);
}

/* Views and a transposition, of which a pass makes one operator. */
int onnx_import_space_to_depth(struct onnx_context *context,
			       const struct onnx_node *node)
{
	static const int perm[] = { 0, 3, 5, 1, 2, 4 };
	int tensor = onnx_input_tensor(context, node, 0);
	const char *name = onnx_output_name(node);
	struct graph_shape split = { 6, { 0 } }, join = { 4, { 0 } };
	const int64_t *dims;
	int64_t block;
	int ret;

	if (tensor < 0)
		return tensor;
	ret = block_read(node, &block);
	if (ret)
		return ret;
	if (context->shapes[tensor].rank != 4)
		return onnx_invalid(node, "its input is no image");
	dims = context->shapes[tensor].dims;
	for (int i = 0; i < 4; i++)
		join.dims[i] = dims[i];
	join.dims[1] =
		dimension_multiply(context->table, dims[1], block * block);
	for (int i = 2; i < 4; i++) {
		join.dims[i] = dimension_divide(context->table, dims[i], block);
		split.dims[2 * i - 2] = join.dims[i];
		split.dims[2 * i - 1] = block;
	}
	split.dims[0] = dims[0];
	split.dims[1] = dims[1];
	tensor = onnx_emit_reshape(context, node, tensor, &split, name);
	if (tensor >= 0)
		tensor = onnx_emit_transpose(context, node, tensor, perm, name);
	if (tensor >= 0)
		tensor = onnx_emit_reshape(context, node, tensor, &join, name);
	return tensor < 0 ? tensor : onnx_bind_tensor(context, node, 0, tensor);
}
