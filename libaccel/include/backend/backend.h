/* SPDX-License-Identifier: MIT */
/*
 * A backend: what one kind of device does for the public interface. The caller
 * has checked everything that does not depend on the device.
 */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include "runtime/object.h"

struct transport;
struct transport_sim_options;
struct transport_vfio_options;

struct backend_operations {
	const char *name;

	/* Frees the device; nothing refers to it any more. */
	void (*close)(struct accel_device *device);
	void (*describe)(struct accel_device *device,
			 struct accel_device_info *info);
	int (*reset)(struct accel_device *device);
	/* Or NULL, if nothing is ever recorded. */
	int (*end_trace)(struct accel_device *device, uint64_t deadline);

	/* The caller fills the base of a new buffer. */
	int (*buffer_create)(struct accel_device *device,
			     enum accel_memory memory, uint64_t length,
			     struct accel_buffer **buffer);
	/* What is checked: whole pages, and a file that has them. */
	int (*buffer_import)(struct accel_device *device,
			     const struct accel_buffer_import *import,
			     struct accel_buffer **buffer);
	void (*buffer_destroy)(struct accel_buffer *buffer);

	/* Allocates a plan, the base zeroed. */
	struct accel_plan *(*plan_allocate)(void);
	/* From shape and ports to something that runs; sets the ports' staging. */
	int (*plan_prepare)(struct accel_plan *plan);
	/* Undoes plan_prepare, also a failed one, and plan_allocate. */
	void (*plan_release)(struct accel_plan *plan);
	/* Brings an output of the last run into its port's staging; or NULL. */
	int (*plan_collect)(struct accel_plan *plan, uint32_t output);
	/* The bytes of an activation, with ACCEL_PLAN_KEEP_ACTIVATIONS. */
	int (*plan_read_tensor)(struct accel_plan *plan, uint32_t tensor,
				void *bytes, size_t length);

	/* The caller fills the base's device and depth. */
	int (*queue_create)(struct accel_device *device, uint32_t depth,
			    uint32_t priority, struct accel_queue **queue);
};

/*
 * The caller counts what was submitted and reaped; a backend counts doorbells, reports,
 * and what failed.
 */
struct backend_queue_operations {
	/* Cancels what is outstanding and frees the queue. */
	void (*destroy)(struct accel_queue *queue);
	int (*submit)(struct accel_queue *queue,
		      const struct accel_operation *operations, uint32_t count);
	int (*reap)(struct accel_queue *queue,
		    struct accel_completion *completions, uint32_t max);
	/*
	 * Sleeps until something may have completed or the deadline. An error
	 * means that waiting on is of no use.
	 */
	int (*sleep)(struct accel_queue *queue, uint64_t deadline);
	int (*cancel)(struct accel_queue *queue, uint64_t deadline);
	int (*fd)(struct accel_queue *queue);
	/* Takes what the descriptor was signalled: how often in all. */
	uint64_t (*signals)(struct accel_queue *queue);
	/* Would reaping find something, if only why there will be nothing? */
	bool (*ready)(struct accel_queue *queue);
};

int cpu_backend_open(struct accel_device **device);
int nil_backend_open(struct accel_device **device);

/* Whatever has a transport, which is taken over; kind is for people. */
int driver_backend_open(struct transport *transport, const char *kind,
			const struct accel_device_options *options,
			struct accel_device **device);
int driver_backend_open_sim(const struct transport_sim_options *simulation,
			    const struct accel_device_options *options,
			    struct accel_device **device);
int driver_backend_open_vfio(const struct transport_vfio_options *vfio,
			     const struct accel_device_options *options,
			     struct accel_device **device);
int driver_backend_open_vfio_user(const char *path,
				  const struct accel_device_options *options,
				  struct accel_device **device);
int driver_backend_open_kernel(const char *path, bool user_queues,
			       struct accel_device **device);

#endif
