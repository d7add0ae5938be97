/* SPDX-License-Identifier: MIT */
/* A small model that has every operation, and random parts for other models. */
#ifndef SAMPLE_MODEL_H
#define SAMPLE_MODEL_H

#include "unit.h"

#include <model/model.h>

#include <stdlib.h>
#include <string.h>

static uint64_t sample_state = 1;

static inline uint32_t sample_word(void)
{
	sample_state =
		sample_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(sample_state >> 32);
}

/* low … high, both included */
static inline int sample_int(int low, int high)
{
	return low + (int)(sample_word() % (uint32_t)(high - low + 1));
}

static inline float sample_scale(void)
{
	return 0.002f + (float)sample_word() * 0x1p-32f * 0.02f;
}

static inline struct golden_quantization sample_quantization(void)
{
	struct golden_quantization q = { sample_scale(),
					 sample_int(-128, 127) };

	return q;
}

static inline void *sample_codes(size_t count)
{
	int8_t *codes = malloc(count + 1);

	assert_non_null(codes);
	for (size_t i = 0; i < count; i++)
		codes[i] = (int8_t)sample_word();
	return codes;
}

static inline float *sample_scales(size_t count)
{
	float *scales = malloc(count * sizeof(*scales) + 1);

	assert_non_null(scales);
	for (size_t i = 0; i < count; i++)
		scales[i] = sample_scale();
	return scales;
}

static inline int32_t *sample_biases(size_t count)
{
	int32_t *biases = malloc(count * sizeof(*biases) + 1);

	assert_non_null(biases);
	for (size_t i = 0; i < count; i++)
		biases[i] = sample_int(-3000, 3000);
	return biases;
}

static inline struct model_csr sample_csr(uint32_t rows, uint32_t columns,
					  int percent)
{
	struct model_csr csr = { rows, columns, NULL, NULL, NULL };
	size_t most = (size_t)rows * columns + 1;
	int64_t count = 0;

	csr.row_start = malloc((rows + 1) * sizeof(int64_t));
	csr.column = malloc(most * sizeof(int32_t));
	csr.value = malloc(most);
	assert_true(csr.row_start && csr.column && csr.value);
	csr.row_start[0] = 0;
	for (uint32_t row = 0; row < rows; row++) {
		for (uint32_t column = 0; column < columns; column++) {
			if (sample_int(0, 99) >= percent)
				continue;
			csr.column[count] = (int32_t)column;
			csr.value[count++] = (int8_t)sample_int(-127, 127);
		}
		csr.row_start[row + 1] = count;
	}
	return csr;
}

static inline int sample_tensor(struct model *model, const char *name,
				enum model_type type,
				struct golden_quantization q, uint32_t channels)
{
	struct model_tensor tensor = { strdup(name), type, q, channels, 0, 0 };
	int index = model_add_tensor(model, &tensor);

	assert_true(index >= 0);
	return index;
}

static inline struct model_layer
sample_layer(const char *name, enum model_op op, int input, int output)
{
	struct model_layer layer;

	memset(&layer, 0, sizeof(layer));
	layer.name = strdup(name);
	layer.op = op;
	layer.inputs[0] = input;
	layer.input_count = 1;
	layer.outputs[0] = output;
	layer.output_count = 1;
	return layer;
}

static inline void sample_add(struct model *model,
			      const struct model_layer *layer)
{
	assert_true(model_add_layer(model, layer) >= 0);
}

static inline struct model_window sample_window(uint32_t kernel, int32_t pad)
{
	struct model_window window = { kernel, kernel, 1,     1,    1,
				       1,      pad,    pad,   pad,  pad,
				       false,  false,  false, false };

	return window;
}

