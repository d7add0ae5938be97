/* SPDX-License-Identifier: MIT */
/*
 * A quantized model: a graph of fused int8 layers, independent of any device's
 * geometry and of the batch, height and width, which are fixed when a plan is
 * made. The compressor builds it, model/file.h stores it, backend/cpu.h executes
 * it and plan/ lowers it to descriptors.
 *
 * Tensors are logical (batch, channels, height, width) and lie in memory as
 * [channel][row][column][batch]. A matrix [N, F] has C = F and H = W = 1; a
 * sequence [T, N, F] has C = F, H = T, W = 1.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golden/arithmetic.h"

struct model_packing;

#define MODEL_NO_TENSOR (-1)

enum model_type {
	MODEL_INT8,
	MODEL_INT32,
	MODEL_FLOAT32,
};

/* How the user's array is laid out at the model's edge. */
enum model_layout {
	MODEL_LAYOUT_NF, /* [N, F] */
	MODEL_LAYOUT_NCHW, /* images; the runtime also accepts NHWC */
	MODEL_LAYOUT_TNF, /* sequences */
	MODEL_LAYOUT_DNF, /* [1, N, F] recurrent state */
	MODEL_LAYOUT_NTF, /* sequences, batch first */
};

/**
 * struct model_tensor - an activation
 * @name: unique, from the imported graph
 * @type: element type
 * @quantization: of MODEL_INT8
 * @channels: C; always known
 * @height: H, or 0 when it depends on the run's input
 * @width: likewise
 */
struct model_tensor {
	char *name;
	enum model_type type;
	struct golden_quantization quantization;
	uint32_t channels;
	uint32_t height;
	uint32_t width;
};

/*
 * Sparse int8 matrix in CSR; columns ascend strictly within a row. One that is not read yet
 * has no columns and no values, and of the row starts only the last one.
 */
struct model_csr {
	uint32_t rows; /* M */
	uint32_t columns; /* K */
	int64_t *row_start; /* rows + 1 */
	int32_t *column; /* non-zeros */
	int8_t *value; /* a kept position may hold 0 */
};

/**
 * struct model_window - which inputs an output position sees
 * @kernel_height: taps, 1 … 65535; likewise @kernel_width
 * @stride_height: 1 … 65535; output row y, tap i read input row
 *	y·stride + i·dilation − pad_top
 * @dilation_height: 1 … 65535
 * @pad_top: rows read as the zero point; negative: rows cut off
 * @same_upper: ONNX auto_pad: the output has ceil(input / stride) rows and
 *	columns, pads follow from the input, the odd one at the end; the pads here
 *	are 0
 * @same_lower: likewise, the odd one at the beginning
 * @ceil_mode: pools only: a last window that is not full counts, unless it would
 *	begin in the padding at the end
 * @last_row: SPMM only: one row of output, for the window at the end of the input,
 *	whatever its height: the last step of a sequence
 */
struct model_window {
	uint32_t kernel_height, kernel_width;
	uint32_t stride_height, stride_width;
	uint32_t dilation_height, dilation_width;
	int32_t pad_top, pad_left, pad_bottom, pad_right;
	bool same_upper, same_lower;
	bool ceil_mode;
	bool last_row;
};

enum model_op {
	MODEL_SPMM,
	MODEL_ADD,
	MODEL_MULTIPLY,
	MODEL_TABLE,
	MODEL_POOL_MAX,
	MODEL_POOL_AVERAGE, /* a window of 0 × 0 is global */
	MODEL_CONCAT, /* channels; no arithmetic: one quantization */
	MODEL_SLICE, /* channels, a view */
	MODEL_RESHAPE, /* same [C][H][W] order, a view */
	MODEL_PERMUTE, /* of the axes C, H, W */
	MODEL_LSTM,
	MODEL_GRU,
};

/**
 * struct model_spmm - convolution or matrix product, fused with what follows
 * @weights: M × (C·kernel_height·kernel_width)
 * @weight_scale: M; real weight = weight_scale[m] · value
 * @bias: M, in units of input scale · weight_scale[m]
 * @window: the address generator
 * @accumulator: quantization that the epilogue rounds to; equals the output
 *	tensor's when neither table nor residual follows
 * @table: NULL, 256 or M × 256 entries, indexed by code + 128
 * @table_per_row: M × 256
 * @table_output: quantization of the table's result
 * @residual: tensor to be added, or MODEL_NO_TENSOR
 * @shuffle_height: r_h of the store; row m is (c·r_h + i)·r_w + j
 * @shuffle_width: r_w
 * @replicate_height: nearest-neighbour factor of the store
 * @replicate_width: likewise
 * @transposed: the layer stands for a transposed convolution: the result has
 *	ceil(output height / s) rows whatever the pads at the end
 * @output_stride_height: transposed: s, also the shuffle; the output has
 *	(H − 1)·s + @output_extra_height rows, the shuffle's last ones are dropped
 * @output_stride_width: likewise
 * @output_extra_height: (kernel − 1)·dilation + 1 + output_padding − pads, may
 *	be negative
 * @output_extra_width: likewise
 * @dense_macs_per_column: M·K of the original dense layer, for "dense
 *	equivalent" figures (a transposed convolution's phases have fewer taps
 *	than K)
 */
