/* SPDX-License-Identifier: MIT */
/* The inner loop of functional execution. */
#ifndef SIM_KERNEL_H
#define SIM_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* A non-zero of a row: where its operand starts in the staged tile. */
struct sim_tap {
	uint32_t offset;
	int32_t weight;
};

/* Bytes that may be read past the last column of a tile. */
#define KERNEL_SLACK 64

/*
 * out[i] = start + Σ weight · x[offset + i] modulo 2^32, for count columns; up to
 * KERNEL_SLACK − 1 more results may be written.
 */
void kernel_row(const struct sim_tap *taps, size_t tap_count, const int8_t *x,
		uint32_t start, size_t count, int32_t *out);

#endif
