/* SPDX-License-Identifier: MIT */
#include <formats/safetensors.h>

#include <core/checked.h>
#include <core/error.h>
#include <formats/file.h>
#include <formats/safetensors_type.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Tensors start at a multiple of this in memory. */
#define ALIGNMENT 64

struct safetensors_file {
	json_t *header; /* owns the names and texts */
	uint8_t *data;
	size_t data_size;
	size_t count;
	struct safetensors_tensor *tensors;
};

static int parse_type(const json_t *entry, struct safetensors_tensor *tensor)
{
	const char *name = json_string_value(json_object_get(entry, "dtype"));

	if (!name)
		return accel_error(-EINVAL, "no dtype");
	for (int type = 0; type < SAFETENSORS_TYPES; type++) {
		tensor->type = (enum safetensors_type)type;
		if (!strcmp(name, safetensors_type_name(tensor->type)))
			return 0;
	}
	return accel_error(-EINVAL, "dtype %s is not supported", name);
}

/* A number that is not negative. */
static int parse_number(const json_t *json, uint64_t *number)
{
	if (!json_is_integer(json) || json_integer_value(json) < 0)
		return accel_error(-EINVAL,
				   "a shape or an offset is no number");
	*number = (uint64_t)json_integer_value(json);
	return 0;
}

static int parse_shape(const json_t *entry, struct safetensors_tensor *tensor)
{
	const json_t *shape = json_object_get(entry, "shape");

	if (!json_is_array(shape))
		return accel_error(-EINVAL, "no shape");
	if (json_array_size(shape) > SAFETENSORS_MAX_RANK)
		return accel_error(-EINVAL, "more than %d dimensions",
				   SAFETENSORS_MAX_RANK);
	tensor->rank = (unsigned int)json_array_size(shape);
	for (unsigned int i = 0; i < tensor->rank; i++) {
		int ret = parse_number(json_array_get(shape, i),
				       &tensor->shape[i]);

		if (ret)
			return ret;
	}
	return 0;
}

static int parse_place(const json_t *entry, struct safetensors_tensor *tensor,
		       const struct safetensors_file *file)
{
	const json_t *offsets = json_object_get(entry, "data_offsets");
	uint64_t begin, end;
	int ret;

	if (json_array_size(offsets) != 2)
		return accel_error(-EINVAL, "no data_offsets");
	ret = parse_number(json_array_get(offsets, 0), &begin);
	if (!ret)
		ret = parse_number(json_array_get(offsets, 1), &end);
	if (ret)
		return ret;
	if (begin > end || end > file->data_size)
		return accel_error(-EINVAL,
				   "bytes %llu to %llu of %zu; the file is cut "
				   "off or damaged",
				   (unsigned long long)begin,
				   (unsigned long long)end, file->data_size);
	if (begin % safetensors_type_size(tensor->type))
		return accel_error(-EINVAL, "its bytes are not aligned");
	tensor->data = file->data + begin;
	tensor->size = end - begin;
	return 0;
}

static int parse_tensor(const json_t *entry, struct safetensors_tensor *tensor,
			const struct safetensors_file *file)
{
	size_t bytes;
	int ret;

	ret = parse_type(entry, tensor);
	if (!ret)
		ret = parse_shape(entry, tensor);
	if (!ret)
		ret = parse_place(entry, tensor, file);
	if (ret)
		return ret;
	if (!safetensors_bytes(tensor, &bytes) || bytes != tensor->size)
		return accel_error(-EINVAL,
				   "%zu bytes, which its shape does not fill",
				   tensor->size);
	return 0;
}

static int parse_metadata(const json_t *metadata)
{
	const json_t *value;
	const char *key;

	if (!json_is_object(metadata))
		return accel_error(-EINVAL, "__metadata__ is no object");
	json_object_foreach((json_t *)metadata, key, value)
	{
		if (!json_is_string(value))
			return accel_error(
				-EINVAL, "__metadata__: %s is no string", key);
	}
	return 0;
}

static int parse_entries(struct safetensors_file *file)
{
	const json_t *entry;
	const char *name;
	int ret;

	file->tensors = calloc(json_object_size(file->header) + 1,
			       sizeof(*file->tensors));
	if (!file->tensors)
		return accel_error(-ENOMEM, "no memory");
	json_object_foreach(file->header, name, entry)
	{
		struct safetensors_tensor *tensor = &file->tensors[file->count];

		if (!strcmp(name, SAFETENSORS_METADATA)) {
			ret = parse_metadata(entry);
			if (ret)
				return ret;
			continue;
		}
		tensor->name = name;
		ret = parse_tensor(entry, tensor, file);
		if (ret)
			return accel_error_prefix(ret, "tensor %s", name);
		file->count++;
	}
	return 0;
}

/* By place; an empty tensor lies before the one that begins where it does. */
static int compare_places(const void *left, const void *right)
{
	const struct safetensors_tensor *a = left, *b = right;

	if (a->data != b->data)
		return a->data < b->data ? -1 : 1;
	if (!a->size != !b->size)
		return a->size ? 1 : -1;
	return strcmp(a->name, b->name);
}