struct model_spmm {
	struct model_csr weights;
	float *weight_scale;
	int32_t *bias;
	struct model_window window;
	struct golden_quantization accumulator;
	int8_t *table;
	bool table_per_row;
	struct golden_quantization table_output;
	int32_t residual;
	uint32_t shuffle_height, shuffle_width;
	uint32_t replicate_height, replicate_width;
	bool transposed;
	uint32_t output_stride_height, output_stride_width;
	int32_t output_extra_height, output_extra_width;
	uint64_t dense_macs_per_column;
};

/**
 * struct model_recurrent - LSTM (gate rows i, o, f, c) or GRU (z, r, h)
 * @input_weights: G·H × I; @hidden_weights: G·H × H
 * @input_scale: G·H weight scales; likewise @hidden_scale
 * @input_bias: G·H in units of sx·input_scale; @hidden_bias: sh·hidden_scale
 * @hidden: H
 * @reverse: from the last step to the first
 * @linear_before_reset: GRU
 * @hidden_quantization: of the state; the output tensor has the same
 *
 * Layer inputs: x [C=I, H=T, W=1], h0, c0 (LSTM) [C=H, H=1, W=1], float32 or
 * MODEL_NO_TENSOR for zeros. Layer outputs: y [C=H, H=T, W=1], h_T, c_T (LSTM)
 * [C=H, H=1, W=1], float32, each may be MODEL_NO_TENSOR. y keeps the order of x
 * also in reverse. h_T of an LSTM is its dequantized code, that of a GRU the state
 * that was not rounded.
 */
struct model_recurrent {
	struct model_csr input_weights, hidden_weights;
	float *input_scale, *hidden_scale;
	int32_t *input_bias, *hidden_bias;
	uint32_t hidden;
	bool reverse;
	bool linear_before_reset;
	struct golden_quantization hidden_quantization;
};

/** struct model_slice - as many channels as the output tensor has */
struct model_slice {
	uint32_t first_channel;
};

/** struct model_reshape - the result's sizes; one may be 0: what is left over */
struct model_reshape {
	uint32_t channels, height, width;
};

/** struct model_permute - axis i of the result is axis[i] of C, H, W */
struct model_permute {
	uint8_t axis[3];
};

/**
 * struct model_pool - maximum or average over a window, channel by channel
 * @window: kernel 0 × 0 is global (then nothing else of it counts). Padding is
 *	no element; a window that holds none at all has the maximum −128 and the
 *	average 0
 * @count_padding: the average divides by the whole kernel also where it leaves
 *	the image; not with ceil_mode
 */
struct model_pool {
	struct model_window window;
	bool count_padding;
};

/**
 * struct model_table - a function of one element
 * @entries: indexed by (channel·256 +) code + 128
 * @per_channel: C × 256 entries, else 256
 */
struct model_table {
	int8_t *entries;
	bool per_channel;
};

#define MODEL_INPUTS_MAX 64
#define MODEL_OUTPUTS_MAX 3

/**
 * struct model_layer - one fused operation
 * @name: of the imported node, for people
 * @op: what it is
 * @inputs: tensors, MODEL_NO_TENSOR for an omitted one
 * @outputs: likewise
 * @activation: text of the function that the table samples, or NULL: what an
 *	export writes in the table's place; execution never reads it
 */
struct model_layer {
	char *name;
	enum model_op op;
	char *activation;
	int32_t inputs[MODEL_INPUTS_MAX];
	uint32_t input_count;
	int32_t outputs[MODEL_OUTPUTS_MAX];
	uint32_t output_count;
	union {
		struct model_spmm spmm;
		struct model_recurrent recurrent;
		struct model_slice slice;
		struct model_reshape reshape;
		struct model_permute permute;
		struct model_pool pool;
		struct model_table table;
	};
};

/**
 * struct model_port - an input or output of the whole model
 * @tensor: index
 * @layout: of the user's array
 * @range_low: meaning of PNG's black and white; equal when unknown
 * @range_high: likewise
 */
struct model_port {
	int32_t tensor;
	enum model_layout layout;
	float range_low, range_high;
};

