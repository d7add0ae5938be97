/* SPDX-License-Identifier: MIT */
#ifndef TOOL_CSV_H
#define TOOL_CSV_H

#include <stdio.h>

/*
 * One field of a CSV file (RFC 4180): in quotes, its quotes doubled, if it holds a
 * comma, a quote or the end of a line.
 */
void csv_field(FILE *stream, const char *text);

#endif
