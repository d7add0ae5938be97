/* SPDX-License-Identifier: MIT */
#include <core/error.h>
#include <train/distill_lamp.h>
#include <train/distill_prune.h>

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* While nothing has been lost there are no gradients, and magnitude decides. */
#define SECOND_MIN 1e-14F

/* As prune_magnitude() counts them: exactly so many stay. */
static size_t kept(size_t count, double sparsity)
{
	return count - (size_t)llround(sparsity * (double)count);
}

static float score(const struct distill_state *state,
		   enum recipe_criterion criterion, float lowest, size_t i)
{
	float value = state->values[i];

	switch (criterion) {
	case RECIPE_MOVEMENT:
		return state->worth[i] - lowest;
	case RECIPE_GAUSS_NEWTON:
		if (state->optimizer.second && state->optimizer.step)
			return value * value *
			       (state->optimizer.second[i] + SECOND_MIN);
		return fabsf(value);
	default:
		return fabsf(value);
	}
}

static float lowest_worth(const struct distill_state *state)
{
	float lowest = 0;

	for (size_t i = 0; i < state->count; i++)
		lowest = state->worth[i] < lowest ? state->worth[i] : lowest;
	return lowest;
}

/* Scores of one parameter; what is pruned has none that could bring it back. */
static int score_parameter(const struct distill_state *state,
			   const struct parameter *parameter,
			   enum recipe_criterion criterion, float lowest,
			   float *scores)
{
	const uint8_t *keep = state->keep + parameter->first;

	if (criterion == RECIPE_LAMP)
		return distill_lamp(state->values + parameter->first, keep,
				    parameter->count, scores) ?
			       0 :
			       accel_error(-ENOMEM, "no memory to prune");
	/* above 0, so that it stays before what is gone already */
	for (size_t i = 0; i < parameter->count; i++)
		scores[i] = keep[i] ? score(state, criterion, lowest,
					    parameter->first + i) +
					      1e-30F :
				      0;
	return 0;
}

static int select_in_layers(struct distill_state *state,
			    const struct parameters *parameters,
			    double sparsity, const float *scores)
{
	int ret = 0;

	for (int p = 0; p < parameters->count && !ret; p++) {
		const struct parameter *parameter = &parameters->list[p];

		if (!parameter->prunable)
			continue;
		ret = prune_select(scores, parameter->count,
				   kept(parameter->count, sparsity),
				   state->keep + parameter->first);
		scores += parameter->count;
	}
	return ret;
}

static int select_globally(struct distill_state *state,
			   const struct parameters *parameters, double sparsity,
			   const float *scores, size_t total)
{
	uint8_t *keep = malloc(total + 1);
	size_t at = 0;
	int ret;

	if (!keep)
		return accel_error(-ENOMEM, "no memory to prune");
	ret = prune_select(scores, total, kept(total, sparsity), keep);
	for (int p = 0; p < parameters->count && !ret; p++) {
		const struct parameter *parameter = &parameters->list[p];

		if (!parameter->prunable)
			continue;
		memcpy(state->keep + parameter->first, keep + at,
		       parameter->count);
		at += parameter->count;
	}
	free(keep);
	return ret;
}

/* No threshold empties a layer: a network without one is a constant. */
static void save_best(float *scores, size_t count)
{
	size_t best = 0;

	for (size_t i = 1; i < count; i++)
		best = scores[i] > scores[best] ? i : best;
	if (count)
		scores[best] = FLT_MAX;
}

int distill_prune_check(const struct parameters *parameters,
			const struct graph *student,
			const struct recipe_pruning *pruning, double sparsity)
{
	size_t total = 0, layers = 0;

	for (int p = 0; p < parameters->count; p++) {
		const struct parameter *parameter = &parameters->list[p];

		if (!parameter->prunable)
			continue;
		total += parameter->count;
		layers++;
		if (pruning->scope == PRUNE_PER_LAYER &&
		    !kept(parameter->count, sparsity))
			return accel_error(
				-EINVAL,
				"all weights of %s would be pruned; ask for a lower sparsity",
				student->tensors[parameter->tensor].name);
	}
	if (kept(total, sparsity) < layers)
		return accel_error(
			-EINVAL,
			"%zu weights are kept for %zu layers, and all of some would be pruned; ask for a lower sparsity",
			kept(total, sparsity), layers);
	return 0;
}