enum model_kind {
	MODEL_KIND_GENERIC,
	MODEL_KIND_LATENT, /* inputs are latents ~ N(0, 1) */
	MODEL_KIND_IMAGE, /* image to image */
	MODEL_KIND_SEQUENCE,
};

struct model {
	char *name;
	enum model_kind kind;
	struct model_tensor *tensors;
	uint32_t tensor_count;
	struct model_layer *layers; /* in order of execution */
	uint32_t layer_count;
	struct model_port *inputs;
	uint32_t input_count;
	struct model_port *outputs;
	uint32_t output_count;
	uint64_t dense_bytes; /* of the imported fp32 parameters */
	char *provenance; /* JSON text of how it was compressed, or NULL */
	struct model_packing *packing; /* of its file; NULL of a portable one */
};

/* More than any of these is refused, so that sums of sizes cannot overflow. */
#define MODEL_TENSORS_MAX 65536
#define MODEL_LAYERS_MAX 65536
#define MODEL_PORTS_MAX 64
#define MODEL_DIMENSION_MAX (1u << 24)
#define MODEL_ELEMENTS_MAX (1ull << 36) /* C · H · W of one tensor */
#define MODEL_NAME_MAX 1024

/** model_create() - an empty model; NULL without memory */
struct model *model_create(const char *name);

/** model_destroy() - free a model and all it owns; NULL is allowed */
void model_destroy(struct model *model);

/**
 * model_add_tensor() - append a tensor
 * @model: to change
 * @tensor: copied; its name becomes the model's, unless this fails
 *
 * Return: the index or −errno.
 */
int model_add_tensor(struct model *model, const struct model_tensor *tensor);

/**
 * model_add_layer() - append a layer
 * @model: to change
 * @layer: copied; its name and arrays become the model's, unless this fails
 *
 * Return: the index or −errno.
 */
int model_add_layer(struct model *model, const struct model_layer *layer);

/** model_add_input() - append an input of the model; its number or −errno */
int model_add_input(struct model *model, const struct model_port *port);

/** model_add_output() - append an output of the model; its number or −errno */
int model_add_output(struct model *model, const struct model_port *port);

/** model_layer_release() - free what a layer points to, not the layer */
void model_layer_release(struct model_layer *layer);

/**
 * model_layer_operands() - the tensors that a layer reads
 * @layer: any
 * @operands: result: inputs that are not omitted, then the residual
 *
 * Return: how many.
 */
uint32_t model_layer_operands(const struct model_layer *layer,
			      int32_t operands[MODEL_INPUTS_MAX + 1]);

/** model_op_name() - "spmm" …, as in the file; NULL for what is no operation */
const char *model_op_name(enum model_op op);

int64_t model_csr_nonzeros(const struct model_csr *csr);

/** model_gate_count() - 4 for an LSTM, 3 for a GRU */
uint32_t model_gate_count(enum model_op op);

/**
 * model_table_quantization() - of an SPMM's values before the residual add
 *
 * That of the table's result, or of the accumulator where there is no table.
 */
struct golden_quantization
model_table_quantization(const struct model_spmm *spmm);

/**
 * model_validate() - everything a file or a caller could get wrong
 *
 * Names, indices, order, types, quantizations that must agree, shapes, CSR. Not the
 * lengths of arrays, which nobody can see; the reader of files checks those.
 *
 * Return: 0 or −EINVAL with a text that names the layer or tensor.
 */
int model_validate(const struct model *model);

/** struct model_extent - the sizes of a tensor in one run */
struct model_extent {
	uint32_t channels, height, width;
};

/**
 * model_infer_extents() - shapes of all tensors for given input sizes
 * @model: valid
 * @inputs: one extent for each model input
 * @extents: tensor_count results
 *
 * Return: 0, or −EINVAL with a text that names the layer whose input does not
 * fit.
 */
int model_infer_extents(const struct model *model,
			const struct model_extent *inputs,
			struct model_extent *extents);

/**
 * struct model_grid - a window's positions on an input of known size
 * @height: of the result
 * @width: of the result
 * @pad_top: rows of padding before the input's first, negative where it is cut
 * @pad_left: likewise
 */
struct model_grid {
	uint32_t height, width;
	int32_t pad_top, pad_left;
};

/**
 * model_spmm_grid() - result of an SPMM before its store, N = height·width·batch
 *
 * Return: 0; −EINVAL, with a text, if nothing is left of the input.
 */
int model_spmm_grid(const struct model_spmm *spmm,
		    const struct model_extent *input, struct model_grid *grid);

/** model_pool_grid() - the same of a pool; a global one gives 1 × 1 */
int model_pool_grid(const struct model_pool *pool,
		    const struct model_extent *input, struct model_grid *grid);

#endif
