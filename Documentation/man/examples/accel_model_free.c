/* SPDX-License-Identifier: MIT */
/* A plan keeps what it needs of its model. */
#include <accel/accel.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;

	if (argc < 2 || accel_device_open("cpu:", NULL, &device) ||
	    accel_model_load(argv[1], &model) ||
	    accel_plan_create(device, model, NULL, &plan))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_model_free(model);
	if (accel_run(plan, NULL, 0, NULL, 0, 60 * ACCEL_SECOND))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_plan_destroy(plan);
	accel_device_close(device);
	return 0;
}
