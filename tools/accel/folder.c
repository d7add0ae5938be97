/* SPDX-License-Identifier: MIT */
#include "folder.h"

#include <compress/array.h>
#include <core/error.h>

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_folder(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode);
}

static int is_data_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return array_path_is_png(entry->d_name) ||
	       (length > 4 && !strcmp(entry->d_name + length - 4, ".npy"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int folder_first_file(const char *item, char **file)
{
	const char *name_end = strchr(item, '=');
	const char *path = name_end && !is_folder(item) ? name_end + 1 : item;
	struct dirent **entries = NULL;
	int count = is_folder(path) ?
			    scandir(path, &entries, is_data_file, by_name) :
			    0;
	int length;

	length = count > 0 ? asprintf(file, "%s/%s", item, entries[0]->d_name) :
			     asprintf(file, "%s", item);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return length < 0 ? accel_error(-ENOMEM, "no memory for %s", item) : 0;
}
