/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdbool.h>

#include <core/range.h>

#include "random.h"

#define UNITS 4096
#define START 100

static void nothing_is_given_twice_and_all_comes_back(void **state)
{
	static bool taken[START + UNITS];
	struct {
		uint64_t start, length;
	} out[64] = { { 0, 0 } };
	struct range_set set;
	uint64_t seed = 7, used = 0;

	(void)state;
	assert_int_equal(range_set_create(&set, START, UNITS), 0);
	for (int step = 0; step < 20000; step++) {
		uint32_t i = random_below(&seed, 64);
		uint64_t alignment = 1ull << random_below(&seed, 7);
		uint64_t length = 1 + random_below(&seed, 200);

		if (out[i].length) {
			range_release(&set, out[i].start, out[i].length);
			for (uint64_t j = 0; j < out[i].length; j++)
				taken[out[i].start + j] = false;
			used -= out[i].length;
			out[i].length = 0;
		} else if (!range_allocate(&set, length, alignment,
					   &out[i].start)) {
			out[i].length = length;
			used += length;
			assert_int_equal(out[i].start % alignment, 0);
			assert_in_range(out[i].start, START,
					START + UNITS - length);
			for (uint64_t j = 0; j < length; j++) {
				assert_false(taken[out[i].start + j]);
				taken[out[i].start + j] = true;
			}
		}
		assert_int_equal(set.used, used);
	}
	for (int i = 0; i < 64; i++)
		if (out[i].length)
			range_release(&set, out[i].start, out[i].length);
	assert_int_equal(set.count, 1);
	assert_int_equal(set.free[0].start, START);
	assert_int_equal(set.free[0].length, UNITS);
	range_set_destroy(&set);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct range_set set;
	uint64_t start;

	(void)state;
	assert_int_equal(range_set_create(&set, 0, 100), 0);
	assert_true(range_allocate(&set, 101, 1, &start) < 0);
	assert_true(range_allocate(&set, 0, 1, &start) < 0);
	assert_true(range_allocate(&set, UINT64_MAX, 1ull << 63, &start) < 0);
	assert_int_equal(range_allocate(&set, 100, 1, &start), 0);
	assert_true(range_allocate(&set, 1, 1, &start) < 0);
	range_set_destroy(&set);
	assert_int_equal(range_set_create(&set, 0, 0), 0);
	assert_true(range_allocate(&set, 1, 1, &start) < 0);
	range_set_destroy(&set);
}

static void what_is_removed_is_not_given_out(void **state)
{
	struct range_set set;
	uint64_t start;

	(void)state;
	assert_int_equal(range_set_create(&set, 0, 100), 0);
	assert_int_equal(range_set_add(&set, 100, 50), 0);
	range_set_remove(&set, 100, 50);
	assert_int_equal(set.size, 100);
	assert_true(range_allocate(&set, 101, 1, &start) < 0);
	assert_int_equal(range_set_add(&set, 200, 50), 0);
	range_set_remove(&set, 200, 50);
	assert_int_equal(set.count, 1);
	assert_int_equal(range_allocate(&set, 100, 1, &start), 0);
	assert_int_equal(start, 0);
	range_set_destroy(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_given_twice_and_all_comes_back),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(what_is_removed_is_not_given_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
