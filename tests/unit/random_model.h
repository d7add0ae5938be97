/* SPDX-License-Identifier: MIT */
/*
 * Random small networks of images: chains and branches of convolutions with
 * everything that may follow them. sample_state is the seed.
 */
#ifndef RANDOM_MODEL_H
#define RANDOM_MODEL_H

#include <stdio.h>

#include "sample_model.h"

#define RANDOM_TENSORS_MAX 64
#define RANDOM_ELEMENTS_MAX 2500

/* The sizes of each tensor for the one input size that the model is made for. */
struct random_model {
	struct model *model;
	struct golden_quantization quantizations[2];
	struct random_tensor {
		uint32_t channels, height, width;
		int quantization;
	} tensors[RANDOM_TENSORS_MAX];
};

static inline uint32_t random_count(const struct random_model *random)
{
	return random->model->tensor_count;
}

static inline int random_pick(const struct random_model *random)
{
	/* Recent ones twice as often, so that chains grow. */
	int count = (int)random_count(random);
	int a = sample_int(0, count - 1), b = sample_int(0, count - 1);

	return a > b ? a : b;
}

static inline int random_tensor(struct random_model *random, uint32_t channels,
				uint32_t height, uint32_t width, int which)
{
	char name[16];
	int index;

	snprintf(name, sizeof(name), "t%u", random_count(random));
	index = sample_tensor(random->model, name, MODEL_INT8,
			      random->quantizations[which], channels);
	random->tensors[index] =
		(struct random_tensor){ channels, height, width, which };
	return index;
}

static inline bool random_fits(uint32_t channels, uint32_t height,
			       uint32_t width)
{
	return channels && height && width &&
	       channels * height * width <= RANDOM_ELEMENTS_MAX;
}

/* Another tensor of the same sizes, or −1. */
static inline int random_like(const struct random_model *random, int tensor,
			      bool same_quantization, bool any_channels)
{
	const struct random_tensor *t = &random->tensors[tensor];
	int count = (int)random_count(random);
	int start = sample_int(0, count - 1);

	for (int i = 0; i < count; i++) {
		int other = (start + i) % count;
		const struct random_tensor *o = &random->tensors[other];

		if ((any_channels || o->channels == t->channels) &&
		    o->height == t->height && o->width == t->width &&
		    (!same_quantization || o->quantization == t->quantization))
			return other;
	}
	return -1;
}

static inline void random_epilogue(struct random_model *random,
				   struct model_layer *layer, int output,
				   bool residual)
{
	uint32_t rows = layer->spmm.weights.rows;

	if (sample_int(0, 2) == 0) {
		layer->spmm.accumulator = sample_quantization();
		layer->spmm.table_per_row = sample_int(0, 1);
		layer->spmm.table = sample_codes(
			256 * (layer->spmm.table_per_row ? rows : 1));
		layer->spmm.table_output =
			random->model->tensors[output].quantization;
	}
	if (!residual || sample_int(0, 1))
		return;
	for (int i = 0; i < output; i++) {
		const struct random_tensor *a = &random->tensors[i];
		const struct random_tensor *b = &random->tensors[output];

		if (a->channels != b->channels || a->height != b->height ||
		    a->width != b->width)
			continue;
		layer->spmm.residual = i;
		if (layer->spmm.table)
			layer->spmm.table_output = sample_quantization();
		else
			layer->spmm.accumulator = sample_quantization();
	}
}

/* rows = channels · shuffle² of a k × k convolution to channels. */
static inline void random_convolve(struct random_model *random, int input,
				   const char *name, uint32_t shuffle,
				   uint32_t replicate)
{
	const struct random_tensor t = random->tensors[input];
	uint32_t kernel = sample_int(0, 1) ? 3 : 1;
	uint32_t stride = shuffle * replicate > 1 ? 1 : sample_int(1, 2);
	uint32_t channels = (uint32_t)sample_int(1, 9);
	uint32_t factor = shuffle * replicate;
	uint32_t height = (t.height - 1) / stride + 1;
	uint32_t width = (t.width - 1) / stride + 1;
	struct model_layer layer;
	int output;

	if (!random_fits(channels, height * factor, width * factor))
		return;
	output = random_tensor(random, channels, height * factor,
			       width * factor, sample_int(0, 1));
	layer = sample_spmm(random->model, name, input, output, kernel);
	if (shuffle > 1) {
		uint32_t rows = channels * shuffle * shuffle;
		uint32_t columns = layer.spmm.weights.columns;

		free(layer.spmm.weights.row_start);
		free(layer.spmm.weights.column);
		free(layer.spmm.weights.value);
		free(layer.spmm.weight_scale);
		free(layer.spmm.bias);
		layer.spmm.weights = sample_csr(rows, columns, 40);
		layer.spmm.weight_scale = sample_scales(rows);
		layer.spmm.bias = sample_biases(rows);
		layer.spmm.dense_macs_per_column = (uint64_t)rows * columns;
	}
	layer.spmm.shuffle_height = layer.spmm.shuffle_width = shuffle;
	layer.spmm.replicate_height = layer.spmm.replicate_width = replicate;
	layer.spmm.window.stride_height = stride;
	layer.spmm.window.stride_width = stride;
	random_epilogue(random, &layer, output, factor == 1);
	sample_add(random->model, &layer);
}

