/* SPDX-License-Identifier: MIT */
/*
 * A layer's matrix W as U·V of a lower rank: two smaller layers, one behind the other,
 * which are pruned and quantized as any. Truncated SVD: of all matrices of that rank
 * U·V is the nearest one (Eckart and Young, 1936).
 */
#ifndef COMPRESS_LOW_RANK_H
#define COMPRESS_LOW_RANK_H

#include <stdint.h>

struct graph;

/**
 * struct low_rank - how low
 * @rank: of every layer; 0: by @ratio
 * @ratio: of U's and V's weights to W's, 0 … 1, exclusive
 */
struct low_rank {
	int64_t rank;
	double ratio;
};

/**
 * low_rank_parse() - "16", a rank, or "0.5", a ratio
 *
 * Return: 0, or −EINVAL with a text.
 */
int low_rank_parse(const char *text, struct low_rank *low_rank);

/**
 * low_rank_split() - replace every layer by two where that takes fewer weights
 * @graph: changed; not to be used after an error
 * @low_rank: how low
 * @count: result, layers that were replaced
 *
 * Left as they are: recurrent and grouped layers, those that rearrange, and weights
 * that several nodes read.
 *
 * Return: 0; −EINVAL for weights that are not finite; −ENOTSUP for a network that is
 * quantized already, or has no layer that gets smaller; −ENOMEM.
 */
int low_rank_split(struct graph *graph, const struct low_rank *low_rank,
		   int *count);

#endif
