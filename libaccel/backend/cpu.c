/* SPDX-License-Identifier: MIT */
#include <backend/cpu_layer.h>

#include <core/checked.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t cpu_element_size(enum model_type type)
{
	return type == MODEL_INT8 ? 1 : 4;
}

int cpu_tensor_size(const struct model_tensor *tensor,
		    const struct model_extent *extent, uint32_t batch,
		    size_t *size)
{
	size_t bytes = cpu_element_size(tensor->type);

	if (checked_multiply(bytes, extent->channels, &bytes) &&
	    checked_multiply(bytes, extent->height, &bytes) &&
	    checked_multiply(bytes, extent->width, &bytes) &&
	    checked_multiply(bytes, batch, &bytes)) {
		*size = bytes;
		return 0;
	}
	return accel_error(-EOVERFLOW,
			   "'%s' is too large; use a smaller input or batch",
			   tensor->name);
}

/* malloc, not calloc: every operation writes all of its output. */
static int allocate(const struct cpu_run *run, int32_t tensor, size_t *size)
{
	const struct model_tensor *info = &run->model->tensors[tensor];
	int ret =
		cpu_tensor_size(info, &run->extents[tensor], run->batch, size);

	if (ret)
		return ret;
	run->values[tensor] = malloc(*size);
	if (!run->values[tensor])
		return accel_error(
			-ENOMEM,
			"no memory for the %zu bytes of '%s'; use a smaller input or batch",
			*size, info->name);
	return 0;
}

/* A model output may stand in the list twice. */
static int copy_to_outputs(const struct cpu_run *run, int32_t tensor,
			   void *const *outputs)
{
	const struct model *model = run->model;
	size_t size;
	int ret = cpu_tensor_size(&model->tensors[tensor],
				  &run->extents[tensor], run->batch, &size);

	for (uint32_t i = 0; !ret && i < model->output_count; i++)
		if (model->outputs[i].tensor == tensor && outputs[i])
			memcpy(outputs[i], run->values[tensor], size);
	return ret;
}

/* Copies, so that inputs are freed like any other tensor. */
static int take_inputs(const struct cpu_run *run, const void *const *inputs,
		       void *const *outputs)
{
	for (uint32_t i = 0; i < run->model->input_count; i++) {
		int32_t tensor = run->model->inputs[i].tensor;
		const struct model_tensor *info = &run->model->tensors[tensor];
		size_t size;
		int ret = allocate(run, tensor, &size);

		if (ret)
			return ret;
		if (inputs[i])
			memcpy(run->values[tensor], inputs[i], size);
		else
			memset(run->values[tensor],
			       info->type == MODEL_INT8 ?
				       info->quantization.zero :
				       0,
			       size);
		ret = copy_to_outputs(run, tensor, outputs);
		if (ret)
			return ret;
	}
	return 0;
}

static int compute(const struct cpu_run *run, const struct model_layer *layer)
{
	switch (layer->op) {
	case MODEL_SPMM:
		return cpu_spmm_run(run, layer);
	case MODEL_ADD:
	case MODEL_MULTIPLY:
		return cpu_eltwise_run(run, layer);
	case MODEL_TABLE:
		return cpu_table_run(run, layer);
	case MODEL_POOL_MAX:
	case MODEL_POOL_AVERAGE:
		return cpu_pool_run(run, layer);
	case MODEL_CONCAT:
	case MODEL_SLICE:
	case MODEL_RESHAPE:
	case MODEL_PERMUTE:
		return cpu_move_run(run, layer);
	case MODEL_LSTM:
	case MODEL_GRU:
		return cpu_recurrent_run(run, layer);
	}
	return accel_error(-EINVAL, "unknown operation %d", layer->op);
}

static int show(const struct cpu_run *run, uint32_t layer, int32_t tensor)
{
	const struct cpu_observer *observer = run->observer;
	size_t size;
	int ret;

	if (!observer || !observer->layer_done)
		return 0;
	ret = cpu_tensor_size(&run->model->tensors[tensor],
			      &run->extents[tensor], run->batch, &size);
	if (ret)
		return ret;
	return observer->layer_done(observer->context, layer, tensor,
				    run->values[tensor], size);
}

/* The observer sees an output before it can be freed. */
static int run_layer(const struct cpu_run *run, uint32_t index,
		     void *const *outputs)
{
	const struct model_layer *layer = &run->model->layers[index];
	size_t size;
	int ret = cpu_run_cancelled(run);

	for (uint32_t i = 0; !ret && i < layer->output_count; i++)
		if (layer->outputs[i] != MODEL_NO_TENSOR)
			ret = allocate(run, layer->outputs[i], &size);
	if (!ret)
		ret = compute(run, layer);
	for (uint32_t i = 0; !ret && i < layer->output_count; i++) {
		int32_t tensor = layer->outputs[i];

		if (tensor == MODEL_NO_TENSOR)
			continue;
		ret = show(run, index, tensor);
		if (!ret)
			ret = copy_to_outputs(run, tensor, outputs);
	}
	return ret;
}

/* last_use[t] is the last layer that reads tensor t, or the one that makes it. */
static void find_last_uses(const struct model *model, uint32_t *last_use)
{
	int32_t operands[MODEL_INPUTS_MAX + 1];

	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct model_layer *layer = &model->layers[i];
		uint32_t count = model_layer_operands(layer, operands);

		for (uint32_t k = 0; k < count; k++)
			last_use[operands[k]] = i;
		for (uint32_t k = 0; k < layer->output_count; k++)
			if (layer->outputs[k] != MODEL_NO_TENSOR)
				last_use[layer->outputs[k]] = i;
	}
}

static void release(const struct cpu_run *run, int32_t tensor)
{
	free(run->values[tensor]);
	run->values[tensor] = NULL;
}

static void release_unused(const struct cpu_run *run, uint32_t index,
			   const uint32_t *last_use)
{
	const struct model_layer *layer = &run->model->layers[index];
	int32_t operands[MODEL_INPUTS_MAX + 1];
	uint32_t count = model_layer_operands(layer, operands);

	for (uint32_t i = 0; i < count; i++)
		if (last_use[operands[i]] == index)
			release(run, operands[i]);
	for (uint32_t i = 0; i < layer->output_count; i++)
		if (layer->outputs[i] != MODEL_NO_TENSOR &&
		    last_use[layer->outputs[i]] == index)
			release(run, layer->outputs[i]);
}

static int run_layers(const struct cpu_run *run, const void *const *inputs,
		      void *const *outputs, uint32_t *last_use)
{
	int ret = take_inputs(run, inputs, outputs);

	find_last_uses(run->model, last_use);
	for (uint32_t i = 0; !ret && i < run->model->layer_count; i++) {
		ret = run_layer(run, i, outputs);
		if (ret)
			break;
		release_unused(run, i, last_use);
	}
	return ret;
}

int cpu_model_run(const struct model *model, const struct model_extent *extents,
		  uint32_t batch, const void *const *inputs,
		  void *const *outputs, const struct cpu_observer *observer)
{
	uint32_t *last_use = calloc(model->tensor_count, sizeof(*last_use));
	struct cpu_run run = {
		.model = model,
		.extents = extents,
		.batch = batch,
		.values = calloc(model->tensor_count, sizeof(*run.values)),
		.observer = observer,
	};
	int ret;

	if (last_use && run.values)
		ret = run_layers(&run, inputs, outputs, last_use);
	else
		ret = accel_error(-ENOMEM, "no memory to run the model");
	for (uint32_t i = 0; run.values && i < model->tensor_count; i++)
		free(run.values[i]);
	free(run.values);
	free(last_use);
	return ret;
}