static inline void random_concat(struct random_model *random, const char *name)
{
	int inputs[4], count = sample_int(2, 4), output;
	struct random_tensor t;
	struct model_layer layer;
	uint32_t channels = 0;

	inputs[0] = random_pick(random);
	t = random->tensors[inputs[0]];
	for (int i = 0; i < count; i++) {
		if (i)
			inputs[i] = random_like(random, inputs[0], true, true);
		channels += random->tensors[inputs[i]].channels;
	}
	if (!random_fits(channels, t.height, t.width))
		return;
	output = random_tensor(random, channels, t.height, t.width,
			       t.quantization);
	layer = sample_layer(name, MODEL_CONCAT, inputs[0], output);
	for (int i = 1; i < count; i++)
		layer.inputs[layer.input_count++] = inputs[i];
	sample_add(random->model, &layer);
}

static inline void random_slice(struct random_model *random, const char *name)
{
	int input = random_pick(random), output;
	struct random_tensor t = random->tensors[input];
	uint32_t channels = (uint32_t)sample_int(1, (int)t.channels);
	struct model_layer layer;

	output = random_tensor(random, channels, t.height, t.width,
			       t.quantization);
	layer = sample_layer(name, MODEL_SLICE, input, output);
	layer.slice.first_channel =
		(uint32_t)sample_int(0, (int)(t.channels - channels));
	sample_add(random->model, &layer);
}

static inline void random_reshape(struct random_model *random, const char *name)
{
	int input = random_pick(random), output;
	struct random_tensor t = random->tensors[input];
	struct model_layer layer;

	output = random_tensor(random, t.channels * t.height * t.width, 1, 1,
			       t.quantization);
	layer = sample_layer(name, MODEL_RESHAPE, input, output);
	layer.reshape = (struct model_reshape){ 0, 1, 1 };
	sample_add(random->model, &layer);
}

static inline void random_permute(struct random_model *random, const char *name)
{
	/* The channels stay: they have to be known without the input's size. */
	int input = random_pick(random), output;
	struct random_tensor t = random->tensors[input];
	struct model_layer layer;

	output = random_tensor(random, t.channels, t.width, t.height,
			       t.quantization);
	layer = sample_layer(name, MODEL_PERMUTE, input, output);
	layer.permute = (struct model_permute){ { 0, 2, 1 } };
	sample_add(random->model, &layer);
}

static inline void random_pool(struct random_model *random, const char *name)
{
	int input = random_pick(random), output;
	struct random_tensor t = random->tensors[input];
	bool average = sample_int(0, 1);
	struct model_layer layer;

	if (t.height < 2 || t.width < 2)
		return;
	output = random_tensor(random, t.channels, t.height / 2, t.width / 2,
			       average ? sample_int(0, 1) : t.quantization);
	layer = sample_layer(name,
			     average ? MODEL_POOL_AVERAGE : MODEL_POOL_MAX,
			     input, output);
	layer.pool.window = sample_window(2, 0);
	layer.pool.window.stride_height = layer.pool.window.stride_width = 2;
	sample_add(random->model, &layer);
}

static inline void random_pointwise(struct random_model *random,
				    const char *name)
{
	static const enum model_op ops[] = { MODEL_ADD, MODEL_MULTIPLY,
					     MODEL_TABLE };
	int input = random_pick(random), output;
	int other = random_like(random, input, false, false);
	struct random_tensor t = random->tensors[input];
	enum model_op op = ops[sample_int(0, 2)];
	struct model_layer layer;

	output = random_tensor(random, t.channels, t.height, t.width,
			       sample_int(0, 1));
	layer = sample_layer(name, op, input, output);
	if (op == MODEL_TABLE) {
		layer.table.per_channel = sample_int(0, 1);
		layer.table.entries = sample_codes(
			256 * (layer.table.per_channel ? t.channels : 1));
	} else {
		layer.inputs[layer.input_count++] = other;
	}
	sample_add(random->model, &layer);
}

static inline void random_layer(struct random_model *random)
{
	char name[16];

	snprintf(name, sizeof(name), "l%u", random->model->layer_count);
	switch (sample_int(0, 11)) {
	case 0:
		random_convolve(random, random_pick(random), name, 2, 1);
		break;
	case 1:
		random_convolve(random, random_pick(random), name, 1, 2);
		break;
	case 2:
	case 3:
		random_concat(random, name);
		break;
	case 4:
		random_slice(random, name);
		break;
	case 5:
		random_reshape(random, name);
		break;
	case 6:
		random_permute(random, name);
		break;
	case 7:
		random_pool(random, name);
		break;
	case 8:
		random_pointwise(random, name);
		break;
	default:
		random_convolve(random, random_pick(random), name, 1, 1);
		break;
	}
}

/* One input "t0", some outputs, the last tensor always. */
static inline struct model *random_model(uint32_t height, uint32_t width)
{
	struct random_model random = { .model = model_create("random") };
	struct model_port port = { 0, MODEL_LAYOUT_NCHW, 0, 0 };
	int layers = sample_int(1, 14);

	assert_non_null(random.model);
	random.quantizations[0] = sample_quantization();
	random.quantizations[1] = sample_quantization();
	random_tensor(&random, (uint32_t)sample_int(1, 5), height, width, 0);
	random.model->tensors[0].height = height;
	random.model->tensors[0].width = width;
	assert_true(model_add_input(random.model, &port) >= 0);
	while (!random.model->layer_count || --layers > 0)
		random_layer(&random);
	for (uint32_t i = 1; i < random_count(&random); i++)
		if (i + 1 == random_count(&random) || !sample_int(0, 5)) {
			port.tensor = (int32_t)i;
			assert_true(model_add_output(random.model, &port) >= 0);
		}
	return random.model;
}

#endif
