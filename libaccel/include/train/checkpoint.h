/* SPDX-License-Identifier: MIT */
/*
 * The state of long work in one file: tagged pieces in order, behind a header with a
 * CRC-32C of them all. It is written beside the old one and takes its place whole
 * (formats/atomic_file.h), so that neither a kill nor a full disk loses anything.
 */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct train_checkpoint - private; all zero is an empty one */
struct train_checkpoint {
	uint8_t *data;
	size_t size;
	size_t capacity;
	size_t at;
	bool failed;
};

/* Add a piece. Without memory the checkpoint remembers that, for its save. */
void train_checkpoint_put(struct train_checkpoint *checkpoint, const char *tag,
			  const void *data, size_t size);

/*
 * Take the next piece, which has to have this tag and size. −EBADMSG with a text that
 * names the tag otherwise.
 */
int train_checkpoint_get(struct train_checkpoint *checkpoint, const char *tag,
			 void *data, size_t size);

/* The size of the next piece if it has this tag, else −EBADMSG. */
int64_t train_checkpoint_size(const struct train_checkpoint *checkpoint,
			      const char *tag);

/* 0, −ENOMEM, or what the file system says; the old file is then still there. */
int train_checkpoint_save(const struct train_checkpoint *checkpoint,
			  const char *path);

/* −ENOENT, −EBADMSG for a file that is damaged or none of these. */
int train_checkpoint_load(struct train_checkpoint *checkpoint,
			  const char *path);

void train_checkpoint_release(struct train_checkpoint *checkpoint);

#endif
