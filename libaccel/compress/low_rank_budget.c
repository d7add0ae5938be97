// SPDX-License-Identifier: MIT
#include <compress/low_rank.h>
#include <compress/low_rank_budget.h>

#include <errno.h>
#include <stdlib.h>

/** struct candidate - a singular value: @gain for each weight that it takes */
struct candidate {
	double gain;
	int layer;
	int64_t index;
};

static double weights_of(const struct low_rank_layer *layer)
{
	return (double)layer->rows * (double)layer->columns;
}

/* Of S for each weight of U and V. */
static double rest_share(const struct low_rank *how)
{
	return how->sparse / (1 - how->sparse);
}

static double cost(const struct low_rank_layer *layer, int64_t rank)
{
	return (double)rank * (double)(layer->rows + layer->columns) *
	       (1 + rest_share(layer->how));
}

static void settle(struct low_rank_layer *layer, int64_t rank)
{
	int64_t least = layer->rows < layer->columns ? layer->rows :
						       layer->columns;

	layer->rank = rank <= least && cost(layer, rank) < weights_of(layer) ?
			      rank :
			      0;
	layer->rest_count = (size_t)((double)layer->rank *
				     (double)(layer->rows + layer->columns) *
				     rest_share(layer->how));
}

/* Of a dictionary the rank is its atoms. */
static void settle_dictionary(struct low_rank_layer *layer)
{
	const struct low_rank *how = layer->how;
	double size = (double)how->atoms * (double)layer->rows +
		      (double)how->nonzeros * (double)layer->columns;
	bool smaller = how->atoms < layer->columns &&
		       how->nonzeros <= how->atoms && size < weights_of(layer);

	layer->rank = smaller ? how->atoms : 0;
	layer->rest_count = 0;
}

void low_rank_budget_alone(struct low_rank_layer *layer)
{
	const struct low_rank *how = layer->how;
	int64_t rank = how->rank;

	if (how->atoms) {
		settle_dictionary(layer);
		return;
	}
	if (!rank)
		rank = (int64_t)(how->ratio * weights_of(layer) /
				 cost(layer, 1));
	settle(layer, rank || how->rank ? rank : 1);
}

/* ---- one threshold ---- */

static int64_t least_of(const struct low_rank_layer *layer)
{
	return layer->rows < layer->columns ? layer->rows : layer->columns;
}

static size_t count_candidates(const struct low_rank_layer *layers, int count)
{
	size_t all = 0;

	for (int i = 0; i < count; i++)
		if (layers[i].spectrum)
			all += (size_t)least_of(&layers[i]);
	return all;
}

static size_t add_candidates(const struct low_rank_layer *layer, int index,
			     struct candidate *candidates)
{
	int64_t least = least_of(layer);
	double energy = 0;

	for (int64_t i = 0; i < least; i++)
		energy += layer->spectrum[i] * layer->spectrum[i];
	for (int64_t i = 0; i < least; i++) {
		double part = layer->spectrum[i] * layer->spectrum[i];

		candidates[i] = (struct candidate){
			.gain = energy > 0 ? part / energy / cost(layer, 1) : 0,
			.layer = index,
			.index = i,
		};
	}
	return (size_t)least;
}

/* Of equal ones the first comes first, so that the order is one only. */
static int by_gain(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->gain != y->gain)
		return x->gain < y->gain ? 1 : -1;
	if (x->layer != y->layer)
		return x->layer - y->layer;
	return (x->index > y->index) - (x->index < y->index);
}

/* What one rank more costs: at last, what the layer does as it is. */
static double next_cost(const struct low_rank_layer *layer)
{
	double now = cost(layer, layer->rank);
	double next = cost(layer, layer->rank + 1);

	return (next < weights_of(layer) ? next : weights_of(layer)) - now;
}

static void deal(struct low_rank_layer *layers,
		 const struct candidate *candidates, size_t count,
		 double budget)
{
	for (size_t i = 0; i < count; i++) {
		struct low_rank_layer *layer = &layers[candidates[i].layer];
		double price = next_cost(layer);

		/* every layer keeps something, and ranks come in order */
		if (candidates[i].index != layer->rank || price <= 0 ||
		    (price > budget && layer->rank))
			continue;
		layer->rank++;
		budget -= price;
	}
}

int low_rank_budget_share(struct low_rank_layer *layers, int count)
{
	size_t all = count_candidates(layers, count), filled = 0;
	struct candidate *candidates = malloc((all + 1) * sizeof(*candidates));
	double budget = 0;

	if (!candidates)
		return -ENOMEM;
	for (int i = 0; i < count; i++) {
		if (!layers[i].spectrum)
			continue;
		layers[i].rank = 0;
		budget += layers[i].how->ratio * weights_of(&layers[i]);
		filled += add_candidates(&layers[i], i, candidates + filled);
	}
	qsort(candidates, all, sizeof(*candidates), by_gain);
	deal(layers, candidates, all, budget);
	for (int i = 0; i < count; i++)
		if (layers[i].spectrum)
			settle(&layers[i], layers[i].rank);
	free(candidates);
	return 0;
}
