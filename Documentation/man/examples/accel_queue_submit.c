/* SPDX-License-Identifier: MIT */
/* A batch rings the doorbell once. */
#include <accel/accel.h>
#include <stdio.h>

int main(void)
{
	struct accel_operation nops[32] = { { .opcode = ACCEL_OPERATION_NOP } };
	struct accel_completion done[32];
	struct accel_device *device;
	struct accel_queue *queue;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	for (int i = 0; i < 32; i++)
		nops[i].user_data = (uint64_t)i;
	if (accel_queue_submit(queue, nops, 32) != 32 ||
	    accel_queue_wait(queue, done, 32, 32, 60 * ACCEL_SECOND) != 32)
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("the last was number %d\n", (int)done[31].user_data);
	accel_queue_destroy(queue);
	accel_device_close(device);
	return 0;
}
