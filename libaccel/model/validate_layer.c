/* SPDX-License-Identifier: MIT */
#include <model/validate_layer.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>

static const struct model_tensor *input_of(const struct model *model,
					   const struct model_layer *layer,
					   uint32_t index)
{
	return &model->tensors[layer->inputs[index]];
}

static const struct model_tensor *output_of(const struct model *model,
					    const struct model_layer *layer)
{
	return &model->tensors[layer->outputs[0]];
}

static int expect_operands(const struct model_layer *layer, uint32_t inputs,
			   uint32_t outputs)
{
	if (layer->input_count == inputs && layer->output_count == outputs)
		return 0;
	return accel_error(-EINVAL, "%u inputs and %u outputs, not %u and %u",
			   layer->input_count, layer->output_count, inputs,
			   outputs);
}

static int expect_int8(const struct model_tensor *tensor)
{
	if (tensor->type == MODEL_INT8)
		return 0;
	return accel_error(-EINVAL, "'%s' is not int8", tensor->name);
}

static int expect_channels(const struct model_tensor *tensor, uint64_t channels)
{
	if (tensor->channels == channels)
		return 0;
	return accel_error(-EINVAL, "'%s' has %u channels, not %llu",
			   tensor->name, tensor->channels,
			   (unsigned long long)channels);
}

static int expect_equal(struct golden_quantization a,
			struct golden_quantization b, const char *what)
{
	if (a.scale == b.scale && a.zero == b.zero)
		return 0;
	return accel_error(
		-EINVAL,
		"%s: a scale of %g and a zero point of %d, but %g and %d at the output",
		what, (double)a.scale, a.zero, (double)b.scale, b.zero);
}

/* First of all rows: a row that ends too late would be read beyond the arrays. */
static int check_row_starts(const struct model_csr *csr)
{
	if (csr->row_start[0] != 0)
		return accel_error(-EINVAL, "row 0 begins at %lld",
				   (long long)csr->row_start[0]);
	for (uint32_t row = 0; row < csr->rows; row++) {
		int64_t begin = csr->row_start[row];
		int64_t end = csr->row_start[row + 1];

		if (end < begin || end - begin > csr->columns)
			return accel_error(-EINVAL,
					   "row %u goes from %lld to %lld", row,
					   (long long)begin, (long long)end);
	}
	return 0;
}

static int check_columns(const struct model_csr *csr, uint32_t row)
{
	int32_t previous = -1;

	for (int64_t i = csr->row_start[row]; i < csr->row_start[row + 1];
	     i++) {
		int32_t column = csr->column[i];

		if (column <= previous || (uint32_t)column >= csr->columns)
			return accel_error(-EINVAL,
					   "row %u: column %d after %d of %u",
					   row, column, previous, csr->columns);
		previous = column;
	}
	return 0;
}

int model_validate_csr(const struct model_csr *csr)
{
	int ret;

	if (csr->rows < 1 || csr->rows > MODEL_DIMENSION_MAX ||
	    csr->columns < 1 || csr->columns > INT32_MAX)
		return accel_error(-EINVAL, "a matrix of %u × %u", csr->rows,
				   csr->columns);
	if (!csr->column)
		return 0;
	ret = check_row_starts(csr);
	for (uint32_t row = 0; !ret && row < csr->rows; row++)
		ret = check_columns(csr, row);
	return ret;
}

/* The width of these fields in the device's descriptors. */
static bool in_16_bits(uint32_t value)
{
	return value >= 1 && value <= UINT16_MAX;
}

static bool is_pad(int32_t pad)
{
	return pad >= -(int32_t)MODEL_DIMENSION_MAX &&
	       pad <= (int32_t)MODEL_DIMENSION_MAX;
}

static int check_window(const struct model_window *window)
{
	if (!in_16_bits(window->kernel_height) ||
	    !in_16_bits(window->kernel_width) ||
	    !in_16_bits(window->stride_height) ||
	    !in_16_bits(window->stride_width) ||
	    !in_16_bits(window->dilation_height) ||
	    !in_16_bits(window->dilation_width))
		return accel_error(
			-EINVAL,
			"kernel, stride and dilation are 1 to 65535, not %u × %u, %u × %u, %u × %u",
			window->kernel_height, window->kernel_width,
			window->stride_height, window->stride_width,
			window->dilation_height, window->dilation_width);
	if (!is_pad(window->pad_top) || !is_pad(window->pad_left) ||
	    !is_pad(window->pad_bottom) || !is_pad(window->pad_right))
		return accel_error(-EINVAL, "a padding beyond ±%u",
				   MODEL_DIMENSION_MAX);
	if (window->same_upper && window->same_lower)
		return accel_error(-EINVAL, "two kinds of auto_pad");
	if (window->last_row &&
	    (window->same_upper || window->same_lower || window->ceil_mode ||
	     window->pad_top || window->pad_bottom))
		return accel_error(-EINVAL, "a last row with padding");
	return 0;
}

