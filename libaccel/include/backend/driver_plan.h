/* SPDX-License-Identifier: MIT */
/* Plans on a device behind the userspace driver. */
#ifndef BACKEND_DRIVER_PLAN_H
#define BACKEND_DRIVER_PLAN_H

#include "backend/transfer.h"
#include "plan/program.h"
#include "runtime/object.h"

/**
 * struct driver_backend - an open device
 * @base: the public device
 * @device: the driver's
 * @transfer: for uploads
 * @name: for people
 */
struct driver_backend {
	struct accel_device base;
	struct driver_device *device;
	struct transfer transfer;
	char name[128];
};

/**
 * struct driver_plan - a plan that has been uploaded
 * @base: the public plan
 * @program: what it consists of
 * @commands: the list in the image, for a device that copies it
 * @image: device memory of constants, descriptors and list
 * @activations: device memory
 * @staging: host memory
 */
struct driver_plan {
	struct accel_plan base;
	struct plan_program program;
	struct spmm_sqe *commands;
	struct driver_memory image;
	struct driver_memory activations;
	struct driver_memory staging;
};

static inline struct driver_backend *driver_backend(struct accel_device *device)
{
	return (struct driver_backend *)device;
}

static inline struct driver_plan *driver_plan(struct accel_plan *plan)
{
	return (struct driver_plan *)plan;
}

struct accel_plan *driver_plan_allocate(void);
int driver_plan_prepare(struct accel_plan *plan);
void driver_plan_release(struct accel_plan *plan);
int driver_plan_collect(struct accel_plan *plan, uint32_t output);
int driver_plan_read_tensor(struct accel_plan *plan, uint32_t tensor,
			    void *bytes, size_t length);

/* Before a run: recurrent states from their ports. Does not fail. */
void driver_plan_start(struct driver_plan *plan);

/* After a run that succeeded: the report from the commands' statistics; −EIO: a lie. */
int driver_plan_finish(struct driver_plan *plan);

#endif
