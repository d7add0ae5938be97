/* SPDX-License-Identifier: MIT */
/* [NAME=]FILE on the command line: which input or output a file belongs to. */
#ifndef TOOL_BINDING_H
#define TOOL_BINDING_H

#include "options.h"

/** struct binding_ports - the inputs or the outputs of a network */
struct binding_ports {
	const char **names;
	uint32_t count;
	const char *what; /* "input" or "output" */
};

/*
 * Find the file of every port: paths[i] is NULL for a port without, and NULL before.
 * A text before '=' is a name if a port has it; else it is part of the path. Without
 * a name a file is the first free port's. Return 0 or −EINVAL.
 */
int binding_resolve(const struct binding_ports *ports,
		    const struct option_list *files, const char **paths);

#endif
