/* SPDX-License-Identifier: MIT */
/* The device fills memory that another part of the program has allocated. */
#include <accel/accel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	struct accel_buffer_import import = {
		.size = sizeof(import),
		.address = aligned_alloc(4096, 8192),
		.length = 8192,
	};
	struct accel_operation copy = { .opcode = ACCEL_OPERATION_COPY };
	struct accel_completion done;
	struct accel_device *device;
	struct accel_queue *queue;

	if (!import.address)
		return 1;
	strcpy(import.address, "copied by the device");
	if (accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue) ||
	    accel_buffer_import(device, &import, &copy.copy.source))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	copy.copy.destination = copy.copy.source;
	copy.copy.destination_offset = 4096;
	copy.copy.length = 4096;
	if (accel_queue_submit(queue, &copy, 1) != 1 ||
	    accel_queue_wait(queue, &done, 1, 1, ACCEL_SECOND) != 1 ||
	    done.status)
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	puts((char *)import.address + 4096);
	accel_buffer_destroy(copy.copy.source);
	accel_queue_destroy(queue);
	accel_device_close(device);
	free(import.address);
	return 0;
}
