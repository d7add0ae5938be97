/* SPDX-License-Identifier: MIT */
#include <accel/accel.h>
#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_plan_info info = { .size = sizeof(info) };
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;

	if (argc < 2 || accel_device_open("sim:", NULL, &device) ||
	    accel_model_load(argv[1], &model) ||
	    accel_plan_create(device, model, NULL, &plan) ||
	    accel_plan_get_info(plan, &info))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("%" PRIu64 " bytes of weights, %" PRIu64 " of activations\n",
	       info.weight_bytes, info.activation_bytes);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
	return 0;
}
