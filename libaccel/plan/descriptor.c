/* SPDX-License-Identifier: MIT */
#include "plan/descriptor.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "core/checked.h"
#include "core/error.h"

static __le32 float_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return htole32(bits);
}

static uint64_t tensor_address(const struct descriptor_context *context,
			       uint32_t tensor)
{
	return context->activations + context->memory->offset[tensor];
}

static void tensor_build(const struct descriptor_context *context,
			 uint32_t tensor, struct spmm_tensor *out)
{
	const struct model_tensor *model_tensor =
		&context->model->tensors[tensor];
	const struct model_extent *extent = &context->shape->extents[tensor];
	uint64_t row = (uint64_t)extent->width * context->shape->batch *
		       plan_element_size(model_tensor->type);

	out->address = htole64(tensor_address(context, tensor));
	out->channel_stride = htole64(row * extent->height);
	out->row_stride = htole32((uint32_t)row);
	out->channels = htole32(extent->channels);
	out->height = htole32(extent->height);
	out->width = htole32(extent->width);
	out->zero = (int8_t)(model_tensor->type == MODEL_INT8 ?
				     model_tensor->quantization.zero :
				     0);
	out->hint = SPMM_HINT_KEEP;
}

/* An operand that is read: its lines are dead after its last reader. */
static void operand_build(const struct descriptor_context *context,
			  uint32_t layer, uint32_t tensor,
			  struct spmm_tensor *out)
{
	tensor_build(context, tensor, out);
	if (plan_memory_is_last_read(context->memory, tensor, layer))
		out->hint = SPMM_HINT_DISCARD;
}

static void spmm_window_build(const struct model_spmm *spmm,
			      const struct model_grid *grid,
			      struct spmm_descriptor *out)
{
	const struct model_window *window = &spmm->window;

	out->kernel_height = htole16((uint16_t)window->kernel_height);
	out->kernel_width = htole16((uint16_t)window->kernel_width);
	out->stride_height = htole16((uint16_t)window->stride_height);
	out->stride_width = htole16((uint16_t)window->stride_width);
	out->dilation_height = htole16((uint16_t)window->dilation_height);
	out->dilation_width = htole16((uint16_t)window->dilation_width);
	out->pad_top = htole32((uint32_t)grid->pad_top);
	out->pad_left = htole32((uint32_t)grid->pad_left);
	out->height = htole32(grid->height);
	out->width = htole32(grid->width);
	out->shuffle_height = htole16((uint16_t)spmm->shuffle_height);
	out->shuffle_width = htole16((uint16_t)spmm->shuffle_width);
	out->replicate_height = htole16((uint16_t)spmm->replicate_height);
	out->replicate_width = htole16((uint16_t)spmm->replicate_width);
}

static void spmm_constants_build(const struct descriptor_context *context,
				 const struct plan_layer_constants *constants,
				 struct spmm_descriptor *out)
{
	const struct plan_matrix *matrix = &constants->matrix;

	out->weights = htole64(context->weights + matrix->weights);
	out->weights_length = htole64(matrix->weights_length);
	out->weights_hint = context->weights_hint;
	out->scales = htole64(context->weights + matrix->scales);
	out->biases = htole64(context->weights + matrix->biases);
	if (out->flags & htole16(SPMM_FLAG_TABLE | SPMM_FLAG_TABLE_PER_ROW))
		out->tables = htole64(context->weights + constants->tables);
}

/* Rows of the input that the window sees above a row of the result, and above. */
static uint32_t input_end(const struct model_window *window,
			  const struct model_grid *grid, uint32_t height,
			  uint32_t row)
{
	int64_t end;

	if (row == grid->height)
		return height;
	end = (row - 1ll) * window->stride_height +
	      (window->kernel_height - 1ll) * window->dilation_height + 1 -
	      grid->pad_top;
	return (uint32_t)(end < 0 ? 0 : end > height ? height : end);
}

static uint32_t input_first(const struct model_window *window,
			    const struct model_grid *grid, uint32_t height,
			    uint32_t row)
{
	int64_t first = (int64_t)row * window->stride_height - grid->pad_top;

	return (uint32_t)(first < 0 ? 0 : first > height ? height : first);
}

