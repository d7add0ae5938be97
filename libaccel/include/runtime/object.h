/* SPDX-License-Identifier: MIT */
/*
 * What stands behind the public interface's opaque names. A backend allocates
 * its own structure with one of these as the first member.
 */
#ifndef RUNTIME_OBJECT_H
#define RUNTIME_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>

#include <accel/accel.h>

#include "model/model.h"
#include "pack/geometry.h"
#include "plan/report.h"
#include "plan/shape.h"
#include "runtime/counters.h"
#include "runtime/spin.h"

struct io_uring;
struct backend_operations;
struct model_reader;
struct backend_queue_operations;
struct stats;

struct accel_device {
	const struct backend_operations *operations;
	const struct geometry *geometry; /* NULL where no cycles are counted */
	char *uri;
	struct stats
		*stats; /* where others read what its queues count, or NULL */
	atomic_uint references;
	/* Counts resets: what an older generation put into the device is lost. */
	atomic_uint generation;
};

struct accel_model {
	struct model *model;
	atomic_uint references;
};

struct accel_buffer {
	struct accel_device *device;
	enum accel_memory memory;
	uint64_t length;
	void *address; /* NULL for device memory */
};

/**
 * struct plan_port - one input or output of a plan
 * @port: of the model
 * @tensor: of the model
 * @extent: its sizes
 * @elements: of the tensor
 * @bytes: of @staging
 * @staging: [C][H][W][B] in the tensor's type; what is copied to or from the
 *	device. Belongs to the backend
 */
struct plan_port {
	const struct model_port *port;
	const struct model_tensor *tensor;
	struct model_extent extent;
	size_t elements;
	size_t bytes;
	void *staging;
};

struct accel_plan {
	struct accel_device *device;
	struct accel_model *model;
	struct model_reader
		*reader; /* while it is prepared from a file, or NULL */
	struct accel_queue *queue; /* of accel_run(), made by its first call */
	struct plan_shape shape;
	struct plan_report report;
	struct plan_port *inputs;
	struct plan_port *outputs;
	uint32_t flags;
	uint32_t generation;
	bool outstanding;
	bool has_run; /* the last run succeeded */
	uint32_t command_count;
	uint64_t weight_bytes;
	uint64_t activation_bytes;
	uint64_t host_bytes;
};

#define QUEUE_DEPTH_MAX 65536

/**
 * struct accel_queue - the part that all backends share
 * @operations: of the backend
 * @device: that it keeps open
 * @depth: a power of two
 * @outstanding: operations
 * @counters: where it counts: others may read there
 * @own_counters: @counters, if nobody else is to read them
 * @spin: of its waits
 * @armed: a poll of its descriptor is in a ring and has not fired, unless signals came
 * @armed_signals: that had come when it was put there
 * @armed_data: that it will complete with
 * @armed_ring: to which it was given; only to be compared
 * @armed_position: of its entry in that ring
 */
struct accel_queue {
	const struct backend_queue_operations *operations;
	struct accel_device *device;
	uint32_t depth;
	uint32_t outstanding;
	struct queue_counters *counters;
	struct queue_counters own_counters;
	struct spin spin;
	bool armed;
	uint64_t armed_signals;
	uint64_t armed_data;
	const struct io_uring *armed_ring;
	uint32_t armed_position;
};

void device_get(struct accel_device *device);
void device_put(struct accel_device *device);
/* Without a model yet, its first reference the caller's; NULL without memory. */
struct accel_model *loaded_model_create(void);
/* One that lies in a file, without its matrices: it has names and sizes, and no plan. */
int loaded_model_open(const char *path, struct accel_model **model);
void loaded_model_get(struct accel_model *model);
void loaded_model_put(struct accel_model *model);

#endif
