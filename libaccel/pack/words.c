/* SPDX-License-Identifier: MIT */
#include <pack/words.h>

#include <pack/bits.h>

/* Longer ones share their head among more, shorter ones fit their words more closely. */
#define BLOCK 64

#define BASE_BITS 32
#define WIDTH_BITS 6
#define SHIFT_BITS 5
#define HEAD_BITS (BASE_BITS + WIDTH_BITS + SHIFT_BITS)

/**
 * struct block - word = base + (code << shift)
 * @base: the smallest word
 * @width: bits of a code
 * @shift: low bits that all words have in common with the base
 */
struct block {
	uint32_t base;
	uint32_t width;
	uint32_t shift;
};

static struct block block_find(const uint32_t *words, size_t count)
{
	struct block block = { .base = UINT32_MAX };
	uint32_t all = 0;

	for (size_t i = 0; i < count; i++)
		if (words[i] < block.base)
			block.base = words[i];
	for (size_t i = 0; i < count; i++)
		all |= words[i] - block.base;
	if (!all)
		return block;
	block.shift = (uint32_t)__builtin_ctz(all);
	block.width = 32 - (uint32_t)__builtin_clz(all) - block.shift;
	return block;
}

static void block_encode(const uint32_t *words, size_t count,
			 struct bit_writer *writer)
{
	const struct block block = block_find(words, count);

	bits_put(writer, block.base, BASE_BITS);
	bits_put(writer, block.width, WIDTH_BITS);
	bits_put(writer, block.shift, SHIFT_BITS);
	for (size_t i = 0; i < count; i++)
		bits_put(writer, (words[i] - block.base) >> block.shift,
			 block.width);
}

void words_encode(const uint32_t *words, size_t count,
		  struct bit_writer *writer)
{
	for (size_t i = 0; i < count; i += BLOCK)
		block_encode(words + i, count - i < BLOCK ? count - i : BLOCK,
			     writer);
}

uint64_t words_least_bits(size_t count)
{
	return ((uint64_t)count + BLOCK - 1) / BLOCK * HEAD_BITS;
}

static bool take(struct bit_reader *reader, uint32_t bits, uint32_t *value)
{
	*value = (uint32_t)(bits_peek(reader) & (((uint64_t)1 << bits) - 1));
	return bits_skip(reader, bits);
}

static bool block_decode(struct bit_reader *reader, uint32_t *words,
			 size_t count)
{
	struct block block;

	if (!take(reader, BASE_BITS, &block.base) ||
	    !take(reader, WIDTH_BITS, &block.width) ||
	    !take(reader, SHIFT_BITS, &block.shift) ||
	    block.width + block.shift > 32)
		return false;
	for (size_t i = 0; i < count; i++) {
		uint64_t above;
		uint32_t code;

		if (!take(reader, block.width, &code))
			return false;
		above = (uint64_t)code << block.shift;
		if (above > UINT32_MAX - block.base)
			return false;
		words[i] = block.base + (uint32_t)above;
	}
	return true;
}

bool words_decode(struct bit_reader *reader, uint32_t *words, size_t count)
{
	for (size_t i = 0; i < count; i += BLOCK)
		if (!block_decode(reader, words + i,
				  count - i < BLOCK ? count - i : BLOCK))
			return false;
	return true;
}
