/* SPDX-License-Identifier: MIT */
/*
 * Every tensor of the model is, in the ONNX graph, QuantizeLinear followed by
 * DequantizeLinear, and every operation is one on real values in between: the QDQ
 * form, which runtimes turn into integer kernels and anybody can read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compress/export_onnx.h"
#include "compress/onnx_exporter.h"
#include "core/error.h"

/* ---- values ---- */

const char *export_zero(const struct onnx_builder *builder, int32_t zero)
{
	return onnx_scalar_uint8(builder, (uint8_t)(zero + 128));
}

const char *export_round(struct exporter *exporter, const char *real,
			 struct golden_quantization q)
{
	struct onnx_builder *builder = &exporter->builder;
	const char *scale = onnx_scalar_float(builder, q.scale);
	const char *zero = export_zero(builder, q.zero);
	const char *codes = onnx_name(builder, "codes");
	const char *result = onnx_name(builder, "real");

	ONNX_NODE(builder, "QuantizeLinear", codes, real, scale, zero);
	ONNX_NODE(builder, "DequantizeLinear", result, codes, scale, zero);
	return result;
}

void export_result(struct exporter *exporter, int32_t number, const char *real)
{
	const struct model_tensor *tensor = &exporter->model->tensors[number];
	struct onnx_builder *builder = &exporter->builder;
	struct export_value *value = &exporter->values[number];
	const char *scale, *zero;

	value->real = real;
	if (tensor->type != MODEL_INT8)
		return;
	scale = onnx_scalar_float(builder, tensor->quantization.scale);
	zero = export_zero(builder, tensor->quantization.zero);
	value->codes = onnx_name(builder, tensor->name);
	value->real = onnx_name(builder, tensor->name);
	ONNX_NODE(builder, "QuantizeLinear", value->codes, real, scale, zero);
	ONNX_NODE(builder, "DequantizeLinear", value->real, value->codes, scale,
		  zero);
}

static const char *transpose(struct onnx_builder *builder, const char *x,
			     size_t rank, const int64_t *order)
{
	const char *y = onnx_name(builder, "transposed");

	onnx_ints(builder, ONNX_NODE(builder, "Transpose", y, x), "perm", rank,
		  order);
	return y;
}

static const char *with_axes(struct onnx_builder *builder, const char *op,
			     const char *x, size_t count, const int64_t *axes)
{
	const char *y = onnx_name(builder, "reshaped");

	ONNX_NODE(builder, op, y, x, onnx_vector_i64(builder, count, axes));
	return y;
}

/* Change the form of real values. */
static const char *convert(struct exporter *exporter, const char *real,
			   enum export_form from, enum export_form to)
{
	static const int64_t columns[1] = { 3 }, pixel[2] = { 2, 3 };
	static const int64_t steps[1] = { 0 };
	static const int64_t to_image[4] = { 1, 2, 0, 3 };
	static const int64_t to_sequence[4] = { 2, 0, 1, 3 };
	struct onnx_builder *builder = &exporter->builder;

	if (from == to)
		return real;
	/* A matrix is a sequence of one step. */
	if (from == EXPORT_MATRIX && to == EXPORT_SEQUENCE)
		return with_axes(builder, "Unsqueeze", real, 1, steps);
	if (from == EXPORT_SEQUENCE && to == EXPORT_MATRIX)
		return with_axes(builder, "Squeeze", real, 1, steps);
	if (from == EXPORT_MATRIX)
		real = with_axes(builder, "Unsqueeze", real, 2, pixel);
	if (from == EXPORT_SEQUENCE)
		real = transpose(builder,
				 with_axes(builder, "Unsqueeze", real, 1,
					   columns),
				 4, to_image);
	if (to == EXPORT_MATRIX)
		real = with_axes(builder, "Squeeze", real, 2, pixel);
	if (to == EXPORT_SEQUENCE)
		real = with_axes(builder, "Squeeze",
				 transpose(builder, real, 4, to_sequence), 1,
				 columns);
	return real;
}

