/* SPDX-License-Identifier: MIT */
#include <model/file.h>

#include <core/crc32c.h>
#include <core/error.h>
#include <formats/safetensors.h>
#include <golden/table.h>
#include <model/compact.h>
#include <model/file_format.h>
#include <model/graph.h>
#include <pack/bits.h>
#include <pack/words.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors is little-endian and arrays are written as they lie in memory"
#endif

/* The most tensors that one layer has: two matrices, scales and biases. */
#define LAYER_TENSORS_MAX 10

/* Tensors to be saved; the names and the narrowed columns are its own. */
struct writer {
	struct safetensors_tensor *tensors;
	size_t count;
	void **owned;
	size_t owned_count;
};

static int writer_create(struct writer *writer, const struct model *model)
{
	size_t most = (size_t)model->layer_count * LAYER_TENSORS_MAX + 1;

	memset(writer, 0, sizeof(*writer));
	writer->tensors = calloc(most, sizeof(*writer->tensors));
	writer->owned = calloc(2 * most, sizeof(*writer->owned));
	if (!writer->tensors || !writer->owned)
		return accel_error(-ENOMEM, "no memory to write the model");
	return 0;
}

static void writer_release(struct writer *writer)
{
	for (size_t i = 0; i < writer->owned_count; i++)
		free(writer->owned[i]);
	free(writer->owned);
	free(writer->tensors);
}

/* rows is 0 for a tensor of one dimension. */
static int add_tensor(struct writer *writer, const char *prefix,
		      const char *suffix, enum safetensors_type type,
		      uint64_t rows, uint64_t columns, const void *data)
{
	struct safetensors_tensor *tensor = &writer->tensors[writer->count];
	char *name;

	if (asprintf(&name, "%s.%s", prefix, suffix) < 0)
		return accel_error(-ENOMEM, "no memory to write the model");
	writer->owned[writer->owned_count++] = name;
	writer->count++;
	tensor->name = name;
	tensor->type = type;
	tensor->rank = rows ? 2 : 1;
	tensor->shape[0] = rows ? rows : columns;
	tensor->shape[1] = rows ? columns : 0;
	tensor->data = data;
	tensor->size =
		(rows ? rows : 1) * columns * safetensors_type_size(type);
	return 0;
}

/* Half of the index bytes of nearly all layers. */
static int add_columns(struct writer *writer, const char *prefix,
		       const struct model_csr *csr)
{
	size_t count = (size_t)model_csr_nonzeros(csr);
	uint16_t *narrow;

	if (csr->columns > MODEL_FILE_NARROW_COLUMNS)
		return add_tensor(writer, prefix, "col_indices",
				  SAFETENSORS_I32, 0, count, csr->column);
	narrow = malloc(count * sizeof(*narrow) + 1);
	if (!narrow)
		return accel_error(-ENOMEM, "no memory to write the model");
	writer->owned[writer->owned_count++] = narrow;
	for (size_t i = 0; i < count; i++)
		narrow[i] = (uint16_t)csr->column[i];
	return add_tensor(writer, prefix, "col_indices", SAFETENSORS_U16, 0,
			  count, narrow);
}

static int add_csr(struct writer *writer, const char *prefix,
		   const struct model_csr *csr)
{
	uint64_t count = (uint64_t)model_csr_nonzeros(csr);
	int ret = add_tensor(writer, prefix, "crow_indices", SAFETENSORS_I64, 0,
			     (uint64_t)csr->rows + 1, csr->row_start);

	if (!ret)
		ret = add_columns(writer, prefix, csr);
	if (!ret)
		ret = add_tensor(writer, prefix, "values", SAFETENSORS_I8, 0,
				 count, csr->value);
	return ret;
}

static int add_row_arrays(struct writer *writer, const char *prefix,
			  uint32_t rows, const float *scale,
			  const int32_t *bias)
{
	int ret = add_tensor(writer, prefix, "scale", SAFETENSORS_F32, 0, rows,
			     scale);

	return ret ? ret :
		     add_tensor(writer, prefix, "bias", SAFETENSORS_I32, 0,
				rows, bias);
}

