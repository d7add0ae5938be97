/* SPDX-License-Identifier: MIT */
#include <formats/npy.h>

#include <core/checked.h>
#include <core/error.h>
#include <formats/atomic_file.h>
#include <formats/file.h>
#include <formats/float16.h>
#include <formats/npy_header.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t type_sizes[NPY_TYPES] = {
	[NPY_BOOL] = 1,	 [NPY_INT8] = 1,   [NPY_UINT8] = 1,
	[NPY_INT16] = 2, [NPY_UINT16] = 2, [NPY_FLOAT16] = 2,
	[NPY_INT32] = 4, [NPY_UINT32] = 4, [NPY_FLOAT32] = 4,
	[NPY_INT64] = 8, [NPY_UINT64] = 8, [NPY_FLOAT64] = 8,
};

size_t npy_type_size(enum npy_type type)
{
	return type_sizes[type];
}

static int count_elements(unsigned int rank, const size_t *shape,
			  size_t element_size, size_t *count, size_t *bytes)
{
	*count = 1;
	for (unsigned int i = 0; i < rank; i++) {
		if (!checked_multiply(*count, shape[i], count))
			return accel_error(-EINVAL, "the shape is too large");
	}
	if (!checked_multiply(*count, element_size, bytes))
		return accel_error(-EINVAL, "the shape is too large");
	return 0;
}

/* Copy one element, reversing its bytes if they came in the other order. */
static void element_copy(uint8_t *to, const uint8_t *from, size_t size,
			 bool swapped)
{
	if (!swapped) {
		memcpy(to, from, size);
		return;
	}
	for (size_t i = 0; i < size; i++)
		to[i] = from[size - 1 - i];
}

/* Step the indices in C order, the last one fastest. */
static void index_advance(size_t *index, const size_t *shape, unsigned int rank)
{
	for (unsigned int i = rank; i-- > 0;) {
		if (++index[i] < shape[i])
			return;
		index[i] = 0;
	}
}

/* In Fortran order it is the first index that moves fastest. */
static size_t fortran_position(const size_t *index, const size_t *shape,
			       unsigned int rank)
{
	size_t position = 0;

	for (unsigned int i = rank; i-- > 0;)
		position = position * shape[i] + index[i];
	return position;
}

static void elements_copy(struct npy_array *array,
			  const struct npy_header *header, const uint8_t *from)
{
	size_t size = npy_type_size(array->type);
	size_t index[NPY_MAX_RANK] = { 0 };
	uint8_t *to = array->data;

	if (!header->swapped && !header->fortran) {
		memcpy(to, from, array->count * size);
		return;
	}
	for (size_t i = 0; i < array->count; i++) {
		size_t position = i;

		if (header->fortran)
			position = fortran_position(index, array->shape,
						    array->rank);
		element_copy(to + i * size, from + position * size, size,
			     header->swapped);
		index_advance(index, array->shape, array->rank);
	}
}

int npy_parse(struct npy_array *array, const void *data, size_t size)
{
	struct npy_header header;
	size_t bytes;
	int ret;

	ret = npy_header_parse(&header, data, size);
	if (ret)
		return ret;
	array->type = header.type;
	array->rank = header.rank;
	memcpy(array->shape, header.shape, sizeof(array->shape));
	ret = count_elements(array->rank, array->shape,
			     npy_type_size(array->type), &array->count, &bytes);
	if (ret)
		return ret;
	if (bytes != size - header.size)
		return accel_error(-EINVAL,
				   "%zu bytes of elements, the shape needs %zu",
				   size - header.size, bytes);
	array->data = malloc(bytes ? bytes : 1);
	if (!array->data)
		return accel_error(-ENOMEM, "no memory for %zu bytes", bytes);
	elements_copy(array, &header, (const uint8_t *)data + header.size);
	return 0;
}

int npy_read(struct npy_array *array, const char *path)
{
	size_t size;
	void *data;
	int ret;

	ret = file_read(path, SIZE_MAX / 4, &data, &size);
	if (ret)
		return ret;
	ret = npy_parse(array, data, size);
	free(data);
	return ret ? accel_error_prefix(ret, "%s", path) : 0;
}

#define CONVERT(type)                                     \
	do {                                              \
		const type *from = array->data;           \
		for (size_t i = 0; i < array->count; i++) \
			to[i] = (float)from[i];           \
	} while (0)

