/* SPDX-License-Identifier: MIT */
#include <model/packing.h>

#include <core/error.h>
#include <model/fields.h>
#include <model/model.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GEOMETRY(member)                                                    \
	{                                                                   \
#member, FIELD_U32, offsetof(struct geometry, member), NULL \
	}
#define SIZES(member)                                                          \
	{                                                                      \
#member, FIELD_U32, offsetof(struct model_sizes, member), NULL \
	}

/* All that streams, mappings and the weights of rows depend on. */
static const struct field geometry_fields[] = {
	GEOMETRY(clusters),	   GEOMETRY(lanes),
	GEOMETRY(vector_width),	   GEOMETRY(banks),
	GEOMETRY(accumulators),	   GEOMETRY(decoder_rate),
	GEOMETRY(schedule_window), GEOMETRY(sram_port_bytes),
	GEOMETRY(epilogue_rate),   { NULL, FIELD_END, 0, NULL },
};

static const struct field sizes_fields[] = {
	SIZES(batch),
	SIZES(height),
	SIZES(width),
	SIZES(steps),
	{ NULL, FIELD_END, 0, NULL },
};

/* Of the array that describes a stream. */
enum {
	STREAM_ROW_GROUPS,
	STREAM_COLUMN_GROUPS,
	STREAM_VECTOR_WIDTH,
	STREAM_ROW_WEIGHT,
	STREAM_NONZEROS,
	STREAM_ISSUE_CYCLES,
	STREAM_OPTIMAL_CYCLES,
	STREAM_CHANNELS,
	STREAM_MEMBERS,
};

struct model_packing *model_packing_create(uint32_t layer_count)
{
	struct model_packing *packing = calloc(1, sizeof(*packing));

	if (packing)
		packing->layers = calloc((size_t)layer_count + 1,
					 sizeof(*packing->layers));
	if (!packing || !packing->layers) {
		free(packing);
		accel_error(-ENOMEM, "no memory for the streams of a model");
		return NULL;
	}
	packing->layer_count = layer_count;
	return packing;
}

void model_packing_destroy(struct model_packing *packing)
{
	if (!packing)
		return;
	for (uint32_t i = 0; i < packing->layer_count; i++)
		for (int m = 0; m < MODEL_MATRICES_MAX; m++)
			free(packing->layers[i][m].bytes);
	free(packing->layers);
	free(packing);
}

int model_matrix_count(const struct model_layer *layer)
{
	switch (layer->op) {
	case MODEL_SPMM:
		return 1;
	case MODEL_LSTM:
	case MODEL_GRU:
		return 2;
	default:
		return 0;
	}
}

char *model_matrix_name(const struct model_layer *layer, int matrix)
{
	char *name;

	if (matrix >= model_matrix_count(layer))
		return NULL;
	if (layer->op == MODEL_SPMM)
		return strdup(layer->name);
	if (asprintf(&name, "%s.%s", layer->name,
		     matrix == MODEL_MATRIX_HIDDEN ? "hidden" : "input") < 0)
		return NULL;
	return name;
}

struct model_matrix model_matrix_of(struct model_layer *layer, int matrix)
{
	struct model_recurrent *recurrent = &layer->recurrent;
	struct model_spmm *spmm = &layer->spmm;

	if (layer->op == MODEL_SPMM)
		return (struct model_matrix){ &spmm->weights,
					      &spmm->weight_scale,
					      &spmm->bias };
	if (matrix == MODEL_MATRIX_HIDDEN)
		return (struct model_matrix){ &recurrent->hidden_weights,
					      &recurrent->hidden_scale,
					      &recurrent->hidden_bias };
	return (struct model_matrix){ &recurrent->input_weights,
				      &recurrent->input_scale,
				      &recurrent->input_bias };
}

bool model_packing_fits(const struct geometry *a, const struct geometry *b)
{
	return a->lanes == b->lanes && a->vector_width == b->vector_width &&
	       a->banks == b->banks && a->accumulators == b->accumulators &&
	       a->decoder_rate == b->decoder_rate &&
	       a->schedule_window == b->schedule_window;
}

static json_t *stream_write(const struct model_stream *stream)
{
	return json_pack("[I, I, I, I, I, I, I, I]",
			 (json_int_t)stream->mapping.row_groups,
			 (json_int_t)stream->mapping.column_groups,
			 (json_int_t)stream->mapping.vector_width,
			 (json_int_t)stream->row_weight,
			 (json_int_t)stream->nonzeros,
			 (json_int_t)stream->issue_cycles,
			 (json_int_t)stream->optimal_cycles,
			 (json_int_t)stream->channels);
}

