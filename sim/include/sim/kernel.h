/* SPDX-License-Identifier: MIT */
/*
 * The inner loop of functional execution. Operands are staged as x + 128,
 * unsigned, because the processor's instruction multiplies unsigned by signed
 * bytes; weights go four at a time.
 */
#ifndef SIM_KERNEL_H
#define SIM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Added to every staged operand; Σ weights times it is to be taken off again. */
#define KERNEL_BIAS 128

/* Four non-zeros of a row, and where their operands start in the tile. */
struct sim_taps {
	uint32_t offset[4];
	int8_t weight[4]; /* 0 in the places that are left over */
};

/* Columns of a block; bytes that may be read past a tile's last column. */
#define KERNEL_SLACK 64

typedef void (*kernel_function)(const struct sim_taps *taps, size_t tap_count,
				const uint8_t *x, uint32_t start, size_t count,
				int32_t *out);

/* Versions for processors, the best first; all give the same result. */
struct kernel_version {
	const char *name;
	bool (*available)(void);
	kernel_function row;
};

extern const struct kernel_version kernel_versions[];
extern const unsigned int kernel_version_count;

/*
 * out[i] = start + Σ weight · x[offset + i] modulo 2^32, for count columns; up to
 * KERNEL_SLACK − 1 more results may be written. This is the best version here.
 */
kernel_function kernel_choose(void);

/* From codes to staged operands, in place. */
void kernel_stage(void *codes, size_t count);

#endif
