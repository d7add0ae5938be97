/* SPDX-License-Identifier: MIT */
#include "runtime/convert.h"

#include <string.h>

#include "golden/arithmetic.h"

/* Elements from one index to the next in the caller's array. */
struct strides {
	size_t batch, channel, row, column;
};

static struct strides strides_of(const struct convert_array *array)
{
	size_t channels = array->extent.channels;
	size_t height = array->extent.height;
	size_t width = array->extent.width;

	switch (array->layout) {
	case ACCEL_LAYOUT_NHWC:
		return (struct strides){ height * width * channels, 1,
					 width * channels, channels };
	case ACCEL_LAYOUT_TNF:
		return (struct strides){ channels, 1, array->batch * channels,
					 0 };
	case ACCEL_LAYOUT_NTF:
		return (struct strides){ height * channels, 1, channels, 0 };
	case ACCEL_LAYOUT_NF:
	case ACCEL_LAYOUT_DNF:
	case ACCEL_LAYOUT_NCHW:
	case ACCEL_LAYOUT_DEFAULT:
		break;
	}
	return (struct strides){ channels * height * width, height * width,
				 width, 1 };
}

static size_t elements_count(const struct convert_array *array)
{
	return (size_t)array->extent.channels * array->extent.height *
	       array->extent.width * array->batch;
}

/* The caller's index of element (c, y, x, b), whose device index counts up. */
struct cursor {
	const struct convert_array *array;
	struct strides strides;
	size_t base; /* of the present channel, row and column */
	uint32_t channel, row, column, batch;
};

static void cursor_start(struct cursor *cursor,
			 const struct convert_array *array)
{
	*cursor =
		(struct cursor){ .array = array, .strides = strides_of(array) };
}

static size_t cursor_next(struct cursor *cursor)
{
	const struct model_extent *extent = &cursor->array->extent;
	size_t index = cursor->base + cursor->batch * cursor->strides.batch;

	if (++cursor->batch < cursor->array->batch)
		return index;
	cursor->batch = 0;
	if (++cursor->column == extent->width) {
		cursor->column = 0;
		if (++cursor->row == extent->height) {
			cursor->row = 0;
			cursor->channel++;
		}
	}
	cursor->base = cursor->channel * cursor->strides.channel +
		       cursor->row * cursor->strides.row +
		       cursor->column * cursor->strides.column;
	return index;
}

static void element_to_device(const struct convert_array *array, float value,
			      void *to, size_t index)
{
	switch (array->type) {
	case MODEL_INT8:
		((int8_t *)to)[index] =
			golden_quantize(value, array->quantization);
		break;
	case MODEL_INT32:
		((int32_t *)to)[index] = (int32_t)value;
		break;
	case MODEL_FLOAT32:
		((float *)to)[index] = value;
		break;
	}
}

static float element_from_device(const struct convert_array *array,
				 const void *from, size_t index)
{
	switch (array->type) {
	case MODEL_INT8:
		return golden_dequantize(((const int8_t *)from)[index],
					 array->quantization);
	case MODEL_INT32:
		return (float)((const int32_t *)from)[index];
	case MODEL_FLOAT32:
		break;
	}
	return ((const float *)from)[index];
}

void convert_to_device(const struct convert_array *array, const float *from,
		       void *to)
{
	size_t elements = elements_count(array);
	struct cursor cursor;

	cursor_start(&cursor, array);
	for (size_t i = 0; i < elements; i++)
		element_to_device(array, from[cursor_next(&cursor)], to, i);
}

void convert_from_device(const struct convert_array *array, const void *from,
			 float *to)
{
	size_t elements = elements_count(array);
	struct cursor cursor;

	cursor_start(&cursor, array);
	for (size_t i = 0; i < elements; i++)
		to[cursor_next(&cursor)] = element_from_device(array, from, i);
}

void convert_zeros(const struct convert_array *array, void *to)
{
	size_t elements = elements_count(array);

	if (array->type == MODEL_INT8)
		memset(to, golden_quantize(0, array->quantization), elements);
	else
		memset(to, 0, elements * sizeof(float));
}
