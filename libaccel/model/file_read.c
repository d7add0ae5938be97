/* SPDX-License-Identifier: MIT */
#include <model/file.h>

#include <core/crc32c.h>
#include <core/error.h>
#include <formats/safetensors.h>
#include <golden/table.h>
#include <model/file_format.h>
#include <model/graph.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file that is being read, and how many of its tensors layers have taken. */
struct reader {
	const struct safetensors_file *file;
	size_t used;
};

static const struct safetensors_tensor *
find(struct reader *reader, const char *prefix, const char *suffix)
{
	const struct safetensors_tensor *tensor;
	char *name;

	if (asprintf(&name, "%s.%s", prefix, suffix) < 0)
		return NULL;
	tensor = safetensors_find(reader->file, name);
	free(name);
	return tensor;
}

/* A copy of the data; rows is 0 for a tensor of one dimension. */
static int take(struct reader *reader, const char *prefix, const char *suffix,
		enum safetensors_type type, uint64_t rows, uint64_t columns,
		void **copy)
{
	const struct safetensors_tensor *tensor = find(reader, prefix, suffix);
	unsigned int rank = rows ? 2 : 1;

	if (!tensor)
		return accel_error(-EBADMSG,
				   "'%s.%s' is missing; recompress the model",
				   prefix, suffix);
	if (tensor->type != type || tensor->rank != rank ||
	    tensor->shape[0] != (rows ? rows : columns) ||
	    (rows && tensor->shape[1] != columns))
		return accel_error(
			-EBADMSG,
			"'%s' is no %s of %llu × %llu as the graph says; the file is damaged, recompress the model",
			tensor->name, safetensors_type_name(type),
			(unsigned long long)(rows ? rows : 1),
			(unsigned long long)columns);
	*copy = malloc(tensor->size + 1);
	if (!*copy)
		return accel_error(-ENOMEM, "no memory for '%s'", tensor->name);
	if (tensor->size)
		memcpy(*copy, tensor->data, tensor->size);
	reader->used++;
	return 0;
}

