/* SPDX-License-Identifier: MIT */
/*
 * Words of 32 bits in as few as neighbours that are alike need: blocks with a base, and how
 * far above it each word is. Documentation/model-file.rst.
 */
#ifndef PACK_WORDS_H
#define PACK_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bit_reader;
struct bit_writer;

/* Append words; writer->failed tells whether memory was short. */
void words_encode(const uint32_t *words, size_t count,
		  struct bit_writer *writer);

/* The least bits that so many words take: for who has to believe a count. */
uint64_t words_least_bits(size_t count);

/* So many words of bytes that may be anything; false for what is no code of them. */
bool words_decode(struct bit_reader *reader, uint32_t *words, size_t count);

#endif
