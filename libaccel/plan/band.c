/* SPDX-License-Identifier: MIT */
#include "plan/band.h"

#include "core/integer.h"
#include "plan/live.h"

static bool is_plain(const struct model_layer *layer)
{
	return layer->op == MODEL_SPMM && layer->output_count == 1;
}

/* Layers and outputs of the model that read any byte of the tensor. */
static uint32_t readers_count(const struct plan_band_context *context,
			      uint32_t tensor)
{
	const struct storage_set *storage = &context->memory->storage;
	const struct model *model = context->model;
	int32_t operands[MODEL_INPUTS_MAX + 1];
	uint32_t readers = 0;

	for (uint32_t l = 0; l < model->layer_count; l++) {
		uint32_t count =
			model_layer_operands(&model->layers[l], operands);

		for (uint32_t i = 0; i < count; i++)
			readers += storage_overlap(
				storage, (uint32_t)operands[i], tensor);
	}
	for (uint32_t i = 0; i < model->output_count; i++)
		readers += storage_overlap(
			storage, (uint32_t)model->outputs[i].tensor, tensor);
	return readers;
}

/* Does the next layer read this one's result, and nobody else? */
static bool is_pair(const struct plan_band_context *context, uint32_t layer)
{
	const struct model *model = context->model;
	const struct model_layer *writer = &model->layers[layer];
	const struct model_layer *reader = writer + 1;

	return layer + 1 < model->layer_count && is_plain(writer) &&
	       is_plain(reader) && reader->inputs[0] == writer->outputs[0] &&
	       context->memory->last_read[writer->outputs[0]] ==
		       PLAN_MOMENT_OF_LAYER(layer + 1) &&
	       readers_count(context, (uint32_t)writer->outputs[0]) == 1;
}

static struct model_grid grid_of(const struct plan_band_context *context,
				 uint32_t layer)
{
	const struct model_layer *model_layer = &context->model->layers[layer];
	struct model_grid grid = { 0 };

	/* It succeeded when the shapes were inferred. */
	model_spmm_grid(&model_layer->spmm,
			&context->shape->extents[model_layer->inputs[0]],
			&grid);
	return grid;
}

/* Every window sees some row of the input, and the halo fits its field. */
static bool sees_input(const struct plan_band_context *context, uint32_t layer)
{
	const struct model_layer *model_layer = &context->model->layers[layer];
	const struct model_window *window = &model_layer->spmm.window;
	struct model_grid grid = grid_of(context, layer);
	int64_t reach = (window->kernel_height - 1ll) * window->dilation_height;
	int64_t last = (grid.height - 1ll) * window->stride_height;

	return reach < UINT16_MAX && grid.pad_top <= reach &&
	       last - grid.pad_top <
		       context->shape->extents[model_layer->inputs[0]].height;
}

uint32_t plan_band_count(const struct plan_band_context *context,
			 uint32_t layer)
{
	uint64_t room = plan_live_room(context->sram_bytes);
	uint64_t occupied, between, others, count;

	if (!is_pair(context, layer) || !sees_input(context, layer) ||
	    !sees_input(context, layer + 1))
		return 1;
	occupied = max_u64(plan_live_occupied(context->model, context->memory,
					      PLAN_MOMENT_OF_LAYER(layer)),
			   plan_live_occupied(context->model, context->memory,
					      PLAN_MOMENT_OF_LAYER(layer + 1)));
	if (occupied <= room)
		return 1;
	between =
		context->memory->bytes[context->model->layers[layer].outputs[0]];
	others = occupied - between;
	if (others >= room)
		return 1;
	/* One band is written while the one before it is read. */
	count = min_u64(divide_up(2 * between, room - others), PLAN_BANDS_MAX);
	return (uint32_t)min_u64(count, grid_of(context, layer).height);
}

/* Rows of the reader whose windows end before a row of its input. */
static uint32_t rows_ready(const struct model_window *window,
			   const struct model_grid *grid, uint64_t input_rows)
{
	int64_t reach = (window->kernel_height - 1ll) * window->dilation_height;
	int64_t last = (int64_t)input_rows - 1 - reach + grid->pad_top;

	if (last < 0)
		return 0;
	return (uint32_t)min_u64((uint64_t)last / window->stride_height + 1,
				 grid->height);
}

static uint32_t reader_end(const struct plan_band_context *context,
			   uint32_t layer, uint32_t count, uint32_t bands_done)
{
	const struct model_layer *writer = &context->model->layers[layer];
	struct model_grid grid = grid_of(context, layer);
	struct model_grid next = grid_of(context, layer + 1);
	uint64_t rows = (uint64_t)grid.height * bands_done / count *
			writer->spmm.shuffle_height *
			writer->spmm.replicate_height;

	if (bands_done == count)
		return next.height;
	rows = min_u64(rows,
		       context->shape->extents[writer->outputs[0]].height);
	return rows_ready(&writer[1].spmm.window, &next, rows);
}

void plan_band_rows(const struct plan_band_context *context, uint32_t layer,
		    uint32_t count, uint32_t band, struct plan_rows *writer,
		    struct plan_rows *reader)
{
	uint64_t height = grid_of(context, layer).height;

	writer->first = (uint32_t)(height * band / count);
	writer->end = (uint32_t)(height * (band + 1) / count);
	reader->first = band ? reader_end(context, layer, count, band) : 0;
	reader->end = reader_end(context, layer, count, band + 1);
}
