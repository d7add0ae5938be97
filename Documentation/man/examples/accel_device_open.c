/* SPDX-License-Identifier: MIT */
/* The device of the command line, the simulator without one. */
#include <accel/accel.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_device_options options = {
		.size = sizeof(options),
		.stall_timeout_ns = 5 * ACCEL_SECOND,
	};
	struct accel_device *device;

	if (accel_device_open(argc > 2 ? argv[2] : NULL, &options, &device))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_device_close(device);
	return 0;
}
