/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <compress/dimension.h>

static struct dimension_table *table;
static int64_t height, width;

static int create(void **state)
{
	(void)state;
	table = dimension_table_create();
	height = dimension_symbol(table, "H");
	width = dimension_symbol(table, "W");
	return !table;
}

static int destroy(void **state)
{
	(void)state;
	dimension_table_destroy(table);
	return 0;
}

static void numbers_need_no_table(void **state)
{
	(void)state;
	assert_int_equal(dimension_add(NULL, 3, 4), 7);
	assert_int_equal(dimension_subtract(NULL, 3, 4), -1);
	assert_int_equal(dimension_multiply(NULL, 3, 4), 12);
	assert_int_equal(dimension_divide(NULL, 12, 4), 3);
	assert_true(dimension_divide(NULL, 12, 5) == DIMENSION_INVALID);
	assert_true(dimension_divide(NULL, 12, 0) == DIMENSION_INVALID);
}

static void overflow_is_invalid(void **state)
{
	int64_t large = DIMENSION_NUMBER_LIMIT - 1;

	(void)state;
	assert_true(dimension_multiply(table, large, large) ==
		    DIMENSION_INVALID);
	assert_true(dimension_add(table, DIMENSION_INVALID, 1) ==
		    DIMENSION_INVALID);
}

static void equal_expressions_get_equal_handles(void **state)
{
	int64_t twice = dimension_add(table, height, height);

	(void)state;
	assert_false(dimension_is_number(twice));
	assert_int_equal(twice, dimension_multiply(table, 2, height));
	assert_int_equal(dimension_divide(table, twice, 2), height);
	assert_int_equal(dimension_multiply(table, height, width),
			 dimension_multiply(table, width, height));
	assert_int_equal(dimension_subtract(table, twice, twice), 0);
	assert_int_equal(dimension_add(table, height, width),
			 dimension_add(table, width, height));
	assert_int_equal(dimension_symbol(table, "H"), height);
	assert_int_not_equal(height, width);
}

static void products_cancel(void **state)
{
	int64_t area = dimension_multiply(table, height, width);
	int64_t rest = dimension_divide(table,
					dimension_multiply(table, 12, area),
					dimension_multiply(table, 4, width));

	(void)state;
	assert_int_equal(rest, dimension_multiply(table, 3, height));
}

static void floors_keep_whole_parts_apart(void **state)
{
	/* floor((H + 3) / 2) = floor((H + 1) / 2) + 1, floor(2 H) = 2 H */
	int64_t a = dimension_divide(table, dimension_add(table, height, 3), 2);
	int64_t b = dimension_divide(table, dimension_add(table, height, 1), 2);
	int64_t twice = dimension_multiply(table, height, 2);

	(void)state;
	assert_int_equal(dimension_floor(table, a),
			 dimension_add(table, dimension_floor(table, b), 1));
	assert_int_equal(dimension_floor(table, twice), twice);
	assert_int_equal(dimension_floor(table, dimension_divide(table, -7, 2)),
			 -4);
	assert_int_equal(dimension_ceil(table, dimension_divide(table, -7, 2)),
			 -3);
}

static void floors_can_be_left_out(void **state)
{
	int64_t half = dimension_divide(table, height, 2);
	int64_t floor = dimension_floor(table, half);

	(void)state;
	assert_int_equal(dimension_exact(table, floor), half);
	assert_int_equal(dimension_exact(table,
					 dimension_multiply(table, floor, 6)),
			 dimension_multiply(table, height, 3));
	assert_int_equal(dimension_exact(table, height), height);
	assert_int_equal(dimension_exact(table, 7), 7);
}

static void ratios_are_found(void **state)
{
	int64_t numerator = 0, denominator = 0;
	int64_t shifted = dimension_add(table, height, -2);

	(void)state;
	assert_true(dimension_ratio(table, dimension_multiply(table, 6, height),
				    dimension_multiply(table, 4, height),
				    &numerator, &denominator));
	assert_int_equal(numerator, 3);
	assert_int_equal(denominator, 2);
	assert_true(dimension_ratio(table,
				    dimension_multiply(table, shifted, 2),
				    shifted, &numerator, &denominator));
	assert_int_equal(numerator, 2);
	assert_int_equal(denominator, 1);
	assert_false(dimension_ratio(table, height, width, &numerator,
				     &denominator));
	assert_false(dimension_ratio(table, shifted, height, &numerator,
				     &denominator));
}

static void scales_become_fractions(void **state)
{
	int64_t scale = dimension_from_double(table, 1.5);

	(void)state;
	assert_int_equal(dimension_from_double(table, 2.0), 2);
	assert_int_equal(dimension_multiply(table, scale, 2), 3);
	assert_int_equal(
		dimension_multiply(table, 3,
				   dimension_from_double(table, 1.0f / 3.0f)),
		1);
	assert_true(dimension_from_double(table, 1e300) == DIMENSION_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_need_no_table),
		cmocka_unit_test(overflow_is_invalid),
		cmocka_unit_test(equal_expressions_get_equal_handles),
		cmocka_unit_test(products_cancel),
		cmocka_unit_test(floors_keep_whole_parts_apart),
		cmocka_unit_test(floors_can_be_left_out),
		cmocka_unit_test(ratios_are_found),
		cmocka_unit_test(scales_become_fractions),
	};

	return cmocka_run_group_tests(tests, create, destroy);
}
