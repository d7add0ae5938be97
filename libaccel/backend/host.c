/* SPDX-License-Identifier: MIT */
#include "backend/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

static void *file_map(const struct accel_buffer_import *import)
{
	void *memory = mmap(NULL, import->length, PROT_READ | PROT_WRITE,
			    MAP_SHARED, import->file, (off_t)import->offset);

	return memory == MAP_FAILED ? NULL : memory;
}

int host_buffer_import(struct accel_device *device,
		       const struct accel_buffer_import *import,
		       struct accel_buffer **out)
{
	struct host_buffer *buffer = calloc(1, sizeof(*buffer));

	(void)device;
	if (!buffer)
		return accel_error(-ENOMEM, "out of memory");
	buffer->kind = import->address ? HOST_BORROWED : HOST_MAPPED;
	buffer->memory = import->address ? import->address : file_map(import);
	if (!buffer->memory) {
		free(buffer);
		return accel_error(-ENOTSUP,
				   "import: the file cannot be mapped: %s",
				   strerror(errno));
	}
	buffer->base.address = buffer->memory;
	*out = &buffer->base;
	return 0;
}

void host_buffer_destroy(struct accel_buffer *base)
{
	struct host_buffer *buffer = host_buffer(base);

	if (buffer->kind == HOST_ALLOCATED)
		free(buffer->memory);
	else if (buffer->kind == HOST_MAPPED)
		munmap(buffer->memory, base->length);
	free(buffer);
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
