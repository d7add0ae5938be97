/* SPDX-License-Identifier: MIT */
/* Sixteen pictures, on two devices. */
#include <accel/accel.h>
#include <stdio.h>

#define ITEMS 16

int main(int argc, char **argv)
{
	static float z[ITEMS * 32], images[ITEMS * 28 * 28];
	struct accel_input in = { .data = z, .count = ITEMS * 32 };
	struct accel_output out = { .data = images, .count = ITEMS * 28 * 28 };
	struct accel_device *devices[2];
	struct accel_model *model;
	struct accel_pool *pool;

	if (argc < 2 || accel_device_open("sim:", NULL, &devices[0]) ||
	    accel_device_open("sim:", NULL, &devices[1]) ||
	    accel_model_load(argv[1], &model) ||
	    accel_pool_create(devices, 2, model, NULL, &pool) ||
	    accel_pool_run(pool, &in, 1, &out, 1, ITEMS, 60 * ACCEL_SECOND))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	for (uint32_t i = 0; i < 2; i++) {
		struct accel_pool_info info = { .size = sizeof(info) };

		if (accel_pool_get_info(pool, i, &info))
			return fprintf(stderr, "%s\n", accel_last_error()), 1;
		printf("device %u: %llu pictures, %.1f ms each\n", i,
		       (unsigned long long)info.items,
		       (double)info.item_ns / 1e6);
	}
	accel_pool_destroy(pool);
	accel_model_free(model);
	accel_device_close(devices[0]);
	accel_device_close(devices[1]);
	return 0;
}
