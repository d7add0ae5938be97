/* SPDX-License-Identifier: MIT */
#include <accel/model.h>

#include <errno.h>
#include <stdlib.h>

#include "core/error.h"
#include "model/file.h"
#include "model/file_reader.h"
#include "runtime/object.h"
#include "runtime/port.h"
#include "runtime/sized.h"

struct accel_model *loaded_model_create(void)
{
	struct accel_model *model = calloc(1, sizeof(*model));

	if (model)
		atomic_init(&model->references, 1);
	return model;
}

int accel_model_load(const char *path, struct accel_model **out)
{
	struct accel_model *model;
	int ret;

	if (!path || !out)
		return accel_error(-EINVAL, "accel_model_load: NULL");
	*out = NULL;
	model = loaded_model_create();
	if (!model)
		return accel_error(-ENOMEM, "out of memory");
	ret = model_file_read(path, &model->model);
	if (ret) {
		loaded_model_put(model);
		return ret;
	}
	*out = model;
	return 0;
}

int loaded_model_open(const char *path, struct accel_model **out)
{
	struct model_reader *reader;
	struct accel_model *model;
	int ret = model_reader_open(path, &reader);

	*out = NULL;
	if (ret)
		return accel_error_prefix(ret, "%s", path);
	model = loaded_model_create();
	if (model) {
		model->model = model_reader_take(reader);
		*out = model;
	} else {
		ret = accel_error(-ENOMEM, "out of memory");
	}
	model_reader_close(reader);
	return ret;
}

void loaded_model_get(struct accel_model *model)
{
	atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
}

void loaded_model_put(struct accel_model *model)
{
	if (atomic_fetch_sub_explicit(&model->references, 1,
				      memory_order_acq_rel) != 1)
		return;
	model_destroy(model->model);
	free(model);
}

void accel_model_free(struct accel_model *model)
{
	if (model)
		loaded_model_put(model);
}

static uint64_t csr_positions(const struct model_csr *csr)
{
	return (uint64_t)csr->rows * csr->columns;
}

static void weights_count(const struct model_csr *csr, uint64_t weights,
			  struct accel_model_info *info)
{
	info->weights += weights;
	info->nonzeros += (uint64_t)model_csr_nonzeros(csr);
}

static void layer_count_weights(const struct model_layer *layer,
				struct accel_model_info *info)
{
	switch (layer->op) {
	case MODEL_SPMM:
		/* The phases of a transposed convolution are not all of M × K. */
		weights_count(&layer->spmm.weights,
			      layer->spmm.dense_macs_per_column, info);
		break;
	case MODEL_LSTM:
	case MODEL_GRU:
		weights_count(&layer->recurrent.input_weights,
			      csr_positions(&layer->recurrent.input_weights),
			      info);
		weights_count(&layer->recurrent.hidden_weights,
			      csr_positions(&layer->recurrent.hidden_weights),
			      info);
		break;
	default:
		break;
	}
}

static enum accel_model_kind kind_describe(enum model_kind kind)
{
	switch (kind) {
	case MODEL_KIND_LATENT:
		return ACCEL_MODEL_LATENT;
	case MODEL_KIND_IMAGE:
		return ACCEL_MODEL_IMAGE;
	case MODEL_KIND_SEQUENCE:
		return ACCEL_MODEL_SEQUENCE;
	case MODEL_KIND_GENERIC:
		break;
	}
	return ACCEL_MODEL_GENERIC;
}

int accel_model_get_info(const struct accel_model *model,
			 struct accel_model_info *info)
{
	struct accel_model_info full = { 0 };

	if (!model)
		return accel_error(-EINVAL, "accel_model_get_info: no model");
	full.name = model->model->name;
	full.kind = kind_describe(model->model->kind);
	full.input_count = model->model->input_count;
	full.output_count = model->model->output_count;
	full.layer_count = model->model->layer_count;
	full.dense_bytes = model->model->dense_bytes;
	full.provenance = model->model->provenance;
	for (uint32_t i = 0; i < model->model->layer_count; i++)
		layer_count_weights(&model->model->layers[i], &full);
	return sized_write(info, &full, sizeof(full), "accel_model_info");
}

static int port_get(const struct accel_model *model,
		    const struct model_port *ports, uint32_t count,
		    uint32_t index, struct accel_port_info *info)
{
	struct accel_port_info full = { 0 };
	const struct model_tensor *tensor;
	struct model_extent extent;

	if (index >= count)
		return accel_error(-EINVAL, "model %s: no port %u of %u",
				   model->model->name, index, count);
	tensor = &model->model->tensors[ports[index].tensor];
	extent = (struct model_extent){ tensor->channels, tensor->height,
					tensor->width };
	port_describe(model->model, &ports[index], &extent, 0, &full);
	return sized_write(info, &full, sizeof(full), "accel_port_info");
}

int accel_model_get_input(const struct accel_model *model, uint32_t index,
			  struct accel_port_info *info)
{
	if (!model)
		return accel_error(-EINVAL, "accel_model_get_input: no model");
	return port_get(model, model->model->inputs, model->model->input_count,
			index, info);
}

int accel_model_get_output(const struct accel_model *model, uint32_t index,
			   struct accel_port_info *info)
{
	if (!model)
		return accel_error(-EINVAL, "accel_model_get_output: no model");
	return port_get(model, model->model->outputs,
			model->model->output_count, index, info);
}
