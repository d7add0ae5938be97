/* SPDX-License-Identifier: MIT */
#include <accel/accel.h>
#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_model_info info = { .size = sizeof(info) };
	struct accel_model *model;

	if (argc < 2 || accel_model_load(argv[1], &model) ||
	    accel_model_get_info(model, &info))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("%s: %" PRIu32 " layers, %" PRIu64 " of %" PRIu64
	       " weights kept\n",
	       info.name, info.layer_count, info.nonzeros, info.weights);
	accel_model_free(model);
	return 0;
}
