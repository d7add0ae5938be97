/* SPDX-License-Identifier: MIT */
/*
 * Initializers. How many bytes there are is compared with the shape before memory
 * is taken: the shape alone could ask for anything.
 */
#include <compress/onnx_file.h>
#include <compress/onnx_tensor.h>
#include <core/checked.h>
#include <core/error.h>
#include <formats/float16.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

/* Bytes of an element in raw data; 0 for what is not read. */
static size_t element_size(int type)
{
	switch (type) {
	case TYPE(DOUBLE):
	case TYPE(INT64):
	case TYPE(UINT64):
		return 8;
	case TYPE(FLOAT):
	case TYPE(INT32):
	case TYPE(UINT32):
		return 4;
	case TYPE(FLOAT16):
	case TYPE(BFLOAT16):
	case TYPE(INT16):
	case TYPE(UINT16):
		return 2;
	case TYPE(INT8):
	case TYPE(UINT8):
	case TYPE(BOOL):
		return 1;
	default:
		return 0;
	}
}

static bool is_real(int type)
{
	return type == TYPE(FLOAT) || type == TYPE(DOUBLE) ||
	       type == TYPE(FLOAT16) || type == TYPE(BFLOAT16);
}

static float raw_real(const uint8_t *raw, int type)
{
	uint16_t half;
	double wide;
	float value;

	switch (type) {
	case TYPE(DOUBLE):
		memcpy(&wide, raw, sizeof(wide));
		return (float)wide;
	case TYPE(FLOAT16):
		memcpy(&half, raw, sizeof(half));
		return float16_to_float(half);
	case TYPE(BFLOAT16):
		memcpy(&half, raw, sizeof(half));
		return bfloat16_to_float(half);
	default:
		memcpy(&value, raw, sizeof(value));
		return value;
	}
}

static int64_t raw_integer(const uint8_t *raw, int type)
{
	int64_t wide;
	int32_t word;
	int16_t half;

	switch (type) {
	case TYPE(INT64):
	case TYPE(UINT64):
		memcpy(&wide, raw, sizeof(wide));
		return wide;
	case TYPE(INT32):
	case TYPE(UINT32):
		memcpy(&word, raw, sizeof(word));
		return type == TYPE(INT32) ? word : (int64_t)(uint32_t)word;
	case TYPE(INT16):
	case TYPE(UINT16):
		memcpy(&half, raw, sizeof(half));
		return type == TYPE(INT16) ? half : (int64_t)(uint16_t)half;
	case TYPE(INT8):
		return (int8_t)*raw;
	default:
		return *raw;
	}
}

/* What Slice and the like write for "to the end" is beyond our handles' range. */
static int64_t clamp_integer(int64_t value)
{
	if (value >= DIMENSION_NUMBER_LIMIT)
		return DIMENSION_NUMBER_LIMIT - 1;
	if (value <= -DIMENSION_NUMBER_LIMIT)
		return -DIMENSION_NUMBER_LIMIT + 1;
	return value;
}

static void decode_raw(const uint8_t *raw, struct onnx_value *value)
{
	size_t size = element_size(value->element_type);

	for (int64_t i = 0; i < value->count; i++, raw += size) {
		if (value->reals)
			value->reals[i] = raw_real(raw, value->element_type);
		else
			value->integers[i] = clamp_integer(
				raw_integer(raw, value->element_type));
	}
}

/* Which of the typed fields holds the data, and how many elements. */
static size_t typed_count(const Onnx__TensorProto *tensor)
{
	switch (tensor->data_type) {
	case TYPE(FLOAT):
		return tensor->n_float_data;
	case TYPE(DOUBLE):
		return tensor->n_double_data;
	case TYPE(INT64):
		return tensor->n_int64_data;
	case TYPE(UINT32):
	case TYPE(UINT64):
		return tensor->n_uint64_data;
	default:
		return tensor->n_int32_data;
	}
}

/* Small types share int32_data, as onnx.proto says at TensorProto. */
static void decode_typed(const Onnx__TensorProto *tensor,
			 struct onnx_value *value)
{
	for (int64_t i = 0; i < value->count; i++) {
		switch (value->element_type) {
		case TYPE(FLOAT):
			value->reals[i] = tensor->float_data[i];
			break;
		case TYPE(DOUBLE):
			value->reals[i] = (float)tensor->double_data[i];
			break;
		case TYPE(FLOAT16):
			value->reals[i] = float16_to_float(
				(uint16_t)tensor->int32_data[i]);
			break;
		case TYPE(BFLOAT16):
			value->reals[i] = bfloat16_to_float(
				(uint16_t)tensor->int32_data[i]);
			break;
		case TYPE(INT64):
			value->integers[i] =
				clamp_integer(tensor->int64_data[i]);
			break;
		case TYPE(UINT32):
		case TYPE(UINT64):
			value->integers[i] =
				clamp_integer((int64_t)tensor->uint64_data[i]);
			break;
		default:
			value->integers[i] = tensor->int32_data[i];
			break;
		}
	}
}

/* Where external data lies, from its key-value pairs. */
struct external {
	const char *location;
	uint64_t offset;
	uint64_t length;
	bool has_length;
};

static int external_number(const char *name, const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9')
		return accel_error(-EBADMSG, "%s: external data at \"%s\"",
				   name, text);
	return 0;
}

