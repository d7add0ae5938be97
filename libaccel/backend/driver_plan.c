/* SPDX-License-Identifier: MIT */
#include "backend/driver_plan.h"

#include <errno.h>
#include <linux/types.h>
#include <spmm/registers.h>
#include <stdlib.h>
#include <string.h>

#include "backend/driver_state.h"
#include "backend/upload.h"
#include "core/error.h"
#include "plan/report_roof.h"

/* Of a command's name; longer ones are cut. */
#define LABEL_SIZE 256

struct accel_plan *driver_plan_allocate(void)
{
	struct driver_plan *plan = calloc(1, sizeof(*plan));

	return plan ? &plan->base : NULL;
}

static int memory_allocate(struct driver_plan *plan)
{
	struct driver_device *device =
		driver_backend(plan->base.device)->device;
	const struct plan_program *program = &plan->program;
	int ret = driver_memory_allocate_device(device, program->image_length,
						&plan->image);

	if (!ret && program->memory.total)
		ret = driver_memory_allocate_device(
			device, program->memory.total, &plan->activations);
	if (!ret)
		ret = driver_memory_allocate_host(
			device, program->staging.length, &plan->staging);
	if (ret)
		return accel_error_prefix(ret, "%s",
					  plan->base.model->model->name);
	return 0;
}

/* Tells who watches the device what its commands are; the first label, or 0. */
static int commands_label(struct driver_plan *plan, uint16_t *first)
{
	struct driver_device *device =
		driver_backend(plan->base.device)->device;
	char text[LABEL_SIZE];
	int ret = 0;

	*first = driver_labels_take(device, plan->program.command_count);
	for (uint32_t i = 0; *first && !ret && i < plan->program.command_count;
	     i++) {
		plan_program_label(&plan->program, i, text, sizeof(text));
		ret = device->operations->label_name(
			device, (uint16_t)(*first + i), text);
	}
	return ret;
}

/* @tail: of the image, from its descriptors on */
static int commands_keep(struct driver_plan *plan, const uint8_t *tail)
{
	const struct plan_program *program = &plan->program;
	size_t bytes = program->command_count * sizeof(*plan->commands);

	plan->commands = malloc(bytes);
	if (!plan->commands)
		return accel_error(-ENOMEM, "out of memory");
	memcpy(plan->commands, tail + program->list - program->descriptors,
	       bytes);
	return 0;
}

/* A device that copies lists has room for so many commands. */
static int commands_check(const struct accel_plan *base,
			  const struct plan_program *program)
{
	uint32_t most =
		driver_backend(base->device)->device->capabilities.list_entries;

	if (!most || program->command_count <= most)
		return 0;
	return accel_error(
		-E2BIG,
		"%s: %u commands; the module takes %u at once; make the input smaller, or open the device with queues=user",
		base->model->model->name, program->command_count, most);
}

/* What the device cannot compute at all. */
static int parts_check(const struct accel_plan *base)
{
	const struct model *model = base->model->model;
	uint32_t omitted =
		driver_backend(base->device)->device->capabilities.omitted;

	for (uint32_t i = 0; i < model->layer_count; i++) {
		enum model_op op = model->layers[i].op;

		if (omitted & SPMM_OMITTED_RECURRENT &&
		    (op == MODEL_LSTM || op == MODEL_GRU))
			return accel_error(
				-ENOTSUP,
				"%s: layer %s is recurrent, and this device has no recurrent cells; run it on cpu:",
				model->name, model->layers[i].name);
	}
	return 0;
}

static int pieces_upload(struct upload *upload,
			 const struct plan_program *program,
			 const uint8_t *tail)
{
	const struct plan_constants *constants = &program->constants;
	const struct upload_piece rest = {
		.offset = program->descriptors,
		.length = program->image_length - program->descriptors,
		.bytes = tail,
	};

	for (size_t i = 0; i < constants->piece_count; i++) {
		const struct plan_piece *from = &constants->pieces[i];
		const struct upload_piece piece = {
			.offset = from->offset,
			.length = from->length,
			.bytes = from->bytes,
			.place = from->place,
		};
		int ret = upload_put(upload, &piece);

		if (ret)
			return ret;
	}
	return upload_put(upload, &rest);
}

static int tail_upload(struct driver_plan *plan, const uint8_t *tail)
{
	struct driver_backend *backend = driver_backend(plan->base.device);
	struct upload upload;
	int ret = upload_begin(&upload, &backend->transfer,
			       plan->image.virtual_address, plan->base.reader);

	if (ret)
		return ret;
	ret = pieces_upload(&upload, &plan->program, tail);
	return upload_end(&upload, ret);
}

