/* SPDX-License-Identifier: MIT */
/*
 * An arithmetic coder of bits. Whoever describes data to it does so once, for both directions:
 * an encoder is told the bits and a decoder tells them. Documentation/model-file.rst.
 */
#ifndef COMPACT_CODER_H
#define COMPACT_CODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pack/bits.h>

/* Probabilities are in parts of 1 << CODER_BITS. */
#define CODER_BITS 16
#define CODER_HALF (1u << (CODER_BITS - 1))

/**
 * struct coder - one direction
 * @decodes: the direction
 * @bytes: to decode, hostile
 * @length: of them
 * @position: the next one, perhaps beyond the end, where zeros are
 * @out: what was encoded
 * @low: of the interval that the bits so far have led to
 * @high: its last number
 * @word: decoder: which number of it the bytes are
 * @work: what has been claimed
 * @error: the first thing that went wrong, as −errno; what follows is of no use
 */
struct coder {
	bool decodes;
	const uint8_t *bytes;
	size_t length;
	size_t position;
	struct bit_writer out;
	uint32_t low;
	uint32_t high;
	uint32_t word;
	uint64_t work;
	int error;
};

void coder_encode(struct coder *coder);
void coder_decode(struct coder *coder, const uint8_t *bytes, size_t length);

/* Free what the encoder has written. */
void coder_release(struct coder *coder);

/*
 * Nothing follows. The encoder's bytes are in @out then; the decoder looks whether there
 * are more. Return: 0, −ENOMEM, or −EBADMSG for what no encoder wrote.
 */
int coder_finish(struct coder *coder);

/*
 * So much is about to be decoded, in decisions. It is what a decoder may be made to do for
 * each byte that limits it, so that a short file costs neither much memory nor much time; the
 * encoder appends zeros where it would be too much. False if there is nothing to go on with.
 */
bool coder_claim(struct coder *coder, uint64_t work);

/* What has gone wrong first, for who makes arrays; false. */
bool coder_fail(struct coder *coder, int error);

void coder_write_byte(struct coder *coder);
void coder_read_byte(struct coder *coder);

/* A bit that is 1 with probability @one, 0 < one < 1 << CODER_BITS. */
static inline uint32_t coder_bit(struct coder *coder, uint32_t one,
				 uint32_t bit)
{
	uint32_t range = coder->high - coder->low;
	uint32_t middle =
		coder->low + (uint32_t)(((uint64_t)range * one) >> CODER_BITS);

	if (coder->decodes)
		bit = coder->word <= middle;
	if (bit)
		coder->high = middle;
	else
		coder->low = middle + 1;
	while (!((coder->low ^ coder->high) >> 24)) {
		if (coder->decodes)
			coder_read_byte(coder);
		else
			coder_write_byte(coder);
		coder->low <<= 8;
		coder->high = coder->high << 8 | 0xff;
	}
	return bit;
}

#endif