/* Keys beyond these (a checksum) are hints that nobody has to follow. */
static int external_parse(const Onnx__TensorProto *tensor, const char *name,
			  struct external *external)
{
	int ret = 0;

	for (size_t i = 0; i < tensor->n_external_data && !ret; i++) {
		const char *key = tensor->external_data[i]->key ?: "";
		const char *text = tensor->external_data[i]->value ?: "";

		if (!strcmp(key, "location")) {
			external->location = text;
		} else if (!strcmp(key, "offset")) {
			ret = external_number(name, text, &external->offset);
		} else if (!strcmp(key, "length")) {
			external->has_length = true;
			ret = external_number(name, text, &external->length);
		}
	}
	if (!ret && !external->location)
		return accel_error(-EBADMSG, "%s: external data without a file",
				   name);
	return ret;
}

static int decode_external(struct onnx_context *context,
			   const Onnx__TensorProto *tensor,
			   struct onnx_value *value)
{
	size_t size = (size_t)value->count * element_size(value->element_type);
	struct external external = { 0 };
	void *raw;
	int ret = external_parse(tensor, value->name, &external);

	if (ret)
		return ret;
	if (external.has_length && external.length != size)
		return accel_error(-EBADMSG,
				   "%s: %llu bytes of external data, not %zu",
				   value->name,
				   (unsigned long long)external.length, size);
	raw = malloc(size + 1);
	if (!raw)
		return accel_error(-ENOMEM, "%s: out of memory", value->name);
	ret = onnx_file_read_external(context->folder, external.location,
				      external.offset, size, raw);
	if (!ret)
		decode_raw(raw, value);
	free(raw);
	return ret ? accel_error_prefix(ret, "%s", value->name) : 0;
}

static bool is_external(const Onnx__TensorProto *tensor)
{
	return tensor->has_data_location &&
	       tensor->data_location ==
		       ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

/* Is as much data there as the shape says? Checked before memory is taken. */
static int check_length(struct onnx_context *context,
			const Onnx__TensorProto *tensor,
			const struct onnx_value *value)
{
	struct external external = { 0 };
	uint64_t bytes, stored;
	int ret;

	if (!checked_multiply_u64((uint64_t)value->count,
				  element_size(value->element_type), &bytes))
		return accel_error(-EBADMSG, "%s: too many elements",
				   value->name);
	if (is_external(tensor)) {
		ret = external_parse(tensor, value->name, &external);
		if (!ret)
			ret = onnx_file_external_size(
				context->folder, external.location, &stored);
		if (ret)
			return accel_error_prefix(ret, "%s", value->name);
		if (checked_range(external.offset, bytes, stored)) {
			/* the model is as large as all of its files */
			context->budget += bytes * ONNX_BUDGET_FACTOR;
			return 0;
		}
	} else if (tensor->has_raw_data) {
		stored = tensor->raw_data.len;
		if (stored == bytes)
			return 0;
	} else {
		stored = typed_count(tensor);
		if (stored == (uint64_t)value->count)
			return 0;
	}
	return accel_error(-EBADMSG,
			   "%s: its shape has %lld elements, the file does not "
			   "hold so many; it is damaged",
			   value->name, (long long)value->count);
}

static int decode_shape(const Onnx__TensorProto *tensor,
			struct onnx_value *value)
{
	if (tensor->n_dims > GRAPH_MAX_RANK)
		return accel_error(-ENOTSUP, "%s: %zu axes, at most %d",
				   value->name, tensor->n_dims, GRAPH_MAX_RANK);
	value->shape.rank = (int)tensor->n_dims;
	for (size_t i = 0; i < tensor->n_dims; i++) {
		if (tensor->dims[i] < 0 || tensor->dims[i] > GRAPH_MAX_LENGTH)
			return accel_error(-EBADMSG,
					   "%s: dimension %zu is %lld",
					   value->name, i,
					   (long long)tensor->dims[i]);
		value->shape.dims[i] = tensor->dims[i];
	}
	value->count = graph_shape_count(&value->shape);
	if (value->count < 0)
		return accel_error(-EBADMSG, "%s: too many elements",
				   value->name);
	return 0;
}

/* Elements end up as binary32 or as int64: all that follows knows just these two. */
int onnx_tensor_decode(struct onnx_context *context,
		       const Onnx__TensorProto *tensor,
		       struct onnx_value *value)
{
	int type = tensor->data_type;
	int ret;

	memset(value, 0, sizeof(*value));
	value->name = tensor->name && *tensor->name ? tensor->name : "tensor";
	if (!element_size(type))
		return accel_error(-ENOTSUP,
				   "%s: elements of type %d; supported are "
				   "float, double, float16, bfloat16, bool and "
				   "integers of 8 to 64 bits",
				   value->name, type);
	value->element_type = type;
	ret = decode_shape(tensor, value);
	if (!ret)
		ret = check_length(context, tensor, value);
	if (ret)
		return ret;
	ret = is_real(type) ?
		      onnx_value_reals(context, &value->shape, value) :
		      onnx_value_integers(context, &value->shape, value);
	if (ret)
		return ret;
	value->element_type = type;
	if (is_external(tensor))
		return decode_external(context, tensor, value);
	if (tensor->has_raw_data)
		decode_raw(tensor->raw_data.data, value);
	else
		decode_typed(tensor, value);
	return 0;
}