/* Each byte belongs to one tensor: the format allows neither overlap nor hole. */
static int check_places(struct safetensors_file *file)
{
	const uint8_t *end = file->data;

	qsort(file->tensors, file->count, sizeof(*file->tensors),
	      compare_places);
	for (size_t i = 0; i < file->count; i++) {
		const struct safetensors_tensor *tensor = &file->tensors[i];
		const uint8_t *begin = tensor->data;

		if (begin != end)
			return accel_error(-EINVAL, "tensor %s: %s before it",
					   tensor->name,
					   begin < end ? "overlaps the one" :
							 "unused bytes");
		end = begin + tensor->size;
	}
	if (end != file->data + file->data_size)
		return accel_error(-EINVAL, "surplus bytes at the end");
	return 0;
}

static int parse_header(struct safetensors_file *file, const char *text,
			size_t size)
{
	json_error_t error;

	file->header = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!file->header)
		return accel_error(-EINVAL, "header: %s", error.text);
	if (!json_is_object(file->header))
		return accel_error(-EINVAL, "header: no JSON object");
	return 0;
}

static int data_reserve(struct safetensors_file *file, uint64_t size)
{
	size_t capacity;

	if (!checked_align(size ? size : 1, ALIGNMENT, &capacity))
		return accel_error(-EINVAL, "too large");
	file->data = aligned_alloc(ALIGNMENT, capacity);
	if (!file->data)
		return accel_error(-ENOMEM, "no memory for %llu bytes",
				   (unsigned long long)size);
	file->data_size = size;
	return 0;
}

static int begin(struct safetensors_file *file, const char *header,
		 size_t header_size, uint64_t data_size)
{
	int ret = parse_header(file, header, header_size);

	if (!ret)
		ret = data_reserve(file, data_size);
	if (!ret)
		ret = parse_entries(file);
	if (!ret)
		ret = check_places(file);
	return ret;
}

int safetensors_begin(struct safetensors_file **result, const void *header,
		      size_t header_size, uint64_t data_size)
{
	struct safetensors_file *file = calloc(1, sizeof(*file));
	int ret;

	if (!file)
		return accel_error(-ENOMEM, "no memory");
	ret = begin(file, header, header_size, data_size);
	if (ret) {
		safetensors_close(file);
		return ret;
	}
	*result = file;
	return 0;
}

int safetensors_header_size(const uint8_t *bytes, uint64_t *size)
{
	*size = 0;
	for (int i = 0; i < SAFETENSORS_PREFIX; i++)
		*size |= (uint64_t)bytes[i] << (8 * i);
	if (*size > SAFETENSORS_MAX_HEADER)
		return accel_error(-EINVAL, "not a safetensors file");
	return 0;
}

int safetensors_parse(struct safetensors_file **result, const void *data,
		      size_t size)
{
	const uint8_t *bytes = data;
	uint64_t header_size, data_size;
	int ret;

	if (size < SAFETENSORS_PREFIX)
		return accel_error(-EINVAL, "not a safetensors file");
	ret = safetensors_header_size(bytes, &header_size);
	if (ret)
		return ret;
	if (!checked_range(SAFETENSORS_PREFIX, header_size, size))
		return accel_error(-EINVAL, "the header is cut off");
	data_size = size - SAFETENSORS_PREFIX - header_size;
	ret = safetensors_begin(result, bytes + SAFETENSORS_PREFIX, header_size,
				data_size);
	if (!ret && data_size)
		memcpy((*result)->data,
		       bytes + SAFETENSORS_PREFIX + header_size, data_size);
	return ret;
}

int safetensors_open(struct safetensors_file **file, const char *path)
{
	size_t size;
	void *data;
	int ret;

	ret = file_read(path, SIZE_MAX / 4, &data, &size);
	if (ret)
		return ret;
	ret = safetensors_parse(file, data, size);
	free(data);
	return ret ? accel_error_prefix(ret, "%s", path) : 0;
}

void safetensors_close(struct safetensors_file *file)
{
	if (!file)
		return;
	json_decref(file->header);
	free(file->data);
	free(file->tensors);
	free(file);
}

size_t safetensors_count(const struct safetensors_file *file)
{
	return file->count;
}

const struct safetensors_tensor *
safetensors_at(const struct safetensors_file *file, size_t index)
{
	return &file->tensors[index];
}

const struct safetensors_tensor *
safetensors_find(const struct safetensors_file *file, const char *name)
{
	for (size_t i = 0; i < file->count; i++) {
		if (!strcmp(file->tensors[i].name, name))
			return &file->tensors[i];
	}
	return NULL;
}

uint64_t safetensors_offset(const struct safetensors_file *file,
			    const struct safetensors_tensor *tensor)
{
	return (uint64_t)((const uint8_t *)tensor->data - file->data);
}

const char *safetensors_metadata(const struct safetensors_file *file,
				 const char *key)
{
	const json_t *metadata =
		json_object_get(file->header, SAFETENSORS_METADATA);

	return json_string_value(json_object_get(metadata, key));
}
