/* SPDX-License-Identifier: MIT */
/* A batch of 16, as one run. */
#include <accel/accel.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_plan_options options = {
		.size = sizeof(options),
		.batch = 16,
	};
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;

	if (argc < 2 || accel_device_open("sim:", NULL, &device) ||
	    accel_model_load(argv[1], &model) ||
	    accel_plan_create(device, model, &options, &plan) ||
	    accel_run(plan, NULL, 0, NULL, 0, 60 * ACCEL_SECOND))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
	return 0;
}