/* A k × k convolution to all channels of output; the epilogue is complete. */
static inline struct model_layer sample_spmm(struct model *model,
					     const char *name, int input,
					     int output, uint32_t kernel)
{
	struct model_layer layer =
		sample_layer(name, MODEL_SPMM, input, output);
	uint32_t rows = model->tensors[output].channels;
	uint32_t columns = model->tensors[input].channels * kernel * kernel;

	layer.spmm.weights = sample_csr(rows, columns, 40);
	layer.spmm.weight_scale = sample_scales(rows);
	layer.spmm.bias = sample_biases(rows);
	layer.spmm.window = sample_window(kernel, (int32_t)(kernel / 2));
	layer.spmm.accumulator = model->tensors[output].quantization;
	layer.spmm.residual = MODEL_NO_TENSOR;
	layer.spmm.shuffle_height = layer.spmm.shuffle_width = 1;
	layer.spmm.replicate_height = layer.spmm.replicate_width = 1;
	layer.spmm.dense_macs_per_column = (uint64_t)rows * columns;
	return layer;
}

static inline struct model_layer sample_recurrent(struct model *model,
						  const char *name,
						  enum model_op op, int input,
						  int output)
{
	struct model_layer layer = sample_layer(name, op, input, output);
	struct model_recurrent *recurrent = &layer.recurrent;
	uint32_t hidden = model->tensors[output].channels;
	uint32_t rows = model_gate_count(op) * hidden;

	recurrent->hidden = hidden;
	recurrent->input_weights =
		sample_csr(rows, model->tensors[input].channels, 60);
	recurrent->hidden_weights = sample_csr(rows, hidden, 60);
	recurrent->input_scale = sample_scales(rows);
	recurrent->hidden_scale = sample_scales(rows);
	recurrent->input_bias = sample_biases(rows);
	recurrent->hidden_bias = sample_biases(rows);
	recurrent->hidden_quantization = model->tensors[output].quantization;
	return layer;
}

static inline void sample_add_images(struct model *model,
				     struct golden_quantization q)
{
	struct model_layer layer;
	int up, a, b, c, d, e, f;

	a = sample_tensor(model, "a", MODEL_INT8, sample_quantization(), 8);
	layer = sample_spmm(model, "conv1", 0, a, 3);
	sample_add(model, &layer);
	b = sample_tensor(model, "b", MODEL_INT8, sample_quantization(), 8);
	layer = sample_spmm(model, "conv2", a, b, 3);
	layer.spmm.accumulator = sample_quantization();
	layer.spmm.table = sample_codes(8 * 256);
	layer.spmm.table_per_row = true;
	layer.spmm.table_output = sample_quantization();
	layer.spmm.residual = a;
	layer.activation = strdup("prelu");
	sample_add(model, &layer);
	c = sample_tensor(model, "c", MODEL_INT8, sample_quantization(), 8);
	layer = sample_layer("add", MODEL_ADD, a, c);
	layer.inputs[layer.input_count++] = b;
	sample_add(model, &layer);
	d = sample_tensor(model, "d", MODEL_INT8, sample_quantization(), 8);
	layer = sample_layer("multiply", MODEL_MULTIPLY, a, d);
	layer.inputs[layer.input_count++] = c;
	sample_add(model, &layer);
	e = sample_tensor(model, "e", MODEL_INT8, q, 8);
	layer = sample_layer("table", MODEL_TABLE, d, e);
	layer.table.entries = sample_codes(8 * 256);
	layer.table.per_channel = true;
	sample_add(model, &layer);
	f = sample_tensor(model, "f", MODEL_INT8, q, 8);
	layer = sample_layer("maximum", MODEL_POOL_MAX, e, f);
	layer.pool.window = sample_window(2, 0);
	layer.pool.window.stride_height = layer.pool.window.stride_width = 2;
	layer.pool.window.ceil_mode = true;
	sample_add(model, &layer);
	up = sample_tensor(model, "up", MODEL_INT8, q, 2);
	layer = sample_spmm(model, "up", f, a, 2);
	layer.outputs[0] = up;
	layer.spmm.accumulator = q;
	layer.spmm.window = sample_window(2, 1);
	layer.spmm.shuffle_height = layer.spmm.shuffle_width = 2;
	layer.spmm.transposed = true;
	layer.spmm.output_stride_height = layer.spmm.output_stride_width = 2;
	layer.spmm.output_extra_height = layer.spmm.output_extra_width = 1;
	sample_add(model, &layer);
}

