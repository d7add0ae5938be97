/* SPDX-License-Identifier: MIT */
#include "pack/bits.h"

#include <stdlib.h>

static bool reserve(struct bit_writer *writer)
{
	size_t capacity;
	uint8_t *bytes;

	if (writer->capacity - writer->length >= sizeof(uint64_t))
		return true;
	capacity = writer->capacity + writer->capacity / 2 + 256;
	bytes = realloc(writer->bytes, capacity);
	if (!bytes) {
		writer->failed = true;
		return false;
	}
	writer->bytes = bytes;
	writer->capacity = capacity;
	return true;
}

void bits_put(struct bit_writer *writer, uint64_t value, uint32_t count)
{
	uint64_t word;

	if (!reserve(writer))
		return;
	writer->partial |= value << writer->partial_bits;
	writer->partial_bits += count;
	word = htole64(writer->partial);
	memcpy(writer->bytes + writer->length, &word, sizeof(word));
	writer->length += writer->partial_bits / 8;
	writer->partial >>= writer->partial_bits & ~7u;
	writer->partial_bits %= 8;
}

void bits_align(struct bit_writer *writer)
{
	if (writer->partial_bits)
		bits_put(writer, 0, 8 - writer->partial_bits);
}
