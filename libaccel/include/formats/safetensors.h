/* SPDX-License-Identifier: MIT */
/*
 * The safetensors format (huggingface.co/docs/safetensors): 8 bytes of header size,
 * a JSON header, then the tensors' bytes. The reader trusts nothing: every offset,
 * shape and type is checked, tensors neither overlap nor leave holes.
 */
#ifndef FORMATS_SAFETENSORS_H
#define FORMATS_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAFETENSORS_MAX_RANK 8

/* Bytes before the header, which tell its size. */
#define SAFETENSORS_PREFIX 8

enum safetensors_type {
	SAFETENSORS_BOOL,
	SAFETENSORS_U8,
	SAFETENSORS_I8,
	SAFETENSORS_U16,
	SAFETENSORS_I16,
	SAFETENSORS_F16,
	SAFETENSORS_BF16,
	SAFETENSORS_U32,
	SAFETENSORS_I32,
	SAFETENSORS_F32,
	SAFETENSORS_U64,
	SAFETENSORS_I64,
	SAFETENSORS_F64,
	SAFETENSORS_TYPES,
};

struct safetensors_tensor {
	const char *name;
	enum safetensors_type type;
	unsigned int rank;
	uint64_t shape[SAFETENSORS_MAX_RANK];
	const void *data; /* C order, aligned for its type */
	size_t size; /* bytes */
};

struct safetensors_text {
	const char *key;
	const char *value;
};

struct safetensors_file;

/* What was opened or parsed goes back with safetensors_close(). */
int safetensors_open(struct safetensors_file **file, const char *path);

/* The same from memory, which is copied. */
int safetensors_parse(struct safetensors_file **file, const void *data,
		      size_t size);

/*
 * The same from a header alone, that of a file of data_size bytes behind it: the tensors'
 * bytes are not there yet, but have room where their data points to.
 */
int safetensors_begin(struct safetensors_file **file, const void *header,
		      size_t header_size, uint64_t data_size);

/* The header's size from a file's first eight bytes; −EINVAL for what is none. */
int safetensors_header_size(const uint8_t *bytes, uint64_t *size);

/* Where a tensor begins, counted from the end of the header. */
uint64_t safetensors_offset(const struct safetensors_file *file,
			    const struct safetensors_tensor *tensor);

void safetensors_close(struct safetensors_file *file);

/* Tensors and their names belong to the file; they come in the order of their bytes. */
size_t safetensors_count(const struct safetensors_file *file);
const struct safetensors_tensor *
safetensors_at(const struct safetensors_file *file, size_t index);

/* NULL if there is none of that name. */
const struct safetensors_tensor *
safetensors_find(const struct safetensors_file *file, const char *name);

/* A string of the header's __metadata__, NULL if there is none of that key. */
const char *safetensors_metadata(const struct safetensors_file *file,
				 const char *key);

size_t safetensors_type_size(enum safetensors_type type);
const char *safetensors_type_name(enum safetensors_type type);

/*
 * Write a file atomically (see atomic_file.h). The same tensors and texts in the same
 * order give the same bytes. Tensors are stored by falling element size, so that
 * each is aligned, and in the given order within one size.
 */
int safetensors_save(const char *path, const struct safetensors_tensor *tensors,
		     size_t tensor_count, const struct safetensors_text *texts,
		     size_t text_count);

#endif
