/* SPDX-License-Identifier: MIT */
#include <formats/file.h>

#include <core/error.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGNMENT 64
#define FIRST_CAPACITY 65536

struct contents {
	uint8_t *data;
	size_t size;
	size_t capacity;
};

static int contents_grow(struct contents *contents, size_t capacity)
{
	uint8_t *data;

	capacity = (capacity + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	data = aligned_alloc(ALIGNMENT, capacity);
	if (!data)
		return accel_error(-ENOMEM, "no memory for %zu bytes",
				   capacity);
	if (contents->size)
		memcpy(data, contents->data, contents->size);
	free(contents->data);
	contents->data = data;
	contents->capacity = capacity;
	return 0;
}

/* Read to the end. One byte over the limit is read, to see that it is passed. */
static int contents_read(struct contents *contents, int fd, size_t limit)
{
	while (contents->size <= limit) {
		ssize_t got;
		int ret;

		if (contents->size == contents->capacity) {
			ret = contents_grow(contents, contents->capacity * 2);
			if (ret)
				return ret;
		}
		got = read(fd, contents->data + contents->size,
			   contents->capacity - contents->size);
		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return accel_error(-errno, "cannot read: %s",
					   strerror(errno));
		if (got > 0)
			contents->size += (size_t)got;
	}
	return accel_error(-EFBIG, "larger than the %zu bytes allowed", limit);
}

/* The size where it is known, and one byte to meet the end of the file in. */
static size_t expected_size(int fd, size_t limit)
{
	struct stat status;

	if (fstat(fd, &status) || !S_ISREG(status.st_mode))
		return FIRST_CAPACITY;
	return (uint64_t)status.st_size < limit ? (size_t)status.st_size + 1 :
						  limit + 1;
}

/* A device such as /dev/zero never ends, and would take all memory. */
static int check_ends(int fd)
{
	struct stat status;

	if (fstat(fd, &status) ||
	    (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)))
		return 0;
	return accel_error(-EINVAL, "is a device; give a file");
}

int file_read(const char *path, size_t limit, void **data, size_t *size)
{
	struct contents contents = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return accel_error(-errno, "%s: cannot open: %s", path,
				   strerror(errno));
	ret = check_ends(fd);
	if (!ret)
		ret = contents_grow(&contents, expected_size(fd, limit));
	if (!ret)
		ret = contents_read(&contents, fd, limit);
	close(fd);
	if (ret) {
		free(contents.data);
		return accel_error_prefix(ret, "%s", path);
	}
	*data = contents.data;
	*size = contents.size;
	return 0;
}
