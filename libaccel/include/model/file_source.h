/* SPDX-License-Identifier: MIT */
/* The tensors of a model file, which come one by one and are checked as they come. */
#ifndef MODEL_FILE_SOURCE_H
#define MODEL_FILE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <formats/safetensors.h>

struct async_file;
struct json_t;

/**
 * struct file_source - a file
 * @file: its header, and room for its tensors
 * @async: that they are read from; NULL, where they are all there
 * @data: offset of the tensors in it
 * @crcs: JSON object of all checksums
 * @is_owned: @file is closed with the source
 * @wanted: tensors in the order in which they are to be read
 * @wanted_count: of @wanted
 * @begun: how many of them are being read or have been
 * @there: for each tensor of the file: it has been read
 */
struct file_source {
	struct safetensors_file *file;
	struct async_file *async;
	uint64_t data;
	struct json_t *crcs;
	bool is_owned;
	const struct safetensors_tensor **wanted;
	size_t wanted_count;
	size_t begun;
	bool *there;
};

/* From a path, or from a file that is in memory. file_source_close() is due in any case. */
int file_source_open(struct file_source *source, const char *path);
int file_source_attach(struct file_source *source,
		       struct safetensors_file *file);
void file_source_close(struct file_source *source);

/* Take the checksums from the metadata; the texts there are checked already. */
int file_source_read_crcs(struct file_source *source);

/* To be read behind those that were wanted before. Not twice. */
void file_source_want(struct file_source *source,
		      const struct safetensors_tensor *tensor);

/* Let reads begin for which there is room. */
void file_source_run(struct file_source *source);

/* A tensor that was wanted is there from now on, and is what was written. */
int file_source_get(struct file_source *source,
		    const struct safetensors_tensor *tensor);

/* Is this the checksum of those bytes? −EBADMSG with a text. */
int file_source_check(const struct file_source *source, const char *name,
		      uint32_t crc);

/* The same against a text of eight digits. */
int file_crc_check(const char *what, uint32_t crc, const char *expected);

#endif
