/* SPDX-License-Identifier: MIT */
/*
 * Descriptors: what one command computes.
 *
 * An activation tensor is stored [channel][row][column][batch], batch innermost.
 * A struct spmm_tensor gives the strides, so that a view (a range of channels, a
 * sequence) needs no copy. Columns and batch are always contiguous.
 *
 * Specification, bit by bit: Documentation/device.rst.
 */
#ifndef UAPI_SPMM_DESCRIPTOR_H
#define UAPI_SPMM_DESCRIPTOR_H

#include <linux/types.h>

#define SPMM_DESCRIPTOR_VERSION 1

/* Larger commands fail with SPMM_SC_DESCRIPTOR_SHAPE. */
#define SPMM_ROWS_MAX (1u << 20) /* M */
#define SPMM_COLUMNS_MAX (1u << 22) /* K */
#define SPMM_RESULT_COLUMNS_MAX (1ull << 32) /* N */

/**
 * enum spmm_hint - what an operand's lines are worth to the SRAM afterwards
 * @SPMM_HINT_KEEP: will be read again soon
 * @SPMM_HINT_STREAM: do not displace others for it
 * @SPMM_HINT_DISCARD: dead after this command: never write back
 */
enum spmm_hint {
	SPMM_HINT_KEEP = 0,
	SPMM_HINT_STREAM = 1,
	SPMM_HINT_DISCARD = 2,
};

/**
 * struct spmm_tensor - where an activation tensor is
 * @address: of element (0, 0, 0, 0)
 * @channel_stride: bytes from one channel to the next
 * @row_stride: bytes from one image row to the next
 * @channels: C ≥ 1
 * @height: H ≥ 1
 * @width: W ≥ 1
 * @zero: int8 zero point (padding reads it)
 * @hint: enum spmm_hint
 * @keep_rows: with SPMM_HINT_DISCARD: so many of the last rows are not dead; else zero
 * @pad: zero
 *
 * The batch is the same for all operands of a command and stands in its
 * descriptor.
 */
struct spmm_tensor {
	__le64 address;
	__le64 channel_stride;
	__le32 row_stride;
	__le32 channels;
	__le32 height;
	__le32 width;
	__s8 zero;
	__u8 hint;
	__le16 keep_rows;
	__le32 pad;
};

/**
 * enum spmm_output_type - what an SPMM command stores
 * @SPMM_OUTPUT_INT8: codes, requantized
 * @SPMM_OUTPUT_INT32: the accumulator
 * @SPMM_OUTPUT_FLOAT32: fl(fl(acc) · scale[row])
 */
enum spmm_output_type {
	SPMM_OUTPUT_INT8 = 0,
	SPMM_OUTPUT_INT32 = 1,
	SPMM_OUTPUT_FLOAT32 = 2,
};

/* One numbering for all descriptors, each of which says what it takes. */
#define SPMM_FLAG_TABLE 0x01 /* one table of 256 bytes */
#define SPMM_FLAG_TABLE_PER_ROW 0x02 /* one for each row or channel */
#define SPMM_FLAG_RESIDUAL 0x04 /* add a second operand */
#define SPMM_FLAG_COUNT_PADDING 0x08 /* an average counts padding, too */
#define SPMM_FLAG_REVERSE 0x10 /* the last time step comes first */
#define SPMM_FLAG_LINEAR_BEFORE_RESET 0x20 /* as ONNX's GRU has it */

