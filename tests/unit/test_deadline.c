/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <core/deadline.h>

static void zero_has_expired_at_once(void **state)
{
	(void)state;
	assert_true(deadline_expired(deadline_after(0)));
	assert_int_equal(deadline_remaining(deadline_after(0)), 0);
}

static void far_has_not_expired(void **state)
{
	uint64_t hour = 3600ull * 1000 * 1000 * 1000;
	uint64_t deadline = deadline_after(hour);

	(void)state;
	assert_false(deadline_expired(deadline));
	assert_in_range(deadline_remaining(deadline), hour / 2, hour);
}

static void endless_does_not_wrap(void **state)
{
	(void)state;
	assert_false(deadline_expired(deadline_after(UINT64_MAX)));
}

static void time_does_not_go_back(void **state)
{
	uint64_t before = monotonic_ns();

	(void)state;
	assert_true(monotonic_ns() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_has_expired_at_once),
		cmocka_unit_test(far_has_not_expired),
		cmocka_unit_test(endless_does_not_wrap),
		cmocka_unit_test(time_does_not_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
