/* SPDX-License-Identifier: MIT */
/* How a test says what it expects. What fails ends the test's process. */
#ifndef CONFORMANCE_CHECK_H
#define CONFORMANCE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

void check_true(bool holds, const char *text, const char *file, int line);
void check_equal(int64_t got, int64_t expected, const char *text,
		 const char *file, int line);

/* Leaves a text of its own behind, to see who sets the next. */
void check_mark(void);

/* @got is the error, and since check_mark() a line says why. */
void check_failed(int64_t got, int64_t error, const char *text,
		  const char *file, int line);

#define CHECK(condition) check_true(condition, #condition, __FILE__, __LINE__)

#define CHECK_EQUAL(got, expected) \
	check_equal(got, expected, #got, __FILE__, __LINE__)

#define CHECK_OK(call) check_equal(call, 0, #call, __FILE__, __LINE__)

#define CHECK_FAILS(call, error)                                      \
	do {                                                          \
		check_mark();                                         \
		check_failed(call, error, #call, __FILE__, __LINE__); \
	} while (0)

#endif