static int take_columns(struct reader *reader, const char *prefix,
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

/* The lengths of the three arrays agree; model_validate() looks at the rest. */
static int take_csr(struct reader *reader, const char *prefix,
		    struct model_csr *csr)
{
	const struct safetensors_tensor *values =
		find(reader, prefix, "values");
	uint64_t count = values ? values->shape[0] : 0;
	int ret = take(reader, prefix, "values", SAFETENSORS_I8, 0, count,
		       (void **)&csr->value);

	if (!ret)
		ret = take_columns(reader, prefix, csr, count);
	if (!ret)
		ret = take(reader, prefix, "crow_indices", SAFETENSORS_I64, 0,
			   (uint64_t)csr->rows + 1, (void **)&csr->row_start);
	if (!ret && (uint64_t)csr->row_start[csr->rows] != count)
		ret = accel_error(
			-EBADMSG,
			"'%s': the rows end at %lld of %llu non-zeros; the file is damaged, recompress the model",
			prefix, (long long)csr->row_start[csr->rows],
			(unsigned long long)count);
	return ret;
}

static int take_matrix(struct reader *reader, const char *prefix,
		       struct model_csr *csr, float **scale, int32_t **bias)
{
	int ret = take_csr(reader, prefix, csr);

	if (!ret)
		ret = take(reader, prefix, "scale", SAFETENSORS_F32, 0,
			   csr->rows, (void **)scale);
	if (!ret)
		ret = take(reader, prefix, "bias", SAFETENSORS_I32, 0,
			   csr->rows, (void **)bias);
	return ret;
}

static int take_table(struct reader *reader, const char *name, bool per_row,
		      uint32_t rows, int8_t **table)
{
	return take(reader, name, "table", SAFETENSORS_I8, per_row ? rows : 0,
		    GOLDEN_TABLE_SIZE, (void **)table);
}

static int take_recurrent(struct reader *reader, struct model_layer *layer)
{
	struct model_recurrent *recurrent = &layer->recurrent;
	char *prefix;
	int ret;

	if (asprintf(&prefix, "%s.input", layer->name) < 0)
		return accel_error(-ENOMEM, "no memory for the model");
	ret = take_matrix(reader, prefix, &recurrent->input_weights,
			  &recurrent->input_scale, &recurrent->input_bias);
	free(prefix);
	if (ret)
		return ret;
	if (asprintf(&prefix, "%s.hidden", layer->name) < 0)
		return accel_error(-ENOMEM, "no memory for the model");
	ret = take_matrix(reader, prefix, &recurrent->hidden_weights,
			  &recurrent->hidden_scale, &recurrent->hidden_bias);
	free(prefix);
	return ret;
}

/* The graph is not validated yet, so the input's index may be anything. */
static int take_table_layer(struct reader *reader, const struct model *model,
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

static int take_layer(struct reader *reader, const struct model *model,
		      struct model_layer *layer)
{
	struct model_spmm *spmm = &layer->spmm;
	int ret;

	switch (layer->op) {
	case MODEL_SPMM:
		ret = take_matrix(reader, layer->name, &spmm->weights,
				  &spmm->weight_scale, &spmm->bias);
		if (ret || !find(reader, layer->name, "table"))
			return ret;
		return take_table(reader, layer->name, spmm->table_per_row,
				  spmm->weights.rows, &spmm->table);
	case MODEL_TABLE:
		return take_table_layer(reader, model, layer);
	case MODEL_LSTM:
	case MODEL_GRU:
		return take_recurrent(reader, layer);
	default:
		return 0;
	}
}

static int check_crc(const char *what, uint32_t crc, const char *expected)
{
	char digits[MODEL_FILE_CRC_SIZE];

	snprintf(digits, sizeof(digits), MODEL_FILE_CRC_FORMAT, crc);
	if (expected && !strcmp(digits, expected))
		return 0;
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	return 0; /* a fuzzer guesses no checksum; let it see what lies behind */
#endif
	return accel_error(
		-EBADMSG,
		"the checksum of '%s' is %s, not %s; the file is damaged, recompress the model",
		what, digits, expected ? expected : "there");
}

static int check_tensor_crcs(const struct safetensors_file *file)
{
	const char *text = safetensors_metadata(file, MODEL_FILE_CRC_KEY);
	json_t *crcs = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) :
			      NULL;
	int ret = 0;

	if (!json_is_object(crcs) ||
	    json_object_size(crcs) != safetensors_count(file))
		ret = accel_error(
			-EBADMSG,
			"the tensors' checksums are missing; the file is damaged, recompress the model");
	for (size_t i = 0; !ret && i < safetensors_count(file); i++) {
		const struct safetensors_tensor *tensor =
			safetensors_at(file, i);

		ret = check_crc(
			tensor->name, crc32c(0, tensor->data, tensor->size),
			json_string_value(json_object_get(crcs, tensor->name)));
	}
	json_decref(crcs);
	return ret;
}

/* Checksums first: what is damaged should be called so, not called invalid. */
static int read_graph(const struct safetensors_file *file, struct model **model)
{
	const char *format = safetensors_metadata(file, MODEL_FILE_FORMAT_KEY);
	const char *graph = safetensors_metadata(file, MODEL_FILE_GRAPH_KEY);
	int ret;

	if (!format || strcmp(format, MODEL_FILE_FORMAT) || !graph)
		return accel_error(-EBADMSG,
				   "no model of the form " MODEL_FILE_FORMAT
				   "; make one with accel compress");
	ret = check_crc("graph", crc32c(0, graph, strlen(graph)),
			safetensors_metadata(file, MODEL_FILE_GRAPH_CRC_KEY));
	if (!ret)
		ret = check_tensor_crcs(file);
	if (!ret)
		ret = model_graph_read(graph, model);
	return ret;
}

/* A tensor that no layer takes is a sign of damage too: its name may have changed. */
static int read_arrays(const struct safetensors_file *file, struct model *model)
{
	struct reader reader = { file, 0 };
	int ret = 0;

	for (uint32_t i = 0; !ret && i < model->layer_count; i++)
		ret = take_layer(&reader, model, &model->layers[i]);
	if (!ret && reader.used != safetensors_count(file))
		ret = accel_error(
			-EBADMSG,
			"%zu tensors, but the layers have %zu; the file is damaged, recompress the model",
			safetensors_count(file), reader.used);
	if (!ret)
		ret = model_validate(model);
	return ret;
}

int model_file_load(const struct safetensors_file *file, struct model **out)
{
	struct model *model = NULL;
	int ret = read_graph(file, &model);

	if (!ret)
		ret = read_arrays(file, model);
	if (ret) {
		model_destroy(model);
		return ret;
	}
	*out = model;
	return 0;
}

int model_file_read(const char *path, struct model **out)
{
	struct safetensors_file *file;
	int ret = safetensors_open(&file, path);

	if (ret)
		return ret;
	ret = model_file_load(file, out);
	safetensors_close(file);
	if (ret)
		accel_error_prefix(ret, "%s", path);
	return ret;
}
