/* SPDX-License-Identifier: MIT */
/* From real numbers to codes: the layers of the model. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compress/lowering.h"
#include "compress/weight_code.h"
#include "compress/weight_vector.h"
#include "core/error.h"

/* Of a bias that is all that a row has: as many as binary32 tells apart. */
#define BIAS_BITS 24

static int no_memory(void)
{
	return accel_error(-ENOMEM, "out of memory for the model");
}

static struct golden_quantization quantization(const struct lowering *lowering,
					       int number)
{
	return lowering->tensors[number].model.quantization;
}

/* ---- tensors ---- */

static int emit_tensor(struct lowering *lowering, int number,
		       struct model *model)
{
	struct lower_tensor *tensor = &lowering->tensors[number];
	const char *name = lowering->graph->tensors[tensor->source].name;
	struct model_tensor copy = tensor->model;
	int length;

	/* Copies with other axes, and halves, share their source's name. */
	if (lowering->views[tensor->source].tensor == number)
		length = asprintf(&copy.name, "%s", name);
	else
		length = asprintf(&copy.name, "%s.%d", name, number);
	if (length < 0)
		return no_memory();
	if (copy.type != MODEL_INT8)
		copy.quantization = (struct golden_quantization){ 1, 0 };
	tensor->index = model_add_tensor(model, &copy);
	if (tensor->index < 0)
		free(copy.name);
	return tensor->index < 0 ? tensor->index : 0;
}

static void set_indices(const struct lowering *lowering, int32_t *tensors,
			uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (tensors[i] != MODEL_NO_TENSOR)
			tensors[i] = lowering->tensors[tensors[i]].index;
}

/* ---- matrices ---- */

/* Where the codes of a matrix go. */
struct coded_matrix {
	struct model_csr *csr;
	float **scale;
	int32_t **bias;
};

static float row_scale(const struct lower_matrix *matrix, uint32_t row,
		       const struct quantize_row *values)
{
	if (matrix->identity)
		return 1;
	if (matrix->row_scale)
		return matrix->row_scale[row];
	return quantize_row_scale(values);
}

/* @coder: NULL for plain int8 */
static int code_row(const struct lower_matrix *matrix, uint32_t row,
		    float input_scale, const struct weight_coder *coder,
		    int8_t *codes, float *scale)
{
	int64_t first = matrix->row_start[row];
	struct quantize_row values = {
		.weights = matrix->value + first,
		.count = (size_t)(matrix->row_start[row + 1] - first),
		.bias = matrix->bias[row],
		.input_scale = input_scale,
	};

	if (coder)
		return weight_coder_row(coder, &values, matrix->column + first,
					codes + first, scale);
	*scale = row_scale(matrix, row, &values);
	for (size_t i = 0; i < values.count; i++)
		codes[(size_t)first + i] =
			quantize_weight(values.weights[i], *scale);
	return 0;
}

/* What the row's weights lose by rounding, on average, goes into its bias. */
static float corrected_bias(const struct lower_matrix *matrix, uint32_t row,
			    const struct channel_mean *mean,
			    const int8_t *codes, float scale)
{
	double lost = 0;
	int64_t taps;

	if (!mean)
		return matrix->bias[row];
	taps = matrix->columns / mean->channels;
	for (int64_t i = matrix->row_start[row]; i < matrix->row_start[row + 1];
	     i++)
		lost += ((double)matrix->value[i] - (double)scale * codes[i]) *
			mean->mean[matrix->column[i] / taps];
	return (float)((double)matrix->bias[row] + lost);
}

static bool row_is_empty(const struct lower_matrix *matrix, uint32_t row)
{
	return matrix->row_start[row] == matrix->row_start[row + 1];
}

/*
 * A row without weights is its bias alone, and any scale will do: that of the row before
 * makes it as exact as that row's, and costs a packed file nothing.
 */
static void share_scales(const struct lower_matrix *matrix, float input_scale,
			 const struct coded_matrix *out)
{
	float *scale = *out->scale;

	for (uint32_t r = 1; r < matrix->rows; r++) {
		double reach = ldexp((double)input_scale * (double)scale[r - 1],
				     BIAS_BITS);

		if (!row_is_empty(matrix, r) ||
		    !(fabs((double)matrix->bias[r]) < reach))
			continue;
		scale[r] = scale[r - 1];
		(*out->bias)[r] =
			golden_bias(matrix->bias[r], input_scale, scale[r]);
	}
}

