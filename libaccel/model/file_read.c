/* SPDX-License-Identifier: MIT */
#include <model/file.h>

#include <core/crc32c.h>
#include <core/error.h>
#include <golden/table.h>
#include <model/compact.h>
#include <model/file_format.h>
#include <model/file_reader.h>
#include <model/file_source.h>
#include <model/graph.h>
#include <model/unpack.h>
#include <model/validate_layer.h>
#include <pack/bits.h>
#include <pack/words.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct model_reader - a file that is being read
 * @source: its tensors
 * @model: as far as it is there
 * @is_taken: the model belongs to somebody else
 * @is_packed: matrices are streams
 * @has_codes: scales and biases of rows are coded
 * @state: of each layer's matrices
 */
struct model_reader {
	struct file_source source;
	struct model *model;
	bool is_taken;
	bool is_packed;
	bool has_codes;
	enum matrix_state {
		MATRIX_IN_FILE,
		MATRIX_SKIPPED,
		MATRIX_READ,
	} (*state)[MODEL_MATRICES_MAX];
};

/* A tensor that a layer needs. */
static const struct safetensors_tensor *
find(const struct model_reader *reader, const char *prefix, const char *suffix)
{
	const struct safetensors_tensor *tensor;
	char *name;

	if (asprintf(&name, "%s.%s", prefix, suffix) < 0)
		return NULL;
	tensor = safetensors_find(reader->source.file, name);
	free(name);
	return tensor;
}

static int missing(const char *prefix, const char *suffix)
{
	return accel_error(-EBADMSG, "'%s.%s' is missing; recompress the model",
			   prefix, suffix);
}

/* A copy of the data; rows is 0 for a tensor of one dimension. */
static int take(struct model_reader *reader, const char *prefix,
		const char *suffix, enum safetensors_type type, uint64_t rows,
		uint64_t columns, void **copy)
{
	const struct safetensors_tensor *tensor = find(reader, prefix, suffix);
	unsigned int rank = rows ? 2 : 1;
	int ret;

	if (!tensor)
		return missing(prefix, suffix);
	if (tensor->type != type || tensor->rank != rank ||
	    tensor->shape[0] != (rows ? rows : columns) ||
	    (rows && tensor->shape[1] != columns))
		return accel_error(
			-EBADMSG,
			"'%s' is no %s of %llu × %llu as the graph says; the file is damaged, recompress the model",
			tensor->name, safetensors_type_name(type),
			(unsigned long long)(rows ? rows : 1),
			(unsigned long long)columns);
	ret = file_source_get(&reader->source, tensor);
	if (ret)
		return ret;
	*copy = malloc(tensor->size + 1);
	if (!*copy)
		return accel_error(-ENOMEM, "no memory for '%s'", tensor->name);
	if (tensor->size)
		memcpy(*copy, tensor->data, tensor->size);
	return 0;
}

static int take_columns(struct model_reader *reader, const char *prefix,
			struct model_csr *csr, uint64_t count)
{
	uint16_t *narrow = NULL;
	int ret;

	if (csr->columns > MODEL_FILE_NARROW_COLUMNS)
		return take(reader, prefix, "col_indices", SAFETENSORS_I32, 0,
			    count, (void **)&csr->column);
	ret = take(reader, prefix, "col_indices", SAFETENSORS_U16, 0, count,
		   (void **)&narrow);
	if (ret)
		return ret;
	csr->column = malloc(count * sizeof(*csr->column) + 1);
	for (uint64_t i = 0; csr->column && i < count; i++)
		csr->column[i] = narrow[i];
	free(narrow);
	if (!csr->column)
		return accel_error(-ENOMEM, "no memory for '%s'", prefix);
	return 0;
}

/* The lengths of the three arrays agree; model_validate_layer() looks at the rest. */
static int take_csr(struct model_reader *reader, const char *prefix,
		    struct model_csr *csr)
{
	uint64_t count = (uint64_t)model_csr_nonzeros(csr);
	int ret = take(reader, prefix, "values", SAFETENSORS_I8, 0, count,
		       (void **)&csr->value);

