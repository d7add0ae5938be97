/* SPDX-License-Identifier: MIT */
#include <accel/accel.h>
#include <inttypes.h>
#include <stdio.h>

int main(void)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device *device;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_device_get_info(device, &info))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("%s: %s, %" PRIu32 " queues of %" PRIu32 " operations\n",
	       info.uri, info.name, info.queue_count, info.queue_depth);
	accel_device_close(device);
	return 0;
}
