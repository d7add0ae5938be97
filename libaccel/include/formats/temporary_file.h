/* SPDX-License-Identifier: MIT */
/* Files that only this process needs, for parts that read or write by path. */
#ifndef FORMATS_TEMPORARY_FILE_H
#define FORMATS_TEMPORARY_FILE_H

/**
 * temporary_file_create() - a new, empty file of nobody else
 * @path: result, for temporary_file_remove(); NULL on error
 *
 * In $TMPDIR, or /tmp without it. Return: 0 or −errno, with a text that names the folder.
 */
int temporary_file_create(char **path);

/* Remove the file and free its path; NULL is nothing. */
void temporary_file_remove(char *path);

#endif
