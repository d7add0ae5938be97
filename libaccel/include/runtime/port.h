/* SPDX-License-Identifier: MIT */
/* Describing the inputs and outputs of models and plans. */
#ifndef RUNTIME_PORT_H
#define RUNTIME_PORT_H

#include "runtime/object.h"

/* Sizes of 0 in extent, and a batch of 0, are dynamic. */
void port_describe(const struct model *model, const struct model_port *port,
		   const struct model_extent *extent, uint32_t batch,
		   struct accel_port_info *info);

#endif
