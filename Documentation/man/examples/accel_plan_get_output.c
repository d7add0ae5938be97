/* SPDX-License-Identifier: MIT */
/* How large the arrays of a run are. */
#include <accel/accel.h>
#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_plan_options options = {
		.size = sizeof(options),
		.batch = 16,
	};
	struct accel_port_info port = { .size = sizeof(port) };
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;

	if (argc < 2 || accel_device_open("cpu:", NULL, &device) ||
	    accel_model_load(argv[1], &model) ||
	    accel_plan_create(device, model, &options, &plan) ||
	    accel_plan_get_output(plan, 0, &port))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("%s: %" PRIu64 " floats\n", port.name, port.elements);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
	return 0;
}