/* Scales of one sign are in the order of their bits. */
static int add_coded_rows(struct writer *writer, const char *prefix,
			  uint32_t rows, const float *scale,
			  const int32_t *bias)
{
	struct bit_writer bits = { .bytes = NULL };
	uint32_t *words = malloc((size_t)rows * sizeof(*words) + 1);

	if (!words)
		return accel_error(-ENOMEM, "no memory to write the model");
	memcpy(words, scale, (size_t)rows * sizeof(*words));
	words_encode(words, rows, &bits);
	for (uint32_t i = 0; i < rows; i++)
		words[i] = (uint32_t)bias[i] ^ MODEL_FILE_BIAS_OFFSET;
	words_encode(words, rows, &bits);
	bits_align(&bits);
	free(words);
	writer->owned[writer->owned_count++] = bits.bytes;
	if (bits.failed)
		return accel_error(-ENOMEM, "no memory to write the model");
	return add_tensor(writer, prefix, MODEL_FILE_ROWS, SAFETENSORS_U8, 0,
			  bits.length, bits.bytes);
}

/* stream is NULL in a portable file. */
static int add_matrix(struct writer *writer, const char *prefix,
		      const struct model_csr *csr,
		      const struct model_stream *stream, const float *scale,
		      const int32_t *bias)
{
	int ret = stream ? add_tensor(writer, prefix, MODEL_FILE_STREAM,
				      SAFETENSORS_U8, 0, stream->length,
				      stream->bytes) :
			   add_csr(writer, prefix, csr);

	if (ret)
		return ret;
	return stream ? add_coded_rows(writer, prefix, csr->rows, scale, bias) :
			add_row_arrays(writer, prefix, csr->rows, scale, bias);
}

static int add_table(struct writer *writer, const char *name,
		     const int8_t *table, bool per_row, uint32_t rows)
{
	if (!table)
		return 0;
	return add_tensor(writer, name, "table", SAFETENSORS_I8,
			  per_row ? rows : 0, GOLDEN_TABLE_SIZE, table);
}

static int add_recurrent(struct writer *writer, const struct model_layer *layer,
			 const struct model_stream *streams)
{
	const struct model_recurrent *recurrent = &layer->recurrent;
	char *prefix;
	int ret;

	if (asprintf(&prefix, "%s.input", layer->name) < 0)
		return accel_error(-ENOMEM, "no memory to write the model");
	ret = add_matrix(writer, prefix, &recurrent->input_weights, streams,
			 recurrent->input_scale, recurrent->input_bias);
	free(prefix);
	if (ret)
		return ret;
	if (asprintf(&prefix, "%s.hidden", layer->name) < 0)
		return accel_error(-ENOMEM, "no memory to write the model");
	ret = add_matrix(writer, prefix, &recurrent->hidden_weights,
			 streams ? &streams[MODEL_MATRIX_HIDDEN] : NULL,
			 recurrent->hidden_scale, recurrent->hidden_bias);
	free(prefix);
	return ret;
}

static int add_layer(struct writer *writer, const struct model *model,
		     const struct model_layer *layer,
		     const struct model_stream *streams)
{
	const struct model_spmm *spmm = &layer->spmm;
	int ret;

	switch (layer->op) {
	case MODEL_SPMM:
		ret = add_matrix(writer, layer->name, &spmm->weights, streams,
				 spmm->weight_scale, spmm->bias);
		if (ret)
			return ret;
		return add_table(writer, layer->name, spmm->table,
				 spmm->table_per_row, spmm->weights.rows);
	case MODEL_TABLE:
		return add_table(writer, layer->name, layer->table.entries,
				 layer->table.per_channel,
				 model->tensors[layer->inputs[0]].channels);
	case MODEL_LSTM:
	case MODEL_GRU:
		return add_recurrent(writer, layer, streams);
	default:
		return 0;
	}
}

