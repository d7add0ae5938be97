/* SPDX-License-Identifier: MIT */
/* The thread behind a queue of the cpu backend. */
#ifndef BACKEND_CPU_WORKER_H
#define BACKEND_CPU_WORKER_H

#include "runtime/object.h"

/**
 * struct cpu_plan - a plan of the cpu backend
 * @base: the public plan
 * @kept: with ACCEL_PLAN_KEEP_ACTIVATIONS the values of each tensor, else NULL
 */
struct cpu_plan {
	struct accel_plan base;
	void **kept;
};

static inline struct cpu_plan *cpu_plan(struct accel_plan *plan)
{
	return (struct cpu_plan *)plan;
}

int cpu_queue_create(struct accel_device *device, uint32_t depth,
		     uint32_t priority, struct accel_queue **queue);

#endif
