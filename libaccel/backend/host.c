/* SPDX-License-Identifier: MIT */
#include "backend/host.h"

#include <errno.h>
#include <stdlib.h>

#include "core/error.h"

int host_buffer_create(struct accel_device *device, enum accel_memory memory,
		       uint64_t length, struct accel_buffer **out)
{
	struct host_buffer *buffer = calloc(1, sizeof(*buffer));

	(void)device;
	if (buffer)
		buffer->memory = calloc(1, length);
	if (!buffer || !buffer->memory) {
		free(buffer);
		return accel_error(-ENOMEM,
				   "buffer: no %llu bytes of host memory",
				   (unsigned long long)length);
	}
	if (memory == ACCEL_MEMORY_HOST)
		buffer->base.address = buffer->memory;
	*out = &buffer->base;
	return 0;
}

void host_buffer_destroy(struct accel_buffer *buffer)
{
	free(host_buffer(buffer)->memory);
	free(host_buffer(buffer));
}

static int staging_create(struct accel_plan *plan, struct plan_port *ports,
			  uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		ports[i].staging = calloc(1, ports[i].bytes + 1);
		if (!ports[i].staging)
			return accel_error(-ENOMEM,
					   "%s: no %zu bytes of host memory",
					   ports[i].tensor->name,
					   ports[i].bytes);
		plan->host_bytes += ports[i].bytes;
	}
	return 0;
}

int host_staging_create(struct accel_plan *plan)
{
	const struct model *model = plan->model->model;
	int ret = staging_create(plan, plan->inputs, model->input_count);

	if (ret)
		return ret;
	return staging_create(plan, plan->outputs, model->output_count);
}

static void staging_free(struct plan_port *ports, uint32_t count)
{
	for (uint32_t i = 0; ports && i < count; i++)
		free(ports[i].staging);
}

void host_staging_free(struct accel_plan *plan)
{
	staging_free(plan->inputs, plan->model->model->input_count);
	staging_free(plan->outputs, plan->model->model->output_count);
}
