/* SPDX-License-Identifier: MIT */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include <accel/error.h>

/*
 * Set this thread's error text and return the code, for
 *	return accel_error(-EINVAL, "conv1: 7 columns but K is 5; ...");
 * The arguments may point into the present text.
 */
__attribute__((format(printf, 2, 3))) int accel_error(int code,
						      const char *format, ...);

/*
 * Put context before the present text, "CONTEXT: TEXT", and return the code, for
 *	return accel_error_prefix(ret, "%s", path);
 */
__attribute__((format(printf, 2, 3))) int
accel_error_prefix(int code, const char *format, ...);

#endif
