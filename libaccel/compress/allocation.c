// SPDX-License-Identifier: MIT
#include <compress/allocation.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define NO_CHOICE UINT16_MAX

/**
 * struct table - of the dynamic program
 * @layers: see allocation_solve()
 * @count: of them
 * @step: cost of one
 * @capacity: steps that may be spent beyond the cheapest choice
 * @loss: [capacity + 1], least loss of the layers so far with so many steps or less
 * @next: the same with one layer more
 * @choice: [count][capacity + 1], what it was reached with
 */
struct table {
	const struct allocation_layer *layers;
	int count;
	double step;
	int capacity;
	double *loss;
	double *next;
	uint16_t *choice;
};

static double cheapest(const struct allocation_layer *layer)
{
	double cost = layer->candidates[0].cost;

	for (int i = 1; i < layer->count; i++)
		cost = fmin(cost, layer->candidates[i].cost);
	return cost;
}

static double dearest(const struct allocation_layer *layer)
{
	double cost = layer->candidates[0].cost;

	for (int i = 1; i < layer->count; i++)
		cost = fmax(cost, layer->candidates[i].cost);
	return cost;
}

static int check(const struct allocation_layer *layers, int count, int steps)
{
	if (count < 1 || steps < 1 || steps > INT16_MAX)
		return accel_error(-EINVAL,
				   "nothing to allocate, or in no steps");
	for (int l = 0; l < count; l++) {
		if (layers[l].count < 1 || layers[l].count >= NO_CHOICE)
			return accel_error(-EINVAL,
					   "layer %d has no candidates", l);
		for (int i = 0; i < layers[l].count; i++)
			if (!isfinite(layers[l].candidates[i].loss) ||
			    !isfinite(layers[l].candidates[i].cost) ||
			    layers[l].candidates[i].cost < 0)
				return accel_error(
					-EINVAL,
					"layer %d: loss or cost of a candidate is not a number to add",
					l);
	}
	return 0;
}

/*
 * Steps beyond the layer's cheapest candidate. A whole number of them that rounding made
 * a little more stays whole.
 */
static double steps_of(const struct table *table,
		       const struct allocation_layer *layer, int candidate)
{
	double extra = layer->candidates[candidate].cost - cheapest(layer);

	return table->step > 0 ? ceil(extra / table->step - 1e-9) : 0;
}

/* What is reached with fewer steps is reached with more as well. */
static void add_layer(struct table *table, int index)
{
	const struct allocation_layer *layer = &table->layers[index];
	uint16_t *choice =
		table->choice + (size_t)index * ((size_t)table->capacity + 1);
	double *swap = table->loss;

	for (int s = 0; s <= table->capacity; s++) {
		table->next[s] = INFINITY;
		choice[s] = NO_CHOICE;
	}
	for (int i = 0; i < layer->count; i++) {
		double steps = steps_of(table, layer, i);

		for (int s = (int)fmin(steps, table->capacity + 1.0);
		     s <= table->capacity; s++) {
			double loss = table->loss[s - (int)steps] +
				      layer->candidates[i].loss;

			if (loss >= table->next[s])
				continue;
			table->next[s] = loss;
			choice[s] = (uint16_t)i;
		}
	}
	table->loss = table->next;
	table->next = swap;
}

static void trace_back(const struct table *table, int *chosen)
{
	int s = table->capacity;

	for (int l = table->count - 1; l >= 0; l--) {
		chosen[l] =
			table->choice[(size_t)l * ((size_t)table->capacity + 1) +
				      (size_t)s];
		s -= (int)steps_of(table, &table->layers[l], chosen[l]);
	}
}

static int run(struct table *table, int *chosen)
{
	size_t width = (size_t)table->capacity + 1;
	int ret = 0;

	table->loss = calloc(width, sizeof(*table->loss));
	table->next = calloc(width, sizeof(*table->next));
	table->choice =
		calloc((size_t)table->count * width, sizeof(*table->choice));
	if (table->loss && table->next && table->choice) {
		for (int l = 0; l < table->count; l++)
			add_layer(table, l);
		trace_back(table, chosen);
	} else {
		ret = accel_error(-ENOMEM, "no memory to allocate a budget");
	}
	free(table->loss);
	free(table->next);
	free(table->choice);
	return ret;
}

/* Of the cheapest candidates the one that loses least. */
static void choose_cheapest(const struct allocation_layer *layers, int count,
			    int *chosen)
{
	for (int l = 0; l < count; l++) {
		const struct allocation_candidate *all = layers[l].candidates;

		chosen[l] = 0;
		for (int i = 1; i < layers[l].count; i++)
			if (all[i].cost < all[chosen[l]].cost ||
			    (all[i].cost == all[chosen[l]].cost &&
			     all[i].loss < all[chosen[l]].loss))
				chosen[l] = i;
	}
}

int allocation_solve(const struct allocation_layer *layers, int count,
		     double budget, int steps, int *chosen)
{
	struct table table = { .layers = layers, .count = count };
	double least = 0, most = 0;
	int ret = check(layers, count, steps);

	if (ret)
		return ret;
	for (int l = 0; l < count; l++) {
		least += cheapest(&layers[l]);
		most += dearest(&layers[l]);
	}
	choose_cheapest(layers, count, chosen);
	if (!(least <= budget))
		return -ERANGE;
	table.step = (most - least) / steps;
	table.capacity =
		budget >= most ?
			steps :
			(int)floor((budget - least) / table.step + 1e-9);
	return run(&table, chosen);
}

double allocation_cost(const struct allocation_layer *layers, int count,
		       const int *chosen)
{
	double cost = 0;

	for (int l = 0; l < count; l++)
		cost += layers[l].candidates[chosen[l]].cost;
	return cost;
}

double allocation_loss(const struct allocation_layer *layers, int count,
		       const int *chosen)
{
	double loss = 0;

	for (int l = 0; l < count; l++)
		loss += layers[l].candidates[chosen[l]].loss;
	return loss;
}