/*
 * The residual is read at the coordinates of the result, which are those of the
 * output only where the store does not rearrange.
 */
static int check_store(const struct model_spmm *spmm)
{
	const struct model_window *window = &spmm->window;
	bool shuffles = spmm->shuffle_height != 1 || spmm->shuffle_width != 1;
	bool replicates = spmm->replicate_height != 1 ||
			  spmm->replicate_width != 1;

	if (!in_16_bits(spmm->shuffle_height) ||
	    !in_16_bits(spmm->shuffle_width) ||
	    !in_16_bits(spmm->replicate_height) ||
	    !in_16_bits(spmm->replicate_width))
		return accel_error(-EINVAL,
				   "shuffle and replicate are 1 to 65535");
	if (spmm->weights.rows %
	    ((uint64_t)spmm->shuffle_height * spmm->shuffle_width))
		return accel_error(-EINVAL,
				   "%u rows are no multiple of %u × %u",
				   spmm->weights.rows, spmm->shuffle_height,
				   spmm->shuffle_width);
	if (replicates && shuffles)
		return accel_error(-EINVAL,
				   "a store shuffles or replicates, not both");
	if (spmm->residual != MODEL_NO_TENSOR &&
	    (shuffles || replicates || spmm->transposed))
		return accel_error(
			-EINVAL,
			"a residual cannot be added where the store shuffles or replicates");
	if (!spmm->transposed)
		return 0;
	if (spmm->output_stride_height != spmm->shuffle_height ||
	    spmm->output_stride_width != spmm->shuffle_width || replicates ||
	    window->stride_height != 1 || window->stride_width != 1 ||
	    window->same_upper || window->same_lower ||
	    !is_pad(spmm->output_extra_height) ||
	    !is_pad(spmm->output_extra_width))
		return accel_error(
			-EINVAL,
			"the parts of a transposed convolution do not fit each other");
	return 0;
}

/* Which scale each row's accumulator is multiplied by. */
static float row_scale(const struct model_spmm *spmm,
		       const struct model_tensor *input,
		       const struct model_tensor *output, uint32_t row)
{
	float scale = spmm->weight_scale[row];

	if (output->type == MODEL_INT8)
		return golden_output_scale(input->quantization.scale, scale,
					   spmm->accumulator.scale);
	return input->quantization.scale * scale;
}

/* The product may vanish or overflow where its factors are fine. */
static int check_row_scales(const struct model_spmm *spmm,
			    const struct model_tensor *input,
			    const struct model_tensor *output)
{
	for (uint32_t row = 0; row < spmm->weights.rows; row++) {
		float weight_scale = spmm->weight_scale[row];
		float scale = row_scale(spmm, input, output, row);

		if (!isfinite(weight_scale) || weight_scale <= 0 ||
		    !isfinite(scale) || scale <= 0)
			return accel_error(
				-EINVAL,
				"row %u: the scale %g (weights %g) is not finite and positive; recompress it",
				row, (double)scale, (double)weight_scale);
	}
	return 0;
}

/* The last step that rounds has to round to the output's quantization. */
static int check_epilogue(const struct model *model,
			  const struct model_layer *layer)
{
	const struct model_spmm *spmm = &layer->spmm;
	const struct model_tensor *output = output_of(model, layer);
	bool residual = spmm->residual != MODEL_NO_TENSOR;
	int ret;

	if (output->type != MODEL_INT8) {
		if (spmm->table || residual)
			return accel_error(
				-EINVAL,
				"a table or a residual needs an int8 output");
		return 0;
	}
	ret = model_validate_quantization(spmm->accumulator, "accumulator");
	if (!ret && spmm->table)
		ret = model_validate_quantization(spmm->table_output, "table");
	if (ret)
		return ret;
	if (!residual)
		return expect_equal(model_table_quantization(spmm),
				    output->quantization, "epilogue");
	ret = expect_int8(&model->tensors[spmm->residual]);
	if (!ret)
		ret = expect_channels(&model->tensors[spmm->residual],
				      output->channels);
	return ret;
}