	free(csr->row_start);
	csr->row_start = NULL;
	if (!ret)
		ret = take(reader, prefix, "crow_indices", SAFETENSORS_I64, 0,
			   (uint64_t)csr->rows + 1, (void **)&csr->row_start);
	if (!ret && (uint64_t)csr->row_start[csr->rows] != count)
		ret = accel_error(
			-EBADMSG,
			"'%s': the rows end at %lld of %llu non-zeros; the file is damaged, recompress the model",
			prefix, (long long)csr->row_start[csr->rows],
			(unsigned long long)count);
	if (!ret)
		ret = take_columns(reader, prefix, csr, count);
	return ret;
}

static int take_stream(struct model_reader *reader, uint32_t index, int which,
		       const char *prefix, struct model_csr *csr)
{
	const struct model_layer *layer = &reader->model->layers[index];
	const struct model_packing *packing = reader->model->packing;
	const struct safetensors_tensor *tensor =
		find(reader, prefix, MODEL_FILE_STREAM);
	struct model_stream stream = packing->layers[index][which];
	int ret;

	if (!tensor)
		return missing(prefix, MODEL_FILE_STREAM);
	ret = take(reader, prefix, MODEL_FILE_STREAM, SAFETENSORS_U8, 0,
		   tensor->size, (void **)&stream.bytes);
	if (!ret)
		ret = model_stream_unpack(
			&stream, &packing->geometry,
			layer->op == MODEL_SPMM ? 0 : layer->recurrent.hidden,
			csr);
	free(stream.bytes);
	return ret ? accel_error_prefix(ret, "'%s'", prefix) : 0;
}

/*
 * So many non-zeros as the file will turn out to have: the last row start is all that is
 * known of a matrix before it is read.
 */
static int announce_matrix(struct model_reader *reader, uint32_t index,
			   int which, const char *prefix, struct model_csr *csr)
{
	const char *suffix = reader->is_packed ? MODEL_FILE_STREAM : "values";
	const struct safetensors_tensor *tensor = find(reader, prefix, suffix);
	struct model_stream *stream;
	uint64_t count;

	if (!tensor || tensor->rank != 1)
		return missing(prefix, suffix);
	count = tensor->shape[0];
	if (reader->is_packed) {
		stream = &reader->model->packing->layers[index][which];
		stream->length = tensor->size;
		count = stream->nonzeros;
	}
	/* A weight of a stream has eight bits or more. */
	if (count > tensor->size)
		return accel_error(
			-EBADMSG,
			"'%s': %llu weights in %zu bytes; the file is damaged, recompress the model",
			tensor->name, (unsigned long long)count, tensor->size);
	csr->row_start = calloc((size_t)csr->rows + 1, sizeof(*csr->row_start));
	if (!csr->row_start)
		return accel_error(-ENOMEM, "no memory for '%s'", prefix);
	csr->row_start[csr->rows] = (int64_t)count;
	return 0;
}

static int take_row_arrays(struct model_reader *reader, const char *prefix,
			   const struct model_matrix *matrix)
{
	int ret = take(reader, prefix, "scale", SAFETENSORS_F32, 0,
		       matrix->csr->rows, (void **)matrix->scale);

	return ret ? ret :
		     take(reader, prefix, "bias", SAFETENSORS_I32, 0,
			  matrix->csr->rows, (void **)matrix->bias);
}

/* Nothing but zeros is left of the last byte. */
static bool is_end(const struct bit_reader *bits)
{
	return bits->end - bits->position < 8 && !bits_peek(bits);
}

