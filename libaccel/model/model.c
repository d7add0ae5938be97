/* SPDX-License-Identifier: MIT */
#include <model/model.h>

#include <core/error.h>
#include <model/packing.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model *model_create(const char *name)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->name = strdup(name);
	if (!model->name) {
		free(model);
		return NULL;
	}
	return model;
}

static void csr_release(struct model_csr *csr)
{
	free(csr->row_start);
	free(csr->column);
	free(csr->value);
}

static void spmm_release(struct model_spmm *spmm)
{
	csr_release(&spmm->weights);
	free(spmm->weight_scale);
	free(spmm->bias);
	free(spmm->table);
}

static void recurrent_release(struct model_recurrent *recurrent)
{
	csr_release(&recurrent->input_weights);
	csr_release(&recurrent->hidden_weights);
	free(recurrent->input_scale);
	free(recurrent->hidden_scale);
	free(recurrent->input_bias);
	free(recurrent->hidden_bias);
}

void model_layer_release(struct model_layer *layer)
{
	free(layer->name);
	free(layer->activation);
	switch (layer->op) {
	case MODEL_SPMM:
		spmm_release(&layer->spmm);
		break;
	case MODEL_TABLE:
		free(layer->table.entries);
		break;
	case MODEL_LSTM:
	case MODEL_GRU:
		recurrent_release(&layer->recurrent);
		break;
	default:
		break;
	}
}

void model_destroy(struct model *model)
{
	if (!model)
		return;
	for (uint32_t i = 0; i < model->layer_count; i++)
		model_layer_release(&model->layers[i]);
	for (uint32_t i = 0; i < model->tensor_count; i++)
		free(model->tensors[i].name);
	free(model->layers);
	free(model->tensors);
	free(model->inputs);
	free(model->outputs);
	free(model->provenance);
	model_packing_destroy(model->packing);
	free(model->name);
	free(model);
}

/* Room for one element more in an array that grows by powers of two. */
static int reserve(void **array, uint32_t count, uint32_t limit, size_t size)
{
	void *larger;

	if (count >= limit)
		return accel_error(-EINVAL,
				   "a model holds at most %u tensors or layers",
				   limit);
	if (count & (count - 1)) /* room up to the next power of two */
		return 0;
	larger = realloc(*array, (count ? 2 * (size_t)count : 1) * size);
	if (!larger)
		return accel_error(-ENOMEM, "no memory for the model");
	*array = larger;
	return 0;
}

int model_add_tensor(struct model *model, const struct model_tensor *tensor)
{
	int ret = reserve((void **)&model->tensors, model->tensor_count,
			  MODEL_TENSORS_MAX, sizeof(*tensor));

	if (ret)
		return ret;
	model->tensors[model->tensor_count] = *tensor;
	return (int)model->tensor_count++;
}

int model_add_layer(struct model *model, const struct model_layer *layer)
{
	int ret = reserve((void **)&model->layers, model->layer_count,
			  MODEL_LAYERS_MAX, sizeof(*layer));

	if (ret)
		return ret;
	model->layers[model->layer_count] = *layer;
	return (int)model->layer_count++;
}

static int add_port(struct model_port **ports, uint32_t *count,
		    const struct model_port *port)
{
	int ret =
		reserve((void **)ports, *count, MODEL_PORTS_MAX, sizeof(*port));

	if (ret)
		return ret;
	(*ports)[*count] = *port;
	return (int)(*count)++;
}

int model_add_input(struct model *model, const struct model_port *port)
{
	return add_port(&model->inputs, &model->input_count, port);
}

int model_add_output(struct model *model, const struct model_port *port)
{
	return add_port(&model->outputs, &model->output_count, port);
}

uint32_t model_layer_operands(const struct model_layer *layer,
			      int32_t operands[MODEL_INPUTS_MAX + 1])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < layer->input_count; i++)
		if (layer->inputs[i] != MODEL_NO_TENSOR)
			operands[count++] = layer->inputs[i];
	if (layer->op == MODEL_SPMM && layer->spmm.residual != MODEL_NO_TENSOR)
		operands[count++] = layer->spmm.residual;
	return count;
}

int64_t model_csr_nonzeros(const struct model_csr *csr)
{
	return csr->row_start[csr->rows];
}

uint32_t model_gate_count(enum model_op op)
{
	return op == MODEL_LSTM ? 4 : 3;
}

struct golden_quantization
model_table_quantization(const struct model_spmm *spmm)
{
	return spmm->table ? spmm->table_output : spmm->accumulator;
}