static int check_spmm(const struct model *model,
		      const struct model_layer *layer)
{
	const struct model_spmm *spmm = &layer->spmm;
	const struct model_window *window = &spmm->window;
	int ret = expect_operands(layer, 1, 1);
	uint64_t taps;

	if (!ret)
		ret = expect_int8(input_of(model, layer, 0));
	if (!ret)
		ret = model_validate_csr(&spmm->weights);
	if (!ret)
		ret = check_window(window);
	if (!ret && window->ceil_mode)
		ret = accel_error(-EINVAL, "only pools have a ceil_mode");
	if (!ret)
		ret = check_store(spmm);
	if (ret)
		return ret;
	taps = (uint64_t)window->kernel_height * window->kernel_width;
	if (taps > spmm->weights.columns ||
	    taps * input_of(model, layer, 0)->channels != spmm->weights.columns)
		return accel_error(
			-EINVAL,
			"%u columns, but %u channels and a kernel of %u × %u",
			spmm->weights.columns,
			input_of(model, layer, 0)->channels,
			window->kernel_height, window->kernel_width);
	ret = expect_channels(output_of(model, layer),
			      spmm->weights.rows / (spmm->shuffle_height *
						    spmm->shuffle_width));
	if (!ret)
		ret = check_epilogue(model, layer);
	if (!ret)
		ret = check_row_scales(spmm, input_of(model, layer, 0),
				       output_of(model, layer));
	return ret;
}

/* All operands int8; the output as many channels as the first input. */
static int check_elements(const struct model *model,
			  const struct model_layer *layer, uint32_t inputs)
{
	int ret = expect_operands(layer, inputs, 1);

	for (uint32_t i = 0; !ret && i < inputs; i++) {
		ret = expect_int8(input_of(model, layer, i));
		if (!ret)
			ret = expect_channels(
				input_of(model, layer, i),
				output_of(model, layer)->channels);
	}
	if (!ret)
		ret = expect_int8(output_of(model, layer));
	return ret;
}

/* A maximum only chooses among codes, so it cannot requantize. */
static int check_pool(const struct model *model,
		      const struct model_layer *layer)
{
	const struct model_window *window = &layer->pool.window;
	int ret = check_elements(model, layer, 1);

	if (!ret && layer->op == MODEL_POOL_MAX)
		ret = expect_equal(input_of(model, layer, 0)->quantization,
				   output_of(model, layer)->quantization,
				   "maximum");
	if (ret)
		return ret;
	if (window->kernel_height == 0 && window->kernel_width == 0)
		return 0;
	if (layer->op == MODEL_POOL_AVERAGE && layer->pool.count_padding &&
	    window->ceil_mode)
		return accel_error(
			-EINVAL,
			"an average that counts the padding has no ceil_mode");
	return check_window(window);
}

/* What moves codes without arithmetic keeps their meaning. */
static int check_view(const struct model *model,
		      const struct model_layer *layer)
{
	const struct model_tensor *output = output_of(model, layer);

	for (uint32_t i = 0; i < layer->input_count; i++) {
		const struct model_tensor *input = input_of(model, layer, i);
		int ret = 0;

		if (input->type != output->type)
			return accel_error(-EINVAL,
					   "'%s' and '%s' differ in their type",
					   input->name, output->name);
		if (output->type == MODEL_INT8)
			ret = expect_equal(input->quantization,
					   output->quantization, input->name);
		if (ret)
			return ret;
	}
	return 0;
}

static int check_concat(const struct model *model,
			const struct model_layer *layer)
{
	uint64_t channels = 0;
	int ret = expect_operands(layer, layer->input_count, 1);

	for (uint32_t i = 0; i < layer->input_count; i++)
		channels += input_of(model, layer, i)->channels;
	if (!ret)
		ret = expect_channels(output_of(model, layer), channels);
	if (!ret)
		ret = check_view(model, layer);
	return ret;
}

static int check_slice(const struct model *model,
		       const struct model_layer *layer)
{
	uint64_t end = (uint64_t)layer->slice.first_channel +
		       output_of(model, layer)->channels;
	int ret = expect_operands(layer, 1, 1);

	if (!ret && end > input_of(model, layer, 0)->channels)
		ret = accel_error(-EINVAL, "channels up to %llu of %u",
				  (unsigned long long)end,
				  input_of(model, layer, 0)->channels);
	if (!ret)
		ret = check_view(model, layer);
	return ret;
}

static int check_reshape(const struct model *model,
			 const struct model_layer *layer)
{
	const struct model_reshape *reshape = &layer->reshape;
	int open = !reshape->channels + !reshape->height + !reshape->width;
	int ret = expect_operands(layer, 1, 1);

	if (!ret && (open > 1 || reshape->channels > MODEL_DIMENSION_MAX ||
		     reshape->height > MODEL_DIMENSION_MAX ||
		     reshape->width > MODEL_DIMENSION_MAX))
		ret = accel_error(-EINVAL, "a reshape to %u × %u × %u",
				  reshape->channels, reshape->height,
				  reshape->width);
	if (!ret)
		ret = check_view(model, layer);
	return ret;
}

