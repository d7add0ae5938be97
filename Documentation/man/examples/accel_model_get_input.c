/* SPDX-License-Identifier: MIT */
/* Inputs and outputs of a model; -1 is a size that the plan chooses. */
#include <accel/accel.h>
#include <inttypes.h>
#include <stdio.h>

static void port_print(const struct accel_port_info *port)
{
	printf("%s:", port->name);
	for (uint32_t i = 0; i < port->dimension_count; i++)
		printf(" %" PRId64, port->dimensions[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	struct accel_model_info info = { .size = sizeof(info) };
	struct accel_port_info port = { .size = sizeof(port) };
	struct accel_model *model;

	if (argc < 2 || accel_model_load(argv[1], &model) ||
	    accel_model_get_info(model, &info))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	for (uint32_t i = 0; i < info.input_count; i++) {
		if (accel_model_get_input(model, i, &port))
			return fprintf(stderr, "%s\n", accel_last_error()), 1;
		port_print(&port);
	}
	for (uint32_t i = 0; i < info.output_count; i++) {
		if (accel_model_get_output(model, i, &port))
			return fprintf(stderr, "%s\n", accel_last_error()), 1;
		port_print(&port);
	}
	accel_model_free(model);
	return 0;
}
