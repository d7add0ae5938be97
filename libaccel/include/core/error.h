/* SPDX-License-Identifier: MIT */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include <accel/error.h>

/* Set this thread's error text; the arguments may point into the present one. */
__attribute__((format(printf, 1, 2))) void accel_error_set(const char *format,
							   ...);

/* Put context before the present text: "CONTEXT: TEXT". */
__attribute__((format(printf, 1, 2))) void
accel_error_set_prefix(const char *format, ...);

/*
 * In between, this thread's text stays: for what cleans up after an error, and for
 * functions that return none. Pairs may be within each other.
 */
void accel_error_hold(void);
void accel_error_release(void);

/*
 * The same with the code as their value, for
 *	return accel_error(-EINVAL, "conv1: 7 columns but K is 5; ...");
 *	return accel_error_prefix(ret, "%s", path);
 * Macros, so that the compiler sees that the code is not 0.
 */
#define accel_error(code, ...)                \
	({                                    \
		int error_code_ = (code);     \
		accel_error_set(__VA_ARGS__); \
		error_code_;                  \
	})

#define accel_error_prefix(code, ...)                \
	({                                           \
		int error_code_ = (code);            \
		accel_error_set_prefix(__VA_ARGS__); \
		error_code_;                         \
	})

#endif