const char *export_operand(struct exporter *exporter, int32_t number,
			   enum export_form form)
{
	const struct export_value *value = &exporter->values[number];
	const char *real = convert(exporter, value->real, value->form, form);

	if (real == value->real)
		return real;
	return export_round(exporter, real,
			    exporter->model->tensors[number].quantization);
}

const char *export_weights(struct exporter *exporter, size_t rank,
			   const int64_t *dims, const int8_t *codes,
			   const float *scale)
{
	struct onnx_builder *builder = &exporter->builder;
	size_t rows = (size_t)dims[0], count = 1;
	int8_t *zeros = calloc(rows + 1, 1);
	const char *result = onnx_name(builder, "weights");
	struct onnx_values values = { ONNX_TYPE(INT8), rank, dims, codes, 0 };
	const char *data, *scales;

	for (size_t i = 0; i < rank; i++)
		count *= (size_t)dims[i];
	values.size = count;
	data = onnx_constant(builder, "weight_codes", &values);
	values = (struct onnx_values){ ONNX_TYPE(FLOAT), 1, dims, scale,
				       rows * sizeof(*scale) };
	scales = onnx_constant(builder, "weight_scale", &values);
	values = (struct onnx_values){ ONNX_TYPE(INT8), 1, dims, zeros,
				       zeros ? rows : 0 };
	onnx_int(builder,
		 ONNX_NODE(builder, "DequantizeLinear", result, data, scales,
			   onnx_constant(builder, "weight_zero", &values)),
		 "axis", 0);
	free(zeros);
	return result;
}

int8_t *export_dense(const struct model_csr *csr)
{
	int8_t *codes = calloc((size_t)csr->rows * csr->columns + 1, 1);

	for (size_t r = 0; codes && r < csr->rows; r++)
		for (int64_t i = csr->row_start[r]; i < csr->row_start[r + 1];
		     i++)
			codes[r * csr->columns + (size_t)csr->column[i]] =
				csr->value[i];
	return codes;
}

/* ---- forms ---- */

static bool is_point(const struct model_spmm *spmm)
{
	const struct model_window *window = &spmm->window;

	return !window->last_row && window->kernel_height == 1 &&
	       window->kernel_width == 1 && window->stride_height == 1 &&
	       window->stride_width == 1 && !window->pad_top &&
	       !window->pad_left && !window->pad_bottom && !window->pad_right &&
	       spmm->shuffle_height == 1 && spmm->shuffle_width == 1 &&
	       spmm->replicate_height == 1 && spmm->replicate_width == 1;
}

/* Gemm instead of Conv where there are no pixels is what people expect to see. */
static enum export_form result_form(const struct model *model,
				    const struct model_layer *layer,
				    enum export_form input)
{
	const struct model_tensor *x = &model->tensors[layer->inputs[0]];

	switch (layer->op) {
	case MODEL_SPMM:
		if (!is_point(&layer->spmm))
			return EXPORT_IMAGE;
		return x->height == 1 && x->width == 1 ? EXPORT_MATRIX : input;
	case MODEL_RESHAPE:
		return layer->reshape.height == 1 && layer->reshape.width == 1 ?
			       EXPORT_MATRIX :
			       EXPORT_IMAGE;
	case MODEL_PERMUTE:
	case MODEL_POOL_MAX:
	case MODEL_POOL_AVERAGE:
		return EXPORT_IMAGE;
	case MODEL_LSTM:
	case MODEL_GRU:
		return EXPORT_SEQUENCE;
	default:
		return input;
	}
}

static enum export_form layout_form(enum model_layout layout)
{
	if (layout == MODEL_LAYOUT_NF)
		return EXPORT_MATRIX;
	return layout == MODEL_LAYOUT_NCHW ? EXPORT_IMAGE : EXPORT_SEQUENCE;
}

