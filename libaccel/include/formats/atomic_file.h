/* SPDX-License-Identifier: MIT */
/*
 * A file that appears whole or not at all. It is written beside its target, under a
 * temporary name, and takes its place by rename(2) after fsync(2): after an error, a
 * full disk or a crash the old file is still there, whole. A target that is no
 * regular file (/dev/stdout, a pipe) is written in place.
 */
#ifndef FORMATS_ATOMIC_FILE_H
#define FORMATS_ATOMIC_FILE_H

#include <stddef.h>

struct atomic_file;

int atomic_file_open(struct atomic_file **file, const char *path);

/* Could there be a file? 0, or −errno with a text, before long work is done for it. */
int atomic_file_check(const char *path);

int atomic_file_write(struct atomic_file *file, const void *data, size_t size);

/* Put the file in its place, and free it whether or not that worked. */
int atomic_file_commit(struct atomic_file *file);

/* Remove what was written and free it; NULL is allowed. */
void atomic_file_abandon(struct atomic_file *file);

/* All of it at once: 0, or −errno and the old file. */
int atomic_file_save(const char *path, const void *data, size_t size);

#endif
