/* SPDX-License-Identifier: MIT */
/* What most tests do with a device; what they do not expect ends them. */
#ifndef CONFORMANCE_DEVICE_H
#define CONFORMANCE_DEVICE_H

#include <accel/accel.h>

#include <stdint.h>

/* Longer than any operation of the suite takes on a healthy device. */
#define PATIENCE (60 * ACCEL_SECOND)

int64_t now_ns(void);

/* The device of the command line. */
struct accel_device *device_open(void);
struct accel_device *device_open_uri(const char *uri);
struct accel_device_info device_info(struct accel_device *device);

struct accel_queue *queue_create(struct accel_device *device, uint32_t depth);
struct accel_buffer *buffer_create(struct accel_device *device,
				   enum accel_memory memory, uint64_t length);
unsigned char *buffer_bytes(struct accel_buffer *buffer);

/* The suite's model, and a plan of it for one size. */
struct accel_model *model_load(void);
struct accel_plan *plan_create(struct accel_device *device,
			       struct accel_model *model, uint32_t flags);
/* The same plan, out of the model's file. */
struct accel_plan *plan_load(struct accel_device *device, uint32_t flags);

struct accel_operation nop(uint64_t user_data);
struct accel_operation run_of(struct accel_plan *plan);
struct accel_operation copy_of(struct accel_buffer *source,
			       uint64_t source_offset,
			       struct accel_buffer *destination,
			       uint64_t destination_offset, uint64_t length);

/* One operation, to its end: how it completed. */
int queue_finish(struct accel_queue *queue,
		 const struct accel_operation *operation);

/* All of them, accepted at once and successful. */
void queue_finish_all(struct accel_queue *queue,
		      const struct accel_operation *operations, uint32_t count);

/* The queue and its device work. */
void queue_works(struct accel_queue *queue);

#endif
