/* SPDX-License-Identifier: MIT */
/*
 * What commands are called: texts by label, ready to stand between the quotes of a JSON
 * string. The host gives a label to each entry of its command lists (the id, which the
 * device ignores there) and its name to whoever records.
 */
#ifndef SIM_TRACE_NAMES_H
#define SIM_TRACE_NAMES_H

#include <stdint.h>

#define TRACE_LABELS 65536 /* label 0 has no name */

struct trace_names {
	char **texts; /* TRACE_LABELS, made by the first name */
};

/* 0 or −ENOMEM; an old name of the label is forgotten. */
int trace_names_set(struct trace_names *names, uint32_t label,
		    const char *text);

/* Or NULL. */
const char *trace_names_get(const struct trace_names *names, uint32_t label);

void trace_names_free(struct trace_names *names);

#endif
