/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <accel/accel.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No device has such a name, and its text repeats it. */
#define MARK "no-such-device-is-the-mark:"

void check_true(bool holds, const char *text, const char *file, int line)
{
	if (holds)
		return;
	printf("# %s:%d: not so: %s (last error: %s)\n", file, line, text,
	       accel_last_error());
	exit(EXIT_FAILURE);
}

void check_equal(int64_t got, int64_t expected, const char *text,
		 const char *file, int line)
{
	if (got == expected)
		return;
	printf("# %s:%d: %s is %lld, not %lld (last error: %s)\n", file, line,
	       text, (long long)got, (long long)expected, accel_last_error());
	exit(EXIT_FAILURE);
}

void check_mark(void)
{
	struct accel_device *device;

	accel_device_open(MARK, NULL, &device);
	CHECK(strstr(accel_last_error(), MARK));
}

void check_failed(int64_t got, int64_t error, const char *text,
		  const char *file, int line)
{
	const char *why = accel_last_error();

	check_equal(got, error, text, file, line);
	if (*why && !strchr(why, '\n') && !strstr(why, MARK))
		return;
	printf("# %s:%d: %s leaves no line that says why: \"%s\"\n", file, line,
	       text, why);
	exit(EXIT_FAILURE);
}