static void find_forms(struct exporter *exporter)
{
	const struct model *model = exporter->model;

	for (uint32_t i = 0; i < model->input_count; i++)
		exporter->values[model->inputs[i].tensor].form =
			layout_form(model->inputs[i].layout);
	for (uint32_t i = 0; i < model->layer_count; i++) {
		const struct model_layer *layer = &model->layers[i];
		enum export_form form = result_form(
			model, layer, exporter->values[layer->inputs[0]].form);

		for (uint32_t k = 0; k < layer->output_count; k++)
			if (layer->outputs[k] != MODEL_NO_TENSOR)
				exporter->values[layer->outputs[k]].form = form;
	}
}

/* ---- layers without weights ---- */

static void export_pair(struct exporter *exporter,
			const struct model_layer *layer, const char *op)
{
	struct onnx_builder *builder = &exporter->builder;
	enum export_form form = exporter->values[layer->outputs[0]].form;
	const char *y = onnx_name(builder, op);

	ONNX_NODE(builder, op, y,
		  export_operand(exporter, layer->inputs[0], form),
		  export_operand(exporter, layer->inputs[1], form));
	export_result(exporter, layer->outputs[0], y);
}

static int export_table(struct exporter *exporter,
			const struct model_layer *layer)
{
	enum export_form form = exporter->values[layer->outputs[0]].form;
	const char *x = export_operand(exporter, layer->inputs[0], form);
	const char *y;

	if (!layer->activation)
		return accel_error(
			-ENOTSUP,
			"%s: its file does not say what its table was made of",
			layer->name);
	y = export_function(exporter, x, layer->activation, form);
	if (!y)
		return accel_error_prefix(-EINVAL, "%s", layer->name);
	export_result(exporter, layer->outputs[0], y);
	return 0;
}

static void pool_window(struct onnx_builder *builder, Onnx__NodeProto *node,
			const struct model_pool *pool, bool average)
{
	const struct model_window *window = &pool->window;
	const int64_t dilation[2] = { window->dilation_height,
				      window->dilation_width };

	export_window(builder, node, window);
	onnx_int(builder, node, "ceil_mode", window->ceil_mode);
	if (average)
		onnx_int(builder, node, "count_include_pad",
			 pool->count_padding);
	else
		onnx_ints(builder, node, "dilations", 2, dilation);
}

/* The number of values in every window, 0 if it varies or is not known. */
static int64_t window_count(const struct model_pool *pool,
			    const struct model_tensor *input)
{
	const struct model_window *window = &pool->window;

	if (!window->kernel_height)
		return (int64_t)input->height * input->width;
	if (!pool->count_padding &&
	    (window->pad_top || window->pad_left || window->pad_bottom ||
	     window->pad_right || window->same_upper || window->same_lower))
		return 0;
	return window->ceil_mode ?
		       0 :
		       (int64_t)window->kernel_height * window->kernel_width;
}

/*
 * The device's average is a requantized sum. A convolution of each channel with ones
 * of scale 1 / count is the same, bit by bit; AveragePool breaks ties in another way.
 */
static const char *average_by_conv(struct exporter *exporter, const char *x,
				   const struct model_pool *pool,
				   const struct model_tensor *input,
				   int64_t count)
{
	struct onnx_builder *builder = &exporter->builder;
	struct model_pool whole = *pool;
	size_t channels = input->channels, values = channels * (size_t)count;
	int8_t *ones = malloc(values + 1);
	float *scale = malloc((channels + 1) * sizeof(*scale));
	const char *y = onnx_name(builder, "average"), *weights;
	Onnx__NodeProto *node;

	if (!pool->window.kernel_height)
		whole.window = (struct model_window){
			.kernel_height = input->height,
			.kernel_width = input->width,
			.stride_height = 1,
			.stride_width = 1,
			.dilation_height = 1,
			.dilation_width = 1,
		};
	if (ones && scale) {
		const int64_t dims[4] = { (int64_t)channels, 1,
					  whole.window.kernel_height,
					  whole.window.kernel_width };

		memset(ones, 1, values);
		for (size_t c = 0; c < channels; c++)
			scale[c] = 1.0f / (float)count;
		weights = export_weights(exporter, 4, dims, ones, scale);
		node = ONNX_NODE(builder, "Conv", y, x, weights);
		export_window(builder, node, &whole.window);
		onnx_int(builder, node, "group", (int64_t)channels);
	}
	free(ones);
	free(scale);
	return y;
}

