/* SPDX-License-Identifier: MIT */
/* A workload on one device: opened, planned, its inputs in place. */
#ifndef TOOL_SESSION_H
#define TOOL_SESSION_H

#include "workload.h"

#include <accel/device.h>
#include <accel/plan.h>

/**
 * struct session - zeroed is one that is not open
 * @device: that runs the plan
 * @plan: of the workload's model and sizes
 */
struct session {
	struct accel_device *device;
	struct accel_plan *plan;
};

/*
 * Open the device that a URI names and prepare a workload on it; flags are
 * ACCEL_PLAN_*. 0 or −errno; session_close() is due also after an error.
 */
int session_open(struct session *session, const char *uri,
		 const struct workload *workload, uint32_t flags);

/* The same on session->device, which is open. */
int session_prepare(struct session *session, struct accel_model *model,
		    const struct inputs *inputs, uint32_t flags);

void session_close(struct session *session);

#endif
