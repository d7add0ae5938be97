/* SPDX-License-Identifier: MIT */
/*
 * cpu: the golden executor behind queues. Each queue has a thread that executes
 * its operations in order.
 */
#include "backend/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu.h"
#include "backend/cpu_worker.h"
#include "backend/host.h"
#include "core/error.h"

static void cpu_close(struct accel_device *device)
{
	free(device);
}

static void cpu_describe(struct accel_device *device,
			 struct accel_device_info *info)
{
	(void)device;
	info->name = "this processor, golden arithmetic";
	info->queue_count = UINT32_MAX;
	info->queue_depth = QUEUE_DEPTH_MAX;
}

static int cpu_reset(struct accel_device *device)
{
	/* Nothing is lost and nothing can hang: but plans are what they are elsewhere. */
	atomic_fetch_add(&device->generation, 1);
	return 0;
}

static struct accel_plan *cpu_plan_allocate(void)
{
	struct cpu_plan *plan = calloc(1, sizeof(*plan));

	return plan ? &plan->base : NULL;
}

static int kept_create(struct cpu_plan *plan)
{
	const struct model *model = plan->base.model->model;

	plan->kept =
		calloc((size_t)model->tensor_count + 1, sizeof(*plan->kept));
	if (!plan->kept)
		return accel_error(-ENOMEM, "out of memory");
	for (uint32_t i = 0; i < model->tensor_count; i++) {
		size_t bytes = 0;

		plan_tensor_bytes(model, &plan->base.shape, i, &bytes);
		plan->kept[i] = calloc(1, bytes + 1);
		if (!plan->kept[i])
			return accel_error(-ENOMEM, "%s: no %zu bytes to keep",
					   model->tensors[i].name, bytes);
		plan->base.activation_bytes += bytes;
	}
	return 0;
}

static int cpu_plan_prepare(struct accel_plan *plan)
{
	int ret = host_staging_create(plan);

	if (!ret && (plan->flags & ACCEL_PLAN_KEEP_ACTIVATIONS))
		ret = kept_create(cpu_plan(plan));
	return ret;
}

static void cpu_plan_release(struct accel_plan *base)
{
	struct cpu_plan *plan = cpu_plan(base);
	uint32_t count = base->model->model->tensor_count;

	for (uint32_t i = 0; plan->kept && i < count; i++)
		free(plan->kept[i]);
	free(plan->kept);
	host_staging_free(base);
	free(plan);
}

static int cpu_plan_read_tensor(struct accel_plan *plan, uint32_t tensor,
				void *bytes, size_t length)
{
	memcpy(bytes, cpu_plan(plan)->kept[tensor], length);
	return 0;
}

static const struct backend_operations cpu_operations = {
	.name = "cpu",
	.close = cpu_close,
	.describe = cpu_describe,
	.reset = cpu_reset,
	.buffer_create = host_buffer_create,
	.buffer_import = host_buffer_import,
	.buffer_destroy = host_buffer_destroy,
	.plan_allocate = cpu_plan_allocate,
	.plan_prepare = cpu_plan_prepare,
	.plan_release = cpu_plan_release,
	.plan_read_tensor = cpu_plan_read_tensor,
	.queue_create = cpu_queue_create,
};

int cpu_backend_open(struct accel_device **device)
{
	*device = calloc(1, sizeof(**device));
	if (!*device)
		return accel_error(-ENOMEM, "out of memory");
	(*device)->operations = &cpu_operations;
	return 0;
}
