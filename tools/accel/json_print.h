/* SPDX-License-Identifier: MIT */
#ifndef TOOL_JSON_PRINT_H
#define TOOL_JSON_PRINT_H

#include <jansson.h>

/*
 * Print a value and a newline to standard output, and drop it. Return 0, or −ENOMEM
 * if it is NULL, which is what building it without memory gives.
 */
int json_print(json_t *value);

/* A number, or null: JSON has no infinity and no NaN. */
json_t *json_finite(double value);

#endif