static void clear_pruned(struct distill_state *state)
{
	float *average = state->optimizer.average;

	for (size_t i = 0; i < state->count; i++) {
		if (state->keep[i])
			continue;
		state->values[i] = 0;
		if (average)
			average[i] = 0;
	}
}

int distill_prune(struct distill_state *state,
		  const struct parameters *parameters,
		  const struct recipe_pruning *pruning, double sparsity)
{
	float *scores = malloc((state->count + 1) * sizeof(*scores));
	float lowest = lowest_worth(state);
	size_t total = 0;
	int ret = scores ? 0 : accel_error(-ENOMEM, "no memory to prune");

	for (int p = 0; p < parameters->count && !ret; p++) {
		if (!parameters->list[p].prunable)
			continue;
		ret = score_parameter(state, &parameters->list[p],
				      pruning->criterion, lowest,
				      scores + total);
		save_best(scores + total, parameters->list[p].count);
		total += parameters->list[p].count;
	}
	if (!ret)
		ret = pruning->scope == PRUNE_GLOBAL ?
			      select_globally(state, parameters, sparsity,
					      scores, total) :
			      select_in_layers(state, parameters, sparsity,
					       scores);
	free(scores);
	if (ret)
		return ret;
	clear_pruned(state);
	state->numbers.sparsity = sparsity;
	return 0;
}

void distill_prune_watch(struct distill_state *state, const float *gradient)
{
	for (size_t i = 0; i < state->count; i++)
		state->worth[i] -= state->values[i] * gradient[i];
}

static float soften(float value, float amount)
{
	float size = fabsf(value) - amount;

	return size > 0 ? copysignf(size, value) : 0;
}

/* A row's norm shrinks by the amount, times the root of its length (Yuan and Lin). */
static void shrink_row(float *row, size_t length, double amount)
{
	double squares = 0, norm, factor;

	for (size_t i = 0; i < length; i++)
		squares += (double)row[i] * (double)row[i];
	norm = sqrt(squares);
	factor = norm > 0 ? 1 - amount * sqrt((double)length) / norm : 0;
	for (size_t i = 0; i < length; i++)
		row[i] *= factor > 0 ? (float)factor : 0;
}

void distill_prune_shrink(struct distill_state *state,
			  const struct parameters *parameters,
			  const struct graph *student,
			  enum recipe_penalty penalty, double amount)
{
	for (int p = 0; p < parameters->count; p++) {
		const struct parameter *parameter = &parameters->list[p];
		float *values = state->values + parameter->first;
		size_t rows = (size_t)student->tensors[parameter->tensor]
				      .shape.dims[0];
		size_t length = rows ? parameter->count / rows : 0;

		if (!parameter->prunable)
			continue;
		if (penalty == RECIPE_PENALTY_GROUP) {
			for (size_t r = 0; r < rows; r++)
				shrink_row(values + r * length, length, amount);
		} else {
			for (size_t i = 0; i < parameter->count; i++)
				values[i] = soften(values[i], (float)amount);
		}
	}
}

struct prune_mask *distill_prune_mask(const struct distill_state *state,
				      const struct parameters *parameters,
				      const struct graph *student)
{
	struct prune_mask *mask = prune_mask_create(student);

	for (int p = 0; mask && p < parameters->count; p++) {
		const struct parameter *parameter = &parameters->list[p];

		if (mask->keep[parameter->tensor])
			memcpy(mask->keep[parameter->tensor],
			       state->keep + parameter->first,
			       parameter->count);
	}
	return mask;
}
