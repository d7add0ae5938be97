/* SPDX-License-Identifier: MIT */
#include <accel/plan.h>

#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "core/error.h"
#include "model/file_reader.h"
#include "runtime/plan_port.h"
#include "runtime/port.h"
#include "runtime/sized.h"

static int options_read(const struct accel_plan_options *options,
			struct accel_plan_options *known)
{
	int ret = sized_read(known, sizeof(*known), options,
			     "accel_plan_options");

	if (ret)
		return ret;
	if (known->flags & ~(uint32_t)ACCEL_PLAN_KEEP_ACTIVATIONS)
		return accel_error(-EINVAL, "plan: unknown flags 0x%x",
				   known->flags);
	if (known->reserved)
		return accel_error(-EINVAL, "plan: a reserved field is %u",
				   known->reserved);
	if (!known->batch)
		known->batch = 1;
	return 0;
}

static int plan_build(struct accel_plan *plan,
		      const struct accel_plan_options *options)
{
	const struct model *model = plan->model->model;
	int ret;

	plan->flags = options->flags;
	ret = plan_shape_infer(model, options, &plan->shape);
	if (ret)
		return ret;
	ret = plan_report_create(model, &plan->shape, &plan->report);
	if (ret)
		return ret;
	ret = plan_ports_create(plan);
	if (ret)
		return ret;
	plan->generation = atomic_load(&plan->device->generation);
	ret = plan->device->operations->plan_prepare(plan);
	if (ret)
		return ret;
	plan_inputs_clear(plan);
	return 0;
}

/* The reader is only used while the plan is made. */
static int plan_make(struct accel_device *device, struct accel_model *model,
		     struct model_reader *reader,
		     const struct accel_plan_options *options,
		     struct accel_plan **out)
{
	struct accel_plan *plan = device->operations->plan_allocate();
	int ret;

	if (!plan)
		return accel_error(-ENOMEM, "out of memory");
	plan->device = device;
	plan->model = model;
	plan->reader = reader;
	device_get(device);
	loaded_model_get(model);
	ret = plan_build(plan, options);
	plan->reader = NULL;
	if (ret) {
		accel_plan_destroy(plan);
		return ret;
	}
	*out = plan;
	return 0;
}

int accel_plan_create(struct accel_device *device, struct accel_model *model,
		      const struct accel_plan_options *options,
		      struct accel_plan **out)
{
	struct accel_plan_options known;
	int ret;

	if (!device || !model || !out)
		return accel_error(-EINVAL, "accel_plan_create: NULL");
	*out = NULL;
	ret = options_read(options, &known);
	return ret ? ret : plan_make(device, model, NULL, &known, out);
}

/* Whoever has no use for streams needs all of the model. */
static int matrices_read(const struct accel_device *device,
			 struct model_reader *reader)
{
	if (device->geometry)
		return 0;
	model_reader_start(reader);
	return model_reader_matrices(reader);
}

static int reader_plan(struct accel_device *device, struct model_reader *reader,
		       const struct accel_plan_options *options,
		       struct accel_plan **out)
{
	struct accel_model *model = loaded_model_create();
	int ret;

	if (!model)
		return accel_error(-ENOMEM, "out of memory");
	ret = matrices_read(device, reader);
	model->model = model_reader_take(reader);
	if (!ret)
		ret = plan_make(device, model, reader, options, out);
	loaded_model_put(model);
	return ret;
}

int accel_plan_load(struct accel_device *device, const char *path,
		    const struct accel_plan_options *options,
		    struct accel_plan **out)
{
	struct accel_plan_options known;
	struct model_reader *reader;
	int ret;

	if (!device || !path || !out)
		return accel_error(-EINVAL, "accel_plan_load: NULL");
	*out = NULL;
	ret = options_read(options, &known);
	if (ret)
		return ret;
	ret = model_reader_open(path, &reader);
	if (!ret) {
		ret = reader_plan(device, reader, &known, out);
		model_reader_close(reader);
	}
	return ret ? accel_error_prefix(ret, "%s", path) : 0;
}

void accel_plan_destroy(struct accel_plan *plan)
{
	struct plan_port *inputs, *outputs;
	struct accel_device *device;
	struct accel_model *model;

	if (!plan)
		return;
	device = plan->device;
	model = plan->model;
	inputs = plan->inputs;
	outputs = plan->outputs;
	accel_queue_destroy(plan->queue);
	plan_report_free(&plan->report);
	plan_shape_free(&plan->shape);
	accel_error_hold();
	device->operations->plan_release(plan);
	accel_error_release();
	free(inputs);
	free(outputs);
	loaded_model_put(model);
	device_put(device);
}

int accel_plan_get_info(const struct accel_plan *plan,
			struct accel_plan_info *info)
{
	struct accel_plan_info full = { 0 };

	if (!plan)
		return accel_error(-EINVAL, "accel_plan_get_info: no plan");
	full.batch = plan->shape.batch;
	full.input_count = plan->model->model->input_count;
	full.output_count = plan->model->model->output_count;
	full.layer_count = plan->report.layer_count;
	full.command_count = plan->command_count;
	full.weight_bytes = plan->weight_bytes;
	full.activation_bytes = plan->activation_bytes;
	full.host_bytes = plan->host_bytes;
	return sized_write(info, &full, sizeof(full), "accel_plan_info");
}

static int port_get(const struct accel_plan *plan,
		    const struct plan_port *ports, uint32_t count,
		    uint32_t index, struct accel_port_info *info)
{
	struct accel_port_info full = { 0 };

	if (index >= count)
		return accel_error(-EINVAL, "plan of %s: no port %u of %u",
				   plan->model->model->name, index, count);
	port_describe(plan->model->model, ports[index].port,
		      &ports[index].extent, plan->shape.batch, &full);
	return sized_write(info, &full, sizeof(full), "accel_port_info");
}

int accel_plan_get_input(const struct accel_plan *plan, uint32_t index,
			 struct accel_port_info *info)
{
	if (!plan)
		return accel_error(-EINVAL, "accel_plan_get_input: no plan");
	return port_get(plan, plan->inputs, plan->model->model->input_count,
			index, info);
}

int accel_plan_get_output(const struct accel_plan *plan, uint32_t index,
			  struct accel_port_info *info)
{
	if (!plan)
		return accel_error(-EINVAL, "accel_plan_get_output: no plan");
	return port_get(plan, plan->outputs, plan->model->model->output_count,
			index, info);
}

int accel_plan_get_layer(const struct accel_plan *plan, uint32_t index,
			 struct accel_layer_info *info)
{
	if (!plan)
		return accel_error(-EINVAL, "accel_plan_get_layer: no plan");
	if (index >= plan->report.layer_count)
		return accel_error(-EINVAL, "plan of %s: no layer %u of %u",
				   plan->model->model->name, index,
				   plan->report.layer_count);
	return sized_write(info, &plan->report.layers[index],
			   sizeof(plan->report.layers[index]),
			   "accel_layer_info");
}

int accel_plan_get_total(const struct accel_plan *plan,
			 struct accel_layer_info *info)
{
	if (!plan)
		return accel_error(-EINVAL, "accel_plan_get_total: no plan");
	return sized_write(info, &plan->report.total,
			   sizeof(plan->report.total), "accel_layer_info");
}
