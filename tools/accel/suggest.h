/* SPDX-License-Identifier: MIT */
#ifndef TOOL_SUGGEST_H
#define TOOL_SUGGEST_H

#include <stddef.h>

/*
 * The fields of a simulator's configuration that somebody may have meant by a name
 * that is none of them: "a, b"; empty if there are no close ones.
 */
void suggest_fields(const char *name, char *text, size_t size);

#endif
