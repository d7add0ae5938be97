/* SPDX-License-Identifier: MIT */
#include <formats/atomic_file.h>

#include <core/error.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Temporary names are tried until one is free. */
#define MAX_TRIES 100

struct atomic_file {
	int fd;
	char *path;
	char *temporary; /* NULL if written in place */
};

static int file_error(const char *what, const char *path)
{
	int code = -errno;

	return accel_error(code, "%s: cannot %s: %s", path, what,
			   strerror(-code));
}

/*
 * Create the temporary file with open(2), not mkstemp(3), so that the mode follows
 * the umask as that of any new file does.
 */
static int temporary_create(struct atomic_file *file)
{
	for (unsigned int try = 0; try < MAX_TRIES; try++) {
		free(file->temporary);
		if (asprintf(&file->temporary, "%s.tmp-%ld-%u", file->path,
			     (long)getpid(), try) < 0) {
			file->temporary = NULL;
			return accel_error(-ENOMEM, "%s: no memory",
					   file->path);
		}
		file->fd = open(file->temporary,
				O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (file->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return file_error("create", file->path);
}

/* What is there already decides how the file is written. */
static int file_begin(struct atomic_file *file, const char *path)
{
	struct stat status;
	bool exists = !stat(path, &status);
	int ret;

	/* Through a symbolic link, it is the link's target that is replaced. */
	file->path = exists ? realpath(path, NULL) : strdup(path);
	if (!file->path)
		return file_error("resolve", path);
	if (exists && !S_ISREG(status.st_mode)) {
		file->fd = open(path, O_WRONLY | O_CLOEXEC);
		return file->fd < 0 ? file_error("open", path) : 0;
	}
	ret = temporary_create(file);
	if (!ret && exists)
		ret = fchmod(file->fd, status.st_mode & 0777) ?
			      file_error("set the mode of", path) :
			      0;
	return ret;
}

int atomic_file_open(struct atomic_file **result, const char *path)
{
	struct atomic_file *file = calloc(1, sizeof(*file));
	int ret;

	if (!file)
		return accel_error(-ENOMEM, "%s: no memory", path);
	file->fd = -1;
	ret = file_begin(file, path);
	if (ret) {
		atomic_file_abandon(file);
		return ret;
	}
	*result = file;
	return 0;
}

int atomic_file_check(const char *path)
{
	struct atomic_file *file;
	int ret = atomic_file_open(&file, path);

	if (!ret)
		atomic_file_abandon(file);
	return ret;
}

int atomic_file_write(struct atomic_file *file, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	while (size) {
		ssize_t written = write(file->fd, bytes, size);

		if (written < 0 && errno != EINTR)
			return file_error("write", file->path);
		if (written > 0) {
			bytes += written;
			size -= (size_t)written;
		}
	}
	return 0;
}

/* A rename lasts once the folder is on the disk, too. */
static int folder_sync(const char *path)
{
	char *copy = strdup(path);
	int ret = 0;
	int fd;

	if (!copy)
		return accel_error(-ENOMEM, "%s: no memory", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Some file systems cannot do it (EINVAL): their rename is what it is. */
	if (fd < 0 || (fsync(fd) && errno != EINVAL))
		ret = file_error("sync the folder of", path);
	if (fd >= 0)
		close(fd);
	free(copy);
	return ret;
}

static int file_close(struct atomic_file *file)
{
	int fd = file->fd;

	file->fd = -1;
	return close(fd) ? file_error("write", file->path) : 0;
}

static int file_replace(struct atomic_file *file)
{
	int ret;

	if (fsync(file->fd))
		return file_error("write", file->path);
	ret = file_close(file);
	if (ret)
		return ret;
	if (rename(file->temporary, file->path))
		return file_error("replace", file->path);
	free(file->temporary);
	file->temporary = NULL;
	return folder_sync(file->path);
}

int atomic_file_commit(struct atomic_file *file)
{
	int ret = file->temporary ? file_replace(file) : file_close(file);

	atomic_file_abandon(file);
	return ret;
}

void atomic_file_abandon(struct atomic_file *file)
{
	if (!file)
		return;
	if (file->fd >= 0) {
		close(file->fd);
		if (file->temporary)
			unlink(file->temporary);
	} else if (file->temporary) {
		unlink(file->temporary);
	}
	free(file->temporary);
	free(file->path);
	free(file);
}

int atomic_file_save(const char *path, const void *data, size_t size)
{
	struct atomic_file *file;
	int ret = atomic_file_open(&file, path);

	if (ret)
		return ret;
	ret = atomic_file_write(file, data, size);
	if (!ret)
		return atomic_file_commit(file);
	atomic_file_abandon(file);
	return ret;
}
