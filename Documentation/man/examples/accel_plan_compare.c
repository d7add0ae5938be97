/* SPDX-License-Identifier: MIT */
/* Is every activation of the simulated device what the golden arithmetic says? */
#include <accel/accel.h>
#include <inttypes.h>
#include <stdio.h>

static int plan_run(const char *uri, struct accel_model *model,
		    struct accel_plan **plan)
{
	struct accel_plan_options options = {
		.size = sizeof(options),
		.flags = ACCEL_PLAN_KEEP_ACTIVATIONS,
	};
	struct accel_device *device;
	int ret = accel_device_open(uri, NULL, &device);

	if (ret)
		return ret;
	ret = accel_plan_create(device, model, &options, plan);
	accel_device_close(device);
	return ret ? ret :
		     accel_run(*plan, NULL, 0, NULL, 0, 60 * ACCEL_SECOND);
}

int main(int argc, char **argv)
{
	struct accel_difference difference = { .size = sizeof(difference) };
	struct accel_plan *simulated, *golden;
	struct accel_model *model;

	if (argc < 2 || accel_model_load(argv[1], &model) ||
	    plan_run("sim:", model, &simulated) ||
	    plan_run("cpu:", model, &golden) ||
	    accel_plan_compare(golden, simulated, &difference))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("%" PRIu64 " values, %" PRIu64 " differ\n", difference.values,
	       difference.differing);
	accel_plan_destroy(simulated);
	accel_plan_destroy(golden);
	accel_model_free(model);
	return difference.differing != 0;
}
