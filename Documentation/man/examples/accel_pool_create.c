/* SPDX-License-Identifier: MIT */
/* The simulator and the processor together, for batches of 4. */
#include <accel/accel.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_plan_options plan = { .size = sizeof(plan), .batch = 4 };
	struct accel_pool_options options = { .size = sizeof(options),
					      .plan = &plan };
	struct accel_device *devices[2];
	struct accel_model *model;
	struct accel_pool *pool;

	if (argc < 2 || accel_device_open("sim:", NULL, &devices[0]) ||
	    accel_device_open("cpu:", NULL, &devices[1]) ||
	    accel_model_load(argv[1], &model) ||
	    accel_pool_create(devices, 2, model, &options, &pool))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	/* What the pool uses, it keeps. */
	accel_model_free(model);
	accel_device_close(devices[0]);
	accel_device_close(devices[1]);
	if (accel_pool_run(pool, NULL, 0, NULL, 0, 8, 60 * ACCEL_SECOND))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_pool_destroy(pool);
	return 0;
}
