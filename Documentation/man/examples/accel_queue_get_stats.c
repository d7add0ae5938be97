/* SPDX-License-Identifier: MIT */
/* A batch costs one doorbell, however many operations it has. */
#include <accel/accel.h>
#include <inttypes.h>
#include <stdio.h>

int main(void)
{
	struct accel_queue_stats stats = { .size = sizeof(stats) };
	struct accel_operation nops[32] = { { .opcode = ACCEL_OPERATION_NOP } };
	struct accel_completion done[32];
	struct accel_device *device;
	struct accel_queue *queue;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	if (accel_queue_submit(queue, nops, 32) != 32 ||
	    accel_queue_wait(queue, done, 32, 32, 60 * ACCEL_SECOND) != 32 ||
	    accel_queue_get_stats(queue, &stats))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("%" PRIu64 " operations, %" PRIu64 " doorbells, %" PRIu64
	       " sleeps\n",
	       stats.completed, stats.doorbells, stats.sleeps);
	accel_queue_destroy(queue);
	accel_device_close(device);
	return stats.doorbells != 1;
}
