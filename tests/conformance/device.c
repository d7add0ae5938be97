/* SPDX-License-Identifier: MIT */
#include "device.h"

#include "check.h"
#include "conformance.h"

#include <stdio.h>
#include <time.h>

#define HEIGHT 8
#define WIDTH 6
#define BATCH 2

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * ACCEL_SECOND + now.tv_nsec;
}

struct accel_device *device_open_uri(const char *uri)
{
	const struct accel_device_options options = {
		.size = sizeof(options),
		.stall_timeout_ns = settings.stall_ns,
	};
	struct accel_device *device = NULL;

	CHECK_OK(accel_device_open(uri, &options, &device));
	CHECK(device);
	return device;
}

struct accel_device *device_open(void)
{
	return device_open_uri(settings.uri);
}

struct accel_device_info device_info(struct accel_device *device)
{
	struct accel_device_info info = { .size = sizeof(info) };

	CHECK_OK(accel_device_get_info(device, &info));
	return info;
}

struct accel_queue *queue_create(struct accel_device *device, uint32_t depth)
{
	const struct accel_queue_options options = { .size = sizeof(options),
						     .depth = depth };
	struct accel_queue *queue = NULL;

	CHECK_OK(accel_queue_create(device, &options, &queue));
	CHECK(queue);
	return queue;
}

struct accel_buffer *buffer_create(struct accel_device *device,
				   enum accel_memory memory, uint64_t length)
{
	struct accel_buffer *buffer = NULL;

	CHECK_OK(accel_buffer_create(device, memory, length, &buffer));
	CHECK(buffer);
	return buffer;
}

unsigned char *buffer_bytes(struct accel_buffer *buffer)
{
	void *address = NULL;

	CHECK_OK(accel_buffer_map(buffer, &address));
	CHECK(address);
	return address;
}

struct accel_model *model_load(void)
{
	struct accel_model *model = NULL;

	CHECK_OK(accel_model_load(settings.model, &model));
	CHECK(model);
	return model;
}

static struct accel_plan_options plan_options(uint32_t flags)
{
	return (struct accel_plan_options){
		.size = sizeof(struct accel_plan_options),
		.flags = flags,
		.batch = BATCH,
		.height = HEIGHT,
		.width = WIDTH,
	};
}

struct accel_plan *plan_create(struct accel_device *device,
			       struct accel_model *model, uint32_t flags)
{
	const struct accel_plan_options options = plan_options(flags);
	struct accel_plan *plan = NULL;

	CHECK_OK(accel_plan_create(device, model, &options, &plan));
	CHECK(plan);
	return plan;
}

struct accel_plan *plan_load(struct accel_device *device, uint32_t flags)
{
	const struct accel_plan_options options = plan_options(flags);
	struct accel_plan *plan = NULL;

	CHECK_OK(accel_plan_load(device, settings.model, &options, &plan));
	CHECK(plan);
	return plan;
}

struct accel_operation nop(uint64_t user_data)
{
	return (struct accel_operation){ .opcode = ACCEL_OPERATION_NOP,
					 .user_data = user_data };
}

struct accel_operation run_of(struct accel_plan *plan)
{
	struct accel_operation operation = { .opcode = ACCEL_OPERATION_RUN };

	operation.run.plan = plan;
	return operation;
}

struct accel_operation copy_of(struct accel_buffer *source,
			       uint64_t source_offset,
			       struct accel_buffer *destination,
			       uint64_t destination_offset, uint64_t length)
{
	struct accel_operation operation = { .opcode = ACCEL_OPERATION_COPY };

	operation.copy.source = source;
	operation.copy.source_offset = source_offset;
	operation.copy.destination = destination;
	operation.copy.destination_offset = destination_offset;
	operation.copy.length = length;
	return operation;
}

int queue_finish(struct accel_queue *queue,
		 const struct accel_operation *operation)
{
	struct accel_completion completion = { 0 };

	CHECK_EQUAL(accel_queue_submit(queue, operation, 1), 1);
	CHECK_EQUAL(accel_queue_wait(queue, &completion, 1, 1, PATIENCE), 1);
	CHECK_EQUAL((int64_t)completion.user_data,
		    (int64_t)operation->user_data);
	return completion.status;
}

void queue_finish_all(struct accel_queue *queue,
		      const struct accel_operation *operations, uint32_t count)
{
	struct accel_completion completion;

	CHECK_EQUAL(accel_queue_submit(queue, operations, count), count);
	for (uint32_t i = 0; i < count; i++) {
		CHECK_EQUAL(accel_queue_wait(queue, &completion, 1, 1,
					     PATIENCE),
			    1);
		CHECK_EQUAL((int64_t)completion.user_data,
			    (int64_t)operations[i].user_data);
		CHECK_OK(completion.status);
	}
}

void queue_works(struct accel_queue *queue)
{
	for (uint64_t i = 1; i <= 3; i++) {
		const struct accel_operation operation = nop(i);

		CHECK_OK(queue_finish(queue, &operation));
	}
}
