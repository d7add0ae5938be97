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
