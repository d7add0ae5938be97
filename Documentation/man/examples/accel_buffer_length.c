/* SPDX-License-Identifier: MIT */
#include <accel/accel.h>
#include <inttypes.h>
#include <stdio.h>

int main(void)
{
	struct accel_device *device;
	struct accel_buffer *buffer;

	if (accel_device_open("cpu:", NULL, &device) ||
	    accel_buffer_create(device, ACCEL_MEMORY_HOST, 1000, &buffer))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("%" PRIu64 " bytes\n", accel_buffer_length(buffer));
	accel_buffer_destroy(buffer);
	accel_device_close(device);
	return 0;
}
