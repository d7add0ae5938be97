/* SPDX-License-Identifier: MIT */
#include "runtime/plan_port.h"

#include <errno.h>
#include <stdlib.h>

#include <accel/run.h>

#include "backend/backend.h"
#include "core/error.h"
#include "runtime/convert.h"
#include "runtime/port.h"

static struct plan_port *ports_create(const struct accel_plan *plan,
				      const struct model_port *ports,
				      uint32_t count)
{
	struct plan_port *out = calloc(count ? count : 1, sizeof(*out));
	const struct model *model = plan->model->model;

	if (!out)
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t tensor = (uint32_t)ports[i].tensor;

		out[i].port = &ports[i];
		out[i].tensor = &model->tensors[tensor];
		out[i].extent = plan->shape.extents[tensor];
		/* plan_shape_infer() has refused what cannot be counted. */
		plan_tensor_bytes(model, &plan->shape, tensor, &out[i].bytes);
		out[i].elements =
			out[i].bytes / plan_element_size(out[i].tensor->type);
	}
	return out;
}

int plan_ports_create(struct accel_plan *plan)
{
	const struct model *model = plan->model->model;

	plan->inputs = ports_create(plan, model->inputs, model->input_count);
	plan->outputs = ports_create(plan, model->outputs, model->output_count);
	if (!plan->inputs || !plan->outputs)
		return accel_error(-ENOMEM, "out of memory");
	return 0;
}

static enum accel_layout layout_default(const struct accel_plan *plan,
					const struct plan_port *port)
{
	struct accel_port_info info = { 0 };

	port_describe(plan->model->model, port->port, &port->extent,
		      plan->shape.batch, &info);
	return info.layout;
}

static struct convert_array array_of(const struct accel_plan *plan,
				     const struct plan_port *port,
				     enum accel_layout layout)
{
	return (struct convert_array){
		.extent = port->extent,
		.batch = plan->shape.batch,
		.type = port->tensor->type,
		.quantization = port->tensor->quantization,
		.layout = layout,
	};
}

void plan_inputs_clear(struct accel_plan *plan)
{
	for (uint32_t i = 0; i < plan->model->model->input_count; i++) {
		struct plan_port *port = &plan->inputs[i];
		struct convert_array array =
			array_of(plan, port, layout_default(plan, port));

		convert_zeros(&array, port->staging);
	}
}

/* The layout to use, or an error when the caller's does not fit the port. */
static int layout_choose(const struct accel_plan *plan,
			 const struct plan_port *port, enum accel_layout asked,
			 size_t count, enum accel_layout *layout)
{
	enum accel_layout own = layout_default(plan, port);

	if (count != port->elements)
		return accel_error(-EINVAL,
				   "%s: %zu values given, but the plan has %zu",
				   port->tensor->name, count, port->elements);
	*layout = asked == ACCEL_LAYOUT_DEFAULT ? own : asked;
	if (*layout == own ||
	    (*layout == ACCEL_LAYOUT_NHWC && own == ACCEL_LAYOUT_NCHW))
		return 0;
	return accel_error(-EINVAL, "%s: layout %d, but the model has %d",
			   port->tensor->name, (int)asked, (int)own);
}

static int plan_check_idle(const struct accel_plan *plan)
{
	if (!plan)
		return accel_error(-EINVAL, "no plan");
	if (plan->outstanding)
		return accel_error(-EBUSY,
				   "%s: a run is outstanding; reap it first",
				   plan->model->model->name);
	return 0;
}

int accel_plan_write_input(struct accel_plan *plan, uint32_t index,
			   const struct accel_input *input)
{
	struct convert_array array;
	enum accel_layout layout;
	struct plan_port *port;
	int ret = plan_check_idle(plan);

	if (ret)
		return ret;
	if (!input || index >= plan->model->model->input_count)
		return accel_error(-EINVAL, "%s: no input %u of %u",
				   plan->model->model->name, index,
				   plan->model->model->input_count);
	port = &plan->inputs[index];
	ret = layout_choose(plan, port, input->layout,
			    input->data ? input->count : port->elements,
			    &layout);
	if (ret)
		return ret;
	array = array_of(plan, port, layout);
	if (input->data)
		convert_to_device(&array, input->data, port->staging);
	else
		convert_zeros(&array, port->staging);
	return 0;
}

int accel_plan_read_output(struct accel_plan *plan, uint32_t index,
			   const struct accel_output *output)
{
	struct convert_array array;
	enum accel_layout layout;
	struct plan_port *port;
	int ret = plan_check_idle(plan);

	if (ret)
		return ret;
	if (!output || index >= plan->model->model->output_count)
		return accel_error(-EINVAL, "%s: no output %u of %u",
				   plan->model->model->name, index,
				   plan->model->model->output_count);
	if (!plan->has_run)
		return accel_error(-ENODATA, "%s: no run has succeeded yet",
				   plan->model->model->name);
	if (!output->data)
		return 0;
	port = &plan->outputs[index];
	ret = layout_choose(plan, port, output->layout, output->count, &layout);
	if (!ret && plan->device->operations->plan_collect)
		ret = plan->device->operations->plan_collect(plan, index);
	if (ret)
		return ret;
	array = array_of(plan, port, layout);
	convert_from_device(&array, port->staging, output->data);
	return 0;
}
