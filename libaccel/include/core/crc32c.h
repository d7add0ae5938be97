/* SPDX-License-Identifier: MIT */
#ifndef CORE_CRC32C_H
#define CORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C (Castagnoli, RFC 3720) of size bytes, continued from crc, which is 0 at
 * the start: crc32c(crc32c(0, a), b) is that of a followed by b.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The same without the processor's instruction, for tests. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