static void rows_cut(struct spmm_tensor *tensor, uint32_t first, uint32_t end)
{
	uint64_t skipped = (uint64_t)first * le32toh(tensor->row_stride);

	tensor->address = htole64(le64toh(tensor->address) + skipped);
	tensor->height = htole32(end - first);
}

/*
 * The descriptor of the whole layer becomes that of some rows. What the next rows
 * see as well is not dead.
 */
static void spmm_rows_select(const struct model_spmm *spmm,
			     const struct model_grid *grid,
			     struct plan_rows rows, struct spmm_descriptor *out)
{
	const struct model_window *window = &spmm->window;
	uint32_t scale = spmm->shuffle_height * spmm->replicate_height;
	uint32_t height = le32toh(out->input.height);
	uint32_t stored = le32toh(out->output.height);
	uint32_t first = input_first(window, grid, height, rows.first);
	uint32_t end = input_end(window, grid, height, rows.end);
	uint32_t next = input_first(window, grid, height, rows.end);

	if (out->input.hint == SPMM_HINT_DISCARD && rows.end < grid->height &&
	    next < end)
		out->input.keep_rows = htole16((uint16_t)(end - next));
	rows_cut(&out->input, first, end);
	rows_cut(&out->output, rows.first * scale,
		 rows.end * scale < stored ? rows.end * scale : stored);
	if (spmm->residual != MODEL_NO_TENSOR)
		rows_cut(&out->residual, rows.first, rows.end);
	out->height = htole32(rows.end - rows.first);
	out->pad_top = htole32(
		(uint32_t)((int64_t)first + grid->pad_top -
			   (int64_t)rows.first * window->stride_height));
}

static uint16_t spmm_flags(const struct model_spmm *spmm)
{
	uint16_t flags = 0;

	if (spmm->table)
		flags |= spmm->table_per_row ? SPMM_FLAG_TABLE_PER_ROW :
					       SPMM_FLAG_TABLE;
	if (spmm->residual != MODEL_NO_TENSOR)
		flags |= SPMM_FLAG_RESIDUAL;
	return flags;
}

static void spmm_residual_build(const struct descriptor_context *context,
				uint32_t layer, struct spmm_descriptor *out)
{
	const struct model_layer *model_layer = &context->model->layers[layer];
	const struct model_spmm *spmm = &model_layer->spmm;
	const struct model_tensor *tensors = context->model->tensors;
	struct golden_quantization before = model_table_quantization(spmm);

	out->accumulator_zero = (int8_t)spmm->accumulator.zero;
	out->table_zero = (int8_t)before.zero;
	if (spmm->residual == MODEL_NO_TENSOR)
		return;
	operand_build(context, layer, (uint32_t)spmm->residual, &out->residual);
	out->accumulator_scale = float_bits(before.scale);
	out->residual_scale =
		float_bits(tensors[spmm->residual].quantization.scale);
	out->output_scale =
		float_bits(tensors[model_layer->outputs[0]].quantization.scale);
}

/* What the fields of a descriptor or the device itself cannot hold. */
static int spmm_check(const struct model_layer *layer,
		      const struct model_grid *grid, uint32_t batch)
{
	const struct model_csr *weights = &layer->spmm.weights;
	uint64_t columns;

	if (!checked_multiply_u64((uint64_t)grid->height * grid->width, batch,
				  &columns) ||
	    columns > SPMM_RESULT_COLUMNS_MAX ||
	    weights->rows > SPMM_ROWS_MAX ||
	    weights->columns > SPMM_COLUMNS_MAX)
		return accel_error(
			-EINVAL,
			"%s: %u × %u by %u × %u × %u is more than the device takes; run a smaller batch or picture",
			layer->name, weights->rows, weights->columns,
			grid->height, grid->width, batch);
	return 0;
}

static uint8_t output_type(enum model_type type)
{
	switch (type) {
	case MODEL_INT32:
		return SPMM_OUTPUT_INT32;
	case MODEL_FLOAT32:
		return SPMM_OUTPUT_FLOAT32;
	case MODEL_INT8:
		break;
	}
	return SPMM_OUTPUT_INT8;
}

