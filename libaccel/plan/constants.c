/* SPDX-License-Identifier: MIT */
#include "plan/constants.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/checked.h"
#include "core/error.h"
#include "golden/arithmetic.h"
#include "golden/table.h"
#include "plan/matrix.h"

#define PIECES_FIRST 64

/**
 * struct builder - constants in the making
 * @context: of the matrices
 * @reader: see plan_constants_create()
 * @constants: the result
 */
struct builder {
	struct plan_matrix_context context;
	struct model_reader *reader;
	struct plan_constants *constants;
};

static int pieces_reserve(struct plan_constants *constants)
{
	size_t capacity = constants->piece_capacity ?
				  2 * constants->piece_capacity :
				  PIECES_FIRST;
	struct plan_piece *pieces;

	if (constants->piece_count < constants->piece_capacity)
		return 0;
	pieces = realloc(constants->pieces, capacity * sizeof(*pieces));
	if (!pieces)
		return accel_error(-ENOMEM, "out of memory");
	constants->pieces = pieces;
	constants->piece_capacity = capacity;
	return 0;
}

/* A piece of so many bytes behind the others, without any yet; NULL with a text. */
static struct plan_piece *piece_add(struct plan_constants *constants,
				    uint64_t length, uint64_t *offset)
{
	struct plan_piece *piece;
	size_t start, end;

	if (!checked_align(constants->length, PLAN_CONSTANTS_ALIGNMENT,
			   &start) ||
	    !checked_add(start, length, &end)) {
		accel_error(-ENOMEM, "weights too large");
		return NULL;
	}
	if (pieces_reserve(constants))
		return NULL;
	piece = &constants->pieces[constants->piece_count++];
	*piece = (struct plan_piece){ .offset = start, .length = length };
	constants->length = end;
	*offset = start;
	return piece;
}

/* The same with room for them; NULL with a text. */
static uint8_t *append(struct plan_constants *constants, size_t length,
		       uint64_t *offset)
{
	struct plan_piece *piece = piece_add(constants, length, offset);

	if (!piece)
		return NULL;
	piece->bytes = malloc(length + 1);
	if (!piece->bytes)
		accel_error(-ENOMEM, "out of memory for %zu weight bytes",
			    length);
	return piece->bytes;
}

static int append_bytes(struct plan_constants *constants, const void *bytes,
			size_t length, uint64_t *offset)
{
	uint8_t *room = append(constants, length, offset);

	if (room && length)
		memcpy(room, bytes, length);
	return room ? 0 : -ENOMEM;
}

static void put_word(uint8_t *at, uint32_t bits)
{
	bits = htole32(bits);
	memcpy(at, &bits, sizeof(bits));
}

static void put_float(uint8_t *at, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_word(at, bits);
}

/**
 * struct rows - what belongs to the rows of a matrix
 * @count: M
 * @units: see model_stream_row()
 * @scale: of the weights
 * @bias: likewise
 * @input: scale of the matrix' operand
 * @output: scale of the result, 0 where it is not requantized
 */
struct rows {
	uint32_t count;
	uint32_t units;
	const float *scale;
	const int32_t *bias;
	float input;
	float output;
};

static int append_biases(struct plan_constants *constants,
			 const struct rows *rows, uint64_t *offset)
{
	uint8_t *room = append(
		constants, (size_t)rows->count * sizeof(*rows->bias), offset);

	for (uint32_t i = 0; room && i < rows->count; i++) {
		uint32_t row = model_stream_row(i, rows->count, rows->units);

		put_word(room + i * sizeof(uint32_t),
			 (uint32_t)rows->bias[row]);
	}
	return room ? 0 : -ENOMEM;
}

/* One scale for each row: output 0 gives fl(sx·sw), else fl(fl(sx·sw) / sy). */
static int append_scales(struct plan_constants *constants,
			 const struct rows *rows, uint64_t *offset)
{
	uint8_t *room =
		append(constants, (size_t)rows->count * sizeof(float), offset);

	for (uint32_t i = 0; room && i < rows->count; i++) {
		uint32_t row = model_stream_row(i, rows->count, rows->units);
		float scale = rows->scale[row];

		put_float(room + i * sizeof(float),
			  rows->output ? golden_output_scale(rows->input, scale,
							     rows->output) :
					 rows->input * scale);
	}
	return room ? 0 : -ENOMEM;
}

/* The stream as the file has it, where that is what packing would give. */
static bool find_packed(const struct builder *builder, uint32_t layer,
			int index, struct model_stream *stream,
			struct model_place *place)
{
	const struct model_packing *packing = builder->context.model->packing;
	const struct model_stream *packed;

	if (!builder->reader ||
	    !plan_matrix_is_packed(&builder->context, layer, index, stream) ||
	    !model_reader_place(builder->reader, layer, index, place))
		return false;
	packed = &packing->layers[layer][index];
	stream->length = place->length;
	stream->issue_cycles = packed->issue_cycles;
	stream->optimal_cycles = packed->optimal_cycles;
	return true;
}

static int stream_pack_now(struct builder *builder, uint32_t layer, int index,
			   struct model_stream *stream)
{
	int ret = 0;

	if (builder->reader)
		ret = model_reader_matrix(builder->reader, layer, index);
	return ret ? ret :
		     plan_matrix_pack(&builder->context, layer, index, stream);
}

static int append_stream(struct builder *builder, uint32_t layer, int index,
			 struct plan_matrix *matrix)
{
	struct model_place place = { 0 };
	struct plan_piece *piece;
	struct model_stream stream;
	int ret = plan_matrix_choose(&builder->context, layer, index, &stream);