/**
 * struct spmm_descriptor - Y = epilogue(W · X) over an implicit im2col matrix
 * @version: SPMM_DESCRIPTOR_VERSION
 * @output_type: enum spmm_output_type
 * @flags: SPMM_FLAG_TABLE or SPMM_FLAG_TABLE_PER_ROW, SPMM_FLAG_RESIDUAL; only
 *	with SPMM_OUTPUT_INT8
 * @rows: M
 * @columns: K = input channels × kernel_height × kernel_width
 * @batch: B
 * @kernel_height: taps; column k = (channel·kernel_height + ky)·kernel_width + kx
 * @kernel_width: taps
 * @stride_height: output row y reads input row y·stride + ky·dilation − pad_top
 * @stride_width: likewise
 * @dilation_height: ≥ 1
 * @dilation_width: ≥ 1
 * @pad_top: may be negative (a crop)
 * @pad_left: may be negative
 * @height: rows of the result before the store's shuffle; N = height·width·B
 * @width: columns of the result before the store's shuffle
 * @shuffle_height: r_h ≥ 1: row m = (c·r_h + i)·r_w + j of the result goes to
 *	channel c, row y·r_h + i, column x·r_w + j of the destination
 * @shuffle_width: r_w ≥ 1
 * @replicate_height: each value is stored so many times (nearest), ≥ 1; only
 *	with a shuffle of 1×1
 * @replicate_width: ≥ 1
 * @pad0: zero
 * @weights: address of the weight stream
 * @weights_length: its bytes
 * @scales: address of M binary32 values
 * @biases: address of M int32 values
 * @tables: address of the table(s)
 * @input: X
 * @output: Y; stores outside its height and width are dropped (crop)
 * @residual: operand b of the residual add, shape M × height × width × B
 * @residual_scale: sb
 * @accumulator_scale: sa, of the value before the add; its zero is
 *	@accumulator_zero
 * @output_scale: sy of the residual add; its zero is output.zero
 * @accumulator_zero: y_zero of the requantization when a table or a residual
 *	follows it; else output.zero is used
 * @table_zero: za of the residual add (the zero point after the table, or
 *	accumulator_zero without one)
 * @weights_hint: enum spmm_hint
 * @pad1: zero
 * @pad2: zero
 */
struct spmm_descriptor {
	__u8 version;
	__u8 output_type;
	__le16 flags;
	__le32 rows;
	__le32 columns;
	__le32 batch;
	__le16 kernel_height;
	__le16 kernel_width;
	__le16 stride_height;
	__le16 stride_width;
	__le16 dilation_height;
	__le16 dilation_width;
	__le32 pad_top;
	__le32 pad_left;
	__le32 height;
	__le32 width;
	__le16 shuffle_height;
	__le16 shuffle_width;
	__le16 replicate_height;
	__le16 replicate_width;
	__le32 pad0;
	__le64 weights;
	__le64 weights_length;
	__le64 scales;
	__le64 biases;
	__le64 tables;
	struct spmm_tensor input;
	struct spmm_tensor output;
	struct spmm_tensor residual;
	__le32 accumulator_scale; /* binary32 bits, as the next two */
	__le32 residual_scale;
	__le32 output_scale;
	__s8 accumulator_zero;
	__s8 table_zero;
	__u8 weights_hint;
	__u8 pad1;
	__le64 pad2[3];
};

/**
 * enum spmm_eltwise_operation - what an ELTWISE command computes
 * @SPMM_ELTWISE_ADD: the addition of device.rst
 * @SPMM_ELTWISE_MULTIPLY: its multiplication
 * @SPMM_ELTWISE_TABLE: one table, or one per channel
 * @SPMM_ELTWISE_POOL_MAX: the largest code of a window
 * @SPMM_ELTWISE_POOL_AVERAGE: the mean of a window, requantized
 */
enum spmm_eltwise_operation {
	SPMM_ELTWISE_ADD = 0,
	SPMM_ELTWISE_MULTIPLY = 1,
	SPMM_ELTWISE_TABLE = 2,
	SPMM_ELTWISE_POOL_MAX = 3,
	SPMM_ELTWISE_POOL_AVERAGE = 4,
};

/**
 * struct spmm_eltwise_descriptor - element by element, or pooling
 * @version: SPMM_DESCRIPTOR_VERSION
 * @operation: enum spmm_eltwise_operation
 * @flags: SPMM_FLAG_TABLE_PER_ROW for one table per channel;
 *	SPMM_FLAG_COUNT_PADDING: an average divides by the whole window
 * @batch: B
 * @window_height: taps, ≥ 1; this and what follows up to @pad_left is read by
 *	POOL_* alone
 * @window_width: taps, ≥ 1
 * @stride_height: ≥ 1; output row y looks at the rows y·stride + ky·dilation −
 *	pad_top of @first
 * @stride_width: ≥ 1, likewise
 * @dilation_height: ≥ 1
 * @dilation_width: ≥ 1
 * @pad_top: may be negative (a crop)
 * @pad_left: may be negative
 * @pad2: zero
 * @first: operand a
 * @second: operand b, read by ADD and MULTIPLY alone; a height and width of 1 × 1
 *	count for all positions
 * @output: y; as many channels as @first, and its height and width but for POOL_*
 * @first_scale: sa (ADD, MULTIPLY, POOL_AVERAGE), binary32 bits
 * @second_scale: sb (ADD, MULTIPLY), likewise
 * @output_scale: sy (ADD, MULTIPLY, POOL_AVERAGE), likewise
 * @pad0: zero
 * @tables: address of the table(s), TABLE alone
 * @pad1: zero
 */
