/* SPDX-License-Identifier: MIT */
#include <accel/accel.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	float z[32] = { 0 }, image[28 * 28];
	struct accel_input in = { .data = z, .count = 32 };
	struct accel_output out = { .data = image, .count = 28 * 28 };
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;

	if (argc < 2 || accel_device_open("sim:", NULL, &device) ||
	    accel_model_load(argv[1], &model) ||
	    accel_plan_create(device, model, NULL, &plan) ||
	    accel_run(plan, &in, 1, &out, 1, 60 * ACCEL_SECOND))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("the pixel in the middle: %.3f\n", image[14 * 28 + 14]);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
	return 0;
}