	if (!ret && !find_packed(builder, layer, index, &stream, &place))
		ret = stream_pack_now(builder, layer, index, &stream);
	if (ret)
		return ret;
	piece = piece_add(builder->constants, stream.length, &matrix->weights);
	if (!piece) {
		free(stream.bytes);
		return -ENOMEM;
	}
	piece->bytes = stream.bytes;
	piece->place = place;
	matrix->weights_length = stream.length;
	matrix->nonzeros = stream.nonzeros;
	matrix->issue_cycles = stream.issue_cycles;
	matrix->optimal_cycles = stream.optimal_cycles;
	return 0;
}

static float scale_of_output(const struct model *model,
			     const struct model_layer *layer)
{
	const struct model_tensor *output = &model->tensors[layer->outputs[0]];

	return output->type == MODEL_INT8 ? layer->spmm.accumulator.scale : 0;
}

static struct rows rows_of(const struct model *model,
			   const struct model_layer *layer, int index)
{
	const struct model_recurrent *recurrent = &layer->recurrent;
	float input = model->tensors[layer->inputs[0]].quantization.scale;
	struct rows rows = {
		.count = plan_matrix_csr(layer, index)->rows,
		.input = input,
	};

	if (layer->op == MODEL_SPMM) {
		rows.scale = layer->spmm.weight_scale;
		rows.bias = layer->spmm.bias;
		rows.output = scale_of_output(model, layer);
		return rows;
	}
	rows.units = recurrent->hidden;
	if (index == MODEL_MATRIX_HIDDEN) {
		rows.scale = recurrent->hidden_scale;
		rows.bias = recurrent->hidden_bias;
		rows.input = recurrent->hidden_quantization.scale;
		return rows;
	}
	rows.scale = recurrent->input_scale;
	rows.bias = recurrent->input_bias;
	return rows;
}

static int matrix_append(struct builder *builder, uint32_t layer, int index,
			 struct plan_matrix *matrix)
{
	const struct model *model = builder->context.model;
	struct rows rows = rows_of(model, &model->layers[layer], index);
	int ret = append_stream(builder, layer, index, matrix);

	if (!ret)
		ret = append_scales(builder->constants, &rows, &matrix->scales);
	if (!ret)
		ret = append_biases(builder->constants, &rows, &matrix->biases);
	return ret;
}

/* Of an SPMM that has one, or of a layer that is one. */
static int table_append(const struct builder *builder,
			const struct model_layer *layer, uint64_t *offset)
{
	const int8_t *table;
	size_t count = 1;

	if (layer->op == MODEL_SPMM) {
		table = layer->spmm.table;
		if (layer->spmm.table_per_row)
			count = layer->spmm.weights.rows;
	} else {
		table = layer->table.entries;
		if (layer->table.per_channel)
			count = builder->context.shape
					->extents[layer->inputs[0]]
					.channels;
	}
	if (!table)
		return 0;
	return append_bytes(builder->constants, table,
			    GOLDEN_TABLE_SIZE * count, offset);
}

static int layer_append(struct builder *builder, uint32_t index)
{
	const struct model_layer *layer =
		&builder->context.model->layers[index];
	struct plan_layer_constants *out = &builder->constants->layers[index];
	struct plan_matrix *matrices[] = { &out->matrix, &out->hidden };
	int ret = 0;

	for (int m = 0; !ret && m < model_matrix_count(layer); m++)
		ret = matrix_append(builder, index, m, matrices[m]);
	if (!ret && (layer->op == MODEL_SPMM || layer->op == MODEL_TABLE))
		ret = table_append(builder, layer, &out->tables);
	return ret ? accel_error_prefix(ret, "%s", layer->name) : 0;
}

/* Reads can begin as soon as it is known which matrices stay in the file. */
static int reader_start(const struct builder *builder)
{
	const struct model *model = builder->context.model;
	struct model_stream stream;
	struct model_place place;

	for (uint32_t i = 0; i < model->layer_count; i++) {
		for (int m = 0; m < model_matrix_count(&model->layers[i]);
		     m++) {
			int ret = plan_matrix_choose(&builder->context, i, m,
						     &stream);

			if (ret)
				return accel_error_prefix(
					ret, "%s", model->layers[i].name);
			if (find_packed(builder, i, m, &stream, &place))
				model_reader_skip(builder->reader, i, m);
		}
	}
	model_reader_start(builder->reader);
	return 0;
}

int plan_constants_create(const struct model *model,
			  const struct plan_shape *shape,
			  const struct geometry *geometry,
			  struct model_reader *reader,
			  struct plan_constants *constants)
{
	struct builder builder = {
		.context = { model, shape, geometry },
		.reader = reader,
		.constants = constants,
	};
	int ret = 0;

	memset(constants, 0, sizeof(*constants));
	constants->layers = calloc((size_t)model->layer_count + 1,
				   sizeof(*constants->layers));
	if (!constants->layers)
		return accel_error(-ENOMEM, "out of memory");
	if (reader)
		ret = reader_start(&builder);
	for (uint32_t i = 0; !ret && i < model->layer_count; i++)
		ret = layer_append(&builder, i);
	return ret;
}

void plan_constants_drop(struct plan_constants *constants)
{
	for (size_t i = 0; i < constants->piece_count; i++)
		free(constants->pieces[i].bytes);
	free(constants->pieces);
	constants->pieces = NULL;
	constants->piece_count = 0;
	constants->piece_capacity = 0;
}

void plan_constants_free(struct plan_constants *constants)
{
	plan_constants_drop(constants);
	free(constants->layers);
	memset(constants, 0, sizeof(*constants));
}
