/* SPDX-License-Identifier: MIT */
/* What the user sees of a model: its kind, and layouts at its edges. */
#include <errno.h>
#include <stdlib.h>

#include "compress/lowering.h"
#include "core/error.h"

static bool is_image(const struct model *model, const struct model_port *port)
{
	const struct model_tensor *tensor = &model->tensors[port->tensor];

	return port->layout == MODEL_LAYOUT_NCHW &&
	       (tensor->height != 1 || tensor->width != 1);
}

static enum model_layout layout(const struct lowering *lowering, int source)
{
	const struct lower_view *view = &lowering->views[source];
	int rank = lowering->graph->tensors[source].shape.rank;

	if (lowering->tensors[view->tensor].model.type == MODEL_FLOAT32 &&
	    rank == 3 && lowering->tensors[view->tensor].model.height == 1)
		return MODEL_LAYOUT_DNF;
	if (rank == 3 && view->axis[0] == LOWER_BATCH && lowering->sequence)
		return MODEL_LAYOUT_NTF;
	if (view->axis[0] == LOWER_STEPS || (rank == 3 && lowering->sequence))
		return MODEL_LAYOUT_TNF;
	return rank == 2 ? MODEL_LAYOUT_NF : MODEL_LAYOUT_NCHW;
}

static void set_ports(const struct lowering *lowering, const int *sources,
		      struct quantize_range range, struct model *model,
		      struct model_port *ports, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		int number = lowering->views[sources[i]].tensor;

		ports[i].tensor = lowering->tensors[number].index;
		ports[i].layout = layout(lowering, sources[i]);
		if (!is_image(model, &ports[i]))
			continue;
		ports[i].range_low = range.low;
		ports[i].range_high = range.high;
	}
}

static enum model_kind find_kind(const struct lowering *lowering,
				 const struct model *model)
{
	bool image_out = is_image(model, &model->outputs[0]);

	if (lowering->sequence)
		return MODEL_KIND_SEQUENCE;
	if (is_image(model, &model->inputs[0]))
		return image_out ? MODEL_KIND_IMAGE : MODEL_KIND_GENERIC;
	return image_out ? MODEL_KIND_LATENT : MODEL_KIND_GENERIC;
}

int lower_ports(struct lowering *lowering, struct model *model)
{
	const struct graph *graph = lowering->graph;
	const struct lower_options *options = lowering->options;

	model->inputs =
		calloc((size_t)graph->input_count + 1, sizeof(*model->inputs));
	model->outputs = calloc((size_t)graph->output_count + 1,
				sizeof(*model->outputs));
	if (!model->inputs || !model->outputs)
		return accel_error(-ENOMEM, "out of memory for the model");
	model->input_count = (uint32_t)graph->input_count;
	model->output_count = (uint32_t)graph->output_count;
	if (!model->input_count || !model->output_count)
		return accel_error(-ENOTSUP, "a model without input or output");
	set_ports(lowering, graph->inputs, options->input_range, model,
		  model->inputs, model->input_count);
	set_ports(lowering, graph->outputs, options->output_range, model,
		  model->outputs, model->output_count);
	model->kind = find_kind(lowering, model);
	return 0;
}
