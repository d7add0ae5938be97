/* SPDX-License-Identifier: MIT */
/*
 * Which positions of a matrix are kept. At random with probability p that takes H(p) bits
 * for each; columns, rows, kernels and neighbours that are not like the others take less.
 */
#ifndef COMPACT_POSITIONS_H
#define COMPACT_POSITIONS_H

#include <stdint.h>

#include <compact/coder.h>
#include <compact/mixer.h>

/* How many rows are behind, in powers of two: what a mixer's sets are for. */
#define POSITIONS_AGES 16
#define POSITIONS_INPUTS 5

/* Situations: see positions.c. */
#define POSITIONS_NEAR 128
#define POSITIONS_FILL 640
#define POSITIONS_TAP 4

/**
 * struct positions_shape - of a matrix
 * @columns: K
 * @taps: of a kernel: that many neighbouring columns are of one channel
 * @phases: rows in turn that are alike
 */
struct positions_shape {
	uint32_t columns;
	uint32_t taps;
	uint32_t phases;
};

/**
 * struct positions - of one matrix, as far as it is known
 * @odds: shared
 * @mixer: of all matrices
 * @shape: of the matrix
 * @density: probability with which a position is kept
 * @column: opinions of each column in each phase
 * @row: of the present row
 * @near: by what is kept to the left and above
 * @fill: by how much is kept in the channel and to the left
 * @tap: by tap and phase
 * @above: which of the rows before in its phase kept a column, the last one lowest
 * @kept: columns of the present row so far
 * @empty: is a row? After one that is not, and that is
 * @was_empty: the last row
 */
struct positions {
	const struct odds *odds;
	struct mixer *mixer;
	struct positions_shape shape;
	uint32_t density;
	struct opinion *column;
	struct opinion row;
	struct opinion near[POSITIONS_NEAR];
	struct opinion fill[POSITIONS_FILL];
	struct opinion *tap;
	uint8_t *above;
	uint8_t *kept;
	struct opinion empty[2];
	uint32_t was_empty;
};

/*
 * Begin a matrix of so many non-zeros of all positions; its memory is claimed.
 * positions_release() is due in any case. Return: 0 or −errno.
 */
int positions_create(struct positions *positions, const struct odds *odds,
		     struct mixer *mixer, struct coder *coder,
		     const struct positions_shape *shape, uint64_t nonzeros,
		     uint64_t all);
void positions_release(struct positions *positions);

/*
 * The next row's columns, ascending. An encoder is given them; a decoder writes them, at
 * most @most, and fails where there are more. Return: how many there are.
 */
uint32_t positions_code_row(struct positions *positions, struct coder *coder,
			    uint32_t row, int32_t *columns, uint64_t most);

#endif
