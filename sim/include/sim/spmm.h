/* SPDX-License-Identifier: MIT */
/* SPMM: W · X with its epilogue and store, in tiles. */
#ifndef SIM_SPMM_H
#define SIM_SPMM_H

#include <sim/execution.h>
#include <sim/kernel.h>
#include <sim/matrix.h>
#include <sim/window.h>

/**
 * struct spmm_run - one SPMM in execution
 * @d: a copy of the descriptor, which the host may change meanwhile
 * @taps: non-zeros of all rows
 * @row_taps: rows + 1 indices into them
 * @scales: M, or NULL for SPMM_OUTPUT_INT32
 * @biases: M
 * @tables: 256 or M · 256, or NULL
 * @stage: the tile's input
 * @sums: accumulators of one row of the tile
 * @result: M rows of @row_bytes, the tile's result
 * @line: one line of the output or of the residual operand
 * @element: bytes of an output element
 */
struct spmm_run {
	struct sim_execution *execution;
	kernel_function kernel;
	struct spmm_descriptor d;
	const struct sim_matrix *matrix;
	struct window window;
	struct sim_taps *taps;
	uint64_t *row_taps;
	float *scales;
	int32_t *biases;
	int8_t *tables;
	uint8_t *stage;
	int32_t *sums;
	uint8_t *result;
	uint8_t *line;
	uint64_t row_bytes;
	uint32_t element;
};

void spmm_execute(struct sim_execution *execution);

/* spmm_check.c: everything that needs no memory but the descriptor. A status. */
int spmm_check(const struct spmm_descriptor *d);

/* A tensor of elements of some bytes: strides, alignment, address range. */
int tensor_check(const struct spmm_tensor *tensor, uint32_t batch,
		 uint32_t element);

/* Finite and positive? */
bool scale_valid(float scale);

float float_of_bits(uint32_t bits);

/* spmm_store.c: table, residual and store of a computed tile. */
int spmm_store(struct spmm_run *run, const struct window_tile *tile);

/* Bytes of one line of the store. */
uint64_t spmm_line_bytes(const struct spmm_run *run);

#endif
