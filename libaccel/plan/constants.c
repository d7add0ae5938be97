/* SPDX-License-Identifier: MIT */
#include "plan/constants.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/checked.h"
#include "core/error.h"
#include "core/integer.h"
#include "golden/arithmetic.h"
#include "golden/table.h"
#include "pack/mapping.h"
#include "pack/stream.h"
#include "plan/gate_rows.h"

#define CAPACITY_FIRST 65536

static int reserve(struct plan_constants *constants, size_t end)
{
	size_t capacity = constants->capacity ? constants->capacity :
						CAPACITY_FIRST;
	uint8_t *bytes;

	if (end <= constants->capacity)
		return 0;
	while (capacity < end)
		if (!checked_multiply(capacity, 2, &capacity))
			return accel_error(-ENOMEM, "weights too large");
	bytes = realloc(constants->bytes, capacity);
	if (!bytes)
		return accel_error(-ENOMEM,
				   "out of memory for %zu weight bytes",
				   capacity);
	memset(bytes + constants->capacity, 0, capacity - constants->capacity);
	constants->bytes = bytes;
	constants->capacity = capacity;
	return 0;
}

/* Room for length bytes; *offset is aligned. */
static int append(struct plan_constants *constants, size_t length,
		  uint64_t *offset)
{
	size_t start, end;
	int ret;

	if (!checked_align(constants->length, PLAN_CONSTANTS_ALIGNMENT,
			   &start) ||
	    !checked_add(start, length, &end))
		return accel_error(-ENOMEM, "weights too large");
	ret = reserve(constants, end);
	if (ret)
		return ret;
	constants->length = end;
	*offset = start;
	return 0;
}

static int append_bytes(struct plan_constants *constants, const void *bytes,
			size_t length, uint64_t *offset)
{
	int ret = append(constants, length, offset);

	if (!ret && length)
		memcpy(constants->bytes + *offset, bytes, length);
	return ret;
}

static void put_float(uint8_t *at, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bits = htole32(bits);
	memcpy(at, &bits, sizeof(bits));
}

static int append_biases(struct plan_constants *constants, const int32_t *bias,
			 uint32_t rows, uint64_t *offset)
{
	int ret = append(constants, (size_t)rows * sizeof(*bias), offset);

	for (uint32_t i = 0; i < rows && !ret; i++) {
		uint32_t bits = htole32((uint32_t)bias[i]);

		memcpy(constants->bytes + *offset + i * sizeof(bits), &bits,
		       sizeof(bits));
	}
	return ret;
}

/* One scale for each row: output 0 gives fl(sx·sw), else fl(fl(sx·sw) / sy). */
static int append_scales(struct plan_constants *constants, float input,
			 const float *weight, float output, uint32_t rows,
			 uint64_t *offset)
{
	int ret = append(constants, (size_t)rows * sizeof(float), offset);

	for (uint32_t i = 0; i < rows && !ret; i++)
		put_float(constants->bytes + *offset + i * sizeof(float),
			  output ? golden_output_scale(input, weight[i],
						       output) :
				   input * weight[i]);
	return ret;
}

static int append_stream(struct plan_constants *constants,
			 const struct geometry *geometry,
			 const struct model_csr *csr, uint64_t columns,
			 uint32_t kernel_width, uint32_t row_weight,
			 struct plan_matrix *matrix)
{
	struct mapping_layer layer = {
		.rows = csr->rows,
		.inner = csr->columns,
		.columns = columns,
		.nonzeros = (uint64_t)model_csr_nonzeros(csr),
		.kernel_width = kernel_width,
	};
	struct mapping mapping = mapping_choose(geometry, &layer);
	struct stream stream;
	int ret =
		stream_pack_rows(csr, geometry, &mapping, row_weight, &stream);

	if (ret)
		return ret;
	ret = append_bytes(constants, stream.bytes, stream.length,
			   &matrix->weights);
	matrix->weights_length = stream.length;
	matrix->nonzeros = stream.nonzeros;
	matrix->issue_cycles = stream.issue_cycles;
	matrix->optimal_cycles = stream.optimal_cycles;
	stream_free(&stream);
	return ret;
}

static float scale_of_output(const struct model *model,
			     const struct model_layer *layer)
{
	const struct model_tensor *output = &model->tensors[layer->outputs[0]];

	return output->type == MODEL_INT8 ? layer->spmm.accumulator.scale : 0;
}

static int
spmm_append(const struct model *model, const struct plan_shape *shape,
	    const struct geometry *geometry, const struct model_layer *layer,
	    struct plan_constants *constants, struct plan_layer_constants *out)
{
	const struct model_spmm *spmm = &layer->spmm;
	const struct model_tensor *input = &model->tensors[layer->inputs[0]];
	uint32_t rows = spmm->weights.rows;
	struct model_grid grid;
	int ret =
		model_spmm_grid(spmm, &shape->extents[layer->inputs[0]], &grid);

	if (!ret)
		ret = append_stream(constants, geometry, &spmm->weights,
				    (uint64_t)grid.height * grid.width *
					    shape->batch,
				    spmm->window.kernel_width, 0, &out->matrix);
	if (!ret)
		ret = append_scales(constants, input->quantization.scale,
				    spmm->weight_scale,
				    scale_of_output(model, layer), rows,
				    &out->matrix.scales);
	if (!ret)
		ret = append_biases(constants, spmm->bias, rows,
				    &out->matrix.biases);
	if (!ret && spmm->table)
		ret = append_bytes(constants, spmm->table,
				   GOLDEN_TABLE_SIZE * (spmm->table_per_row ?
								(size_t)rows :
								1),
				   &out->tables);
	return ret;
}

