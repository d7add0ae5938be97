/* SPDX-License-Identifier: MIT */
/*
 * Bits in a byte array, from the least significant one of the first byte.
 * Neither the writer nor the reader goes beyond its array.
 */
#ifndef PACK_BITS_H
#define PACK_BITS_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * struct bit_writer - a growing array
 * @bytes: the caller frees it
 * @length: whole bytes written
 * @capacity: of @bytes
 * @partial: bits that do not fill a byte yet
 * @partial_bits: number of them, < 8 between calls
 * @failed: memory ran out, and what followed is lost
 */
struct bit_writer {
	uint8_t *bytes;
	size_t length;
	size_t capacity;
	uint64_t partial;
	uint32_t partial_bits;
	bool failed;
};

/* Append the count ≤ 56 lowest bits of value, whose others are 0. */
void bits_put(struct bit_writer *writer, uint64_t value, uint32_t count);

/* Fill the last byte with zeros. */
void bits_align(struct bit_writer *writer);

/**
 * struct bit_reader - a cursor in somebody else's bytes
 * @bytes: what it reads
 * @position: in bits
 * @end: bits that there are
 */
struct bit_reader {
	const uint8_t *bytes;
	uint64_t position;
	uint64_t end;
};

/* The next 57 bits or more; zeros after the end. */
static inline uint64_t bits_peek(const struct bit_reader *reader)
{
	uint64_t byte = reader->position / 8, size = reader->end / 8;
	uint64_t word = 0;

	if (byte + sizeof(word) <= size)
		memcpy(&word, reader->bytes + byte, sizeof(word));
	else if (byte < size)
		memcpy(&word, reader->bytes + byte, size - byte);
	return le64toh(word) >> (reader->position % 8);
}

static inline bool bits_skip(struct bit_reader *reader, uint32_t count)
{
	if (count > reader->end - reader->position)
		return false;
	reader->position += count;
	return true;
}

#endif