static void export_pool(struct exporter *exporter,
			const struct model_layer *layer)
{
	struct onnx_builder *builder = &exporter->builder;
	bool average = layer->op == MODEL_POOL_AVERAGE;
	const char *x =
		export_operand(exporter, layer->inputs[0], EXPORT_IMAGE);
	const struct model_tensor *input =
		&exporter->model->tensors[layer->inputs[0]];
	int64_t count = average ? window_count(&layer->pool, input) : 0;
	const char *y = onnx_name(builder, "pooled");

	if (count)
		y = average_by_conv(exporter, x, &layer->pool, input, count);
	else if (layer->pool.window.kernel_height == 0)
		ONNX_NODE(builder,
			  average ? "GlobalAveragePool" : "GlobalMaxPool", y,
			  x);
	else
		pool_window(builder,
			    ONNX_NODE(builder,
				      average ? "AveragePool" : "MaxPool", y,
				      x),
			    &layer->pool, average);
	export_result(exporter, layer->outputs[0], y);
}

static int64_t channel_axis(enum export_form form)
{
	return form == EXPORT_SEQUENCE ? 2 : 1;
}

static void export_concat(struct exporter *exporter,
			  const struct model_layer *layer)
{
	struct onnx_builder *builder = &exporter->builder;
	enum export_form form = exporter->values[layer->outputs[0]].form;
	const char *inputs[MODEL_INPUTS_MAX];
	const char *y = onnx_name(builder, "joined");

	for (uint32_t i = 0; i < layer->input_count; i++)
		inputs[i] = export_operand(exporter, layer->inputs[i], form);
	onnx_int(builder,
		 onnx_node(builder, "Concat", y, layer->input_count, inputs),
		 "axis", channel_axis(form));
	export_result(exporter, layer->outputs[0], y);
}

static void export_slice(struct exporter *exporter,
			 const struct model_layer *layer)
{
	struct onnx_builder *builder = &exporter->builder;
	enum export_form form = exporter->values[layer->outputs[0]].form;
	const struct model_tensor *out =
		&exporter->model->tensors[layer->outputs[0]];
	int64_t axis = channel_axis(form), first = layer->slice.first_channel;
	int64_t end = first + out->channels;
	const char *y = onnx_name(builder, "cut");

	ONNX_NODE(builder, "Slice", y,
		  export_operand(exporter, layer->inputs[0], form),
		  onnx_vector_i64(builder, 1, &first),
		  onnx_vector_i64(builder, 1, &end),
		  onnx_vector_i64(builder, 1, &axis));
	export_result(exporter, layer->outputs[0], y);
}

static void export_reshape(struct exporter *exporter,
			   const struct model_layer *layer)
{
	struct onnx_builder *builder = &exporter->builder;
	enum export_form form = exporter->values[layer->inputs[0]].form;
	const struct model_reshape *reshape = &layer->reshape;
	/* 0 is the input's batch, −1 what is left. */
	int64_t dims[4] = { 0, reshape->channels, reshape->height,
			    reshape->width };
	size_t rank = exporter->values[layer->outputs[0]].form == EXPORT_IMAGE ?
			      4 :
			      2;
	const char *y = onnx_name(builder, "reshaped");

	for (int i = 1; i < 4; i++)
		if (!dims[i])
			dims[i] = -1;
	if (form == EXPORT_SEQUENCE)
		form = EXPORT_IMAGE;
	ONNX_NODE(builder, "Reshape", y,
		  export_operand(exporter, layer->inputs[0], form),
		  onnx_vector_i64(builder, rank, dims));
	export_result(exporter, layer->outputs[0], y);
}

