/* SPDX-License-Identifier: MIT */
/* Weights as the simulator executes and times them. */
#ifndef SIM_MATRIX_H
#define SIM_MATRIX_H

#include <pack/mapping.h>
#include <sim/execution.h>
#include <sim/kernel.h>

/* A whole part, where rows' ends are told: see struct sim_matrix. */
#define MATRIX_PART_WHOLE 65536

/* What timing needs of one row group: see struct stream_part. */
struct sim_part {
	uint64_t cycles;
	uint64_t slots;
	uint64_t padding;
	uint64_t bank_stalls;
	uint64_t bytes;
	uint64_t columns; /* distinct ones: rows of X in the buffer */
	uint64_t lines; /* of the input that these are views of */
	uint64_t channels; /* of the input that these lines are in */
	uint32_t rows; /* that its epilogue finishes */
};

/**
 * struct sim_matrix - a decoded weight stream
 * @row_start: rows + 1 indices of non-zeros
 * @column: of each non-zero
 * @value: likewise
 * @row_sum: Σ of a row's weights, for the zero point
 * @row_end: how much of its part's cycles have passed when the last of a row's weights
 *	has issued, in MATRIX_PART_WHOLE
 * @parts: mapping.row_groups
 */
struct sim_matrix {
	uint32_t rows;
	uint32_t columns;
	uint64_t nonzeros;
	uint64_t stream_bytes;
	uint32_t kernel_height;
	uint32_t kernel_width;
	uint64_t *row_start;
	uint32_t *column;
	int8_t *value;
	int32_t *row_sum;
	uint32_t *row_end;
	struct mapping mapping;
	struct sim_part *parts;
};

/* Where a stream is and what it must contain. */
struct sim_stream {
	uint64_t address;
	uint64_t length;
	uint32_t rows;
	uint32_t columns;
	uint32_t kernel_height; /* lines of one channel */
	uint32_t kernel_width; /* columns that are views of one line */
};

/*
 * Reads and decodes a stream, or finds it among those decoded before. The matrix
 * is the cache's and lives until the next call but one. NULL: the execution has
 * failed.
 */
const struct sim_matrix *matrix_load(struct sim_execution *execution,
				     const struct sim_stream *stream);

/*
 * The non-zeros of each row in fours; column k's operand starts at offset[k].
 * row_taps[row] … row_taps[row + 1] are the row's. False: no memory.
 */
bool matrix_taps(const struct sim_matrix *matrix, const uint32_t *offset,
		 struct sim_taps **taps, uint64_t **row_taps);

int matrix_cache_create(struct sim_device *device);
void matrix_cache_destroy(struct sim_device *device);

#endif