static bool layer_write(const struct model_packing *packing,
			const struct model_layer *layer, uint32_t index,
			json_t *streams)
{
	for (int m = 0; m < model_matrix_count(layer); m++) {
		char *name = model_matrix_name(layer, m);
		bool failed = !name ||
			      json_object_set_new(
				      streams, name,
				      stream_write(&packing->layers[index][m]));

		free(name);
		if (failed)
			return false;
	}
	return true;
}

char *model_packing_write(const struct model_packing *packing,
			  const struct model *model)
{
	json_t *geometry = json_object();
	json_t *sizes = json_object();
	json_t *streams = json_object();
	bool good =
		fields_write(geometry_fields, &packing->geometry, geometry) &&
		fields_write(sizes_fields, &packing->sizes, sizes);
	char *text = NULL;
	json_t *json;

	for (uint32_t i = 0; good && i < packing->layer_count; i++)
		good = layer_write(packing, &model->layers[i], i, streams);
	json = json_pack("{s:o, s:o, s:o}", "geometry", geometry, "sizes",
			 sizes, "streams", streams);
	if (json && good)
		text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (!text)
		accel_error(-ENOMEM, "no memory for the text of a packing");
	return text;
}

static int stream_read(const json_t *json, const char *name,
		       struct model_stream *stream)
{
	uint64_t member[STREAM_MEMBERS];

	if (json_array_size(json) != STREAM_MEMBERS)
		return accel_error(-EINVAL, "the packing has no stream of '%s'",
				   name);
	for (size_t i = 0; i < STREAM_MEMBERS; i++) {
		const json_t *number = json_array_get(json, i);
		json_int_t value = json_integer_value(number);

		if (!json_is_integer(number) || value < 0 ||
		    (i < STREAM_NONZEROS && value > UINT32_MAX))
			return accel_error(
				-EINVAL,
				"the packing of '%s': number %zu is none", name,
				i);
		member[i] = (uint64_t)value;
	}
	stream->mapping = (struct mapping){
		.row_groups = (uint32_t)member[STREAM_ROW_GROUPS],
		.column_groups = (uint32_t)member[STREAM_COLUMN_GROUPS],
		.vector_width = (uint32_t)member[STREAM_VECTOR_WIDTH],
	};
	stream->row_weight = (uint32_t)member[STREAM_ROW_WEIGHT];
	stream->nonzeros = member[STREAM_NONZEROS];
	stream->issue_cycles = member[STREAM_ISSUE_CYCLES];
	stream->optimal_cycles = member[STREAM_OPTIMAL_CYCLES];
	stream->channels = member[STREAM_CHANNELS];
	return 0;
}

static int layer_read(const json_t *streams, const struct model_layer *layer,
		      struct model_stream *out)
{
	for (int m = 0; m < model_matrix_count(layer); m++) {
		char *name = model_matrix_name(layer, m);
		int ret;

		if (!name)
			return accel_error(-ENOMEM, "no memory for the model");
		ret = stream_read(json_object_get(streams, name), name,
				  &out[m]);
		free(name);
		if (ret)
			return ret;
	}
	return 0;
}

static int packing_read(const json_t *json, const struct model *model,
			struct model_packing *packing)
{
	const json_t *streams = json_object_get(json, "streams");
	int ret = fields_read(geometry_fields,
			      json_object_get(json, "geometry"),
			      &packing->geometry);

	if (!ret)
		ret = fields_read(sizes_fields, json_object_get(json, "sizes"),
				  &packing->sizes);
	for (uint32_t i = 0; !ret && i < model->layer_count; i++)
		ret = layer_read(streams, &model->layers[i],
				 packing->layers[i]);
	return ret;
}

int model_packing_read(const char *text, const struct model *model,
		       struct model_packing **out)
{
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct model_packing *packing =
		model_packing_create(model->layer_count);
	int ret = -ENOMEM;

	if (packing && !json)
		ret = accel_error(-EINVAL, "the packing is no JSON");
	else if (packing)
		ret = packing_read(json, model, packing);
	json_decref(json);
	if (ret) {
		model_packing_destroy(packing);
		return ret;
	}
	*out = packing;
	return 0;
}
