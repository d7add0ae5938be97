/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <core/error.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

static void text_and_code_come_back(void **state)
{
	(void)state;
	assert_int_equal(accel_error(-EINVAL, "conv%d: bad", 1), -EINVAL);
	assert_string_equal(accel_last_error(), "conv1: bad");
}

static void prefix_goes_before_the_text(void **state)
{
	(void)state;
	accel_error(-EIO, "row 3 is short");
	assert_int_equal(accel_error_prefix(-EIO, "%s", "a.npy"), -EIO);
	assert_string_equal(accel_last_error(), "a.npy: row 3 is short");
}

static void text_may_quote_itself(void **state)
{
	(void)state;
	accel_error(-EIO, "inner");
	accel_error(-EIO, "outer (%s)", accel_last_error());
	assert_string_equal(accel_last_error(), "outer (inner)");
}

static void long_text_is_cut(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	accel_error(-EIO, "%s", text);
	accel_error_prefix(-EIO, "%s", text);
	assert_in_range(strlen(accel_last_error()), 100, sizeof(text) - 1);
}

static void held_text_stays(void **state)
{
	(void)state;
	accel_error(-EIO, "why");
	accel_error_hold();
	accel_error_hold();
	assert_int_equal(accel_error(-ENODEV, "while cleaning up"), -ENODEV);
	accel_error_release();
	accel_error_prefix(-EIO, "more");
	accel_error_release();
	assert_string_equal(accel_last_error(), "why");
	accel_error(-EIO, "next");
	assert_string_equal(accel_last_error(), "next");
}

static void *other_thread(void *argument)
{
	(void)argument;
	accel_error(-EIO, "theirs");
	return NULL;
}

static void each_thread_has_its_own(void **state)
{
	pthread_t thread;

	(void)state;
	accel_error(-EIO, "ours");
	assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
	pthread_join(thread, NULL);
	assert_string_equal(accel_last_error(), "ours");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_code_come_back),
		cmocka_unit_test(prefix_goes_before_the_text),
		cmocka_unit_test(text_may_quote_itself),
		cmocka_unit_test(long_text_is_cut),
		cmocka_unit_test(held_text_stays),
		cmocka_unit_test(each_thread_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
