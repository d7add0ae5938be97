/* SPDX-License-Identifier: MIT */
#include <model/file_source.h>

#include <core/crc32c.h>
#include <core/deadline.h>
#include <core/error.h>
#include <formats/async_file.h>
#include <model/file_format.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file system that does not answer for so long is given up. */
#define READ_NS 60000000000ull

static int read_now(struct async_file *async, void *buffer, uint64_t offset,
		    size_t length)
{
	uint64_t id;

	if (!length)
		return 0;
	async_file_read(async, buffer, offset, length, 0);
	return async_file_wait(async, deadline_after(READ_NS), &id);
}

static int header_read(struct file_source *source)
{
	uint64_t size = async_file_size(source->async), header_size;
	uint8_t prefix[SAFETENSORS_PREFIX];
	char *header;
	int ret;

	if (size < sizeof(prefix))
		return accel_error(-EINVAL, "not a safetensors file");
	ret = read_now(source->async, prefix, 0, sizeof(prefix));
	if (!ret)
		ret = safetensors_header_size(prefix, &header_size);
	if (ret)
		return ret;
	if (header_size > size - sizeof(prefix))
		return accel_error(-EINVAL, "the header is cut off");
	header = malloc(header_size + 1);
	if (!header)
		return accel_error(-ENOMEM, "no memory for the header");
	source->data = sizeof(prefix) + header_size;
	ret = read_now(source->async, header, sizeof(prefix), header_size);
	if (!ret)
		ret = safetensors_begin(&source->file, header, header_size,
					size - source->data);
	free(header);
	return ret;
}

static int lists_create(struct file_source *source)
{
	size_t count = safetensors_count(source->file);

	/* Before names are checked, the last layer may repeat one: four tensors too many. */
	source->wanted = calloc(count + 8, sizeof(*source->wanted));
	source->there = calloc(count + 1, sizeof(*source->there));
	if (!source->wanted || !source->there)
		return accel_error(-ENOMEM, "no memory for %zu tensors", count);
	return 0;
}

int file_source_open(struct file_source *source, const char *path)
{
	int ret;

	*source = (struct file_source){ .is_owned = true };
	ret = async_file_open(path, 0, &source->async);
	/* A pipe, say: what can only be read in order. */
	if (ret == -ESPIPE)
		ret = safetensors_open(&source->file, path);
	else if (!ret)
		ret = header_read(source);
	return ret ? ret : lists_create(source);
}

int file_source_attach(struct file_source *source,
		       struct safetensors_file *file)
{
	*source = (struct file_source){ .file = file };
	return lists_create(source);
}

void file_source_close(struct file_source *source)
{
	/* What the kernel still reads into cannot be freed. */
	bool is_lost = async_file_close(source->async);

	if (source->is_owned && !is_lost)
		safetensors_close(source->file);
	json_decref(source->crcs);
	free(source->wanted);
	free(source->there);
}

int file_source_read_crcs(struct file_source *source)
{
	const char *text =
		safetensors_metadata(source->file, MODEL_FILE_CRC_KEY);

	source->crcs = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) :
			      NULL;
	if (json_is_object(source->crcs) &&
	    json_object_size(source->crcs) == safetensors_count(source->file))
		return 0;
	return accel_error(
		-EBADMSG,
		"the tensors' checksums are missing; the file is damaged, recompress the model");
}

int file_crc_check(const char *what, uint32_t crc, const char *expected)
{
	char digits[MODEL_FILE_CRC_SIZE];

	snprintf(digits, sizeof(digits), MODEL_FILE_CRC_FORMAT, crc);
	if (expected && !strcmp(digits, expected))
		return 0;
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	return 0; /* a fuzzer guesses no checksum; let it see what lies behind */
#endif
	return accel_error(
		-EBADMSG,
		"the checksum of '%s' is %s, not %s; the file is damaged, recompress the model",
		what, digits, expected ? expected : "there");
}

int file_source_check(const struct file_source *source, const char *name,
		      uint32_t crc)
{
	return file_crc_check(
		name, crc,
		json_string_value(json_object_get(source->crcs, name)));
}

static size_t index_of(const struct file_source *source,
		       const struct safetensors_tensor *tensor)
{
	return (size_t)(tensor - safetensors_at(source->file, 0));
}

void file_source_want(struct file_source *source,
		      const struct safetensors_tensor *tensor)
{
	if (source->async && tensor->size)
		source->wanted[source->wanted_count++] = tensor;
	else
		source->there[index_of(source, tensor)] = true;
}

void file_source_run(struct file_source *source)
{
	bool began = false;

	while (source->begun < source->wanted_count &&
	       async_file_has_room(source->async)) {
		const struct safetensors_tensor *tensor =
			source->wanted[source->begun++];

		async_file_read(source->async, (void *)tensor->data,
				source->data + safetensors_offset(source->file,
								  tensor),
				tensor->size, index_of(source, tensor));
		began = true;
	}
	if (began)
		async_file_flush(source->async);
}

int file_source_get(struct file_source *source,
		    const struct safetensors_tensor *tensor)
{
	uint64_t deadline = deadline_after(READ_NS);
	size_t index = index_of(source, tensor);

	while (!source->there[index]) {
		uint64_t id = 0;
		int ret;

		file_source_run(source);
		ret = async_file_wait(source->async, deadline, &id);
		if (ret)
			return ret;
		source->there[id] = true;
	}
	file_source_run(source);
	return file_source_check(source, tensor->name,
				 crc32c(0, tensor->data, tensor->size));
}