int descriptor_build_spmm(const struct descriptor_context *context,
			  uint32_t layer, struct plan_rows rows,
			  struct spmm_descriptor *out)
{
	const struct model_layer *model_layer = &context->model->layers[layer];
	const struct model_spmm *spmm = &model_layer->spmm;
	uint32_t input = (uint32_t)model_layer->inputs[0];
	uint32_t output = (uint32_t)model_layer->outputs[0];
	struct model_grid grid;
	int ret = model_spmm_grid(spmm, &context->shape->extents[input], &grid);

	if (!ret)
		ret = spmm_check(model_layer, &grid, context->shape->batch);
	if (ret)
		return ret;
	memset(out, 0, sizeof(*out));
	out->version = SPMM_DESCRIPTOR_VERSION;
	out->output_type = output_type(context->model->tensors[output].type);
	out->flags = htole16(spmm_flags(spmm));
	out->rows = htole32(spmm->weights.rows);
	out->columns = htole32(spmm->weights.columns);
	out->batch = htole32(context->shape->batch);
	spmm_window_build(spmm, &grid, out);
	spmm_constants_build(context, &context->constants->layers[layer], out);
	operand_build(context, layer, input, &out->input);
	tensor_build(context, output, &out->output);
	spmm_residual_build(context, layer, out);
	if (rows.end < grid.height || rows.first) {
		rows.end = rows.end < grid.height ? rows.end : grid.height;
		spmm_rows_select(spmm, &grid, rows, out);
	}
	return 0;
}

static uint8_t eltwise_operation(enum model_op op)
{
	switch (op) {
	case MODEL_MULTIPLY:
		return SPMM_ELTWISE_MULTIPLY;
	case MODEL_TABLE:
		return SPMM_ELTWISE_TABLE;
	case MODEL_POOL_MAX:
		return SPMM_ELTWISE_POOL_MAX;
	case MODEL_POOL_AVERAGE:
		return SPMM_ELTWISE_POOL_AVERAGE;
	default:
		return SPMM_ELTWISE_ADD;
	}
}

/* A global pool is one whose window is the whole image. */
static int pool_window_build(const struct model_pool *pool,
			     const struct model_extent *input,
			     struct spmm_eltwise_descriptor *out)
{
	const struct model_window *window = &pool->window;
	bool global = !window->kernel_height;
	uint32_t height = global ? input->height : window->kernel_height;
	uint32_t width = global ? input->width : window->kernel_width;
	struct model_grid grid;
	int ret = model_pool_grid(pool, input, &grid);

	if (ret)
		return ret;
	if (height > UINT16_MAX || width > UINT16_MAX)
		return accel_error(-EINVAL,
				   "a pool of %u × %u, the device has %u",
				   height, width, UINT16_MAX);
	out->window_height = htole16((uint16_t)height);
	out->window_width = htole16((uint16_t)width);
	out->stride_height =
		htole16(global ? 1 : (uint16_t)window->stride_height);
	out->stride_width =
		htole16(global ? 1 : (uint16_t)window->stride_width);
	out->dilation_height =
		htole16(global ? 1 : (uint16_t)window->dilation_height);
	out->dilation_width =
		htole16(global ? 1 : (uint16_t)window->dilation_width);
	out->pad_top = htole32(global ? 0 : (uint32_t)grid.pad_top);
	out->pad_left = htole32(global ? 0 : (uint32_t)grid.pad_left);
	if (pool->count_padding && !global)
		out->flags |= htole16(SPMM_FLAG_COUNT_PADDING);
	return 0;
}

static void eltwise_operands_build(const struct descriptor_context *context,
				   uint32_t layer,
				   struct spmm_eltwise_descriptor *out)
{
	const struct model_layer *model_layer = &context->model->layers[layer];
	const struct model_tensor *tensors = context->model->tensors;
	uint32_t first = (uint32_t)model_layer->inputs[0];
	uint32_t output = (uint32_t)model_layer->outputs[0];

