/* SPDX-License-Identifier: MIT */
/* When lanes issue: the rule of the window, on cases worked out by hand. */
#include "random.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <pack/schedule.h>

#define NEW SCHEDULE_NEW_ROW

static const struct schedule_limits pair = {
	.lanes = 2,
	.banks = 16,
	.window = 16,
	.accumulators = 4,
	.rate = 2,
};

static void run(const struct schedule_limits *limits, const uint8_t *first,
		size_t first_count, const uint8_t *second, size_t second_count,
		uint32_t *cycles, struct schedule_result *result)
{
	const struct schedule_lane lanes[] = {
		{ first, first_count, cycles, NULL },
		{ second, second_count, cycles + first_count, NULL },
	};

	*result = schedule_run(limits, lanes);
}

static void the_first_lane_goes_first(void **state)
{
	static const uint8_t symbols[] = { NEW | 3, 3, 5 };
	static const uint32_t expected[] = { 0, 1, 2, /**/ 2, 3, 0 };
	struct schedule_result result;
	uint32_t cycles[6];

	(void)state;
	/* Lane 1 finds bank 3 taken and overtakes with bank 5. */
	run(&pair, symbols, 3, symbols, 3, cycles, &result);
	assert_memory_equal(cycles, expected, sizeof(expected));
	assert_int_equal(result.cycles, 4);
	assert_int_equal(result.stalls, 1);
}

static void a_window_of_one_waits(void **state)
{
	static const uint8_t symbols[] = { NEW | 3, 3, 5 };
	static const uint32_t expected[] = { 0, 1, 2, /**/ 2, 3, 4 };
	struct schedule_limits limits = pair;
	struct schedule_result result;
	uint32_t cycles[6];

	(void)state;
	limits.window = 1;
	run(&limits, symbols, 3, symbols, 3, cycles, &result);
	assert_memory_equal(cycles, expected, sizeof(expected));
	assert_int_equal(result.stalls, 2);
}

static void rows_wait_for_an_accumulator(void **state)
{
	static const uint8_t first[] = { NEW | 1, 1, 1 };
	static const uint8_t second[] = { NEW | 1, NEW | 1, NEW | 2 };
	static const uint32_t expected[] = { 0, 1, 2, /**/ 3, 4, 5 };
	struct schedule_limits limits = pair;
	struct schedule_result result;
	uint32_t cycles[6];

	(void)state;
	limits.accumulators = 2;
	run(&limits, first, 3, second, 3, cycles, &result);
	assert_memory_equal(cycles, expected, sizeof(expected));
	/* With a third accumulator the last row would not have to wait. */
	limits.accumulators = 3;
	run(&limits, first, 3, second, 3, cycles, &result);
	assert_int_equal(cycles[5], 0);
}

static void fillers_take_a_slot_and_no_bank(void **state)
{
	static const uint8_t first[] = { NEW | 1, 1 };
	static const uint8_t second[] = { SCHEDULE_FILLER, NEW | 1 };
	static const uint32_t expected[] = { 0, 1, /**/ 0, 2 };
	struct schedule_result result;
	uint32_t cycles[4];

	(void)state;
	run(&pair, first, 2, second, 2, cycles, &result);
	assert_memory_equal(cycles, expected, sizeof(expected));
}

static void the_decoder_bounds_the_issues(void **state)
{
	static const uint8_t first[] = { NEW | 1, 2 };
	static const uint8_t second[] = { NEW | 3, 4 };
	static const uint32_t expected[] = { 0, 1, /**/ 2, 3 };
	struct schedule_limits limits = pair;
	struct schedule_result result;
	uint32_t cycles[4];

	(void)state;
	limits.rate = 1;
	run(&limits, first, 2, second, 2, cycles, &result);
	assert_memory_equal(cycles, expected, sizeof(expected));
}

/* Random columns at the default geometry: the bar is 1.05 of the optimum. */
static void random_columns_are_near_the_bound(void **state)
{
	const struct schedule_limits limits = {
		.lanes = 8,
		.banks = 16,
		.window = 16,
		.accumulators = 4,
		.rate = 8,
	};
	struct schedule_lane lanes[8];
	static uint8_t symbols[8][1000];
	uint64_t seed = 17;

	(void)state;
	for (int l = 0; l < 8; l++) {
		for (int i = 0; i < 1000; i++)
			symbols[l][i] = (uint8_t)(random_below(&seed, 16) |
						  (i % 40 ? 0 : NEW));
		lanes[l] = (struct schedule_lane){ .symbols = symbols[l],
						   .count = 1000 };
	}
	assert_true(schedule_run(&limits, lanes).cycles <= 1010);
}

static void impossible_clusters_are_refused(void **state)
{
	struct geometry geometry = {
		.lanes = 8,
		.vector_width = 32,
		.banks = 16,
		.accumulators = 4,
		.decoder_rate = 8,
		.schedule_window = 16,
	};
	struct schedule_limits limits;

	(void)state;
	assert_true(schedule_limits_from(&geometry, 32, &limits));
	assert_int_equal(limits.lanes, 8);
	assert_true(schedule_limits_from(&geometry, 16, &limits));
	assert_int_equal(limits.lanes, 16);
	assert_int_equal(limits.banks, 32);
	assert_false(schedule_limits_from(&geometry, 8, &limits));
	assert_false(schedule_limits_from(&geometry, 0, &limits));
	geometry.schedule_window = 65;
	assert_false(schedule_limits_from(&geometry, 32, &limits));
	geometry.schedule_window = 16;
	geometry.banks = 64;
	assert_true(schedule_limits_from(&geometry, 32, &limits));
	assert_false(schedule_limits_from(&geometry, 16, &limits));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_lane_goes_first),
		cmocka_unit_test(a_window_of_one_waits),
		cmocka_unit_test(rows_wait_for_an_accumulator),
		cmocka_unit_test(fillers_take_a_slot_and_no_bank),
		cmocka_unit_test(the_decoder_bounds_the_issues),
		cmocka_unit_test(random_columns_are_near_the_bound),
		cmocka_unit_test(impossible_clusters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
