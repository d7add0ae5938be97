/* SPDX-License-Identifier: MIT */
/* Two files of a folder hold the same bytes. */
#ifndef SAME_FILES_H
#define SAME_FILES_H

#include "folder.h"

#include <formats/file.h>

static inline void assert_same_files(const char *folder, const char *a,
				     const char *b)
{
	void *first, *second;
	size_t first_size, second_size;

	assert_int_equal(file_read(folder_path(folder, a), 1 << 30, &first,
				   &first_size),
			 0);
	assert_int_equal(file_read(folder_path(folder, b), 1 << 30, &second,
				   &second_size),
			 0);
	assert_int_equal(first_size, second_size);
	assert_memory_equal(first, second, first_size);
	free(first);
	free(second);
}

#endif
