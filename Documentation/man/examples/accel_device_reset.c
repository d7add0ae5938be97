/* SPDX-License-Identifier: MIT */
/* After a reset a plan is made anew. */
#include <accel/accel.h>
#include <errno.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;
	int ret;

	if (argc < 2 || accel_device_open("sim:", NULL, &device) ||
	    accel_model_load(argv[1], &model) ||
	    accel_plan_create(device, model, NULL, &plan) ||
	    accel_device_reset(device))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	ret = accel_run(plan, NULL, 0, NULL, 0, 60 * ACCEL_SECOND);
	if (ret == -ESTALE) {
		accel_plan_destroy(plan);
		if (accel_plan_create(device, model, NULL, &plan))
			return fprintf(stderr, "%s\n", accel_last_error()), 1;
		ret = accel_run(plan, NULL, 0, NULL, 0, 60 * ACCEL_SECOND);
	}
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
	return ret != 0;
}