static int code_rows(const struct lower_matrix *matrix, float input_scale,
		     const struct channel_mean *mean,
		     const struct coded_matrix *out)
{
	struct weight_coder coder, *own = NULL;
	int8_t *codes = out->csr->value;
	int ret = 0;

	if (matrix->format && !matrix->identity && !matrix->row_scale &&
	    !weight_format_is_plain(matrix->format)) {
		own = &coder;
		ret = weight_coder_create(
			own, matrix->format, matrix->value,
			(size_t)matrix->row_start[matrix->rows]);
		if (!ret && matrix->format->vector)
			ret = weight_vectors_learn(own, matrix->value,
						   matrix->row_start,
						   matrix->rows);
	}
	for (uint32_t r = 0; r < matrix->rows && !ret; r++) {
		float *scale = &(*out->scale)[r];

		ret = code_row(matrix, r, input_scale, own, codes, scale);
		if (!ret)
			(*out->bias)[r] = golden_bias(
				corrected_bias(matrix, r, mean, codes, *scale),
				input_scale, *scale);
	}
	if (!ret && !matrix->identity && !matrix->row_scale)
		share_scales(matrix, input_scale, out);
	return ret;
}

/* The structure of the matrix moves over; its values are rounded. */
static int emit_matrix(struct lower_matrix *matrix, float input_scale,
		       const struct channel_mean *mean,
		       const struct coded_matrix *out)
{
	struct model_csr *csr = out->csr;
	int64_t count = matrix->row_start[matrix->rows];
	int ret;

	*out->scale = malloc(((size_t)matrix->rows + 1) * sizeof(**out->scale));
	*out->bias = malloc(((size_t)matrix->rows + 1) * sizeof(**out->bias));
	csr->value = malloc((size_t)count + 1);
	if (!*out->scale || !*out->bias || !csr->value)
		return no_memory();
	ret = code_rows(matrix, input_scale, mean, out);
	if (ret)
		return ret;
	/* They are the model's now. */
	csr->rows = matrix->rows;
	csr->columns = matrix->columns;
	csr->row_start = matrix->row_start;
	csr->column = matrix->column;
	matrix->row_start = NULL;
	matrix->column = NULL;
	return 0;
}

/* ---- tables ---- */

/* Does saturation at the ends of the codes do what the clamp would? */
static bool saturation_clamps(struct golden_quantization q, float low,
			      float high)
{
	return golden_quantize(low, q) == INT8_MIN &&
	       golden_quantize(high, q) == INT8_MAX;
}

static int8_t *make_table(const struct function_chain *function,
			  struct golden_quantization input,
			  struct golden_quantization output)
{
	size_t channels = function_channels(function);
	int8_t *table = malloc(channels * GOLDEN_TABLE_SIZE);

	for (size_t c = 0; table && c < channels; c++)
		function_table(function, c, input, output,
			       table + c * GOLDEN_TABLE_SIZE);
	return table;
}

static int set_spmm_table(struct model_layer *layer,
			  const struct function_chain *function,
			  struct golden_quantization result)
{
	struct model_spmm *spmm = &layer->spmm;

	spmm->table = make_table(function, spmm->accumulator, result);
	spmm->table_per_row = function_channels(function) > 1;
	spmm->table_output = result;
	layer->activation = function_text(function);
	return spmm->table && layer->activation ? 0 : no_memory();
}

static int emit_epilogue(const struct lowering *lowering,
			 struct lower_layer *layer)
{
	struct model_spmm *spmm = &layer->model.spmm;
	int last = layer->after != LOWER_NONE ? layer->after :
						layer->model.outputs[0];
	struct golden_quantization result = quantization(lowering, last);
	float low, high;

	/*
	 * A table looks up codes of its own input's range. A clamp needs none if the
	 * result's codes end where it does.
	 */
	spmm->accumulator = result;
	if (layer->before != LOWER_NONE) {
		spmm->accumulator = quantization(lowering, layer->before);
		return set_spmm_table(&layer->model, &layer->function, result);
	}
	function_clamp(&layer->function, &low, &high);
	if (saturation_clamps(result, low, high))
		return 0;
	return set_spmm_table(&layer->model, &layer->function, result);
}

/* ---- layers ---- */

static int emit_spmm(struct lowering *lowering, struct lower_layer *layer)
{
	struct model_spmm *spmm = &layer->model.spmm;
	int input = layer->model.inputs[0];
	const struct lower_tensor *output =
		&lowering->tensors[layer->model.outputs[0]];
	struct coded_matrix coded = { &spmm->weights, &spmm->weight_scale,
				      &spmm->bias };
	int ret;

	spmm->dense_macs_per_column = layer->matrix.dense_macs;
	ret = emit_matrix(&layer->matrix, quantization(lowering, input).scale,
			  layer->input_mean, &coded);
	if (ret)
		return ret;
	if (output->model.type == MODEL_INT8)
		ret = emit_epilogue(lowering, layer);
	else
		spmm->accumulator = (struct golden_quantization){ 1, 0 };
	if (spmm->residual != MODEL_NO_TENSOR)
		spmm->residual = lowering->tensors[spmm->residual].index;
	return ret;
}

