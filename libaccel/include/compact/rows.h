/* SPDX-License-Identifier: MIT */
/* What belongs to the rows of a matrix: scales and biases. */
#ifndef COMPACT_ROWS_H
#define COMPACT_ROWS_H

#include <stdint.h>

#include <compact/coder.h>
#include <compact/mixer.h>
#include <compact/number.h>

#define ROWS_EXPONENT_BITS 8
#define ROWS_HEAD_BITS 3
#define ROWS_TAIL_BITS 20

/* Biases are large where scales are small: a model for each half octave of 16. */
#define ROWS_BIAS_MODELS 16

/**
 * struct rows_model - those of the matrices so far
 * @same: is the scale that of the row before? After one that was not, and that was
 * @sign: of a scale; a valid one has none
 * @exponent: of binary32
 * @head: highest bits of the fraction
 * @tail: its others, each by its place: those that are always 0 cost nothing
 * @bias: by the scale
 * @negative: is a bias?
 */
struct rows_model {
	struct opinion same[2];
	struct opinion sign;
	struct opinion exponent[1 << ROWS_EXPONENT_BITS];
	struct opinion head[1 << ROWS_HEAD_BITS];
	struct opinion tail[ROWS_TAIL_BITS];
	struct number_model bias[ROWS_BIAS_MODELS];
	struct opinion negative;
};

void rows_reset(struct rows_model *model);

/*
 * So many of both. An encoder is given the arrays; a decoder makes them, for free(), where
 * they are not its caller's yet. Return: 0 or −errno.
 */
int rows_code(struct rows_model *model, const struct odds *odds,
	      struct coder *coder, uint32_t rows, float **scale,
	      int32_t **bias);

#endif
