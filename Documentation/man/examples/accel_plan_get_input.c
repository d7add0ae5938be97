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
	struct accel_port_info in = { .size = sizeof(in) };
	struct accel_port_info out = { .size = sizeof(out) };
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;

	if (argc < 2 || accel_device_open("cpu:", NULL, &device) ||
	    accel_model_load(argv[1], &model) ||
	    accel_plan_create(device, model, &options, &plan) ||
	    accel_plan_get_input(plan, 0, &in) ||
	    accel_plan_get_output(plan, 0, &out))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("%" PRIu64 " floats become %" PRIu64 "\n", in.elements,
	       out.elements);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
	return 0;
}