static void export_permute(struct exporter *exporter,
			   const struct model_layer *layer)
{
	const uint8_t *axis = layer->permute.axis;
	const int64_t order[4] = { 0, 1 + axis[0], 1 + axis[1], 1 + axis[2] };
	const char *x =
		export_operand(exporter, layer->inputs[0], EXPORT_IMAGE);

	export_result(exporter, layer->outputs[0],
		      transpose(&exporter->builder, x, 4, order));
}

static int export_layer(struct exporter *exporter,
			const struct model_layer *layer)
{
	switch (layer->op) {
	case MODEL_SPMM:
		return export_spmm(exporter, layer);
	case MODEL_ADD:
		export_pair(exporter, layer, "Sum");
		return 0;
	case MODEL_MULTIPLY:
		export_pair(exporter, layer, "Mul");
		return 0;
	case MODEL_TABLE:
		return export_table(exporter, layer);
	case MODEL_POOL_MAX:
	case MODEL_POOL_AVERAGE:
		export_pool(exporter, layer);
		return 0;
	case MODEL_CONCAT:
		export_concat(exporter, layer);
		return 0;
	case MODEL_SLICE:
		export_slice(exporter, layer);
		return 0;
	case MODEL_RESHAPE:
		export_reshape(exporter, layer);
		return 0;
	case MODEL_PERMUTE:
		export_permute(exporter, layer);
		return 0;
	case MODEL_LSTM:
	case MODEL_GRU:
		return export_recurrent(exporter, layer);
	}
	return accel_error(-EINVAL, "%s: unknown operation", layer->name);
}

/* ---- ports ---- */

static int64_t known(uint32_t size)
{
	return size ? (int64_t)size : -1;
}

static void declare_port(struct exporter *exporter,
			 const struct model_port *port, bool output)
{
	static const char *const image[4] = { "N", "C", "H", "W" };
	static const char *const out[4] = { "N", "C", "H_out", "W_out" };
	static const char *const sequence[3] = { "T", "N", "F" };
	static const char *const batch_first[3] = { "N", "T", "F" };
	const struct model_tensor *tensor =
		&exporter->model->tensors[port->tensor];
	const int64_t nchw[4] = { -1, tensor->channels, known(tensor->height),
				  known(tensor->width) };
	const int64_t tnf[3] = { known(tensor->height), -1, tensor->channels };
	const int64_t ntf[3] = { -1, known(tensor->height), tensor->channels };
	enum export_form form = layout_form(port->layout);

	if (port->layout == MODEL_LAYOUT_NTF)
		onnx_port(&exporter->builder, output, tensor->name,
			  ONNX_TYPE(FLOAT), 3, ntf, batch_first);
	else if (form == EXPORT_SEQUENCE)
		onnx_port(&exporter->builder, output, tensor->name,
			  ONNX_TYPE(FLOAT), 3, tnf, sequence);
	else
		onnx_port(&exporter->builder, output, tensor->name,
			  ONNX_TYPE(FLOAT), form == EXPORT_IMAGE ? 4 : 2, nchw,
			  output ? out : image);
}

/* Between [T, N, F] and a port's own layout, either way. */
static const char *port_order(struct exporter *exporter,
			      const struct model_port *port, const char *x)
{
	static const int64_t swap[3] = { 1, 0, 2 };

	return port->layout == MODEL_LAYOUT_NTF ?
		       transpose(&exporter->builder, x, 3, swap) :
		       x;
}

