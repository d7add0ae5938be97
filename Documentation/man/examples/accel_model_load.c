/* SPDX-License-Identifier: MIT */
#include <accel/accel.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct accel_model *model;

	if (argc < 2 || accel_model_load(argv[1], &model))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	accel_model_free(model);
	return 0;
}
