/* SPDX-License-Identifier: MIT */
#include <model/validate_layer.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Sorted, since a hostile file may have very many. */
static int check_names(const char **names, uint32_t count, const char *what)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!names[i] || !*names[i])
			return accel_error(-EINVAL, "a %s has no name", what);
		if (strlen(names[i]) > MODEL_NAME_MAX)
			return accel_error(
				-EINVAL, "a %s's name is longer than %d bytes",
				what, MODEL_NAME_MAX);
	}
	qsort(names, count, sizeof(*names), compare_names);
	for (uint32_t i = 1; i < count; i++)
		if (!strcmp(names[i - 1], names[i]))
			return accel_error(-EINVAL, "two %ss are named '%s'",
					   what, names[i]);
	return 0;
}

static int check_all_names(const struct model *model)
{
	uint32_t most = model->tensor_count > model->layer_count ?
				model->tensor_count :
				model->layer_count;
	const char **names = calloc((size_t)most + 1, sizeof(*names));
	int ret;

	if (!names)
		return accel_error(-ENOMEM, "no memory to check the model");
	for (uint32_t i = 0; i < model->tensor_count; i++)
		names[i] = model->tensors[i].name;
	ret = check_names(names, model->tensor_count, "tensor");
	for (uint32_t i = 0; i < model->layer_count; i++)
		names[i] = model->layers[i].name;
	if (!ret)
		ret = check_names(names, model->layer_count, "layer");
	free(names);
	return ret;
}

int model_validate_quantization(struct golden_quantization quantization,
				const char *what)
{
	if (!isfinite(quantization.scale) || quantization.scale <= 0)
		return accel_error(
			-EINVAL, "%s: the scale %g is not finite and positive",
			what, (double)quantization.scale);
	if (quantization.zero < -128 || quantization.zero > 127)
		return accel_error(-EINVAL, "%s: the zero point %d is no int8",
				   what, quantization.zero);
	return 0;
}

static int check_tensor(const struct model_tensor *tensor)
{
	if (tensor->type != MODEL_INT8 && tensor->type != MODEL_INT32 &&
	    tensor->type != MODEL_FLOAT32)
		return accel_error(-EINVAL, "tensor '%s': unknown type %d",
				   tensor->name, tensor->type);
	if (tensor->channels < 1 || tensor->channels > MODEL_DIMENSION_MAX ||
	    tensor->height > MODEL_DIMENSION_MAX ||
	    tensor->width > MODEL_DIMENSION_MAX)
		return accel_error(
			-EINVAL,
			"tensor '%s': %u × %u × %u values; a dimension is 1 to %u",
			tensor->name, tensor->channels, tensor->height,
			tensor->width, MODEL_DIMENSION_MAX);
	if (tensor->type != MODEL_INT8)
		return 0;
	return model_validate_quantization(tensor->quantization, tensor->name);
}

static int check_port(const struct model *model, const struct model_port *port,
		      const char *what)
{
	if (port->tensor < 0 || (uint32_t)port->tensor >= model->tensor_count)
		return accel_error(-EINVAL, "an %s is tensor %d of %u", what,
				   port->tensor, model->tensor_count);
	if ((unsigned int)port->layout > MODEL_LAYOUT_NTF)
		return accel_error(-EINVAL, "%s '%s': unknown layout %d", what,
				   model->tensors[port->tensor].name,
				   port->layout);
	if (!isfinite(port->range_low) || !isfinite(port->range_high) ||
	    port->range_low > port->range_high)
		return accel_error(-EINVAL, "%s '%s': no range of values", what,
				   model->tensors[port->tensor].name);
	return 0;
}

/* Marks the inputs as ready for the layers. */
static int check_ports(const struct model *model, bool *ready)
{
	int ret = 0;

	if (!model->input_count || !model->output_count)
		return accel_error(-EINVAL,
				   "a model has at least one input and output");
	for (uint32_t i = 0; !ret && i < model->output_count; i++)
		ret = check_port(model, &model->outputs[i], "output");
	for (uint32_t i = 0; !ret && i < model->input_count; i++) {
		const struct model_port *port = &model->inputs[i];

		ret = check_port(model, port, "input");
		if (ret)
			break;
		if (ready[port->tensor])
			return accel_error(-EINVAL, "'%s' is an input twice",
					   model->tensors[port->tensor].name);
		ready[port->tensor] = true;
	}
	return ret;
}

