/* SPDX-License-Identifier: MIT */
#include "bench_load.h"

#include <accel/buffer.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

static int copies_create(struct accel_device *device, uint64_t bytes,
			 struct bench_load *load)
{
	int ret = accel_buffer_create(device, ACCEL_MEMORY_HOST, bytes,
				      &load->source);

	if (!ret)
		ret = accel_buffer_create(device, ACCEL_MEMORY_DEVICE, bytes,
					  &load->destination);
	for (uint32_t i = 0; i < load->depth && !ret; i++) {
		struct accel_operation *operation = &load->operations[i];

		operation->opcode = ACCEL_OPERATION_COPY;
		operation->copy.source = load->source;
		operation->copy.destination = load->destination;
		operation->copy.length = bytes;
	}
	return ret;
}

static int runs_create(struct accel_device *device,
		       const struct workload *workload, struct bench_load *load)
{
	int ret = 0;

	load->plans = calloc(load->depth, sizeof(*load->plans));
	if (!load->plans)
		return accel_error(-ENOMEM, "no memory for %u plans",
				   load->depth);
	for (uint32_t i = 0; i < load->depth && !ret; i++) {
		ret = accel_plan_create(device, workload->model,
					&workload->inputs.sizes,
					&load->plans[i]);
		if (!ret)
			ret = inputs_write(&workload->inputs, load->plans[i]);
		load->operations[i].opcode = ACCEL_OPERATION_RUN;
		load->operations[i].run.plan = load->plans[i];
	}
	return ret;
}

int bench_load_create(struct accel_device *device,
		      const struct bench_load_options *options, uint32_t depth,
		      struct bench_load *load)
{
	int ret = 0;

	*load = (struct bench_load){ .depth = depth };
	load->operations = calloc(2 * (size_t)depth, sizeof(*load->operations));
	if (!load->operations)
		return accel_error(-ENOMEM, "no memory for %u operations",
				   depth);
	if (options->operation == BENCH_COPY)
		ret = copies_create(device, options->bytes, load);
	else if (options->operation == BENCH_RUN)
		ret = runs_create(device, options->workload, load);
	for (uint32_t i = 0; i < depth; i++) {
		load->operations[i].user_data = i;
		load->operations[depth + i] = load->operations[i];
	}
	return ret;
}

void bench_load_destroy(struct bench_load *load)
{
	for (uint32_t i = 0; load->plans && i < load->depth; i++)
		accel_plan_destroy(load->plans[i]);
	free(load->plans);
	accel_buffer_destroy(load->source);
	accel_buffer_destroy(load->destination);
	free(load->operations);
}
