/* SPDX-License-Identifier: MIT */
/*
 * A text file that is written as it comes, in large pieces. Whole entries only: between
 * trace_mark() and the next a piece never ends, so that a file whose writer is killed
 * holds no half of an entry. The first error is kept, and nothing is written after it.
 */
#ifndef SIM_TRACE_OUTPUT_H
#define SIM_TRACE_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

struct trace_output;

/* Creates the file, or empties it. −errno with a text. */
int trace_output_open(const char *path, struct trace_output **out);

void trace_bytes(struct trace_output *output, const void *bytes, size_t length);
void trace_text(struct trace_output *output, const char *text);
void trace_number(struct trace_output *output, uint64_t value);

/* @value ÷ 10^@digits, with all of the digits after the point. */
void trace_decimal(struct trace_output *output, uint64_t value,
		   unsigned int digits);

/* The entry is whole. */
void trace_mark(struct trace_output *output);

/* Something that should be in the file is not; reported by the close. */
void trace_output_fail(struct trace_output *output, int error);

/* Writes the rest and frees it; 0, or the first error with a text. */
int trace_output_close(struct trace_output *output);

#endif
