/* SPDX-License-Identifier: MIT */
/*
 * Reads of a file that go on while the caller does something else: by io_uring, or, where
 * the kernel does not allow that, by pread() when they are waited for. One thread uses it.
 */
#ifndef FORMATS_ASYNC_FILE_H
#define FORMATS_ASYNC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many reads may be outstanding. */
#define ASYNC_FILE_DEPTH 64

struct async_file;

/* Open without io_uring, whatever the kernel has: for tests. */
#define ASYNC_FILE_PLAIN 0x1

/**
 * async_file_open() - open a file to be read
 * @path: of the file
 * @flags: ASYNC_FILE_*
 * @file: the result, for async_file_close()
 *
 * Return: 0; −ESPIPE for what is no regular file, without a text; −errno of open().
 */
int async_file_open(const char *path, unsigned int flags,
		    struct async_file **file);

/* When it was opened. */
uint64_t async_file_size(const struct async_file *file);

/* Is there room for one read more? */
bool async_file_has_room(const struct async_file *file);

/**
 * async_file_read() - begin a read
 * @file: with room for one
 * @buffer: of @length bytes, which the kernel writes until the read is over
 * @offset: in the file
 * @length: at least 1
 * @id: of the read, for the caller
 *
 * It need not begin before async_file_flush() or async_file_wait().
 */
void async_file_read(struct async_file *file, void *buffer, uint64_t offset,
		     size_t length, uint64_t id);

/* Let the reads begin. */
void async_file_flush(struct async_file *file);

/**
 * async_file_wait() - wait for any read
 * @file: with a read outstanding
 * @deadline: see core/deadline.h; without io_uring the system call that goes on when it
 *	is over is waited for
 * @id: of the read that has read all its bytes
 *
 * Return: 0; −EBADMSG if the file has become shorter; −ETIMEDOUT; −errno of the read.
 */
int async_file_wait(struct async_file *file, uint64_t deadline, uint64_t *id);

/* Wait for what is outstanding and forget it; −EBUSY: see async_file_close(). */
int async_file_drain(struct async_file *file);

/**
 * async_file_close() - end what is outstanding, and close the file
 * @file: or NULL
 *
 * Return: 0; −EBUSY, if a read does not end: then its buffer may not be freed, ever.
 */
int async_file_close(struct async_file *file);

#endif