static int recurrent_matrix_append(const struct geometry *geometry,
				   const struct gate_rows *gates,
				   uint64_t columns, uint32_t row_weight,
				   float scale,
				   struct plan_constants *constants,
				   struct plan_matrix *matrix)
{
	const struct model_csr *csr = &gates->csr;
	int ret = append_stream(constants, geometry, csr, columns, 1,
				row_weight, matrix);

	if (!ret)
		ret = append_scales(constants, scale, gates->scale, 0,
				    csr->rows, &matrix->scales);
	if (!ret)
		ret = append_biases(constants, gates->bias, csr->rows,
				    &matrix->biases);
	return ret;
}

/*
 * In every step a row of the state's matrix also brings its sums of the input through
 * the port, and takes a turn of the epilogue, half of which passes while the lanes work:
 * in weights that a cluster could issue meanwhile.
 */
static uint32_t state_row_weight(const struct geometry *geometry,
				 uint32_t batch)
{
	uint64_t values = min_u64(batch, geometry->vector_width);
	uint64_t rate = geometry->decoder_rate;
	uint64_t port = max_u64(geometry->sram_port_bytes, 1);

	return (uint32_t)(rate * values * sizeof(int32_t) / port +
			  rate / max_u64(2ull * geometry->epilogue_rate, 1));
}

/* The input's part is computed for all steps at once. */
static int recurrent_input_append(const struct model *model,
				  const struct plan_shape *shape,
				  const struct geometry *geometry,
				  const struct model_layer *layer,
				  struct plan_constants *constants,
				  struct plan_matrix *matrix)
{
	const struct model_recurrent *recurrent = &layer->recurrent;
	const struct model_tensor *input = &model->tensors[layer->inputs[0]];
	uint64_t steps = shape->extents[layer->inputs[0]].height;
	struct gate_rows gates;
	int ret = gate_rows_create(&recurrent->input_weights,
				   recurrent->input_scale,
				   recurrent->input_bias, recurrent->hidden,
				   &gates);

	if (ret)
		return ret;
	ret = recurrent_matrix_append(geometry, &gates, steps * shape->batch, 0,
				      input->quantization.scale, constants,
				      matrix);
	gate_rows_free(&gates);
	return ret;
}

/* A step needs the state of the one before: N is the batch. */
static int recurrent_state_append(const struct plan_shape *shape,
				  const struct geometry *geometry,
				  const struct model_recurrent *recurrent,
				  struct plan_constants *constants,
				  struct plan_matrix *matrix)
{
	struct gate_rows gates;
	int ret = gate_rows_create(&recurrent->hidden_weights,
				   recurrent->hidden_scale,
				   recurrent->hidden_bias, recurrent->hidden,
				   &gates);

	if (ret)
		return ret;
	ret = recurrent_matrix_append(geometry, &gates, shape->batch,
				      state_row_weight(geometry, shape->batch),
				      recurrent->hidden_quantization.scale,
				      constants, matrix);
	gate_rows_free(&gates);
	return ret;
}

static int recurrent_append(const struct model *model,
			    const struct plan_shape *shape,
			    const struct geometry *geometry,
			    const struct model_layer *layer,
			    struct plan_constants *constants,
			    struct plan_layer_constants *out)
{
	int ret = recurrent_input_append(model, shape, geometry, layer,
					 constants, &out->matrix);

	if (ret)
		return ret;
	return recurrent_state_append(shape, geometry, &layer->recurrent,
				      constants, &out->hidden);
}

static int
layer_append(const struct model *model, const struct plan_shape *shape,
	     const struct geometry *geometry, const struct model_layer *layer,
	     struct plan_constants *constants, struct plan_layer_constants *out)
{
	size_t tables;

	switch (layer->op) {
	case MODEL_SPMM:
		return spmm_append(model, shape, geometry, layer, constants,
				   out);
	case MODEL_LSTM:
	case MODEL_GRU:
		return recurrent_append(model, shape, geometry, layer,
					constants, out);
	case MODEL_TABLE:
		tables = layer->table.per_channel ?
				 shape->extents[layer->inputs[0]].channels :
				 1;
		return append_bytes(constants, layer->table.entries,
				    GOLDEN_TABLE_SIZE * tables, &out->tables);
	default:
		return 0;
	}
}

int plan_constants_create(const struct model *model,
			  const struct plan_shape *shape,
			  const struct geometry *geometry,
			  struct plan_constants *constants)
{
	memset(constants, 0, sizeof(*constants));
	constants->layers = calloc((size_t)model->layer_count + 1,
				   sizeof(*constants->layers));
	if (!constants->layers)
		return accel_error(-ENOMEM, "out of memory");
	for (uint32_t i = 0; i < model->layer_count; i++) {
		int ret = layer_append(model, shape, geometry,
				       &model->layers[i], constants,
				       &constants->layers[i]);

		if (ret)
			return accel_error_prefix(ret, "%s",
						  model->layers[i].name);
	}
	return 0;
}

void plan_constants_free(struct plan_constants *constants)
{
	free(constants->bytes);
	free(constants->layers);
	memset(constants, 0, sizeof(*constants));
}
