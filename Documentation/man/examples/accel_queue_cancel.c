/* SPDX-License-Identifier: MIT */
/* Whether they were cancelled or had completed: all are told. */
#include <accel/accel.h>
#include <errno.h>
#include <stdio.h>

int main(void)
{
	struct accel_operation nops[32] = { { .opcode = ACCEL_OPERATION_NOP } };
	struct accel_completion done[32];
	struct accel_device *device;
	struct accel_queue *queue;
	int cancelled = 0;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	if (accel_queue_submit(queue, nops, 32) != 32 ||
	    accel_queue_cancel(queue, ACCEL_SECOND) ||
	    accel_queue_wait(queue, done, 32, 32, ACCEL_SECOND) != 32)
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	for (int i = 0; i < 32; i++)
		cancelled += done[i].status == -ECANCELED;
	printf("%d of 32 were cancelled\n", cancelled);
	accel_queue_destroy(queue);
	accel_device_close(device);
	return 0;
}