static void convert_float16(const struct npy_array *array, float *to)
{
	const uint16_t *from = array->data;

	for (size_t i = 0; i < array->count; i++)
		to[i] = float16_to_float(from[i]);
}

static void convert_bool(const struct npy_array *array, float *to)
{
	const uint8_t *from = array->data;

	for (size_t i = 0; i < array->count; i++)
		to[i] = from[i] ? 1.0f : 0.0f;
}

static void convert(const struct npy_array *array, float *to)
{
	switch (array->type) {
	case NPY_BOOL:
		convert_bool(array, to);
		break;
	case NPY_INT8:
		CONVERT(int8_t);
		break;
	case NPY_UINT8:
		CONVERT(uint8_t);
		break;
	case NPY_INT16:
		CONVERT(int16_t);
		break;
	case NPY_UINT16:
		CONVERT(uint16_t);
		break;
	case NPY_FLOAT16:
		convert_float16(array, to);
		break;
	case NPY_INT32:
		CONVERT(int32_t);
		break;
	case NPY_UINT32:
		CONVERT(uint32_t);
		break;
	case NPY_INT64:
		CONVERT(int64_t);
		break;
	case NPY_UINT64:
		CONVERT(uint64_t);
		break;
	case NPY_FLOAT64:
		CONVERT(double);
		break;
	case NPY_FLOAT32:
	case NPY_TYPES:
		break;
	}
}

int npy_to_float(struct npy_array *array)
{
	size_t bytes;
	float *to;

	if (array->type == NPY_FLOAT32)
		return 0;
	if (!checked_multiply(array->count, sizeof(float), &bytes))
		return accel_error(-EINVAL, "the shape is too large");
	to = malloc(bytes ? bytes : 1);
	if (!to)
		return accel_error(-ENOMEM, "no memory for %zu bytes", bytes);
	convert(array, to);
	free(array->data);
	array->data = to;
	array->type = NPY_FLOAT32;
	return 0;
}

int npy_read_float(struct npy_array *array, const char *path)
{
	int ret = npy_read(array, path);

	if (ret)
		return ret;
	ret = npy_to_float(array);
	if (ret) {
		npy_release(array);
		return accel_error_prefix(ret, "%s", path);
	}
	return 0;
}

void npy_release(struct npy_array *array)
{
	free(array->data);
	array->data = NULL;
}

int npy_write(const char *path, const struct npy_array *array)
{
	struct atomic_file *file;
	size_t header_size, count, bytes;
	char *header;
	int ret;

	ret = count_elements(array->rank, array->shape,
			     npy_type_size(array->type), &count, &bytes);
	if (!ret)
		ret = npy_header_print(npy_type_description(array->type),
				       array->rank, array->shape, &header,
				       &header_size);
	if (ret)
		return accel_error_prefix(ret, "%s", path);
	ret = atomic_file_open(&file, path);
	if (ret) {
		free(header);
		return ret;
	}
	ret = atomic_file_write(file, header, header_size);
	free(header);
	if (!ret)
		ret = atomic_file_write(file, array->data, bytes);
	if (ret) {
		atomic_file_abandon(file);
		return ret;
	}
	return atomic_file_commit(file);
}

/* Append elements to a header, which is taken over. */
static int encode(char *header, size_t header_size, const void *elements,
		  size_t bytes, void **data, size_t *size)
{
	char *whole = NULL;

	if (checked_add(header_size, bytes, size))
		whole = realloc(header, *size);
	if (!whole) {
		free(header);
		return accel_error(-ENOMEM, "no memory for %zu bytes", bytes);
	}
	if (bytes)
		memcpy(whole + header_size, elements, bytes);
	*data = whole;
	return 0;
}

int npy_encode(const struct npy_array *array, void **data, size_t *size)
{
	size_t header_size, count, bytes;
	char *header;
	int ret;

	ret = count_elements(array->rank, array->shape,
			     npy_type_size(array->type), &count, &bytes);
	if (!ret)
		ret = npy_header_print(npy_type_description(array->type),
				       array->rank, array->shape, &header,
				       &header_size);
	if (ret)
		return ret;
	return encode(header, header_size, array->data, bytes, data, size);
}

int npy_encode_text(const char *text, void **data, size_t *size)
{
	char description[32];
	size_t header_size;
	char *header;
	int ret;

	snprintf(description, sizeof(description), "|S%zu", strlen(text));
	ret = npy_header_print(description, 0, NULL, &header, &header_size);
	if (ret)
		return ret;
	return encode(header, header_size, text, strlen(text), data, size);
}
