/* SPDX-License-Identifier: MIT */
/* What is outstanding is cancelled; nothing is left behind. */
#include <accel/accel.h>
#include <stdio.h>

int main(void)
{
	struct accel_operation nops[32] = { { .opcode = ACCEL_OPERATION_NOP } };
	struct accel_device *device;
	struct accel_queue *queue;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	if (accel_queue_submit(queue, nops, 32) != 32)
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_queue_destroy(queue);
	accel_device_close(device);
	return 0;
}
