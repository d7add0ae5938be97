/* SPDX-License-Identifier: MIT */
/* How the weights that stay are dealt out: to layers, and to U·V and S. */
#ifndef COMPRESS_LOW_RANK_BUDGET_H
#define COMPRESS_LOW_RANK_BUDGET_H

#include <stddef.h>
#include <stdint.h>

struct low_rank;

/**
 * struct low_rank_layer - one that may be split
 * @how: what was asked for
 * @rows: of its matrix
 * @columns: of its matrix
 * @spectrum: singular values, descending, for those of one budget; else NULL
 * @rank: result; 0: it stays one
 * @rest_count: result, non-zeros of S
 */
struct low_rank_layer {
	const struct low_rank *how;
	int64_t rows;
	int64_t columns;
	const double *spectrum;
	int64_t rank;
	size_t rest_count;
};

/* By what was asked for it alone. */
void low_rank_budget_alone(struct low_rank_layer *layer);

/**
 * low_rank_budget_share() - one threshold on the singular values of several layers
 * @layers: those that have a spectrum take part
 * @count: length of @layers
 *
 * A singular value counts by the part of its layer's energy, over the weights that it
 * takes; the largest stay. Layers that would not get smaller stay whole.
 *
 * Return: 0 or −ENOMEM.
 */
int low_rank_budget_share(struct low_rank_layer *layers, int count);

#endif
