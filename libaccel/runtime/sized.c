/* SPDX-License-Identifier: MIT */
#include "runtime/sized.h"

#include <errno.h>
#include <string.h>

#include "core/error.h"

/* Larger than any that will be: a size beyond it was never set. */
#define SIZE_LIMIT 4096

static int size_check(size_t size, const char *what)
{
	if (size < sizeof(size_t) || size > SIZE_LIMIT)
		return accel_error(
			-EINVAL, "%s: size is %zu; set it to sizeof(struct %s)",
			what, size, what);
	return 0;
}

int sized_read(void *to, size_t known, const void *from, const char *what)
{
	const unsigned char *bytes = from;
	size_t size;
	int ret;

	memset(to, 0, known);
	if (!from)
		return 0;
	memcpy(&size, from, sizeof(size));
	ret = size_check(size, what);
	if (ret)
		return ret;
	for (size_t i = known; i < size; i++)
		if (bytes[i])
			return accel_error(
				-EINVAL,
				"%s: byte %zu is set, but this version knows only %zu",
				what, i, known);
	memcpy(to, from, size < known ? size : known);
	return 0;
}

int sized_write(void *to, const void *from, size_t known, const char *what)
{
	size_t size;
	int ret;

	if (!to)
		return accel_error(-EINVAL, "%s: NULL", what);
	memcpy(&size, to, sizeof(size));
	ret = size_check(size, what);
	if (ret)
		return ret;
	memset(to, 0, size);
	memcpy(to, from, size < known ? size : known);
	memcpy(to, &size, sizeof(size));
	return 0;
}
