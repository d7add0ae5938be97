/* SPDX-License-Identifier: MIT */
/*
 * One sweep over the columns of a layer's weights prunes, rounds, or both (SparseGPT,
 * Frantar and Alistarh 2023; without pruning it is GPTQ): what a weight loses, those
 * to the right of it take over, as the inverse of H says. Columns come in blocks:
 * which weights of a block go is decided when the sweep gets there, over all rows.
 */
#ifndef COMPRESS_SPARSEGPT_H
#define COMPRESS_SPARSEGPT_H

#include <compress/column_grid.h>
#include <compress/hessian.h>

#include <stdint.h>

/**
 * struct sparsegpt - weights, and what is to become of them
 * @hessian: factored, of as many columns
 * @rows: outputs
 * @constant: the last column is the bias: it is neither pruned nor rounded
 * @weights: [@rows][columns], changed
 * @keep: [@rows][columns], given or, with @select, the result
 * @select: choose which weights go; else @keep says
 * @keep_count: with @select: weights that stay, without the bias
 * @grids: of the columns, up to the bias
 * @grid_count: of them; 0: nothing is rounded
 * @workers: threads; the result does not depend on them
 */
struct sparsegpt {
	const struct hessian *hessian;
	size_t rows;
	bool constant;
	float *weights;
	uint8_t *keep;
	bool select;
	size_t keep_count;
	struct column_grid grids[COLUMN_GRIDS_MAX];
	int grid_count;
	int workers;
};

/**
 * sparsegpt_sweep() - prune and round
 *
 * Of dead columns all weights go, if it may select, and none is kept for them: should
 * there be fewer others than are to stay, fewer stay. Return: 0 or −ENOMEM.
 */
int sparsegpt_sweep(const struct sparsegpt *sweep);

#endif
