/* SPDX-License-Identifier: MIT */
/* The shortest way from a file to results. */
#include <accel/accel.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_device *device;
	struct accel_plan *plan;

	if (argc < 2 || accel_device_open("sim:", NULL, &device) ||
	    accel_plan_load(device, argv[1], NULL, &plan) ||
	    accel_run(plan, NULL, 0, NULL, 0, 60 * ACCEL_SECOND))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_plan_destroy(plan);
	accel_device_close(device);
	return 0;
}
