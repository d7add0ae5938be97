/* SPDX-License-Identifier: MIT */
#ifndef TOOL_EXECUTE_H
#define TOOL_EXECUTE_H

#include "progress.h"

#include <accel/plan.h>

/**
 * struct execution - one plan, run some times
 * @device: that the plan is for
 * @plan: with its inputs written
 * @repeat: how often
 * @timeout_seconds: for each run
 * @progress: of something that this is a part of, shown while waiting; NULL: its own
 * @host_seconds: result: the median, from submission to completion
 */
struct execution {
	struct accel_device *device;
	struct accel_plan *plan;
	int64_t repeat;
	double timeout_seconds;
	struct progress *progress;
	double host_seconds;
};

/* 0; −ETIMEDOUT; what the device says. Shows progress. */
int execute(struct execution *execution);

#endif