static bool decode_rows(struct bit_reader *bits, uint32_t rows, float *scale,
			uint32_t *words, int32_t *bias)
{
	if (!words_decode(bits, words, rows))
		return false;
	memcpy(scale, words, (size_t)rows * sizeof(*words));
	if (!words_decode(bits, words, rows) || !is_end(bits))
		return false;
	for (uint32_t i = 0; i < rows; i++)
		bias[i] = (int32_t)(words[i] ^ MODEL_FILE_BIAS_OFFSET);
	return true;
}

static int take_coded_rows(struct model_reader *reader, const char *prefix,
			   const struct model_matrix *matrix)
{
	const struct safetensors_tensor *tensor =
		find(reader, prefix, MODEL_FILE_ROWS);
	uint32_t rows = matrix->csr->rows;
	size_t bytes = (size_t)rows * sizeof(uint32_t) + 1;
	struct bit_reader bits = { .bytes = NULL };
	uint32_t *words;
	int ret;

	if (!tensor)
		return missing(prefix, MODEL_FILE_ROWS);
	/* before memory for so many rows as the graph says */
	if (2 * words_least_bits(rows) > 8 * (uint64_t)tensor->size)
		return accel_error(
			-EBADMSG,
			"'%s': %u rows in %zu bytes; the file is damaged, recompress the model",
			tensor->name, rows, tensor->size);
	ret = take(reader, prefix, MODEL_FILE_ROWS, SAFETENSORS_U8, 0,
		   tensor->size, (void **)&bits.bytes);
	if (ret)
		return ret;
	bits.end = 8 * (uint64_t)tensor->size;
	words = malloc(bytes);
	*matrix->scale = malloc(bytes);
	*matrix->bias = malloc(bytes);
	if (!words || !*matrix->scale || !*matrix->bias)
		ret = accel_error(-ENOMEM, "no memory for '%s'", tensor->name);
	else if (!decode_rows(&bits, rows, *matrix->scale, words,
			      *matrix->bias))
		ret = accel_error(
			-EBADMSG,
			"'%s' is no code of %u rows; the file is damaged, recompress the model",
			tensor->name, rows);
	free(words);
	free((void *)bits.bytes);
	return ret;
}

/* All of a matrix but its weights. The scales come first: they show that there are rows. */
static int take_rows(struct model_reader *reader, uint32_t index, int which)
{
	struct model_layer *layer = &reader->model->layers[index];
	struct model_matrix matrix = model_matrix_of(layer, which);
	char *prefix = model_matrix_name(layer, which);
	int ret;

	if (!prefix)
		return accel_error(-ENOMEM, "no memory for the model");
	ret = reader->has_codes ? take_coded_rows(reader, prefix, &matrix) :
				  take_row_arrays(reader, prefix, &matrix);
	if (!ret)
		ret = announce_matrix(reader, index, which, prefix, matrix.csr);
	free(prefix);
	return ret;
}

static int take_table(struct model_reader *reader, const char *name,
		      bool per_row, uint32_t rows, int8_t **table)
{
	return take(reader, name, MODEL_FILE_TABLE, SAFETENSORS_I8,
		    per_row ? rows : 0, GOLDEN_TABLE_SIZE, (void **)table);
}

/* The graph is not validated yet, so the input's index may be anything. */
static int take_table_layer(struct model_reader *reader,
			    const struct model *model,
			    struct model_layer *layer)
{
	int32_t input = layer->inputs[0];

	if (layer->input_count < 1 || input < 0 ||
	    (uint32_t)input >= model->tensor_count)
		return accel_error(-EBADMSG, "'%s' has no input", layer->name);
	return take_table(reader, layer->name, layer->table.per_channel,
			  model->tensors[input].channels,
			  &layer->table.entries);
}

static int take_layer(struct model_reader *reader, uint32_t index)
{
	struct model_layer *layer = &reader->model->layers[index];
	struct model_spmm *spmm = &layer->spmm;
	int ret = 0;

	for (int m = 0; !ret && m < model_matrix_count(layer); m++)
		ret = take_rows(reader, index, m);
	if (ret)
		return ret;
	if (layer->op == MODEL_TABLE)
		return take_table_layer(reader, reader->model, layer);
	if (layer->op != MODEL_SPMM ||
	    !find(reader, layer->name, MODEL_FILE_TABLE))
		return 0;
	return take_table(reader, layer->name, spmm->table_per_row,
			  spmm->weights.rows, &spmm->table);
}