/* {"conv1.values": "89abcdef", …} */
static char *checksums(const struct writer *writer)
{
	json_t *json = json_object();
	char *text = NULL;

	for (size_t i = 0; json && i < writer->count; i++) {
		const struct safetensors_tensor *tensor = &writer->tensors[i];
		uint32_t crc = crc32c(0, tensor->data, tensor->size);

		if (json_object_set_new(json, tensor->name,
					json_sprintf(MODEL_FILE_CRC_FORMAT,
						     crc))) {
			json_decref(json);
			json = NULL;
		}
	}
	if (json)
		text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

static void crc_print(const char *text, char digits[MODEL_FILE_CRC_SIZE])
{
	snprintf(digits, MODEL_FILE_CRC_SIZE, MODEL_FILE_CRC_FORMAT,
		 crc32c(0, text, strlen(text)));
}

/* The order of the texts is part of the bytes that a model gives. */
static int save(const struct writer *writer, const char *graph,
		const char *packing, const char *path)
{
	char graph_crc[MODEL_FILE_CRC_SIZE];
	char packing_crc[MODEL_FILE_CRC_SIZE];
	char *crcs = checksums(writer);
	const struct safetensors_text texts[] = {
		{ MODEL_FILE_FORMAT_KEY,
		  packing ? MODEL_FILE_PACKED_FORMAT : MODEL_FILE_FORMAT },
		{ MODEL_FILE_GRAPH_KEY, graph },
		{ MODEL_FILE_GRAPH_CRC_KEY, graph_crc },
		{ MODEL_FILE_CRC_KEY, crcs },
		/* The last two of packed files only. */
		{ MODEL_FILE_PACKING_KEY, packing },
		{ MODEL_FILE_PACKING_CRC_KEY, packing_crc },
	};
	size_t count = sizeof(texts) / sizeof(texts[0]);
	int ret;

	if (!crcs)
		return accel_error(-ENOMEM, "no memory to write the model");
	crc_print(graph, graph_crc);
	if (packing)
		crc_print(packing, packing_crc);
	ret = safetensors_save(path, writer->tensors, writer->count, texts,
			       packing ? count : count - 2);
	free(crcs);
	return ret;
}

/* packing and its text are NULL for a portable file. */
static int write_model(const struct model *model,
		       const struct model_packing *packing, const char *text,
		       const char *path)
{
	struct writer writer;
	char *graph;
	int ret = model_validate(model);

	if (ret)
		return accel_error_prefix(ret, "%s is not written", path);
	graph = model_graph_write(model);
	if (!graph)
		return -ENOMEM;
	ret = writer_create(&writer, model);
	for (uint32_t i = 0; !ret && i < model->layer_count; i++)
		ret = add_layer(&writer, model, &model->layers[i],
				packing ? packing->layers[i] : NULL);
	if (!ret)
		ret = save(&writer, graph, text, path);
	writer_release(&writer);
	free(graph);
	return ret;
}

int model_file_write(const struct model *model, const char *path)
{
	return write_model(model, NULL, NULL, path);
}

int model_file_write_packed(const struct model *model,
			    const struct model_packing *packing,
			    const char *path)
{
	char *text = model_packing_write(packing, model);
	int ret;

	if (!text)
		return -ENOMEM;
	ret = write_model(model, packing, text, path);
	free(text);
	return ret;
}

static int save_compact(const uint8_t *bytes, size_t length, const char *path)
{
	struct safetensors_tensor tensor = {
		.name = MODEL_FILE_COMPACT_TENSOR,
		.type = SAFETENSORS_U8,
		.rank = 1,
		.shape = { length },
		.data = bytes,
		.size = length,
	};
	const struct writer writer = { .tensors = &tensor, .count = 1 };
	char *crcs = checksums(&writer);
	const struct safetensors_text texts[] = {
		{ MODEL_FILE_FORMAT_KEY, MODEL_FILE_COMPACT_FORMAT },
		{ MODEL_FILE_CRC_KEY, crcs },
	};
	int ret;

	if (!crcs)
		return accel_error(-ENOMEM, "no memory to write the model");
	ret = safetensors_save(path, &tensor, 1, texts,
			       sizeof(texts) / sizeof(texts[0]));
	free(crcs);
	return ret;
}

int model_file_write_compact(const struct model *model, const char *path)
{
	uint8_t *bytes;
	size_t length;
	int ret = model_validate(model);

	if (ret)
		return accel_error_prefix(ret, "%s is not written", path);
	ret = model_compact_encode(model, &bytes, &length);
	if (ret)
		return ret;
	ret = save_compact(bytes, length, path);
	free(bytes);
	return ret;
}