static int emit_recurrent(struct lowering *lowering, struct lower_layer *layer)
{
	struct model_recurrent *recurrent = &layer->model.recurrent;
	struct coded_matrix input = { &recurrent->input_weights,
				      &recurrent->input_scale,
				      &recurrent->input_bias };
	struct coded_matrix hidden = { &recurrent->hidden_weights,
				       &recurrent->hidden_scale,
				       &recurrent->hidden_bias };
	int ret;

	recurrent->hidden_quantization =
		quantization(lowering, layer->model.outputs[0]);
	ret = emit_matrix(&layer->matrix,
			  quantization(lowering, layer->model.inputs[0]).scale,
			  layer->input_mean, &input);
	if (ret)
		return ret;
	return emit_matrix(&layer->hidden, recurrent->hidden_quantization.scale,
			   layer->hidden_mean, &hidden);
}

static int emit_table(const struct lowering *lowering,
		      struct lower_layer *layer)
{
	struct model_table *table = &layer->model.table;

	table->entries =
		make_table(&layer->function,
			   quantization(lowering, layer->model.inputs[0]),
			   quantization(lowering, layer->model.outputs[0]));
	table->per_channel = function_channels(&layer->function) > 1;
	layer->model.activation = function_text(&layer->function);
	return table->entries && layer->model.activation ? 0 : no_memory();
}

/* Insert a table after the layer where saturation is not the clamp. */
static int emit_clamp(struct model *model, struct model_layer *layer,
		      const struct function_chain *clamp, int32_t output)
{
	const struct model_tensor *last = &model->tensors[output];
	struct golden_quantization q = last->quantization;
	struct model_tensor before = *last;
	struct model_layer table = {
		.op = MODEL_TABLE,
		.input_count = 1,
		.outputs = { output },
		.output_count = 1,
	};
	int index;

	if (asprintf(&before.name, "%s.unclamped", last->name) < 0)
		return no_memory();
	index = model_add_tensor(model, &before);
	if (index < 0)
		return index;
	layer->outputs[0] = index;
	table.inputs[0] = index;
	table.table.entries = make_table(clamp, q, q);
	table.activation = function_text(clamp);
	if (asprintf(&table.name, "%s.clamp", layer->name) < 0 ||
	    !table.table.entries || !table.activation)
		return no_memory();
	index = model_add_layer(model, layer);
	return index < 0 ? index : model_add_layer(model, &table);
}

static int emit_numbers(struct lowering *lowering, struct lower_layer *layer)
{
	switch (layer->model.op) {
	case MODEL_SPMM:
		return emit_spmm(lowering, layer);
	case MODEL_LSTM:
	case MODEL_GRU:
		return emit_recurrent(lowering, layer);
	case MODEL_TABLE:
		return emit_table(lowering, layer);
	default:
		return 0;
	}
}

/* Names of layers are unique in a model, those of nodes need not be. */
static int unique_name(const struct model *model, struct model_layer *layer,
		       int number)
{
	char *name;

	for (uint32_t i = 0; i < model->layer_count; i++) {
		if (strcmp(model->layers[i].name, layer->name))
			continue;
		if (asprintf(&name, "%s.%d", layer->name, number) < 0)
			return no_memory();
		free(layer->name);
		layer->name = name;
		return 0;
	}
	return 0;
}

static int emit_layer(struct lowering *lowering, int number,
		      struct model *model)
{
	struct lower_layer *layer = &lowering->layers[number];
	int32_t output = layer->model.outputs[0];
	struct golden_quantization q =
		output == MODEL_NO_TENSOR ?
			(struct golden_quantization){ 1, 0 } :
			quantization(lowering, output);
	float low, high;
	int ret = unique_name(model, &layer->model, number);

	if (!ret)
		ret = emit_numbers(lowering, layer);
	if (ret)
		return ret;
	set_indices(lowering, layer->model.inputs, layer->model.input_count);
	set_indices(lowering, layer->model.outputs, layer->model.output_count);
	function_clamp(&layer->clamp, &low, &high);
	if (saturation_clamps(q, low, high))
		ret = model_add_layer(model, &layer->model);
	else
		ret = emit_clamp(model, &layer->model, &layer->clamp,
				 layer->model.outputs[0]);
	/* What it owns is the model's now. */
	if (ret >= 0)
		layer->model.name = NULL;
	return ret < 0 ? ret : 0;
}

int lower_emit(struct lowering *lowering, struct model *model)
{
	int ret = 0;

	for (int i = 0; !ret && i < lowering->tensor_count; i++)
		if (!lowering->tensors[i].stage)
			ret = emit_tensor(lowering, i, model);
	for (int i = 0; !ret && i < lowering->layer_count; i++)
		ret = emit_layer(lowering, i, model);
	return ret;
}
