/* SPDX-License-Identifier: MIT */
/* A buffer keeps its device open: the order of the last two calls is free. */
#include <accel/accel.h>
#include <stdio.h>

int main(void)
{
	struct accel_device *device;
	struct accel_buffer *buffer;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_buffer_create(device, ACCEL_MEMORY_DEVICE, 1 << 20, &buffer))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_device_close(device);
	accel_buffer_destroy(buffer);
	return 0;
}