static int image_upload(struct driver_plan *plan)
{
	const struct driver_backend *backend =
		driver_backend(plan->base.device);
	struct plan_program *program = &plan->program;
	struct plan_addresses addresses = {
		.image = plan->image.virtual_address,
		.activations = plan->activations.virtual_address,
		.staging = plan->staging.virtual_address,
		.without_stream = backend->device->capabilities.omitted &
				  SPMM_OMITTED_STREAM,
	};
	int ret = commands_label(plan, &addresses.first_label);
	uint8_t *tail;

	if (ret)
		return ret;
	tail = malloc(program->image_length - program->descriptors);
	if (!tail)
		return accel_error(-ENOMEM, "out of memory");
	ret = plan_program_link(program, &addresses, tail);
	if (!ret)
		ret = commands_keep(plan, tail);
	if (!ret)
		ret = tail_upload(plan, tail);
	free(tail);
	plan_constants_drop(&program->constants);
	return ret;
}

static void staging_assign(struct driver_plan *plan)
{
	const struct model *model = plan->base.model->model;
	uint8_t *staging = plan->staging.host.address;

	for (uint32_t i = 0; i < model->input_count; i++)
		plan->base.inputs[i].staging =
			staging + plan->program.staging.inputs[i];
	for (uint32_t i = 0; i < model->output_count; i++)
		plan->base.outputs[i].staging =
			staging + plan->program.staging.outputs[i];
}

int driver_plan_prepare(struct accel_plan *base)
{
	struct driver_plan *plan = driver_plan(base);
	const struct geometry *geometry = base->device->geometry;
	bool keep = base->flags & ACCEL_PLAN_KEEP_ACTIVATIONS;
	int ret = parts_check(base);

	if (!ret)
		ret = driver_state_check(base->model->model);
	if (!ret)
		ret = plan_program_create(base->model->model, &base->shape,
					  geometry, keep, base->reader,
					  &plan->program);
	if (!ret)
		ret = commands_check(base, &plan->program);
	if (!ret)
		ret = memory_allocate(plan);
	if (!ret)
		ret = image_upload(plan);
	if (ret)
		return ret;
	staging_assign(plan);
	plan_report_roofs(&plan->program, geometry, &base->report);
	base->command_count = plan->program.command_count;
	base->weight_bytes = plan->program.constants.length;
	base->activation_bytes = plan->program.memory.total;
	base->host_bytes = plan->program.staging.length;
	return 0;
}

void driver_plan_release(struct accel_plan *base)
{
	struct driver_device *device = driver_backend(base->device)->device;
	struct driver_plan *plan = driver_plan(base);

	driver_memory_release(device, &plan->image);
	driver_memory_release(device, &plan->activations);
	driver_memory_release(device, &plan->staging);
	plan_program_free(&plan->program);
	free(plan->commands);
	free(plan);
}

int driver_plan_collect(struct accel_plan *base, uint32_t output)
{
	struct driver_plan *plan = driver_plan(base);
	int32_t tensor = base->model->model->outputs[output].tensor;

	if (plan->program.memory.offset[tensor] == PLAN_MEMORY_NONE)
		driver_state_read(plan, (uint32_t)tensor,
				  base->outputs[output].staging);
	return 0;
}

int driver_plan_read_tensor(struct accel_plan *base, uint32_t tensor,
			    void *bytes, size_t length)
{
	struct driver_backend *backend = driver_backend(base->device);
	struct driver_plan *plan = driver_plan(base);
	uint64_t offset = plan->program.memory.offset[tensor];

	if (offset == PLAN_MEMORY_NONE) {
		driver_state_read(plan, tensor, bytes);
		return 0;
	}
	return transfer_download(&backend->transfer,
				 plan->activations.virtual_address + offset,
				 bytes, length);
}

void driver_plan_start(struct driver_plan *plan)
{
	if (plan->program.memory.state_count)
		driver_state_write(plan);
}

int driver_plan_finish(struct driver_plan *plan)
{
	const struct spmm_command_stats *stats =
		(const void *)((const char *)plan->staging.host.address +
			       plan->program.staging.stats);
	struct plan_report *report = &plan->base.report;

	plan_report_clear(report);
	for (uint32_t i = 0; i < plan->program.command_count; i++)
		plan_report_add(report, plan_program_layer(&plan->program, i),
				&stats[i]);
	plan_report_roofs_warm(plan->base.device->geometry, report);
	return plan_report_finish(plan->base.device->geometry, report);
}
