/* SPDX-License-Identifier: MIT */
/*
 * A layer's matrix W as U·V of a lower rank: two smaller layers, one behind the other,
 * which are pruned and quantized as any; or as U·V + S, where the sparse S is a third
 * layer beside them, and a sum follows. A dictionary is D·X with so many non-zeros in
 * each column of X.
 */
#ifndef COMPRESS_LOW_RANK_H
#define COMPRESS_LOW_RANK_H

#include <stdbool.h>
#include <stdint.h>

struct calibration_data;
struct compress_choices;
struct graph;

/**
 * struct low_rank - how low; all zero: the layer stays one
 * @rank: of U and V; 0: by @ratio
 * @ratio: of all weights that stay to W's, 0 … 1, exclusive
 * @whitened: nearest are the layer's results, not its weights; needs data
 * @global: the largest singular values of all layers stay, @ratio being of all weights
 * @sparse: part of the weights that stay that are S's, 0 … 1, exclusive; 0: no S
 * @atoms: columns of D; 0: it is no dictionary
 * @nonzeros: of each column of X
 */
struct low_rank {
	int64_t rank;
	double ratio;
	bool whitened;
	bool global;
	double sparse;
	int64_t atoms;
	int64_t nonzeros;
};

/**
 * struct low_rank_report - what became of the layers
 * @split: that are several now
 * @small: that would not have become smaller
 * @other: that cannot be split: recurrent, in groups, or with shared weights
 */
struct low_rank_report {
	int split;
	int small;
	int other;
};

/**
 * low_rank_parse() - "16", a rank, or "0.5", a ratio, and ":whitened", ":global" and
 * ":sparse[:PART]" behind it; "none"
 *
 * Return: 0, or −EINVAL with a text.
 */
int low_rank_parse(const char *text, struct low_rank *low_rank);

/** low_rank_parse_dictionary() - "ATOMS:NONZEROS"; as low_rank_parse() */
int low_rank_parse_dictionary(const char *text, struct low_rank *low_rank);

/** low_rank_is_none() - does the layer stay one? */
bool low_rank_is_none(const struct low_rank *low_rank);

/**
 * low_rank_split() - replace layers by two or three where that takes fewer weights
 * @graph: changed; not to be used after an error
 * @choices: how low, for each weight; then those of the new graph: the parts of a
 *	layer are treated as was chosen for it, but of what is sparse already exactly
 *	the zeros go
 * @data: for what is to be whitened; else NULL is allowed
 * @workers: threads
 * @report: result
 *
 * Left as they are: recurrent and grouped layers, those that rearrange, and weights
 * that several nodes read.
 *
 * Return: 0; −EINVAL for weights that are not finite, or no data; −ENOTSUP for a
 * network that is quantized already, or has no layer that gets smaller; −ENOMEM.
 */
int low_rank_split(struct graph *graph, struct compress_choices *choices,
		   const struct calibration_data *data, int workers,
		   struct low_rank_report *report);

#endif