	operand_build(context, layer, first, &out->first);
	out->first_scale = float_bits(tensors[first].quantization.scale);
	if (model_layer->op == MODEL_ADD || model_layer->op == MODEL_MULTIPLY) {
		uint32_t second = (uint32_t)model_layer->inputs[1];

		operand_build(context, layer, second, &out->second);
		out->second_scale =
			float_bits(tensors[second].quantization.scale);
	}
	tensor_build(context, output, &out->output);
	out->output_scale = float_bits(tensors[output].quantization.scale);
}

int descriptor_build_eltwise(const struct descriptor_context *context,
			     uint32_t layer,
			     struct spmm_eltwise_descriptor *out)
{
	const struct model_layer *model_layer = &context->model->layers[layer];
	const struct plan_layer_constants *constants =
		&context->constants->layers[layer];

	memset(out, 0, sizeof(*out));
	out->version = SPMM_DESCRIPTOR_VERSION;
	out->operation = eltwise_operation(model_layer->op);
	out->batch = htole32(context->shape->batch);
	eltwise_operands_build(context, layer, out);
	if (model_layer->op == MODEL_TABLE) {
		out->tables = htole64(context->weights + constants->tables);
		if (model_layer->table.per_channel)
			out->flags |= htole16(SPMM_FLAG_TABLE_PER_ROW);
	}
	if (model_layer->op == MODEL_POOL_MAX ||
	    model_layer->op == MODEL_POOL_AVERAGE)
		return pool_window_build(
			&model_layer->pool,
			&context->shape->extents[model_layer->inputs[0]], out);
	return 0;
}

static uint16_t recurrent_flags(const struct model_layer *layer)
{
	uint16_t flags = 0;

	if (layer->recurrent.reverse)
		flags |= SPMM_FLAG_REVERSE;
	if (layer->op == MODEL_GRU && layer->recurrent.linear_before_reset)
		flags |= SPMM_FLAG_LINEAR_BEFORE_RESET;
	return flags;
}

static void recurrent_matrices_build(const struct descriptor_context *context,
				     const struct plan_layer_constants *layer,
				     struct spmm_recurrent_descriptor *out)
{
	const struct plan_matrix *input = &layer->matrix;
	const struct plan_matrix *hidden = &layer->hidden;
	uint64_t base = context->weights;

	out->input_weights = htole64(base + input->weights);
	out->input_weights_length = htole64(input->weights_length);
	out->input_scales = htole64(base + input->scales);
	out->input_biases = htole64(base + input->biases);
	out->hidden_weights = htole64(base + hidden->weights);
	out->hidden_weights_length = htole64(hidden->weights_length);
	out->hidden_scales = htole64(base + hidden->scales);
	out->hidden_biases = htole64(base + hidden->biases);
}

static void sequence_build(const struct descriptor_context *context,
			   const struct plan_state *state,
			   const struct model_layer *layer,
			   struct spmm_tensor *out)
{
	const struct model_recurrent *recurrent = &layer->recurrent;
	uint64_t row = context->shape->batch;
	uint32_t steps = context->shape->extents[layer->inputs[0]].height;

	if (layer->outputs[0] != MODEL_NO_TENSOR) {
		tensor_build(context, (uint32_t)layer->outputs[0], out);
		return;
	}
	out->address = htole64(context->activations + state->sequence);
	out->channel_stride = htole64(row * steps);
	out->row_stride = htole32((uint32_t)row);
	out->channels = htole32(recurrent->hidden);
	out->height = htole32(steps);
	out->width = htole32(1);
	out->zero = (int8_t)recurrent->hidden_quantization.zero;
	out->hint = SPMM_HINT_DISCARD;
}

void descriptor_build_recurrent(const struct descriptor_context *context,
				const struct plan_state *state,
				struct spmm_recurrent_descriptor *out)
{
	const struct model_layer *layer = &context->model->layers[state->layer];
	uint32_t input = (uint32_t)layer->inputs[0];

