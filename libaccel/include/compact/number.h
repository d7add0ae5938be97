/* SPDX-License-Identifier: MIT */
/* Numbers of any size: how many bits they have is learned best, the low bits least. */
#ifndef COMPACT_NUMBER_H
#define COMPACT_NUMBER_H

#include <compact/coder.h>
#include <compact/mixer.h>

#define NUMBER_BITS 63
#define NUMBER_LENGTH_BITS 6
#define NUMBER_HEAD_BITS 2

/**
 * struct number_model - what numbers of one kind are like
 * @length: how many bits they have
 * @head: those behind the first one, by how many there are
 * @tail: each of the others, by its place: those that are always 0 cost nothing
 */
struct number_model {
	struct opinion length[1 << NUMBER_LENGTH_BITS];
	struct opinion head[NUMBER_BITS + 1][1 << NUMBER_HEAD_BITS];
	struct opinion tail[NUMBER_BITS];
};

void number_reset(struct number_model *model);

/* A number < 1 << NUMBER_BITS. */
uint64_t number_code(struct number_model *model, const struct odds *odds,
		     struct coder *coder, uint64_t value);

#endif
