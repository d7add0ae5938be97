/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress/prune.h"
#include "compress/prune_pattern.h"
#include "core/error.h"

#define BUCKETS 65536

/* Non-negative floats order as their bit patterns do. */
static uint32_t score_bits(float score)
{
	uint32_t bits;

	memcpy(&bits, &score, sizeof(bits));
	return bits & INT32_MAX;
}

static size_t element_count(const struct graph_tensor *tensor)
{
	size_t count = 1;

	for (int i = 0; i < tensor->shape.rank; i++)
		count *= (size_t)tensor->shape.dims[i];
	return count;
}

/* Is input number slot of the node a matrix that may be pruned? */
static bool node_weight(const struct graph_node *node, int slot)
{
	if (node->structural)
		return false;
	if (graph_op_is_recurrent(node->op))
		return slot == 1 || slot == 2;
	return graph_op_is_linear(node->op) && slot == 1;
}

const struct graph_node *prune_weight_reader(const struct graph *graph,
					     int tensor, int *slot)
{
	for (int n = 0; n < graph->node_count; n++) {
		const struct graph_node *node = &graph->nodes[n];

		for (int i = 0; i < node->input_count; i++)
			if (node->inputs[i] == tensor && node_weight(node, i)) {
				*slot = i;
				return node;
			}
	}
	return NULL;
}

bool prune_applies(const struct graph *graph, int tensor)
{
	int slot;

	return graph->tensors[tensor].data &&
	       prune_weight_reader(graph, tensor, &slot);
}

struct prune_mask *prune_mask_create(const struct graph *graph)
{
	struct prune_mask *mask = calloc(1, sizeof(*mask));

	if (!mask)
		return NULL;
	mask->tensor_count = graph->tensor_count;
	mask->keep =
		calloc((size_t)graph->tensor_count + 1, sizeof(*mask->keep));
	if (!mask->keep)
		goto fail;
	for (int t = 0; t < graph->tensor_count; t++) {
		size_t count = element_count(&graph->tensors[t]);

		if (!prune_applies(graph, t))
			continue;
		mask->keep[t] = malloc(count ? count : 1);
		if (!mask->keep[t])
			goto fail;
		memset(mask->keep[t], 1, count);
	}
	return mask;
fail:
	prune_mask_destroy(mask);
	return NULL;
}

void prune_mask_destroy(struct prune_mask *mask)
{
	if (!mask)
		return;
	for (int t = 0; mask->keep && t < mask->tensor_count; t++)
		free(mask->keep[t]);
	free(mask->keep);
	free(mask);
}

/*
 * The highest bucket in which the running count, from the top, reaches *wanted;
 * *wanted becomes what is to be taken from within that bucket.
 */
static uint32_t find_bucket(const size_t *histogram, size_t *wanted)
{
	for (uint32_t bucket = BUCKETS - 1; bucket > 0; bucket--) {
		if (histogram[bucket] >= *wanted)
			return bucket;
		*wanted -= histogram[bucket];
	}
	return 0;
}

/*
 * Radix selection: the bits of the keep_count-th highest score, and how many of
 * the elements that equal it are to be kept.
 */
static int find_threshold(const float *scores, size_t count, size_t *equal,
			  uint32_t *threshold)
{
	size_t *histogram = calloc(BUCKETS, sizeof(*histogram));
	uint32_t high;

	if (!histogram)
		return accel_error(-ENOMEM, "out of memory while pruning");
	for (size_t i = 0; i < count; i++)
		histogram[score_bits(scores[i]) >> 16]++;
	high = find_bucket(histogram, equal);
	memset(histogram, 0, BUCKETS * sizeof(*histogram));
	for (size_t i = 0; i < count; i++)
		if (score_bits(scores[i]) >> 16 == high)
			histogram[score_bits(scores[i]) & UINT16_MAX]++;
	*threshold = high << 16 | find_bucket(histogram, equal);
	free(histogram);
	return 0;
}

int prune_select(const float *scores, size_t count, size_t keep_count,
		 uint8_t *keep)
{
	size_t equal = keep_count;
	uint32_t threshold;
	int ret;

	if (!keep_count) {
		memset(keep, 0, count);
		return 0;
	}
	ret = find_threshold(scores, count, &equal, &threshold);
	if (ret)
		return ret;
	for (size_t i = 0; i < count; i++) {
		uint32_t bits = score_bits(scores[i]);

		keep[i] = bits > threshold;
		if (bits == threshold && equal) {
			keep[i] = 1;
			equal--;
		}
	}
	return 0;
}

