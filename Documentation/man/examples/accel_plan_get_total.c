/* SPDX-License-Identifier: MIT */
/* How close a run came to what the array can do at best. */
#include <accel/accel.h>
#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_layer_info total = { .size = sizeof(total) };
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;

	if (argc < 2 || accel_device_open("sim:", NULL, &device) ||
	    accel_model_load(argv[1], &model) ||
	    accel_plan_create(device, model, NULL, &plan) ||
	    accel_run(plan, NULL, 0, NULL, 0, 60 * ACCEL_SECOND) ||
	    accel_plan_get_total(plan, &total))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("%" PRIu64 " cycles, %.1f %% of the roof\n", total.cycles,
	       100 * total.utilization);
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
	return 0;
}
