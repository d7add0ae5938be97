/* SPDX-License-Identifier: MIT */
/* What each layer took of the last run. */
#include <accel/accel.h>
#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_plan_info info = { .size = sizeof(info) };
	struct accel_layer_info layer = { .size = sizeof(layer) };
	struct accel_device *device;
	struct accel_model *model;
	struct accel_plan *plan;

	if (argc < 2 || accel_device_open("sim:", NULL, &device) ||
	    accel_model_load(argv[1], &model) ||
	    accel_plan_create(device, model, NULL, &plan) ||
	    accel_run(plan, NULL, 0, NULL, 0, 60 * ACCEL_SECOND) ||
	    accel_plan_get_info(plan, &info))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	for (uint32_t i = 0; i < info.layer_count; i++) {
		if (accel_plan_get_layer(plan, i, &layer))
			return fprintf(stderr, "%s\n", accel_last_error()), 1;
		printf("%-24s %8" PRIu64 " cycles\n", layer.name, layer.cycles);
	}
	accel_plan_destroy(plan);
	accel_model_free(model);
	accel_device_close(device);
	return 0;
}
