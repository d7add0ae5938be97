/* SPDX-License-Identifier: MIT */
/* The ways to say which weights go, by the names that the literature has for them. */
#ifndef COMPRESS_PRUNE_METHOD_H
#define COMPRESS_PRUNE_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <compress/calibration_data.h>
#include <compress/graph.h>
#include <compress/prune.h>

struct compress_progress;
struct weight_format;

/**
 * struct prune_method_context - what a method may look at
 * @graph: dense; is not changed
 * @data: cut to patches where the network takes any size; NULL for methods that need none
 * @budget: how much is to go
 * @layers: of each tensor: is a solve method to prune it? Others are to be left as they
 *	are in its graph; NULL: all. Scores are made for all of them in any case
 * @formats: of each tensor, for methods that are @joint: what stays becomes codes in the same
 *	walk, in a grid that weight_grid_open() gives; NULL: it stays as it is
 * @seed: of all that is random
 * @workers: threads, ≥ 1; the result does not depend on them
 * @progress: or NULL
 */
struct prune_method_context {
	const struct graph *graph;
	const struct calibration_data *data;
	const struct prune_budget *budget;
	const bool *layers;
	const struct weight_format *formats;
	uint64_t seed;
	int workers;
	const struct compress_progress *progress;
};

/**
 * struct prune_method - one way
 * @name: as in the literature
 * @about: a line for people
 * @scope: the one that its scores are good for
 * @needs_data: it looks at the network at work
 * @patterns: its @solve obeys the budget's pattern; scores always do
 * @joint: its @solve can round as it prunes
 * @chooses: its @solve chooses only, and what stays does not change
 * @shrinks: what it leaves without readers is taken out of the graph
 * @score: fills scores from saliency_create(), all ≥ 0, for prune_scores(); NULL if
 *	there is a @solve
 * @solve: chooses the mask and changes the weights that stay, in one walk: @pruned is a
 *	copy of the dense graph, @mask is from prune_mask_create(); NULL if there is a
 *	@score
 *
 * Both return 0, −EINVAL with a text that names the layer, or −ENOMEM.
 */
struct prune_method {
	const char *name;
	const char *about;
	enum prune_scope scope;
	bool needs_data;
	bool patterns;
	bool joint;
	bool chooses;
	bool shrinks;
	int (*score)(const struct prune_method_context *context,
		     float **scores);
	int (*solve)(const struct prune_method_context *context,
		     struct graph *pruned, struct prune_mask *mask);
};

/* NULL for a name that there is not. */
const struct prune_method *prune_method_find(const char *name);

/* The i-th one, or NULL behind the last. */
const struct prune_method *prune_method_get(size_t index);

/* All names, for a message: "magnitude, random or gn". */
const char *prune_method_names(void);

/* A line for each, with its name, its scope and what it does; of the calling thread. */
const char *prune_method_lines(void);

/* Can it do what the budget asks for? 0, or −ENOTSUP with a text. */
int prune_method_check(const struct prune_method *method,
		       const struct prune_budget *budget);

/*
 * Of what is gone already nothing comes back: it scores below all that is left.
 * @mask: what is left
 */
void prune_method_settle(const struct graph *graph,
			 const struct prune_mask *mask, float **scores);

/*
 * Choose among what @mask has left, and change @graph's weights. 0 or what the method
 * returns; −ENOTSUP.
 */
int prune_method_apply(const struct prune_method *method,
		       const struct prune_method_context *context,
		       struct graph *graph, struct prune_mask *mask);

#endif
