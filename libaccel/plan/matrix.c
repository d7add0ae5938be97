/* SPDX-License-Identifier: MIT */
#include "plan/matrix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/integer.h"
#include "pack/stream.h"
#include "plan/gate_rows.h"

const struct model_csr *plan_matrix_csr(const struct model_layer *layer,
					int matrix)
{
	if (layer->op == MODEL_SPMM)
		return &layer->spmm.weights;
	return matrix == MODEL_MATRIX_HIDDEN ?
		       &layer->recurrent.hidden_weights :
		       &layer->recurrent.input_weights;
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

/*
 * Columns of the result at a time: the input's part of a recurrent layer is computed for
 * all steps at once, but a step needs the state of the one before.
 */
static int columns_count(const struct plan_matrix_context *context,
			 const struct model_layer *layer, int matrix,
			 uint64_t *columns)
{
	const struct model_extent *input =
		&context->shape->extents[layer->inputs[0]];
	struct model_grid grid;
	int ret;

	if (layer->op != MODEL_SPMM) {
		*columns = context->shape->batch;
		if (matrix != MODEL_MATRIX_HIDDEN)
			*columns *= input->height;
		return 0;
	}
	ret = model_spmm_grid(&layer->spmm, input, &grid);
	if (!ret)
		*columns = (uint64_t)grid.height * grid.width *
			   context->shape->batch;
	return ret;
}

int plan_matrix_choose(const struct plan_matrix_context *context,
		       uint32_t index, int matrix, struct model_stream *out)
{
	const struct model_layer *layer = &context->model->layers[index];
	const struct model_csr *csr = plan_matrix_csr(layer, matrix);
	struct mapping_layer sizes = {
		.rows = csr->rows,
		.inner = csr->columns,
		.nonzeros = (uint64_t)model_csr_nonzeros(csr),
		.kernel_width = layer->op == MODEL_SPMM ?
					layer->spmm.window.kernel_width :
					1,
	};
	int ret = columns_count(context, layer, matrix, &sizes.columns);

	if (ret)
		return ret;
	*out = (struct model_stream){
		.mapping = mapping_choose(context->geometry, &sizes),
		.nonzeros = sizes.nonzeros,
	};
	if (matrix == MODEL_MATRIX_HIDDEN)
		out->row_weight = state_row_weight(context->geometry,
						   context->shape->batch);
	return 0;
}

static int csr_pack(const struct model_csr *csr,
		    const struct geometry *geometry, struct model_stream *out)
{
	struct stream stream;
	int ret = stream_pack_rows(csr, geometry, &out->mapping,
				   out->row_weight, &stream);

	if (ret)
		return ret;
	out->bytes = stream.bytes;
	out->length = stream.length;
	out->issue_cycles = stream.issue_cycles;
	out->optimal_cycles = stream.optimal_cycles;
	return 0;
}

int plan_matrix_pack(const struct plan_matrix_context *context, uint32_t index,
		     int matrix, struct model_stream *stream)
{
	const struct model_layer *layer = &context->model->layers[index];
	const struct model_csr *csr = plan_matrix_csr(layer, matrix);
	struct model_csr gates;
	int ret;

	if (layer->op == MODEL_SPMM)
		return csr_pack(csr, context->geometry, stream);
	ret = gate_rows_create(csr, layer->recurrent.hidden, &gates);
	if (ret)
		return ret;
	ret = csr_pack(&gates, context->geometry, stream);
	gate_rows_free(&gates);
	return ret;
}

bool plan_matrix_is_packed(const struct plan_matrix_context *context,
			   uint32_t layer, int matrix,
			   const struct model_stream *chosen)
{
	const struct model_packing *packing = context->model->packing;
	const struct model_stream *packed;

	if (!packing ||
	    !model_packing_fits(&packing->geometry, context->geometry))
		return false;
	packed = &packing->layers[layer][matrix];
	return packed->mapping.row_groups == chosen->mapping.row_groups &&
	       packed->mapping.column_groups == chosen->mapping.column_groups &&
	       packed->mapping.vector_width == chosen->mapping.vector_width &&
	       packed->row_weight == chosen->row_weight;
}

uint64_t plan_matrix_channels(const struct model *model, uint32_t index)
{
	const struct model_layer *layer = &model->layers[index];
	const struct model_csr *csr = &layer->spmm.weights;
	uint64_t channels = model->tensors[layer->inputs[0]].channels;
	uint32_t taps = (uint32_t)(csr->columns / max_u64(channels, 1));
	int64_t count = model_csr_nonzeros(csr);
	uint64_t used = 0;
	uint8_t *seen;

	/* What was not decoded has been counted when it was packed. */
	if (!csr->column)
		return min_u64(model->packing->layers[index][0].channels,
			       channels);
	seen = calloc(channels + 1, 1);
	/* Without memory for a better one, 0 is a bound, too. */
	for (int64_t i = 0; seen && taps && i < count; i++) {
		uint8_t *channel = &seen[(uint32_t)csr->column[i] / taps];

		used += !*channel;
		*channel = 1;
	}
	free(seen);
	return used;
}

static int layers_pack(const struct plan_matrix_context *context,
		       struct model_packing *packing)
{
	for (uint32_t i = 0; i < packing->layer_count; i++) {
		const struct model_layer *layer = &context->model->layers[i];

		for (int m = 0; m < model_matrix_count(layer); m++) {
			struct model_stream *stream = &packing->layers[i][m];
			int ret = plan_matrix_choose(context, i, m, stream);

			if (!ret)
				ret = plan_matrix_pack(context, i, m, stream);
			if (ret)
				return accel_error_prefix(ret, "%s",
							  layer->name);
			if (layer->op == MODEL_SPMM)
				stream->channels =
					plan_matrix_channels(context->model, i);
		}
	}
	return 0;
}

int plan_packing_create(const struct model *model,
			const struct geometry *geometry,
			const struct model_sizes *sizes,
			struct model_packing **out)
{
	const struct accel_plan_options options = {
		.batch = sizes->batch,
		.height = sizes->height,
		.width = sizes->width,
		.steps = sizes->steps,
	};
	struct plan_shape shape = { 0 };
	const struct plan_matrix_context context = { model, &shape, geometry };
	struct model_packing *packing =
		model_packing_create(model->layer_count);
	int ret;

	if (!packing)
		return -ENOMEM;
	packing->geometry = *geometry;
	packing->sizes = *sizes;
	ret = plan_shape_infer(model, &options, &shape);
	if (!ret)
		ret = layers_pack(&context, packing);
	plan_shape_free(&shape);
	if (ret) {
		model_packing_destroy(packing);
		return ret;
	}
	*out = packing;
	return 0;
}
