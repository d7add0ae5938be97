/* SPDX-License-Identifier: MIT */
/* After a reset: what is lost, what stays, and how one goes on. */
#include "busy.h"
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <errno.h>

static void queues_recover(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *first = queue_create(device, 4);
	struct accel_queue *second = queue_create(device, 4);

	for (int i = 0; i < 3; i++) {
		CHECK_OK(accel_device_reset(device));
		queue_works(first);
		queue_works(second);
	}
	accel_queue_destroy(first);
	accel_queue_destroy(second);
	accel_device_close(device);
}

static void plans_are_stale(void)
{
	struct accel_device *device = device_open();
	struct accel_model *model = model_load();
	struct accel_plan *plan = plan_create(device, model, 0);
	struct accel_queue *queue = queue_create(device, 4);
	const struct accel_operation run = run_of(plan);

	CHECK_OK(accel_run(plan, NULL, 0, NULL, 0, PATIENCE));
	CHECK_OK(accel_device_reset(device));
	CHECK_FAILS(accel_queue_submit(queue, &run, 1), -ESTALE);
	CHECK_FAILS(accel_run(plan, NULL, 0, NULL, 0, PATIENCE), -ESTALE);
	queue_works(queue);
	accel_plan_destroy(plan);
	plan = plan_create(device, model, 0);
	CHECK_OK(accel_run(plan, NULL, 0, NULL, 0, PATIENCE));
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

/* Those in host memory keep what they hold. */
static void buffers_work_again(void)
{
	enum { LENGTH = 30000 };
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_buffer *from =
		buffer_create(device, ACCEL_MEMORY_HOST, LENGTH);
	struct accel_buffer *middle =
		buffer_create(device, ACCEL_MEMORY_DEVICE, LENGTH);
	struct accel_buffer *to =
		buffer_create(device, ACCEL_MEMORY_HOST, LENGTH);
	struct accel_operation copies[] = {
		copy_of(from, 0, middle, 0, LENGTH),
		copy_of(middle, 0, to, 0, LENGTH),
	};

	copies[1].flags = ACCEL_OPERATION_AFTER_ALL;
	for (int i = 0; i < LENGTH; i++)
		buffer_bytes(from)[i] = (unsigned char)(i * 13);
	CHECK_OK(accel_device_reset(device));
	queue_finish_all(queue, copies, 2);
	for (int i = 0; i < LENGTH; i++)
		CHECK_EQUAL(buffer_bytes(to)[i], (unsigned char)(i * 13));
	accel_buffer_destroy(from);
	accel_buffer_destroy(middle);
	accel_buffer_destroy(to);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void what_was_destroyed_after_a_reset_is_free(void)
{
	struct accel_device *device = device_open();
	uint64_t used = device_info(device).memory_used;

	for (int i = 0; i < 10; i++) {
		struct accel_queue *queue = queue_create(device, 4);
		struct accel_buffer *buffer =
			buffer_create(device, ACCEL_MEMORY_DEVICE, 1 << 20);

		CHECK_OK(accel_device_reset(device));
		accel_queue_destroy(queue);
		accel_buffer_destroy(buffer);
	}
	CHECK_EQUAL((int64_t)device_info(device).memory_used, (int64_t)used);
	accel_device_close(device);
}

const struct test reset_tests[] = {
	{ "queues recover", queues_recover, 0 },
	{ "plans are stale", plans_are_stale, 0 },
	{ "buffers work again", buffers_work_again, COMPUTES },
	{ "what is destroyed after a reset is free",
	  what_was_destroyed_after_a_reset_is_free, 0 },
	{ 0 },
};