/* From "f", 8 channels of any size. */
static inline void sample_add_sequence(struct model *model, int f,
				       struct golden_quantization q, int h0)
{
	struct model_layer layer;
	int g, h, i, j, k, y, c_t, z, out;

	g = sample_tensor(model, "g", MODEL_INT8, q, 8);
	layer = sample_layer("average", MODEL_POOL_AVERAGE, f, g);
	sample_add(model, &layer);
	h = sample_tensor(model, "h", MODEL_INT8, q, 16);
	layer = sample_layer("concat", MODEL_CONCAT, g, h);
	layer.inputs[layer.input_count++] = g;
	sample_add(model, &layer);
	i = sample_tensor(model, "i", MODEL_INT8, q, 6);
	layer = sample_layer("slice", MODEL_SLICE, h, i);
	layer.slice.first_channel = 7;
	sample_add(model, &layer);
	j = sample_tensor(model, "j", MODEL_INT8, q, 3);
	layer = sample_layer("reshape", MODEL_RESHAPE, i, j);
	layer.reshape = (struct model_reshape){ 3, 0, 1 };
	sample_add(model, &layer);
	k = sample_tensor(model, "k", MODEL_INT8, q, 2);
	layer = sample_layer("permute", MODEL_PERMUTE, j, k);
	layer.permute = (struct model_permute){ { 1, 0, 2 } };
	sample_add(model, &layer);
	y = sample_tensor(model, "y", MODEL_INT8, sample_quantization(), 5);
	c_t = sample_tensor(model, "c_t", MODEL_FLOAT32, q, 5);
	layer = sample_recurrent(model, "lstm", MODEL_LSTM, k, y);
	layer.inputs[1] = h0;
	layer.inputs[2] = MODEL_NO_TENSOR;
	layer.input_count = 3;
	layer.outputs[1] = MODEL_NO_TENSOR;
	layer.outputs[2] = c_t;
	layer.output_count = 3;
	sample_add(model, &layer);
	z = sample_tensor(model, "z", MODEL_INT8, sample_quantization(), 5);
	layer = sample_recurrent(model, "gru", MODEL_GRU, y, z);
	layer.recurrent.reverse = true;
	layer.recurrent.linear_before_reset = true;
	sample_add(model, &layer);
	out = sample_tensor(model, "out", MODEL_FLOAT32, q, 4);
	layer = sample_spmm(model, "out", z, out, 1);
	sample_add(model, &layer);
}

static inline struct model_port sample_port(int tensor,
					    enum model_layout layout)
{
	struct model_port port = { tensor, layout, 0, 0 };

	return port;
}

/* Input 4 × any height × any width, and a state; outputs of all three kinds. */
static inline struct model *sample_model(void)
{
	static const char *const outputs[] = { "up", "out", "c_t" };
	struct golden_quantization q = sample_quantization();
	struct model *model = model_create("sample");
	struct model_port port;
	int h0;

	assert_non_null(model);
	sample_tensor(model, "x", MODEL_INT8, sample_quantization(), 4);
	h0 = sample_tensor(model, "h0", MODEL_FLOAT32, q, 5);
	port = sample_port(0, MODEL_LAYOUT_NCHW);
	port.range_high = 255;
	assert_true(model_add_input(model, &port) >= 0);
	port = sample_port(h0, MODEL_LAYOUT_DNF);
	assert_true(model_add_input(model, &port) >= 0);
	sample_add_images(model, q);
	sample_add_sequence(model, 7, q, h0);
	for (int i = 0; i < 3; i++)
		for (uint32_t t = 0; t < model->tensor_count; t++)
			if (!strcmp(model->tensors[t].name, outputs[i])) {
				port = sample_port((int)t, MODEL_LAYOUT_NCHW);
				model_add_output(model, &port);
			}
	model->kind = MODEL_KIND_IMAGE;
	model->dense_bytes = 12345;
	model->provenance = strdup("{\"sparsity\": 0.6}");
	return model;
}

#endif