static const char *const row_suffixes[] = { "scale", "bias", NULL };
static const char *const coded_suffixes[] = { MODEL_FILE_ROWS, NULL };
static const char *const csr_suffixes[] = { "values", "crow_indices",
					    "col_indices", NULL };
static const char *const stream_suffixes[] = { MODEL_FILE_STREAM, NULL };

/* Those that there are; how many they were. */
static size_t want(struct model_reader *reader, const char *prefix,
		   const char *const *suffixes)
{
	size_t count = 0;

	for (; *suffixes; suffixes++) {
		const struct safetensors_tensor *tensor =
			find(reader, prefix, *suffixes);

		if (!tensor)
			continue;
		file_source_want(&reader->source, tensor);
		count++;
	}
	return count;
}

static const char *const *weight_suffixes(const struct model_reader *reader)
{
	return reader->is_packed ? stream_suffixes : csr_suffixes;
}

static size_t suffix_count(const char *const *suffixes)
{
	size_t count = 0;

	while (suffixes[count])
		count++;
	return count;
}

/* Want a layer's tensors but for its weights; those are counted, too. */
static size_t want_layer(struct model_reader *reader,
			 const struct model_layer *layer)
{
	static const char *const table[] = { MODEL_FILE_TABLE, NULL };
	size_t count = 0;

	for (int m = 0; m < model_matrix_count(layer); m++) {
		char *prefix = model_matrix_name(layer, m);

		if (prefix)
			count += want(reader, prefix,
				      reader->has_codes ? coded_suffixes :
							  row_suffixes) +
				 suffix_count(weight_suffixes(reader));
		free(prefix);
	}
	if (layer->op == MODEL_SPMM || layer->op == MODEL_TABLE)
		count += want(reader, layer->name, table);
	return count;
}

/* A tensor that no layer takes is a sign of damage too: its name may have changed. */
static int read_small(struct model_reader *reader)
{
	struct model *model = reader->model;
	size_t all = safetensors_count(reader->source.file), used = 0;
	int ret = 0;

	for (uint32_t i = 0; i < model->layer_count && used <= all; i++)
		used += want_layer(reader, &model->layers[i]);
	for (uint32_t i = 0; !ret && i < model->layer_count; i++)
		ret = take_layer(reader, i);
	if (!ret && used != all)
		ret = accel_error(
			-EBADMSG,
			"%zu tensors, but the layers have %zu; the file is damaged, recompress the model",
			all, used);
	if (!ret)
		ret = model_validate(model);
	return ret;
}

static int read_packing(struct model_reader *reader)
{
	const struct safetensors_file *file = reader->source.file;
	const char *text = safetensors_metadata(file, MODEL_FILE_PACKING_KEY);
	int ret;

	if (!reader->is_packed)
		return 0;
	if (!text)
		return accel_error(-EBADMSG,
				   "the packing is missing; pack it again");
	ret = file_crc_check(
		MODEL_FILE_PACKING_KEY, crc32c(0, text, strlen(text)),
		safetensors_metadata(file, MODEL_FILE_PACKING_CRC_KEY));
	return ret ? ret :
		     model_packing_read(text, reader->model,
					&reader->model->packing);
}