struct spmm_eltwise_descriptor {
	__u8 version;
	__u8 operation;
	__le16 flags;
	__le32 batch;
	__le16 window_height;
	__le16 window_width;
	__le16 stride_height;
	__le16 stride_width;
	__le16 dilation_height;
	__le16 dilation_width;
	__le32 pad_top;
	__le32 pad_left;
	__le32 pad2;
	struct spmm_tensor first;
	struct spmm_tensor second;
	struct spmm_tensor output;
	__le32 first_scale;
	__le32 second_scale;
	__le32 output_scale;
	__le32 pad0;
	__le64 tables;
	__le64 pad1[10];
};

/**
 * enum spmm_recurrent_cell - which cell a RECURRENT command computes
 * @SPMM_RECURRENT_LSTM: a unit's gates in the order i, o, f, c
 * @SPMM_RECURRENT_GRU: z, r, h
 */
enum spmm_recurrent_cell {
	SPMM_RECURRENT_LSTM = 0,
	SPMM_RECURRENT_GRU = 1,
};

/**
 * struct spmm_recurrent_descriptor - a recurrent layer over T time steps
 * @version: SPMM_DESCRIPTOR_VERSION
 * @cell: enum spmm_recurrent_cell
 * @flags: SPMM_FLAG_REVERSE, SPMM_FLAG_LINEAR_BEFORE_RESET (GRU)
 * @batch: B
 * @steps: T
 * @hidden: H; the layer has G·H gate rows, G = 4 (LSTM) or 3 (GRU); gate g of unit u is
 *	row u·G + g
 * @input_weights: address of the stream of G·H × I
 * @input_weights_length: its bytes
 * @hidden_weights: address of the stream of G·H × H
 * @hidden_weights_length: its bytes
 * @input_scales: address of G·H binary32: sx·swx[row]
 * @hidden_scales: address of G·H binary32: sh·swh[row]
 * @input_biases: address of G·H int32, in units of @input_scales
 * @hidden_biases: address of G·H int32, in units of @hidden_scales
 * @cell_state: address of H × B binary32, read at the start and written at the end: c of an
 *	LSTM, the unrounded h of a GRU
 * @hidden_state: address of H × B int8, read at the start and written at the end
 * @input: I channels, T rows, width 1
 * @output: H channels, T rows, width 1; its zero point is also that of the
 *	hidden state
 * @hidden_scale: sh, binary32 bits
 * @pad0: zero
 * @pad1: zero
 */
struct spmm_recurrent_descriptor {
	__u8 version;
	__u8 cell;
	__le16 flags;
	__le32 batch;
	__le32 steps;
	__le32 hidden;
	__le64 input_weights;
	__le64 input_weights_length;
	__le64 hidden_weights;
	__le64 hidden_weights_length;
	__le64 input_scales;
	__le64 hidden_scales;
	__le64 input_biases;
	__le64 hidden_biases;
	__le64 cell_state;
	__le64 hidden_state;
	struct spmm_tensor input;
	struct spmm_tensor output;
	__le32 hidden_scale;
	__le32 pad0;
	__le64 pad1[9];
};

#define SPMM_COPY_DIMENSIONS 5

/**
 * struct spmm_copy_descriptor - a strided copy by the DMA engine
 * @version: SPMM_DESCRIPTOR_VERSION
 * @element: bytes of one element, 1, 2, 4 or 8
 * @pad0: zero
 * @pad1: zero
 * @source: address of element 0
 * @destination: address of element 0
 * @count: elements along each dimension, outermost first; unused ones are 1
 * @pad2: zero
 * @source_stride: bytes from one element to the next, may be negative
 * @destination_stride: likewise
 * @pad3: zero
 */
struct spmm_copy_descriptor {
	__u8 version;
	__u8 element;
	__le16 pad0;
	__le32 pad1;
	__le64 source;
	__le64 destination;
	__le32 count[SPMM_COPY_DIMENSIONS];
	__le32 pad2;
	__le64 source_stride[SPMM_COPY_DIMENSIONS];
	__le64 destination_stride[SPMM_COPY_DIMENSIONS];
	__le64 pad3[16];
};

#endif
