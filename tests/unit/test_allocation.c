/* SPDX-License-Identifier: MIT */
/* The allocation of a budget to layers is the best one, and never beyond the budget. */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "compress/allocation.h"
#include "random.h"
#include "unit.h"

#define LAYERS 4
#define CANDIDATES 6
#define ROUNDS 400

/** struct problem - a random one; costs are whole numbers */
struct problem {
	struct allocation_candidate candidates[LAYERS][CANDIDATES];
	struct allocation_layer layers[LAYERS];
	int count;
	double least, most;
};

static uint64_t seed = 7;

static void make_problem(struct problem *problem, bool whole)
{
	problem->count = 1 + (int)random_below(&seed, LAYERS);
	problem->least = problem->most = 0;
	for (int l = 0; l < problem->count; l++) {
		struct allocation_layer *layer = &problem->layers[l];
		double least = INFINITY, most = 0;

		*layer = (struct allocation_layer){
			problem->candidates[l],
			1 + (int)random_below(&seed, CANDIDATES),
		};
		for (int i = 0; i < layer->count; i++) {
			double cost = whole ? random_below(&seed, 20) :
					      20 * random_unit(&seed);

			problem->candidates[l][i] =
				(struct allocation_candidate){
					random_unit(&seed), cost
				};
			least = fmin(least, cost);
			most = fmax(most, cost);
		}
		problem->least += least;
		problem->most += most;
	}
}

/* All choices there are, one after the other. */
static double best_loss(const struct problem *problem, double budget)
{
	double best = INFINITY;
	int chosen[LAYERS] = { 0 }, l;

	do {
		if (allocation_cost(problem->layers, problem->count, chosen) <=
		    budget)
			best = fmin(best,
				    allocation_loss(problem->layers,
						    problem->count, chosen));
		for (l = 0; l < problem->count; l++) {
			if (++chosen[l] < problem->layers[l].count)
				break;
			chosen[l] = 0;
		}
	} while (l < problem->count);
	return best;
}

static double solve(const struct problem *problem, double budget, int steps)
{
	int chosen[LAYERS];

	assert_int_equal(allocation_solve(problem->layers, problem->count,
					  budget, steps, chosen),
			 0);
	assert_true(allocation_cost(problem->layers, problem->count, chosen) <=
		    budget + 1e-6);
	return allocation_loss(problem->layers, problem->count, chosen);
}

static void test_as_good_as_all_choices(void **state)
{
	struct problem problem;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		double budget, range;

		make_problem(&problem, true);
		range = problem.most - problem.least;
		budget = problem.least +
			 random_below(&seed, (uint32_t)range + 3);
		assert_float_equal(solve(&problem, budget,
					 range > 0 ? (int)range : 1),
				   best_loss(&problem, budget), 1e-12);
	}
}

/* What rounding costs is a step for each layer at most. */
static void test_rounding_is_bounded(void **state)
{
	struct problem problem;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		int steps = 20 + (int)random_below(&seed, 200);
		double step, budget, bound;

		make_problem(&problem, false);
		step = (problem.most - problem.least) / steps;
		budget = problem.least +
			 (problem.most - problem.least) * random_unit(&seed);
		bound = budget - (problem.count + 1) * step;
		if (bound >= problem.least)
			assert_true(solve(&problem, budget, steps) <=
				    best_loss(&problem, bound) + 1e-12);
	}
}

static void test_more_budget_loses_no_more(void **state)
{
	struct problem problem;

	(void)state;
	for (int round = 0; round < ROUNDS / 10; round++) {
		double last = INFINITY;

		make_problem(&problem, false);
		for (int i = 0; i <= 30; i++) {
			double budget = problem.least +
					(problem.most - problem.least) * i / 25;
			double loss = solve(&problem, budget, 64);

			assert_true(loss <= last + 1e-12);
			last = loss;
		}
	}
}

static void test_too_small_a_budget(void **state)
{
	const struct allocation_candidate candidates[] = {
		{ 0, 10 }, { 3, 4 }, { 2, 4 }, { 1, 7 }
	};
	const struct allocation_layer layers[] = { { candidates, 4 },
						   { candidates, 4 } };
	int chosen[2] = { 0 };

	(void)state;
	assert_int_equal(allocation_solve(layers, 2, 7.9, 12, chosen), -ERANGE);
	assert_int_equal(chosen[0], 2);
	assert_int_equal(chosen[1], 2);
	assert_int_equal(allocation_solve(layers, 2, 8, 12, chosen), 0);
	assert_int_equal(chosen[0], 2);
}

static void test_what_cannot_be_added(void **state)
{
	const struct allocation_candidate candidate = { NAN, 1 };
	const struct allocation_layer layer = { &candidate, 1 };
	const struct allocation_layer empty = { &candidate, 0 };
	int chosen;

	(void)state;
	assert_int_equal(allocation_solve(&layer, 1, 9, 9, &chosen), -EINVAL);
	assert_int_equal(allocation_solve(&empty, 1, 9, 9, &chosen), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_good_as_all_choices),
		cmocka_unit_test(test_rounding_is_bounded),
		cmocka_unit_test(test_more_budget_loses_no_more),
		cmocka_unit_test(test_too_small_a_budget),
		cmocka_unit_test(test_what_cannot_be_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
