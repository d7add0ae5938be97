/* SPDX-License-Identifier: MIT */
/* Takes what is there as soon as half of it is. */
#include <accel/accel.h>
#include <stdio.h>

int main(void)
{
	struct accel_operation nops[32] = { { .opcode = ACCEL_OPERATION_NOP } };
	struct accel_completion done[32];
	struct accel_device *device;
	struct accel_queue *queue;
	int taken = 0;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	if (accel_queue_submit(queue, nops, 32) != 32)
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	while (taken < 32) {
		int count = accel_queue_wait(queue, done, 16, 32,
					     60 * ACCEL_SECOND);

		if (count <= 0)
			return fprintf(stderr, "%s\n", accel_last_error()), 1;
		taken += count;
	}
	accel_queue_destroy(queue);
	accel_device_close(device);
	return 0;
}
