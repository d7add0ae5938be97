/* SPDX-License-Identifier: MIT */
#include <formats/temporary_file.h>

#include <core/error.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int temporary_file_create(char **path)
{
	const char *folder = getenv("TMPDIR");
	int file, ret;

	if (!folder || !*folder)
		folder = "/tmp";
	if (asprintf(path, "%s/accel-XXXXXX", folder) < 0) {
		*path = NULL;
		return accel_error(-ENOMEM, "no memory for a name");
	}
	file = mkostemp(*path, O_CLOEXEC);
	if (file < 0) {
		ret = accel_error(
			-errno,
			"%s: no place for a temporary file: %s; set TMPDIR to another folder",
			folder, strerror(errno));
		free(*path);
		*path = NULL;
		return ret;
	}
	close(file);
	return 0;
}

void temporary_file_remove(char *path)
{
	if (path)
		unlink(path);
	free(path);
}
