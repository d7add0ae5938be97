/* SPDX-License-Identifier: MIT */
/* One device, a plan for each size that is needed. */
#include <accel/accel.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_plan_options options = { .size = sizeof(options) };
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;

	if (argc < 2 || accel_device_open("sim:", NULL, &device) ||
	    accel_model_load(argv[1], &model))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	for (options.batch = 1; options.batch <= 4; options.batch *= 2) {
		if (accel_plan_create(device, model, &options, &plan) ||
		    accel_run(plan, NULL, 0, NULL, 0, 60 * ACCEL_SECOND))
			return fprintf(stderr, "%s\n", accel_last_error()), 1;
		accel_plan_destroy(plan);
	}
	accel_model_free(model);
	accel_device_close(device);
	return 0;
}
