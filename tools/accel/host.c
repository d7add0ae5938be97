/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *host_root(void)
{
	const char *root = getenv("ACCEL_TEST_ROOT");

	return root ? root : "";
}

__attribute__((format(printf, 2, 0))) static void
put_path(char *path, const char *format, va_list list)
{
	size_t length = (size_t)snprintf(path, PATH_MAX / 2, "%s", host_root());

	if (length >= PATH_MAX / 2)
		length = PATH_MAX / 2 - 1;
	vsnprintf(path + length, PATH_MAX - length, format, list);
}

void host_path(char *path, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	put_path(path, format, list);
	va_end(list);
}

bool host_exists(const char *format, ...)
{
	char path[PATH_MAX];
	va_list list;

	va_start(list, format);
	put_path(path, format, list);
	va_end(list);
	return !access(path, F_OK);
}

/* Files of the kernel come in pieces of its own choice, 4 KiB at most. */
static int read_file(const char *path, char *text, size_t size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t count = -1;

	if (file < 0)
		return -errno;
	while (length < size - 1 &&
	       (count = read(file, text + length, size - 1 - length)) > 0)
		length += (size_t)count;
	count = count < 0 ? -errno : 0;
	close(file);
	while (length && strchr(" \n", text[length - 1]))
		length--;
	text[length] = '\0';
	return (int)count;
}

int host_read(char *text, size_t size, const char *format, ...)
{
	char path[PATH_MAX];
	va_list list;

	va_start(list, format);
	put_path(path, format, list);
	va_end(list);
	text[0] = '\0';
	return read_file(path, text, size);
}

int host_read_number(int64_t *value, const char *format, ...)
{
	char path[PATH_MAX], text[32], *end;
	long long number;
	va_list list;
	int ret;

	va_start(list, format);
	put_path(path, format, list);
	va_end(list);
	ret = read_file(path, text, sizeof(text));
	if (ret)
		return ret;
	errno = 0;
	number = strtoll(text, &end, 0);
	if (errno || end == text)
		return -EINVAL;
	*value = number;
	return 0;
}

int host_link(char *name, size_t size, const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	ssize_t length;
	va_list list;

	va_start(list, format);
	put_path(path, format, list);
	va_end(list);
	name[0] = '\0';
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	last = strrchr(target, '/');
	snprintf(name, size, "%s", last ? last + 1 : target);
	return 0;
}

int host_entry(char *name, size_t size, const char *prefix, const char *format,
	       ...)
{
	char path[PATH_MAX];
	struct dirent *entry;
	va_list list;
	DIR *folder;

	va_start(list, format);
	put_path(path, format, list);
	va_end(list);
	name[0] = '\0';
	folder = opendir(path);
	while (folder && !name[0] && (entry = readdir(folder)))
		if (entry->d_name[0] != '.' &&
		    !strncmp(entry->d_name, prefix, strlen(prefix)))
			snprintf(name, size, "%s", entry->d_name);
	if (folder)
		closedir(folder);
	return name[0] ? 0 : -ENOENT;
}