static int check_permute(const struct model *model,
			 const struct model_layer *layer)
{
	const uint8_t *axis = layer->permute.axis;
	int ret = expect_operands(layer, 1, 1);

	if (!ret && (axis[0] > 2 || axis[1] > 2 || axis[2] > 2 ||
		     (1 << axis[0] | 1 << axis[1] | 1 << axis[2]) != 7))
		ret = accel_error(-EINVAL, "axes %u, %u, %u are no permutation",
				  axis[0], axis[1], axis[2]);
	if (!ret)
		ret = check_view(model, layer);
	return ret;
}

/* Gates are not requantized: their scale is operand scale · row scale. */
static int check_gates(const struct model_csr *weights, const float *scale,
		       float operand_scale, uint64_t rows, uint32_t columns)
{
	int ret = model_validate_csr(weights);

	if (ret)
		return ret;
	if (weights->rows != rows || weights->columns != columns)
		return accel_error(-EINVAL,
				   "a matrix of %u × %u, not %llu × %u",
				   weights->rows, weights->columns,
				   (unsigned long long)rows, columns);
	for (uint32_t row = 0; row < rows; row++) {
		float product = operand_scale * scale[row];

		if (!isfinite(scale[row]) || scale[row] <= 0 ||
		    !isfinite(product) || product <= 0)
			return accel_error(
				-EINVAL,
				"row %u: the scale %g is not finite and positive; recompress it",
				row, (double)scale[row]);
	}
	return 0;
}

static int check_state(const struct model *model, int32_t index,
		       uint32_t hidden)
{
	const struct model_tensor *tensor;

	if (index == MODEL_NO_TENSOR)
		return 0;
	tensor = &model->tensors[index];
	if (tensor->type != MODEL_FLOAT32)
		return accel_error(-EINVAL, "the state '%s' is not float32",
				   tensor->name);
	return expect_channels(tensor, hidden);
}

static int check_states(const struct model *model,
			const struct model_layer *layer)
{
	const struct model_recurrent *recurrent = &layer->recurrent;
	uint32_t states = layer->op == MODEL_LSTM ? 2 : 1;
	int ret = 0;

	if (layer->input_count > 1 + states || layer->output_count > 1 + states)
		return accel_error(-EINVAL, "%u inputs and %u outputs",
				   layer->input_count, layer->output_count);
	for (uint32_t i = 1; !ret && i < layer->input_count; i++)
		ret = check_state(model, layer->inputs[i], recurrent->hidden);
	for (uint32_t i = 1; !ret && i < layer->output_count; i++)
		ret = check_state(model, layer->outputs[i], recurrent->hidden);
	if (ret || layer->outputs[0] == MODEL_NO_TENSOR)
		return ret;
	ret = expect_int8(output_of(model, layer));
	if (!ret)
		ret = expect_channels(output_of(model, layer),
				      recurrent->hidden);
	if (!ret)
		ret = expect_equal(recurrent->hidden_quantization,
				   output_of(model, layer)->quantization,
				   "hidden state");
	return ret;
}

static int check_recurrent(const struct model *model,
			   const struct model_layer *layer)
{
	const struct model_recurrent *recurrent = &layer->recurrent;
	const struct model_tensor *input = input_of(model, layer, 0);
	uint64_t rows =
		(uint64_t)model_gate_count(layer->op) * recurrent->hidden;
	int ret = expect_int8(input);

	if (!ret)
		ret = model_validate_quantization(
			recurrent->hidden_quantization, "hidden state");
	if (!ret)
		ret = check_gates(&recurrent->input_weights,
				  recurrent->input_scale,
				  input->quantization.scale, rows,
				  input->channels);
	if (!ret)
		ret = check_gates(&recurrent->hidden_weights,
				  recurrent->hidden_scale,
				  recurrent->hidden_quantization.scale, rows,
				  recurrent->hidden);
	if (!ret)
		ret = check_states(model, layer);
	return ret;
}

int model_validate_layer(const struct model *model,
			 const struct model_layer *layer)
{
	switch (layer->op) {
	case MODEL_SPMM:
		return check_spmm(model, layer);
	case MODEL_ADD:
	case MODEL_MULTIPLY:
		return check_elements(model, layer, 2);
	case MODEL_TABLE:
		return check_elements(model, layer, 1);
	case MODEL_POOL_MAX:
	case MODEL_POOL_AVERAGE:
		return check_pool(model, layer);
	case MODEL_CONCAT:
		return check_concat(model, layer);
	case MODEL_SLICE:
		return check_slice(model, layer);
	case MODEL_RESHAPE:
		return check_reshape(model, layer);
	case MODEL_PERMUTE:
		return check_permute(model, layer);
	case MODEL_LSTM:
	case MODEL_GRU:
		return check_recurrent(model, layer);
	}
	return accel_error(-EINVAL, "unknown operation %d", layer->op);
}
