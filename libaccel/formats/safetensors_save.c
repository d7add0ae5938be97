/* SPDX-License-Identifier: MIT */
#include <formats/safetensors.h>

#include <core/checked.h>
#include <core/error.h>
#include <formats/atomic_file.h>
#include <formats/safetensors_type.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The data begins at a multiple of this; tensors of any type are then aligned. */
#define DATA_ALIGNMENT 64

/* Larger elements first, and among equals the given order. */
static int compare_tensors(const void *left, const void *right)
{
	const struct safetensors_tensor *a =
		*(const struct safetensors_tensor *const *)left;
	const struct safetensors_tensor *b =
		*(const struct safetensors_tensor *const *)right;
	size_t a_size = safetensors_type_size(a->type);
	size_t b_size = safetensors_type_size(b->type);

	if (a_size != b_size)
		return a_size > b_size ? -1 : 1;
	return a < b ? -1 : a > b;
}

static const struct safetensors_tensor **
tensors_ordered(const struct safetensors_tensor *tensors, size_t count)
{
	const struct safetensors_tensor **ordered =
		calloc(count + 1, sizeof(const struct safetensors_tensor *));

	if (!ordered) {
		accel_error(-ENOMEM, "no memory");
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		ordered[i] = &tensors[i];
	qsort(ordered, count, sizeof(*ordered), compare_tensors);
	return ordered;
}

static json_t *texts_to_json(const struct safetensors_text *texts, size_t count)
{
	json_t *metadata = json_object();

	for (size_t i = 0; i < count; i++) {
		if (json_object_set_new(metadata, texts[i].key,
					json_string(texts[i].value))) {
			accel_error(-EINVAL,
				    "metadata %s is not UTF-8, or no memory",
				    texts[i].key);
			json_decref(metadata);
			return NULL;
		}
	}
	return metadata;
}

static json_t *tensor_to_json(const struct safetensors_tensor *tensor,
			      size_t begin)
{
	json_t *shape = json_array();

	for (unsigned int i = 0; i < tensor->rank; i++)
		json_array_append_new(
			shape, json_integer((json_int_t)tensor->shape[i]));
	return json_pack("{s:s, s:o, s:[I, I]}", "dtype",
			 safetensors_type_name(tensor->type), "shape", shape,
			 "data_offsets", (json_int_t)begin,
			 (json_int_t)(begin + tensor->size));
}

static int tensor_add(json_t *header, const struct safetensors_tensor *tensor,
		      size_t *end)
{
	size_t begin = *end;
	size_t bytes;

	if (!safetensors_bytes(tensor, &bytes) || bytes != tensor->size ||
	    !checked_add(*end, bytes, end) || *end > INT64_MAX)
		return accel_error(-EINVAL,
				   "tensor %s: %zu bytes do not fit its shape",
				   tensor->name, tensor->size);
	if (json_object_get(header, tensor->name) ||
	    !strcmp(tensor->name, SAFETENSORS_METADATA))
		return accel_error(-EINVAL, "two tensors have the name %s",
				   tensor->name);
	if (json_object_set_new(header, tensor->name,
				tensor_to_json(tensor, begin)))
		return accel_error(-EINVAL,
				   "tensor name %s is not UTF-8, or no memory",
				   tensor->name);
	return 0;
}

static json_t *header_build(const struct safetensors_tensor **ordered,
			    size_t tensor_count,
			    const struct safetensors_text *texts,
			    size_t text_count)
{
	json_t *header = json_object();
	json_t *metadata = texts_to_json(texts, text_count);
	size_t end = 0;

	/* The texts come last: an object keeps the order of its insertions. */
	for (size_t i = 0; metadata && i < tensor_count; i++) {
		if (tensor_add(header, ordered[i], &end)) {
			json_decref(metadata);
			metadata = NULL;
		}
	}
	if (!metadata ||
	    (text_count &&
	     json_object_set(header, SAFETENSORS_METADATA, metadata))) {
		json_decref(header);
		header = NULL;
	}
	json_decref(metadata);
	return header;
}

/* The header's text, behind the eight bytes of its size and padded with spaces. */
static char *header_print(const json_t *header, size_t *size)
{
	size_t length = json_dumpb(header, NULL, 0, JSON_COMPACT);
	char *text;

	*size = (8 + length + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT *
		DATA_ALIGNMENT;
	if (!length || *size - 8 > SAFETENSORS_MAX_HEADER) {
		accel_error(-EINVAL, "the header of %zu bytes is too large",
			    length);
		return NULL;
	}
	text = malloc(*size);
	if (!text) {
		accel_error(-ENOMEM, "no memory");
		return NULL;
	}
	memset(text + 8, ' ', *size - 8);
	json_dumpb(header, text + 8, length, JSON_COMPACT);
	for (int i = 0; i < 8; i++)
		text[i] = (char)((*size - 8) >> (8 * i) & 0xff);
	return text;
}

static int write_all(const char *path, const char *header, size_t header_size,
		     const struct safetensors_tensor **ordered, size_t count)
{
	struct atomic_file *file;
	int ret;

	ret = atomic_file_open(&file, path);
	if (ret)
		return ret;
	ret = atomic_file_write(file, header, header_size);
	for (size_t i = 0; i < count && !ret; i++)
		ret = atomic_file_write(file, ordered[i]->data,
					ordered[i]->size);
	if (ret) {
		atomic_file_abandon(file);
		return ret;
	}
	return atomic_file_commit(file);
}

int safetensors_save(const char *path, const struct safetensors_tensor *tensors,
		     size_t tensor_count, const struct safetensors_text *texts,
		     size_t text_count)
{
	const struct safetensors_tensor **ordered =
		tensors_ordered(tensors, tensor_count);
	json_t *header = NULL;
	char *text = NULL;
	size_t size;
	int ret;

	if (ordered)
		header = header_build(ordered, tensor_count, texts, text_count);
	if (header)
		text = header_print(header, &size);
	if (text)
		ret = write_all(path, text, size, ordered, tensor_count);
	else
		ret = accel_error_prefix(-EINVAL, "%s", path);
	free(text);
	json_decref(header);
	free(ordered);
	return ret;
}
