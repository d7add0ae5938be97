/* SPDX-License-Identifier: MIT */
/* What a run cost, per layer and in total. */
#ifndef TOOL_REPORT_H
#define TOOL_REPORT_H

#include <accel/device.h>
#include <accel/plan.h>

/**
 * struct report - a run
 * @plan: that has run
 * @device: where
 * @host_seconds: from submission to completion of one run
 */
struct report {
	const struct accel_plan *plan;
	struct accel_device_info device;
	double host_seconds;
};

/* To standard output; 0 or −errno. */
int report_print(const struct report *report);
int report_print_json(const struct report *report);

#endif