	memset(out, 0, sizeof(*out));
	out->version = SPMM_DESCRIPTOR_VERSION;
	out->cell = layer->op == MODEL_LSTM ? SPMM_RECURRENT_LSTM :
					      SPMM_RECURRENT_GRU;
	out->flags = htole16(recurrent_flags(layer));
	out->batch = htole32(context->shape->batch);
	out->steps = htole32(context->shape->extents[input].height);
	out->hidden = htole32(layer->recurrent.hidden);
	recurrent_matrices_build(
		context, &context->constants->layers[state->layer], out);
	out->cell_state = htole64(context->activations + state->cell);
	out->hidden_state = htole64(context->activations + state->hidden);
	operand_build(context, state->layer, input, &out->input);
	sequence_build(context, state, layer, &out->output);
	out->hidden_scale =
		float_bits(layer->recurrent.hidden_quantization.scale);
}

void descriptor_build_permute(const struct descriptor_context *context,
			      uint32_t layer, struct spmm_copy_descriptor *out)
{
	const struct model_layer *model_layer = &context->model->layers[layer];
	uint32_t input = (uint32_t)model_layer->inputs[0];
	uint32_t output = (uint32_t)model_layer->outputs[0];
	const struct model_extent *from = &context->shape->extents[input];
	const struct model_extent *to = &context->shape->extents[output];
	uint64_t element =
		plan_element_size(context->model->tensors[input].type);
	uint64_t pixel = element * context->shape->batch;
	const uint64_t source[] = { pixel * from->width * from->height,
				    pixel * from->width, pixel };
	const uint32_t counts[] = { 1, to->channels, to->height, to->width,
				    context->shape->batch };
	uint64_t destination = element;

	memset(out, 0, sizeof(*out));
	out->version = SPMM_DESCRIPTOR_VERSION;
	out->element = (uint8_t)element;
	out->source = htole64(tensor_address(context, input));
	out->destination = htole64(tensor_address(context, output));
	for (int i = SPMM_COPY_DIMENSIONS - 1; i >= 0; i--) {
		out->count[i] = htole32(counts[i]);
		out->destination_stride[i] = htole64(destination);
		destination *= counts[i];
	}
	out->source_stride[4] = htole64(element);
	for (int i = 0; i < 3; i++)
		out->source_stride[i + 1] =
			htole64(source[model_layer->permute.axis[i]]);
}

/* A piece of a line of so many bytes costs little more than its share of a line. */
#define LINE_BYTES_MIN 2048
#define COPY_BANDS_MAX 32

/* Rows of a band: as few as make lines that are long enough, and divide the height. */
static uint32_t copy_band_rows(uint32_t height, uint64_t row)
{
	for (uint32_t rows = 1; rows < height; rows++)
		if (height % rows == 0 && rows * row >= LINE_BYTES_MIN &&
		    height / rows <= COPY_BANDS_MAX)
			return rows;
	return height;
}

bool descriptor_build_copy(const struct descriptor_context *context,
			   uint32_t tensor, uint64_t source,
			   uint64_t destination,
			   struct spmm_copy_descriptor *out)
{
	const struct model_extent *extent = &context->shape->extents[tensor];
	uint64_t element =
		plan_element_size(context->model->tensors[tensor].type);
	uint64_t row = element * extent->width * context->shape->batch;
	uint32_t rows = copy_band_rows(extent->height, row);
	const uint32_t counts[] = { 1, 1, extent->height / rows,
				    extent->channels,
				    (uint32_t)(rows * row / element) };
	const uint64_t strides[] = { 0, 0, rows * row, extent->height * row,
				     element };

	if (rows == extent->height || extent->channels == 1 ||
	    rows * row / element > UINT32_MAX)
		return false;
	memset(out, 0, sizeof(*out));
	out->version = SPMM_DESCRIPTOR_VERSION;
	out->element = (uint8_t)element;
	out->source = htole64(source);
	out->destination = htole64(destination);
	for (int i = 0; i < SPMM_COPY_DIMENSIONS; i++) {
		out->count[i] = htole32(counts[i]);
		out->source_stride[i] = htole64(strides[i]);
		out->destination_stride[i] = htole64(strides[i]);
	}
	return true;
}