static int check_not_empty(const struct graph *graph,
			   const struct prune_mask *mask)
{
	for (int t = 0; t < mask->tensor_count; t++) {
		const struct graph_tensor *tensor = &graph->tensors[t];
		int slot;

		if (!mask->keep[t] ||
		    memchr(mask->keep[t], 1, element_count(tensor)))
			continue;
		return accel_error(
			-EINVAL,
			"%s: all weights of %s are pruned; ask for a lower sparsity",
			prune_weight_reader(graph, t, &slot)->name,
			tensor->name);
	}
	return 0;
}

static size_t kept(size_t count, double sparsity)
{
	return count - (size_t)llround(sparsity * (double)count);
}

double prune_budget_of(const struct prune_budget *budget, int tensor)
{
	return budget->sparsities ? budget->sparsities[tensor] :
				    budget->sparsity;
}

static int select_per_layer(const struct graph *graph,
			    const float *const *scores,
			    const struct prune_budget *budget,
			    struct prune_mask *mask)
{
	for (int t = 0; t < mask->tensor_count; t++) {
		size_t count = element_count(&graph->tensors[t]);
		int ret;

		if (!mask->keep[t])
			continue;
		ret = prune_select(scores[t], count,
				   kept(count, prune_budget_of(budget, t)),
				   mask->keep[t]);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * struct pool - the weights of all layers, end to end
 * @scores: of each, by what it costs
 * @keep: of each, result
 * @count: how many
 */
struct pool {
	float *scores;
	uint8_t *keep;
	size_t count;
};

static double cost_of(const struct prune_budget *budget, int tensor)
{
	return budget->costs ? budget->costs[tensor] : 1;
}

static void pool_fill(struct pool *pool, const struct graph *graph,
		      const float *const *scores,
		      const struct prune_budget *budget,
		      const struct prune_mask *mask)
{
	for (int t = 0; t < mask->tensor_count; t++) {
		size_t count = element_count(&graph->tensors[t]);

		for (size_t i = 0; mask->keep[t] && i < count; i++)
			pool->scores[pool->count++] =
				(float)((double)fabsf(scores[t][i]) /
					cost_of(budget, t));
	}
}

/* Nothing is above it. */
static void pool_raise_best(float *scores, size_t count)
{
	size_t best = 0;

	for (size_t i = 1; i < count; i++)
		if (scores[i] > scores[best])
			best = i;
	if (count)
		scores[best] = INFINITY;
}

/*
 * What a whole layer is worth, no score of single weights says: the last one may carry
 * all of its signal.
 */
static void pool_raise(const struct pool *pool, const struct graph *graph,
		       const struct prune_mask *mask)
{
	float *scores = pool->scores;

	for (int t = 0; t < mask->tensor_count; t++) {
		size_t count = element_count(&graph->tensors[t]);

		if (!mask->keep[t])
			continue;
		pool_raise_best(scores, count);
		scores += count;
	}
}

static void pool_share(const struct pool *pool, const struct graph *graph,
		       struct prune_mask *mask)
{
	size_t at = 0;

	for (int t = 0; t < mask->tensor_count; t++) {
		size_t count = element_count(&graph->tensors[t]);

		if (!mask->keep[t])
			continue;
		memcpy(mask->keep[t], pool->keep + at, count);
		at += count;
	}
}

/* What the weights cost that the mask keeps, or covers. */
static double mask_cost(const struct graph *graph,
			const struct prune_budget *budget,
			const struct prune_mask *mask, bool all)
{
	double cost = 0;

	for (int t = 0; t < mask->tensor_count; t++) {
		size_t count = element_count(&graph->tensors[t]), own = 0;

		for (size_t i = 0; mask->keep[t] && i < count; i++)
			own += all || mask->keep[t][i];
		cost += (double)own * cost_of(budget, t);
	}
	return cost;
}

/* As many as asked; where they cost differently, as many as the budget pays for. */
static int pool_select(const struct pool *pool, const struct graph *graph,
		       const struct prune_budget *budget,
		       struct prune_mask *mask)
{
	double limit =
		mask_cost(graph, budget, mask, true) * (1 - budget->sparsity);
	size_t low = 0, high = pool->count;

	if (!budget->costs) {
		low = kept(pool->count, budget->sparsity);
		high = low;
	}
	do {
		size_t middle = low + (high - low + 1) / 2;
		int ret = prune_select(pool->scores, pool->count, middle,
				       pool->keep);

		if (ret)
			return ret;
		pool_share(pool, graph, mask);
		if (low == high)
			return 0;
		if (mask_cost(graph, budget, mask, false) <= limit)
			low = middle;
		else
			high = middle - 1;
	} while (true);
}

static int select_global(const struct graph *graph, const float *const *scores,
			 const struct prune_budget *budget,
			 struct prune_mask *mask)
{
	int64_t total;
	struct pool pool = { .count = 0 };
	int ret = -ENOMEM;

	prune_count(graph, mask, &total);
	pool.scores = malloc(((size_t)total + 1) * sizeof(*pool.scores));
	pool.keep = malloc((size_t)total + 1);
	if (pool.scores && pool.keep) {
		pool_fill(&pool, graph, scores, budget, mask);
		if (budget->floor)
			pool_raise(&pool, graph, mask);
		ret = pool_select(&pool, graph, budget, mask);
	} else {
		accel_error(ret, "out of memory while pruning");
	}
	free(pool.scores);
	free(pool.keep);
	return ret;
}

static int check_sparsity(double sparsity)
{
	if (sparsity >= 0 && sparsity < 1)
		return 0;
	return accel_error(
		-EINVAL,
		"a sparsity of %g: it has to be at least 0 and below 1",
		sparsity);
}

int prune_scores(const struct graph *graph, const float *const *scores,
		 const struct prune_budget *budget, struct prune_mask *mask)
{
	int ret = 0;

	for (int t = 0; t < mask->tensor_count && !ret; t++)
		if (mask->keep[t])
			ret = check_sparsity(prune_budget_of(budget, t));
	if (ret)
		return ret;
	if (budget->pattern.of)
		prune_pattern_select(graph, scores, &budget->pattern, mask);
	else if (budget->scope == PRUNE_GLOBAL && !budget->sparsities)
		ret = select_global(graph, scores, budget, mask);
	else
		ret = select_per_layer(graph, scores, budget, mask);
	return ret ? ret : check_not_empty(graph, mask);
}

int prune_magnitudes(const struct graph *graph,
		     const struct prune_budget *budget, struct prune_mask *mask)
{
	const float **scores =
		calloc((size_t)graph->tensor_count + 1, sizeof(*scores));
	int ret;

	if (!scores)
		return accel_error(-ENOMEM, "out of memory while pruning");
	for (int t = 0; t < graph->tensor_count; t++)
		scores[t] = graph->tensors[t].data;
	ret = prune_scores(graph, scores, budget, mask);
	free(scores);
	return ret;
}

int prune_magnitude(const struct graph *graph, double sparsity,
		    enum prune_scope scope, struct prune_mask *mask)
{
	const struct prune_budget budget = { .sparsity = sparsity,
					     .scope = scope };

	return prune_magnitudes(graph, &budget, mask);
}

int prune_keep(const struct graph *graph, struct prune_mask *mask)
{
	for (int t = 0; t < mask->tensor_count; t++) {
		const struct graph_tensor *tensor = &graph->tensors[t];

		for (size_t i = 0; mask->keep[t] && i < element_count(tensor);
		     i++)
			mask->keep[t][i] = tensor->data[i] != 0;
	}
	return check_not_empty(graph, mask);
}

void prune_apply(struct graph *graph, const struct prune_mask *mask)
{
	for (int t = 0; t < mask->tensor_count; t++) {
		struct graph_tensor *tensor = &graph->tensors[t];

		for (size_t i = 0; mask->keep[t] && i < element_count(tensor);
		     i++)
			if (!mask->keep[t][i])
				tensor->data[i] = 0;
	}
}

int64_t prune_count(const struct graph *graph, const struct prune_mask *mask,
		    int64_t *total)
{
	int64_t count = 0;

	*total = 0;
	for (int t = 0; t < mask->tensor_count; t++) {
		size_t length = element_count(&graph->tensors[t]);

		if (!mask->keep[t])
			continue;
		*total += (int64_t)length;
		for (size_t i = 0; i < length; i++)
			count += mask->keep[t][i];
	}
	return count;
}
