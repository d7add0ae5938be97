/* SPDX-License-Identifier: MIT */
#include "busy.h"

#include "check.h"
#include "device.h"

#include <errno.h>

#define LENGTH (8ull << 20)

struct busy busy_create(struct accel_device *device)
{
	return (struct busy){
		.queue = queue_create(device, 2 * BUSY_COUNT),
		.from = buffer_create(device, ACCEL_MEMORY_HOST, LENGTH),
		.to = buffer_create(device, ACCEL_MEMORY_DEVICE, LENGTH),
	};
}

void busy_destroy(struct busy *busy)
{
	accel_queue_destroy(busy->queue);
	accel_buffer_destroy(busy->from);
	accel_buffer_destroy(busy->to);
}

void busy_start(struct busy *busy)
{
	struct accel_operation operations[BUSY_COUNT];

	for (uint64_t i = 0; i < BUSY_COUNT; i++) {
		operations[i] = copy_of(busy->from, 0, busy->to, 0, LENGTH);
		operations[i].user_data = i;
	}
	CHECK_EQUAL(accel_queue_submit(busy->queue, operations, BUSY_COUNT),
		    BUSY_COUNT);
}

uint32_t busy_end(struct busy *busy)
{
	struct accel_completion completion;
	uint32_t good = 0;

	for (uint32_t i = 0; i < BUSY_COUNT; i++) {
		CHECK_EQUAL(accel_queue_wait(busy->queue, &completion, 1, 1,
					     PATIENCE),
			    1);
		CHECK_EQUAL((int64_t)completion.user_data, i);
		if (!completion.status && good == i)
			good++;
		else
			CHECK_EQUAL(completion.status, -ECANCELED);
	}
	CHECK_EQUAL(accel_queue_outstanding(busy->queue), 0);
	return good;
}
