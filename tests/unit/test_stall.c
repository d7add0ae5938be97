/* SPDX-License-Identifier: MIT */
/* Shares of lane-cycles: rounded, and still 100 %. */
#include "unit.h"

#include <stall.h>

static int sum_of(const int shares[ACCEL_STALL_CAUSES])
{
	int sum = 0;

	for (int i = 0; i < ACCEL_STALL_CAUSES; i++)
		sum += shares[i];
	return sum;
}

static void whatever_is_rounded_sums_to_all(void **state)
{
	uint64_t word = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint64_t stall[ACCEL_STALL_CAUSES];
		int shares[ACCEL_STALL_CAUSES];

		for (int i = 0; i < ACCEL_STALL_CAUSES; i++) {
			word = word * 6364136223846793005u +
			       1442695040888963407u;
			stall[i] = word >> (8 + (word >> 40) % 56);
		}
		stall[0]++;
		stall_shares(stall, shares);
		assert_int_equal(sum_of(shares), STALL_WHOLE);
		for (int i = 0; i < ACCEL_STALL_CAUSES; i++)
			assert_true(shares[i] >= 0 && (stall[i] || !shares[i]));
	}
}

static void thirds_give_the_rest_to_one(void **state)
{
	uint64_t stall[ACCEL_STALL_CAUSES] = { 1, 1, 1 };
	int shares[ACCEL_STALL_CAUSES];

	(void)state;
	stall_shares(stall, shares);
	assert_int_equal(shares[0], 334);
	assert_int_equal(shares[1], 333);
	assert_int_equal(shares[2], 333);
}

static void nothing_counted_has_no_shares(void **state)
{
	const uint64_t stall[ACCEL_STALL_CAUSES] = { 0 };
	int shares[ACCEL_STALL_CAUSES];

	(void)state;
	stall_shares(stall, shares);
	assert_int_equal(sum_of(shares), 0);
}

static void useful_work_is_no_stall(void **state)
{
	const int shares[ACCEL_STALL_CAUSES] = { 900, 10, 20, 30, 40 };

	(void)state;
	assert_int_equal(stall_largest(shares), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_rounded_sums_to_all),
		cmocka_unit_test(thirds_give_the_rest_to_one),
		cmocka_unit_test(nothing_counted_has_no_shares),
		cmocka_unit_test(useful_work_is_no_stall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
