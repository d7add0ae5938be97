/* SPDX-License-Identifier: MIT */
#include <formats/safetensors_type.h>

#include <core/checked.h>

static const struct {
	const char *name;
	size_t size;
} types[SAFETENSORS_TYPES] = {
	[SAFETENSORS_BOOL] = { "BOOL", 1 }, [SAFETENSORS_U8] = { "U8", 1 },
	[SAFETENSORS_I8] = { "I8", 1 },	    [SAFETENSORS_U16] = { "U16", 2 },
	[SAFETENSORS_I16] = { "I16", 2 },   [SAFETENSORS_F16] = { "F16", 2 },
	[SAFETENSORS_BF16] = { "BF16", 2 }, [SAFETENSORS_U32] = { "U32", 4 },
	[SAFETENSORS_I32] = { "I32", 4 },   [SAFETENSORS_F32] = { "F32", 4 },
	[SAFETENSORS_U64] = { "U64", 8 },   [SAFETENSORS_I64] = { "I64", 8 },
	[SAFETENSORS_F64] = { "F64", 8 },
};

size_t safetensors_type_size(enum safetensors_type type)
{
	return types[type].size;
}

const char *safetensors_type_name(enum safetensors_type type)
{
	return types[type].name;
}

/* The number of elements; false if it overflows. */
static bool elements_count(const struct safetensors_tensor *tensor,
			   size_t *elements)
{
	*elements = 1;
	for (unsigned int i = 0; i < tensor->rank; i++) {
		if (!checked_multiply(*elements, tensor->shape[i], elements))
			return false;
	}
	return true;
}

bool safetensors_bytes(const struct safetensors_tensor *tensor, size_t *bytes)
{
	return elements_count(tensor, bytes) &&
	       checked_multiply(*bytes, types[tensor->type].size, bytes);
}