static void export_outputs(struct exporter *exporter)
{
	const struct model *model = exporter->model;

	for (uint32_t i = 0; i < model->output_count; i++) {
		const struct model_port *port = &model->outputs[i];
		const struct export_value *value =
			&exporter->values[port->tensor];
		const char *real = convert(exporter, value->real, value->form,
					   layout_form(port->layout));

		declare_port(exporter, port, true);
		ONNX_NODE(&exporter->builder, "Identity",
			  model->tensors[port->tensor].name,
			  port_order(exporter, port, real));
	}
}

static int export_model(struct exporter *exporter)
{
	const struct model *model = exporter->model;
	int ret = 0;

	find_forms(exporter);
	for (uint32_t i = 0; i < model->tensor_count; i++)
		onnx_reserve(&exporter->builder, model->tensors[i].name);
	for (uint32_t i = 0; i < model->input_count; i++) {
		const struct model_port *port = &model->inputs[i];

		declare_port(exporter, port, false);
		export_result(exporter, port->tensor,
			      port_order(exporter, port,
					 model->tensors[port->tensor].name));
	}
	for (uint32_t i = 0; !ret && i < model->layer_count; i++)
		ret = export_layer(exporter, &model->layers[i]);
	if (!ret)
		export_outputs(exporter);
	return ret;
}

int export_onnx(const struct model *model, const char *path)
{
	struct exporter exporter = { .model = model };
	int ret = -ENOMEM;

	exporter.values = calloc((size_t)model->tensor_count + 1,
				 sizeof(*exporter.values));
	if (!onnx_model_create(&exporter.builder, model->name) ||
	    !exporter.values)
		accel_error(ret, "out of memory for %s", path);
	else
		ret = export_model(&exporter);
	if (!ret)
		ret = onnx_model_write(&exporter.builder, path);
	onnx_model_release(&exporter.builder);
	free(exporter.values);
	return ret;
}

/* ---- one layer ---- */

/* Its ports have the forms that its tensors have in the whole model. */

static void add_port(const struct exporter *exporter, int32_t tensor,
		     struct model_port *ports, uint32_t *count)
{
	static const enum model_layout layouts[] = {
		[EXPORT_IMAGE] = MODEL_LAYOUT_NCHW,
		[EXPORT_MATRIX] = MODEL_LAYOUT_NF,
		[EXPORT_SEQUENCE] = MODEL_LAYOUT_TNF,
	};

	if (tensor == MODEL_NO_TENSOR)
		return;
	for (uint32_t i = 0; i < *count; i++)
		if (ports[i].tensor == tensor)
			return;
	ports[(*count)++] = (struct model_port){
		.tensor = tensor,
		.layout = layouts[exporter->values[tensor].form],
	};
}

int export_onnx_layer(const struct model *model, uint32_t index,
		      const char *path)
{
	struct model_port inputs[MODEL_INPUTS_MAX + 1];
	struct model_port outputs[MODEL_OUTPUTS_MAX];
	struct exporter exporter = { .model = model };
	const struct model_layer *layer = &model->layers[index];
	struct model part = *model;

	exporter.values = calloc((size_t)model->tensor_count + 1,
				 sizeof(*exporter.values));
	if (!exporter.values)
		return accel_error(-ENOMEM, "out of memory for %s", path);
	find_forms(&exporter);
	part.layers = &model->layers[index];
	part.layer_count = 1;
	part.inputs = inputs;
	part.outputs = outputs;
	part.input_count = part.output_count = 0;
	for (uint32_t i = 0; i < layer->input_count; i++)
		add_port(&exporter, layer->inputs[i], inputs,
			 &part.input_count);
	if (layer->op == MODEL_SPMM)
		add_port(&exporter, layer->spmm.residual, inputs,
			 &part.input_count);
	for (uint32_t i = 0; i < layer->output_count; i++)
		add_port(&exporter, layer->outputs[i], outputs,
			 &part.output_count);
	free(exporter.values);
	return export_onnx(&part, path);
}
