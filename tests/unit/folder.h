/* SPDX-License-Identifier: MIT */
/*
 * A temporary folder for a test: folder_test(TEST) makes one, passes its path as the
 * test's *state, and removes it with the files in it.
 */
#ifndef FOLDER_H
#define FOLDER_H

#include "unit.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_PATH PATH_MAX

static inline int folder_setup(void **state)
{
	const char *root = getenv("TMPDIR");
	char path[FOLDER_PATH];

	snprintf(path, sizeof(path), "%s/accel-test-XXXXXX",
		 root ? root : "/tmp");
	*state = mkdtemp(path) ? strdup(path) : NULL;
	return *state ? 0 : -1;
}

/* The path of a file in the folder, until the next call. */
static inline const char *folder_path(const char *folder, const char *name)
{
	static char path[FOLDER_PATH];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* The number of files in it, hidden ones too; they are removed if so wished. */
static inline int folder_walk(const char *folder, int remove_files)
{
	DIR *stream = opendir(folder);
	struct dirent *entry;
	int count = 0;

	while (stream && (entry = readdir(stream))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		count++;
		if (remove_files)
			unlink(folder_path(folder, entry->d_name));
	}
	if (stream)
		closedir(stream);
	return count;
}

static inline int folder_count(const char *folder)
{
	return folder_walk(folder, 0);
}

static inline int folder_teardown(void **state)
{
	folder_walk(*state, 1);
	rmdir(*state);
	free(*state);
	return 0;
}

#define folder_test(test) \
	cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

#endif
