/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <core/checked.h>

static void overflow_is_told(void **state)
{
	size_t size;
	uint64_t wide;
	int64_t number;

	(void)state;
	assert_true(checked_add(SIZE_MAX - 1, 1, &size));
	assert_false(checked_add(SIZE_MAX, 1, &size));
	assert_true(checked_multiply(1ul << 32, (1ul << 32) - 1, &size));
	assert_false(checked_multiply(1ul << 32, 1ul << 32, &size));
	assert_false(checked_add_u64(UINT64_MAX, 1, &wide));
	assert_false(checked_multiply_u64(UINT64_MAX, 2, &wide));
	assert_false(checked_add_i64(INT64_MAX, 1, &number));
	assert_false(checked_multiply_i64(INT64_MIN, -1, &number));
}

static void results_are_right(void **state)
{
	size_t size;
	int64_t number;

	(void)state;
	assert_true(checked_add(40, 2, &size));
	assert_int_equal(size, 42);
	assert_true(checked_multiply(6, 7, &size));
	assert_int_equal(size, 42);
	assert_true(checked_multiply_i64(-6, 7, &number));
	assert_int_equal(number, -42);
}

static void align_rounds_up(void **state)
{
	size_t size;

	(void)state;
	assert_true(checked_align(0, 64, &size));
	assert_int_equal(size, 0);
	assert_true(checked_align(65, 64, &size));
	assert_int_equal(size, 128);
	assert_false(checked_align(SIZE_MAX, 64, &size));
}

static void range_has_no_overflow(void **state)
{
	(void)state;
	assert_true(checked_range(0, 10, 10));
	assert_true(checked_range(10, 0, 10));
	assert_false(checked_range(11, 0, 10));
	assert_false(checked_range(1, 10, 10));
	assert_false(checked_range(UINT64_MAX, 2, 10));
	assert_false(checked_range(2, UINT64_MAX, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overflow_is_told),
		cmocka_unit_test(results_are_right),
		cmocka_unit_test(align_rounds_up),
		cmocka_unit_test(range_has_no_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
