/* SPDX-License-Identifier: MIT */
/* What the kernel knows of devices that its module drives: sysfs, hwmon, fdinfo. */
#ifndef TOOL_STATS_KERNEL_H
#define TOOL_STATS_KERNEL_H

#include "host.h"

#include <stdbool.h>
#include <stdint.h>

#define STATS_NODES_MAX 16

/** struct stats_value - a number, where there is one */
struct stats_value {
	bool known;
	int64_t value;
};

/**
 * struct stats_node - one device
 * @name: "accel0", its node below /dev/accel
 * @address: on the PCI bus
 * @state: "ready", …
 * @resets: so far
 * @millicelsius: its temperature; unknown while it sleeps, as @microwatts
 * @microwatts: its power
 * @hertz: its clock
 */
struct stats_node {
	char name[HOST_NAME_MAX];
	char address[HOST_NAME_MAX];
	char state[HOST_NAME_MAX];
	struct stats_value resets;
	struct stats_value millicelsius;
	struct stats_value microwatts;
	struct stats_value hertz;
};

/* Returns how many there are, STATS_NODES_MAX at most. */
uint32_t stats_kernel_nodes(struct stats_node *nodes);

/* Nanoseconds that the devices have worked for a process, of all its open nodes. */
struct stats_value stats_kernel_busy(uint32_t pid);

#endif
