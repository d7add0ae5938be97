/* SPDX-License-Identifier: MIT */
/* A deep queue for small operations, which goes before others. */
#include <accel/accel.h>
#include <stdio.h>

int main(void)
{
	struct accel_queue_options options = {
		.size = sizeof(options),
		.depth = 256,
		.priority = 3,
	};
	struct accel_device *device;
	struct accel_queue *queue;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, &options, &queue))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_queue_destroy(queue);
	accel_device_close(device);
	return 0;
}
