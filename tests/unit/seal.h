/* SPDX-License-Identifier: MIT */
/* Makes the checksums of a checkpoint right again, as one who means harm would. */
#ifndef UNIT_SEAL_H
#define UNIT_SEAL_H

#include <core/crc32c.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SEAL_HEADER 16 /* magic, version, zero */

static inline void checkpoint_seal(uint8_t *bytes, size_t size)
{
	size_t at = SEAL_HEADER;
	uint32_t crc = 0, length;

	while (size - at >= 12 && at < size) {
		memcpy(&length, bytes + at + 4, sizeof(length));
		if (length > size - at - 12)
			return;
		crc = crc32c(crc, bytes + at, length + 8ul);
		memcpy(bytes + at + 8 + length, &crc, sizeof(crc));
		at += length + 12ul;
	}
}

#endif
