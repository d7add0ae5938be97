/* SPDX-License-Identifier: MIT */
/* A queue still holds the device when its opener has let it go. */
#include <accel/accel.h>
#include <stdio.h>

int main(void)
{
	struct accel_operation nop = { .opcode = ACCEL_OPERATION_NOP };
	struct accel_completion done;
	struct accel_device *device;
	struct accel_queue *queue;

	if (accel_device_open("nil:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_device_close(device);
	if (accel_queue_submit(queue, &nop, 1) != 1 ||
	    accel_queue_wait(queue, &done, 1, 1, ACCEL_SECOND) != 1)
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_queue_destroy(queue); /* closes it */
	return 0;
}
