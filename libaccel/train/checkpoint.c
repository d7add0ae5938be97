/* SPDX-License-Identifier: MIT */
#include <core/checked.h>
#include <core/crc32c.h>
#include <core/error.h>
#include <formats/atomic_file.h>
#include <formats/file.h>
#include <train/checkpoint.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "ACCELTRN"
#define VERSION 1
#define FILE_LIMIT ((size_t)8 << 30)

enum { TAG_LENGTH = 16, MAGIC_LENGTH = 8 };

/* All numbers are of this machine: a checkpoint goes on where it was written. */
struct header {
	char magic[MAGIC_LENGTH];
	uint32_t version;
	uint32_t crc;
	uint64_t size;
};

struct piece {
	char tag[TAG_LENGTH];
	uint64_t size;
};

static bool reserve(struct train_checkpoint *checkpoint, size_t more)
{
	size_t size, capacity;
	uint8_t *data;

	if (!checked_add(checkpoint->size, more, &size))
		return false;
	if (size <= checkpoint->capacity)
		return true;
	if (!checked_multiply(size, 2, &capacity))
		return false;
	data = realloc(checkpoint->data, capacity);
	if (!data)
		return false;
	checkpoint->data = data;
	checkpoint->capacity = capacity;
	return true;
}

static void append(struct train_checkpoint *checkpoint, const void *data,
		   size_t size)
{
	if (size)
		memcpy(checkpoint->data + checkpoint->size, data, size);
	checkpoint->size += size;
}

void train_checkpoint_put(struct train_checkpoint *checkpoint, const char *tag,
			  const void *data, size_t size)
{
	struct piece piece = { .size = size };
	size_t more;

	strncpy(piece.tag, tag, TAG_LENGTH - 1);
	if (checkpoint->failed || !checked_add(sizeof(piece), size, &more) ||
	    !reserve(checkpoint, more)) {
		checkpoint->failed = true;
		return;
	}
	append(checkpoint, &piece, sizeof(piece));
	append(checkpoint, data, size);
}

/* The piece that comes next, if it lies within the file and has the tag. */
static bool next_piece(const struct train_checkpoint *checkpoint,
		       const char *tag, struct piece *piece)
{
	size_t left = checkpoint->size - checkpoint->at;

	if (left < sizeof(*piece))
		return false;
	memcpy(piece, checkpoint->data + checkpoint->at, sizeof(*piece));
	return piece->size <= left - sizeof(*piece) &&
	       !strncmp(piece->tag, tag, TAG_LENGTH - 1);
}

int64_t train_checkpoint_size(const struct train_checkpoint *checkpoint,
			      const char *tag)
{
	struct piece piece;

	if (!next_piece(checkpoint, tag, &piece))
		return accel_error(-EBADMSG,
				   "the checkpoint has no %s where it belongs",
				   tag);
	return (int64_t)piece.size;
}

int train_checkpoint_get(struct train_checkpoint *checkpoint, const char *tag,
			 void *data, size_t size)
{
	int64_t found = train_checkpoint_size(checkpoint, tag);

	if (found < 0)
		return (int)found;
	if ((uint64_t)found != size)
		return accel_error(
			-EBADMSG,
			"the checkpoint's %s has %lld bytes, and %zu are wanted: it is of another training",
			tag, (long long)found, size);
	if (size)
		memcpy(data,
		       checkpoint->data + checkpoint->at + sizeof(struct piece),
		       size);
	checkpoint->at += sizeof(struct piece) + size;
	return 0;
}

static int write_file(const struct train_checkpoint *checkpoint,
		      const struct header *header, const char *path)
{
	struct atomic_file *file;
	int ret = atomic_file_open(&file, path);

	if (ret)
		return ret;
	ret = atomic_file_write(file, header, sizeof(*header));
	if (!ret)
		ret = atomic_file_write(file, checkpoint->data,
					checkpoint->size);
	if (!ret)
		return atomic_file_commit(file);
	atomic_file_abandon(file);
	return ret;
}

int train_checkpoint_save(const struct train_checkpoint *checkpoint,
			  const char *path)
{
	struct header header = {
		.magic = MAGIC,
		.version = VERSION,
		.size = checkpoint->size,
		.crc = crc32c(0, checkpoint->data, checkpoint->size),
	};

	if (checkpoint->failed)
		return accel_error(-ENOMEM, "%s: no memory for a checkpoint",
				   path);
	return write_file(checkpoint, &header, path);
}

static int check_header(const void *data, size_t size, const char *path)
{
	const struct header *header = data;

	if (size < sizeof(*header) ||
	    memcmp(header->magic, MAGIC, MAGIC_LENGTH) != 0)
		return accel_error(-EBADMSG, "%s: no checkpoint of a training",
				   path);
	if (header->version != VERSION)
		return accel_error(
			-EBADMSG,
			"%s: a checkpoint of version %u; this program goes on from version %d",
			path, header->version, VERSION);
	if (header->size != size - sizeof(*header) ||
	    header->crc != crc32c(0, header + 1, size - sizeof(*header)))
		return accel_error(-EBADMSG, "%s: the checkpoint is damaged",
				   path);
	return 0;
}

int train_checkpoint_load(struct train_checkpoint *checkpoint, const char *path)
{
	size_t size;
	void *data;
	int ret = file_read(path, FILE_LIMIT, &data, &size);

	*checkpoint = (struct train_checkpoint){ 0 };
	if (ret)
		return ret;
	ret = check_header(data, size, path);
	if (ret) {
		free(data);
		return ret;
	}
	checkpoint->size = size - sizeof(struct header);
	checkpoint->capacity = size;
	checkpoint->data = data;
	memmove(data, (struct header *)data + 1, checkpoint->size);
	return 0;
}

void train_checkpoint_release(struct train_checkpoint *checkpoint)
{
	free(checkpoint->data);
	*checkpoint = (struct train_checkpoint){ 0 };
}