/* Omitted tensors are those of recurrent layers: states, and any output. */
static bool may_omit(const struct model_layer *layer, bool output,
		     uint32_t index)
{
	if (layer->op != MODEL_LSTM && layer->op != MODEL_GRU)
		return false;
	return output || index > 0;
}

static int check_index(const struct model *model,
		       const struct model_layer *layer, bool output,
		       uint32_t index)
{
	int32_t tensor = output ? layer->outputs[index] : layer->inputs[index];

	if (tensor == MODEL_NO_TENSOR && may_omit(layer, output, index))
		return 0;
	if (tensor < 0 || (uint32_t)tensor >= model->tensor_count)
		return accel_error(-EINVAL, "%s %u is tensor %d of %u",
				   output ? "output" : "input", index, tensor,
				   model->tensor_count);
	return 0;
}

static int check_operands(const struct model *model,
			  const struct model_layer *layer)
{
	int ret = 0;

	if (layer->input_count < 1 || layer->input_count > MODEL_INPUTS_MAX ||
	    layer->output_count < 1 || layer->output_count > MODEL_OUTPUTS_MAX)
		return accel_error(-EINVAL, "%u inputs and %u outputs",
				   layer->input_count, layer->output_count);
	for (uint32_t i = 0; !ret && i < layer->input_count; i++)
		ret = check_index(model, layer, false, i);
	for (uint32_t i = 0; !ret && i < layer->output_count; i++)
		ret = check_index(model, layer, true, i);
	if (!ret && layer->op == MODEL_SPMM &&
	    layer->spmm.residual != MODEL_NO_TENSOR &&
	    (layer->spmm.residual < 0 ||
	     (uint32_t)layer->spmm.residual >= model->tensor_count))
		return accel_error(-EINVAL, "the residual is tensor %d of %u",
				   layer->spmm.residual, model->tensor_count);
	return ret;
}

/* Layers come in the order of execution, so a cycle reads what is not there. */
static int check_order(const struct model *model,
		       const struct model_layer *layer, bool *ready)
{
	int32_t operands[MODEL_INPUTS_MAX + 1];
	uint32_t count = model_layer_operands(layer, operands);

	for (uint32_t i = 0; i < count; i++)
		if (!ready[operands[i]])
			return accel_error(
				-EINVAL,
				"it reads '%s' before a layer makes it",
				model->tensors[operands[i]].name);
	for (uint32_t i = 0; i < layer->output_count; i++) {
		int32_t tensor = layer->outputs[i];

		if (tensor == MODEL_NO_TENSOR)
			continue;
		if (ready[tensor])
			return accel_error(-EINVAL, "'%s' is made twice",
					   model->tensors[tensor].name);
		ready[tensor] = true;
	}
	return 0;
}

/*
 * Indices first, since everything after uses them; a tensor that nothing makes would
 * have no size.
 */
static int check_layers(const struct model *model, bool *ready)
{
	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct model_layer *layer = &model->layers[i];
		int ret = check_operands(model, layer);

		if (!ret)
			ret = model_validate_layer(model, layer);
		if (!ret)
			ret = check_order(model, layer, ready);
		if (ret)
			return accel_error_prefix(ret, "layer '%s'",
						  layer->name);
	}
	for (uint32_t i = 0; i < model->tensor_count; i++)
		if (!ready[i])
			return accel_error(-EINVAL, "nothing makes '%s'",
					   model->tensors[i].name);
	return 0;
}

int model_validate(const struct model *model)
{
	bool *ready;
	int ret;

	if (!model->name || (unsigned int)model->kind > MODEL_KIND_SEQUENCE)
		return accel_error(-EINVAL, "the model has no name or kind");
	ret = check_all_names(model);
	for (uint32_t i = 0; !ret && i < model->tensor_count; i++)
		ret = check_tensor(&model->tensors[i]);
	if (ret)
		return ret;
	ready = calloc((size_t)model->tensor_count + 1, sizeof(*ready));
	if (!ready)
		return accel_error(-ENOMEM, "no memory to check the model");
	ret = check_ports(model, ready);
	if (!ret)
		ret = check_layers(model, ready);
	free(ready);
	return ret;
}
