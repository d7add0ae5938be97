/* SPDX-License-Identifier: MIT */
#ifndef ACCEL_ERROR_H
#define ACCEL_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * accel_last_error() - the text of this thread's last error
 *
 * Every function of libaccel that can fail returns a negative errno value and
 * leaves here a line that says what is wrong and what to do about it.
 *
 * Return: a string without a newline, empty if no call of this thread has failed
 * yet. It belongs to the library and holds until this thread's next failing call.
 * Thread-safe: each thread has its own.
 */
const char *accel_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
