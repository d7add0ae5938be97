/* SPDX-License-Identifier: MIT */
#ifndef ACCEL_BUFFER_H
#define ACCEL_BUFFER_H

#include <accel/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum accel_memory - where a buffer is
 * @ACCEL_MEMORY_HOST: host memory that the device reaches by DMA
 * @ACCEL_MEMORY_DEVICE: the device's own
 */
enum accel_memory {
	ACCEL_MEMORY_HOST = 0,
	ACCEL_MEMORY_DEVICE = 1,
};

/**
 * accel_buffer_create() - allocate memory that commands can address
 * @device: open
 * @memory: where
 * @length: bytes, not 0
 * @buffer: the result, filled with zeros if it is in host memory; to be
 *	destroyed by accel_buffer_destroy()
 *
 * Return: 0; -EINVAL; -ENOMEM, the text says which memory is short and by how
 * much.
 * Thread-safe.
 */
int accel_buffer_create(struct accel_device *device, enum accel_memory memory,
			uint64_t length, struct accel_buffer **buffer);

/**
 * struct accel_buffer_import - memory that a program has already
 * @size: sizeof(struct accel_buffer_import)
 * @address: of memory of this process, a multiple of 4096; NULL: what @file holds
 * @file: a memfd, a file or a dma-buf that can be read and written; it stays the
 *	caller's, who may close it. Not looked at when @address is given
 * @offset: into @file, a multiple of 4096
 * @length: bytes, a multiple of 4096
 */
struct accel_buffer_import {
	size_t size;
	void *address;
	int file;
	uint64_t offset;
	uint64_t length;
};

/**
 * accel_buffer_import() - let commands address memory that is there
 * @device: open
 * @import: the memory
 * @buffer: the result, in host memory; to be destroyed by accel_buffer_destroy()
 *
 * The device works in that memory itself: nothing is copied. It stays the caller's, and
 * memory with an address has to stay mapped until the buffer is destroyed; a file must not
 * shrink. Which memory can be imported:
 *
 *	"sim:", "cpu:", "nil:"	any
 *	"vfio:"			any that can be written and pinned; a dma-buf, if its
 *				exporter lets it be mapped and pinned
 *	"vfio-user:"		files, which the server maps
 *	"dev:"			dma-bufs and memfds
 *
 * Return: 0; -EINVAL for what is not aligned, or not in the file; -ENOTSUP if the device or
 * the kernel cannot reach such memory, the text says what can be; -ENOMEM if it may not be
 * pinned; -EFAULT if it is not there.
 * Thread-safe.
 */
int accel_buffer_import(struct accel_device *device,
			const struct accel_buffer_import *import,
			struct accel_buffer **buffer);

/**
 * accel_buffer_destroy() - free a buffer
 * @buffer: or NULL; no operation that names it may be outstanding
 *
 * Thread-safe, as long as no other thread uses this buffer.
 */
void accel_buffer_destroy(struct accel_buffer *buffer);

/**
 * accel_buffer_map() - the address of a buffer for this process
 * @buffer: any
 * @address: the result; holds until the buffer is destroyed
 *
 * Return: 0; -ENOTSUP for device memory, which ACCEL_OPERATION_COPY reaches.
 * Thread-safe; who writes when is the callers' to agree.
 */
int accel_buffer_map(struct accel_buffer *buffer, void **address);

/**
 * accel_buffer_length() - bytes of a buffer
 * @buffer: any
 *
 * Return: as given at its creation.
 * Thread-safe.
 */
uint64_t accel_buffer_length(const struct accel_buffer *buffer);

#ifdef __cplusplus
}
#endif

#endif
