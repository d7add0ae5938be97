/* SPDX-License-Identifier: MIT */
/*
 * Random numbers by seed, the same bits on every machine and with every compiler:
 * only integer operations and the correctly rounded +, −, ×, ÷ and √ of binary64 are
 * used, never libm, whose logarithms differ in their last bit.
 *
 * The generator is xoshiro256** (Blackman and Vigna, 2018), seeded by SplitMix64.
 */
#ifndef COMPRESS_SAMPLE_H
#define COMPRESS_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct sample_generator - all private */
struct sample_generator {
	uint64_t state[4];
	double spare;
	bool has_spare;
};

void sample_seed(struct sample_generator *generator, uint64_t seed);

/* 64 random bits. */
uint64_t sample_bits(struct sample_generator *generator);

/* Uniform in [0, 1), a multiple of 2⁻⁵³. */
double sample_uniform(struct sample_generator *generator);

/* Uniform in 0 … bound − 1, without bias; bound > 0. */
uint64_t sample_below(struct sample_generator *generator, uint64_t bound);

/* Normal with mean 0 and variance 1. */
double sample_normal(struct sample_generator *generator);

/* Fill an array from sample_normal(), rounded to binary32. */
void sample_normals(struct sample_generator *generator, float *values,
		    size_t count);

#endif
