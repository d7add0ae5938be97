/* SPDX-License-Identifier: MIT */
#include <formats/idx.h>

#include <core/checked.h>
#include <core/error.h>
#include <formats/file.h>
#include <formats/gzip.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE ((size_t)8 << 30)
/* Two zeros, the type, the rank; then the dimensions, 32 bits each. */
#define MAGIC_SIZE 4
#define DIM_SIZE 4

static bool type_of(uint8_t code, enum npy_type *type)
{
	switch (code) {
	case 0x08:
		*type = NPY_UINT8;
		return true;
	case 0x09:
		*type = NPY_INT8;
		return true;
	case 0x0b:
		*type = NPY_INT16;
		return true;
	case 0x0c:
		*type = NPY_INT32;
		return true;
	case 0x0d:
		*type = NPY_FLOAT32;
		return true;
	case 0x0e:
		*type = NPY_FLOAT64;
		return true;
	}
	return false;
}

static size_t read_big_endian(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 |
	       (size_t)bytes[2] << 8 | bytes[3];
}

static int parse_shape(struct npy_array *array, const uint8_t *bytes,
		       size_t size)
{
	size_t header = MAGIC_SIZE + DIM_SIZE * (size_t)array->rank;
	size_t length;

	if (size < header)
		return accel_error(-EBADMSG, "the IDX header is cut off");
	array->count = 1;
	for (unsigned int i = 0; i < array->rank; i++) {
		array->shape[i] =
			read_big_endian(bytes + MAGIC_SIZE + DIM_SIZE * i);
		if (!checked_multiply(array->count, array->shape[i],
				      &array->count))
			return accel_error(-EINVAL, "the shape is too large");
	}
	if (!checked_multiply(array->count, npy_type_size(array->type),
			      &length))
		return accel_error(-EINVAL, "the shape is too large");
	if (length != size - header)
		return accel_error(-EBADMSG,
				   "%zu bytes of elements, the shape needs %zu",
				   size - header, length);
	return 0;
}

/* IDX is big-endian, this machine's order is that of its integers. */
static void copy_elements(struct npy_array *array, const uint8_t *from)
{
	size_t size = npy_type_size(array->type);
	uint8_t *to = array->data;
	const uint16_t one = 1;
	bool swapped = *(const uint8_t *)&one;

	if (size == 1 || !swapped) {
		memcpy(to, from, array->count * size);
		return;
	}
	for (size_t i = 0; i < array->count; i++)
		for (size_t b = 0; b < size; b++)
			to[i * size + b] = from[i * size + size - 1 - b];
}

int idx_parse(struct npy_array *array, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	int ret;

	*array = (struct npy_array){ .rank = 0 };
	if (size < MAGIC_SIZE || bytes[0] || bytes[1] ||
	    !type_of(bytes[2], &array->type) || !bytes[3] ||
	    bytes[3] > NPY_MAX_RANK)
		return accel_error(-EBADMSG, "no IDX file");
	array->rank = bytes[3];
	ret = parse_shape(array, bytes, size);
	if (ret)
		return ret;
	array->data = malloc(
		array->count ? array->count * npy_type_size(array->type) : 1);
	if (!array->data)
		return accel_error(-ENOMEM, "no memory for %zu elements",
				   array->count);
	copy_elements(array, bytes + MAGIC_SIZE + DIM_SIZE * array->rank);
	return 0;
}

static int parse_gzip(struct npy_array *array, const void *data, size_t size)
{
	void *expanded;
	size_t expanded_size;
	int ret = gzip_expand(data, size, MAX_FILE, &expanded, &expanded_size);

	if (ret)
		return ret;
	ret = idx_parse(array, expanded, expanded_size);
	free(expanded);
	return ret;
}

int idx_read(struct npy_array *array, const char *path)
{
	size_t size;
	void *data;
	int ret = file_read(path, MAX_FILE, &data, &size);

	if (ret)
		return ret;
	ret = gzip_is(data, size) ? parse_gzip(array, data, size) :
				    idx_parse(array, data, size);
	free(data);
	return ret ? accel_error_prefix(ret, "%s", path) : 0;
}
