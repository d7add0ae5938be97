/* SPDX-License-Identifier: MIT */
/*
 * The bytes are checked for being protobuf, and for how deep they nest, before
 * protobuf-c sees them: it calls itself for each level, and a file of a few
 * megabytes could nest deep enough to end the stack.
 */
#include <compress/onnx_file.h>
#include <core/checked.h>
#include <core/error.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* protobuf-c descends without a limit; no model nests deeper than this. */
#define MAX_DEPTH 32

static int read_fully(int fd, const char *path, uint64_t offset, size_t size,
		      void *data)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)data + done, size - done,
				    (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return accel_error(-errno, "%s: %s", path,
					   strerror(errno));
		if (!got)
			return accel_error(-EBADMSG,
					   "%s: the file is too short", path);
		done += (size_t)got;
	}
	return 0;
}

static int open_regular(const char *path, struct stat *status)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, status) < 0 || !S_ISREG(status->st_mode)) {
		close(fd);
		return accel_error(-EINVAL, "%s: not a regular file", path);
	}
	return fd;
}

int onnx_file_read(const char *path, void **data, size_t *size)
{
	struct stat status;
	int fd = open_regular(path, &status);
	int ret;

	if (fd < 0)
		return fd;
	if (status.st_size > ONNX_FILE_LIMIT) {
		close(fd);
		return accel_error(-EFBIG,
				   "%s: larger than 2 GiB; save its weights as "
				   "external data",
				   path);
	}
	*size = (size_t)status.st_size;
	*data = malloc(*size + 1);
	ret = *data ? read_fully(fd, path, 0, *size, *data) :
		      accel_error(-ENOMEM, "%s: out of memory", path);
	close(fd);
	if (ret)
		free(*data);
	return ret;
}

/* A relative name without "..": the ONNX rule for external data. */
static bool name_stays_inside(const char *name)
{
	const char *part = name;

	if (!*name || *name == '/')
		return false;
	while (part) {
		if (!strncmp(part, "..", 2) && (!part[2] || part[2] == '/'))
			return false;
		part = strchr(part, '/');
		if (part)
			part++;
	}
	return true;
}

/* The real path of a file in a folder, also when links are followed. */
static int resolve_external(const char *folder, const char *name,
			    char resolved[PATH_MAX])
{
	char root[PATH_MAX], path[PATH_MAX];
	size_t length;

	if (!folder)
		return accel_error(-ENOTSUP,
				   "external data %s: the model has no folder",
				   name);
	if (!name_stays_inside(name) ||
	    snprintf(path, sizeof(path), "%s/%s", folder, name) >= PATH_MAX)
		return accel_error(
			-EBADMSG,
			"external data %s: the name must be relative "
			"to the model's folder, without \"..\"",
			name);
	if (!realpath(folder, root) || !realpath(path, resolved))
		return accel_error(-errno, "external data %s: %s", name,
				   strerror(errno));
	length = strlen(root);
	if (strncmp(root, resolved, length) ||
	    (length > 1 && resolved[length] != '/'))
		return accel_error(-EBADMSG,
				   "external data %s: leads out of the model's "
				   "folder",
				   name);
	return 0;
}

static int open_external(const char *folder, const char *name,
			 struct stat *status)
{
	char path[PATH_MAX] = "";
	int ret = resolve_external(folder, name, path);

	return ret ? ret : open_regular(path, status);
}

int onnx_file_external_size(const char *folder, const char *name,
			    uint64_t *size)
{
	struct stat status;
	int fd = open_external(folder, name, &status);

	if (fd < 0)
		return fd;
	close(fd);
	*size = (uint64_t)status.st_size;
	return 0;
}

int onnx_file_read_external(const char *folder, const char *name,
			    uint64_t offset, size_t size, void *data)
{
	struct stat status = { 0 };
	int fd = open_external(folder, name, &status);
	int ret;

	if (fd < 0)
		return fd;
	if (!checked_range(offset, size, (uint64_t)status.st_size))
		ret = accel_error(-EBADMSG,
				  "external data %s: the file is too short",
				  name);
	else
		ret = read_fully(fd, name, offset, size, data);
	close(fd);
	return ret;
}

/* ---- nesting ---- */

struct wire_level {
	const ProtobufCMessageDescriptor *descriptor;
	const uint8_t *end;
};

/* A varint; false at the end of the data. */
static bool wire_varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (int shift = 0; shift < 64; shift += 7) {
		if (*at == end)
			return false;
		*value |= (uint64_t)(**at & 0x7f) << shift;
		if (!(*(*at)++ & 0x80))
			return true;
	}
	return false;
}

static bool wire_skip(const uint8_t **at, const uint8_t *end, uint64_t length)
{
	if (length > (uint64_t)(end - *at))
		return false;
	*at += length;
	return true;
}

/* The type of a field that holds a message, NULL for any other. */
static const ProtobufCMessageDescriptor *
wire_message(const ProtobufCMessageDescriptor *descriptor, uint64_t field)
{
	const ProtobufCFieldDescriptor *found;

	if (field > UINT32_MAX)
		return NULL;
	found = protobuf_c_message_descriptor_get_field(descriptor,
							(unsigned int)field);
	if (!found || found->type != PROTOBUF_C_TYPE_MESSAGE)
		return NULL;
	return found->descriptor;
}

/* Pass one field; a message that begins is pushed as a new level. */
static bool wire_field(const uint8_t **at, struct wire_level *levels,
		       int *depth)
{
	const struct wire_level *level = &levels[*depth - 1];
	const ProtobufCMessageDescriptor *message;
	uint64_t tag, length;

	if (!wire_varint(at, level->end, &tag))
		return false;
	switch (tag & 7) {
	case 0:
		return wire_varint(at, level->end, &length);
	case 1:
		return wire_skip(at, level->end, 8);
	case 2:
		break;
	case 5:
		return wire_skip(at, level->end, 4);
	default:
		return false;
	}
	if (!wire_varint(at, level->end, &length))
		return false;
	message = wire_message(level->descriptor, tag >> 3);
	if (!message)
		return wire_skip(at, level->end, length);
	if (*depth == MAX_DEPTH || length > (uint64_t)(level->end - *at))
		return false;
	levels[*depth] = (struct wire_level){ message, *at + length };
	(*depth)++;
	return true;
}

/* Is the data well formed, and not nested so deep that the stack would end? */
static bool wire_check(const uint8_t *data, size_t size)
{
	struct wire_level levels[MAX_DEPTH];
	int depth = 1;

	levels[0].descriptor = &onnx__model_proto__descriptor;
	levels[0].end = data + size;
	while (depth) {
		if (data == levels[depth - 1].end)
			depth--;
		else if (!wire_field(&data, levels, &depth))
			return false;
	}
	return true;
}

int onnx_file_unpack(const void *data, size_t size, Onnx__ModelProto **model)
{
	if (!wire_check(data, size))
		return accel_error(-EBADMSG, "not an ONNX file, or damaged");
	*model = onnx__model_proto__unpack(NULL, size, data);
	if (!*model)
		return accel_error(
			-EBADMSG, "not an ONNX file, damaged, or too large for "
				  "the memory");
	return 0;
}
