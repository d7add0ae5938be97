/* SPDX-License-Identifier: MIT */
/* make_model FILE: writes the model of the conformance suite, which has every operation. */
#include "../unit/sample_model.h"

#include <accel/error.h>
#include <model/file.h>

#include <stdio.h>

#define SEED 20

int main(int argc, char **argv)
{
	struct model *model;
	int ret;

	if (argc != 2)
		return 2;
	sample_state = SEED;
	model = sample_model();
	ret = model_file_write(model, argv[1]);
	if (ret)
		fprintf(stderr, "make_model: %s\n", accel_last_error());
	model_destroy(model);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