/* Checksums first: what is damaged should be called so, not called invalid. */
static int read_graph(struct model_reader *reader)
{
	const struct safetensors_file *file = reader->source.file;
	const char *format = safetensors_metadata(file, MODEL_FILE_FORMAT_KEY);
	const char *graph = safetensors_metadata(file, MODEL_FILE_GRAPH_KEY);
	int ret;

	reader->has_codes = format && !strcmp(format, MODEL_FILE_PACKED_FORMAT);
	reader->is_packed =
		reader->has_codes ||
		(format && !strcmp(format, MODEL_FILE_PACKED_FORMAT_1));
	if (!format || !graph ||
	    (!reader->is_packed && strcmp(format, MODEL_FILE_FORMAT)))
		return accel_error(-EBADMSG,
				   "no model of the form " MODEL_FILE_FORMAT
				   ", " MODEL_FILE_COMPACT_FORMAT
				   " or " MODEL_FILE_PACKED_FORMAT
				   "; make one with accel compress");
	ret = file_crc_check("graph", crc32c(0, graph, strlen(graph)),
			     safetensors_metadata(file,
						  MODEL_FILE_GRAPH_CRC_KEY));
	if (!ret)
		ret = file_source_read_crcs(&reader->source);
	if (!ret)
		ret = model_graph_read(graph, &reader->model);
	return ret;
}

static int states_create(struct model_reader *reader)
{
	reader->state = calloc((size_t)reader->model->layer_count + 1,
			       sizeof(*reader->state));
	if (!reader->state)
		return accel_error(-ENOMEM, "no memory for the model");
	return 0;
}

static bool is_compact(const struct model_reader *reader)
{
	const char *format = safetensors_metadata(reader->source.file,
						  MODEL_FILE_FORMAT_KEY);

	return format && !strcmp(format, MODEL_FILE_COMPACT_FORMAT);
}

/* All of it: it is small, and no part comes before the one that precedes it. */
static int read_compact(struct model_reader *reader)
{
	const struct safetensors_tensor *tensor = safetensors_find(
		reader->source.file, MODEL_FILE_COMPACT_TENSOR);
	int ret;

	if (!tensor || tensor->type != SAFETENSORS_U8 || tensor->rank != 1 ||
	    safetensors_count(reader->source.file) != 1)
		return accel_error(
			-EBADMSG,
			"no tensor '" MODEL_FILE_COMPACT_TENSOR
			"' alone; the file is damaged, recompress the model");
	ret = file_source_read_crcs(&reader->source);
	if (ret)
		return ret;
	file_source_want(&reader->source, tensor);
	ret = file_source_get(&reader->source, tensor);
	if (!ret)
		ret = model_compact_decode(tensor->data, tensor->size,
					   &reader->model);
	if (!ret)
		ret = states_create(reader);
	for (uint32_t i = 0; !ret && i < reader->model->layer_count; i++)
		for (int m = 0; m < MODEL_MATRICES_MAX; m++)
			reader->state[i][m] = MATRIX_READ;
	return ret ? ret : model_validate(reader->model);
}

static int reader_read(struct model_reader *reader)
{
	int ret;

	if (is_compact(reader))
		return read_compact(reader);
	ret = read_graph(reader);
	if (!ret)
		ret = read_packing(reader);
	if (!ret)
		ret = states_create(reader);
	return ret ? ret : read_small(reader);
}

/* From a path, or from a file in memory. */
static int reader_create(const char *path, struct safetensors_file *file,
			 struct model_reader **out)
{
	struct model_reader *reader = calloc(1, sizeof(*reader));
	int ret;

	*out = NULL;
	if (!reader)
		return accel_error(-ENOMEM, "no memory for the model");
	ret = path ? file_source_open(&reader->source, path) :
		     file_source_attach(&reader->source, file);
	if (!ret)
		ret = reader_read(reader);
	if (ret) {
		model_reader_close(reader);
		return ret;
	}
	*out = reader;
	return 0;
}

int model_reader_open(const char *path, struct model_reader **out)
{
	return reader_create(path, NULL, out);
}

void model_reader_close(struct model_reader *reader)
{
	if (!reader)
		return;
	file_source_close(&reader->source);
	if (!reader->is_taken)
		model_destroy(reader->model);
	free(reader->state);
	free(reader);
}

