/* SPDX-License-Identifier: MIT */
/* [NAME=]FILE on the command line: which input or output a file belongs to. */
#ifndef TOOL_BINDING_H
#define TOOL_BINDING_H

#include "options.h"

#include <accel/model.h>

/** struct binding_ports - the inputs or the outputs of a model */
struct binding_ports {
	const struct accel_model *model;
	int (*get)(const struct accel_model *model, uint32_t index,
		   struct accel_port_info *info);
	uint32_t count;
	const char *what; /* "input" or "output" */
};

/*
 * Find the file of every port: paths[i] is NULL for a port without. A text before
 * '=' is a name if a port has it; else it is part of the path. Return 0 or −EINVAL.
 */
int binding_resolve(const struct binding_ports *ports,
		    const struct option_list *files, const char **paths);

#endif