struct model *model_reader_model(struct model_reader *reader)
{
	return reader->model;
}

struct model *model_reader_take(struct model_reader *reader)
{
	reader->is_taken = true;
	return reader->model;
}

void model_reader_skip(struct model_reader *reader, uint32_t layer, int matrix)
{
	reader->state[layer][matrix] = MATRIX_SKIPPED;
}

void model_reader_start(struct model_reader *reader)
{
	const struct model *model = reader->model;

	for (uint32_t i = 0; i < model->layer_count; i++) {
		for (int m = 0; m < model_matrix_count(&model->layers[i]);
		     m++) {
			char *prefix;

			if (reader->state[i][m] != MATRIX_IN_FILE)
				continue;
			prefix = model_matrix_name(&model->layers[i], m);
			if (prefix)
				want(reader, prefix, weight_suffixes(reader));
			free(prefix);
		}
	}
	file_source_run(&reader->source);
}

struct async_file *model_reader_file(struct model_reader *reader)
{
	return reader->source.async;
}

bool model_reader_place(struct model_reader *reader, uint32_t layer, int matrix,
			struct model_place *place)
{
	const struct safetensors_tensor *tensor;
	char *prefix;

	if (!reader->is_packed || !reader->source.async)
		return false;
	prefix = model_matrix_name(&reader->model->layers[layer], matrix);
	tensor = prefix ? find(reader, prefix, MODEL_FILE_STREAM) : NULL;
	free(prefix);
	if (!tensor || tensor->type != SAFETENSORS_U8 || tensor->rank != 1)
		return false;
	*place = (struct model_place){
		.offset = reader->source.data +
			  safetensors_offset(reader->source.file, tensor),
		.length = tensor->size,
		.name = tensor->name,
	};
	return true;
}

int model_reader_check(const struct model_reader *reader,
		       const struct model_place *place, uint32_t crc)
{
	return file_source_check(&reader->source, place->name, crc);
}

int model_reader_matrix(struct model_reader *reader, uint32_t index, int which)
{
	struct model_layer *layer = &reader->model->layers[index];
	struct model_matrix matrix = model_matrix_of(layer, which);
	char *prefix;
	int ret;

	if (reader->state[index][which] != MATRIX_IN_FILE)
		return 0;
	prefix = model_matrix_name(layer, which);
	if (!prefix)
		return accel_error(-ENOMEM, "no memory for the model");
	ret = reader->is_packed ?
		      take_stream(reader, index, which, prefix, matrix.csr) :
		      take_csr(reader, prefix, matrix.csr);
	free(prefix);
	reader->state[index][which] = MATRIX_READ;
	if (!ret)
		ret = model_validate_csr(matrix.csr);
	return ret ? accel_error_prefix(ret, "layer '%s'", layer->name) : 0;
}

int model_reader_matrices(struct model_reader *reader)
{
	const struct model *model = reader->model;
	int ret = 0;

	for (uint32_t i = 0; !ret && i < model->layer_count; i++)
		for (int m = 0;
		     !ret && m < model_matrix_count(&model->layers[i]); m++)
			ret = model_reader_matrix(reader, i, m);
	return ret;
}

/* All of it at once. The reader is closed. */
static int reader_finish(struct model_reader *reader, struct model **out)
{
	int ret;

	model_reader_start(reader);
	ret = model_reader_matrices(reader);
	if (!ret)
		*out = model_reader_take(reader);
	model_reader_close(reader);
	return ret;
}

int model_file_load(struct safetensors_file *file, struct model **out)
{
	struct model_reader *reader;
	int ret = reader_create(NULL, file, &reader);

	return ret ? ret : reader_finish(reader, out);
}

int model_file_read(const char *path, struct model **out)
{
	struct model_reader *reader;
	int ret = model_reader_open(path, &reader);

	if (!ret)
		ret = reader_finish(reader, out);
	if (ret)
		accel_error_prefix(ret, "%s", path);
	return ret;
}
