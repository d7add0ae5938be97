/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_GRAPH_H
#define COMPRESS_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * DOC: The float graph
 *
 * What the importer produces and every later step of the compressor reads: the
 * executor, calibration, pruning, training, lowering to the quantized model.
 *
 * All values are binary32. Tensors and nodes are named by their index; indices
 * stay valid until graph_compact(). Nodes are in topological order. Images are
 * NCHW, matrices [N, F], sequences [T, N, F]. Weights keep ONNX's layouts.
 * A dimension that is fixed only at run time is GRAPH_DIM_DYNAMIC;
 * graph_infer_shapes() gives every tensor its numbers for given inputs.
 *
 * The set of operators is small on purpose: the importer writes everything that
 * ONNX has several forms for in one of them.
 *
 * A graph owns all that it points to. It is not locked: any number of threads
 * may read it, nobody else may use it while one thread changes it.
 */

#define GRAPH_MAX_RANK 8
#define GRAPH_DIM_DYNAMIC (-1)
/** GRAPH_NO_TENSOR - stands for an optional input or output that is absent */
#define GRAPH_NO_TENSOR (-1)
/** GRAPH_SLICE_END - slice to the end of the axis, whatever its length */
#define GRAPH_SLICE_END INT64_MAX

struct graph_shape {
	int rank;
	int64_t dims[GRAPH_MAX_RANK];
};

/**
 * enum graph_op - operators; inputs in order, [] optional, K constant
 *
 * @GRAPH_CONV: x [N,C,H,W], K weight [M,C/group,kh,kw], [K bias [M]]
 * @GRAPH_CONV_TRANSPOSE: x [N,C,H,W], K weight [C,M/group,kh,kw], [K bias [M]]
 * @GRAPH_GEMM: x [...,K], K weight [M,K], [K bias [M]]; y = x·Wᵀ + b over the
 *	last axis, rank ≥ 1
 * @GRAPH_RELU: x; max(x, 0)
 * @GRAPH_LEAKY_RELU: x; alpha·x below zero
 * @GRAPH_PRELU: x, K slope [C] or [1]; slope[channel]·x below zero, see axis
 * @GRAPH_CLIP: x; min(max(x, low), high); a bound may be infinite
 * @GRAPH_SIGMOID: x
 * @GRAPH_TANH: x
 * @GRAPH_HARD_SIGMOID: x; clip(alpha·x + beta, 0, 1)
 * @GRAPH_HARD_SWISH: x; x·clip(x/6 + 1/2, 0, 1)
 * @GRAPH_ELU: x; alpha·(eˣ − 1) below zero
 * @GRAPH_SOFTPLUS: x; ln(1 + eˣ)
 * @GRAPH_SILU: x; x·sigmoid(x)
 * @GRAPH_GELU: x; x·Φ(x), the exact one
 * @GRAPH_EXP: x
 * @GRAPH_ABS: x
 * @GRAPH_ADD: a, b; broadcast as in ONNX; one of them may be constant
 * @GRAPH_MULTIPLY: a, b; broadcast as in ONNX; one of them may be constant
 * @GRAPH_AFFINE: x, K scale [C] or [1], K shift [C] or [1]; x·scale + shift per
 *	element of axis
 * @GRAPH_CONCAT: two or more tensors; see axis
 * @GRAPH_SLICE: x; one axis
 * @GRAPH_PAD: x
 * @GRAPH_RESHAPE: x; order of elements unchanged
 * @GRAPH_TRANSPOSE: x
 * @GRAPH_DEPTH_TO_SPACE: x [N,C,H,W]
 * @GRAPH_RESIZE_NEAREST: x [N,C,H,W]; every pixel becomes a block
 * @GRAPH_MAX_POOL: x [N,C,H,W]
 * @GRAPH_AVERAGE_POOL: x [N,C,H,W]
 * @GRAPH_GLOBAL_AVERAGE_POOL: x [N,C,H,W] to [N,C,1,1]
 * @GRAPH_LSTM: x [T,N,I], K weight [D,4H,I], K recurrence [D,4H,H], [K bias
 *	[D,8H]], [h0 [D,N,H]], [c0 [D,N,H]], gates i o f c; outputs [y [T,N,D·H]],
 *	[h [D,N,H]], [c [D,N,H]]; absent states are zero
 * @GRAPH_GRU: x, K weight [D,3H,I], K recurrence [D,3H,H], [K bias [D,6H]],
 *	[h0], gates z r h; outputs [y], [h]
 * @GRAPH_BATCH_NORM: x [N,C,...]; (x - mean)/√(variance + alpha) of each channel over
 *	the batch. In training only: never imported, exported or lowered
 */
enum graph_op {
	GRAPH_CONV,
	GRAPH_CONV_TRANSPOSE,
	GRAPH_GEMM,
	GRAPH_RELU,
	GRAPH_LEAKY_RELU,
	GRAPH_PRELU,
	GRAPH_CLIP,
	GRAPH_SIGMOID,
	GRAPH_TANH,
	GRAPH_HARD_SIGMOID,
	GRAPH_HARD_SWISH,
	GRAPH_ELU,
	GRAPH_SOFTPLUS,
	GRAPH_SILU,
	GRAPH_GELU,
	GRAPH_EXP,
	GRAPH_ABS,
	GRAPH_ADD,
	GRAPH_MULTIPLY,
	GRAPH_AFFINE,
	GRAPH_CONCAT,
	GRAPH_SLICE,
	GRAPH_PAD,
	GRAPH_RESHAPE,
	GRAPH_TRANSPOSE,
	GRAPH_DEPTH_TO_SPACE,
	GRAPH_RESIZE_NEAREST,
	GRAPH_MAX_POOL,
	GRAPH_AVERAGE_POOL,
	GRAPH_GLOBAL_AVERAGE_POOL,
	GRAPH_LSTM,
	GRAPH_GRU,
	GRAPH_BATCH_NORM,
	GRAPH_OP_COUNT
};

/**
 * enum graph_auto_pad - padding that depends on sizes known only at run time
 * @GRAPH_PAD_EXPLICIT: pads[] holds it (the importer resolves what it can)
 * @GRAPH_PAD_SAME_UPPER: output = ceil(input / stride), odd pixel at the end;
 *	of a transposed convolution: output = input · stride
 * @GRAPH_PAD_SAME_LOWER: the same, odd pixel at the beginning
 */
enum graph_auto_pad {
	GRAPH_PAD_EXPLICIT,
	GRAPH_PAD_SAME_UPPER,
	GRAPH_PAD_SAME_LOWER,
};

/**
 * struct graph_conv - attributes of convolutions; arrays are (height, width)
 * @kernel: as in the weight's shape
 * @stride: ≥ 1
 * @dilation: ≥ 1
 * @pads: top, left, bottom, right, in input pixels (of a transposed
 *	convolution: cut from the output), ≥ 0; use graph_conv_pads()
 * @group: divides both channel counts
 * @auto_pad: how pads[] come about
 * @output_padding: transposed only: rows and columns more at the end
 * @output_size: transposed only: size asked for, 0 if none; pads follow from it
 */
struct graph_conv {
	int64_t kernel[2];
	int64_t stride[2];
	int64_t dilation[2];
	int64_t pads[4];
	int64_t group;
	enum graph_auto_pad auto_pad;
	int64_t output_padding[2];
	int64_t output_size[2];
};

/**
 * struct graph_pool - attributes of pooling; arrays are (height, width)
 * @kernel: window
 * @stride: ≥ 1
 * @dilation: ≥ 1; 1 for averages
 * @pads: top, left, bottom, right; use graph_pool_pads()
 * @auto_pad: how pads[] come about
 * @ceil_mode: a last window that is not full counts; windows that would begin
 *	in the padding at the end do not
 * @count_include_pad: averages divide by the window also at the border
 */
struct graph_pool {
	int64_t kernel[2];
	int64_t stride[2];
	int64_t dilation[2];
	int64_t pads[4];
	enum graph_auto_pad auto_pad;
	bool ceil_mode;
	bool count_include_pad;
};

/** struct graph_unary - parameters of activations; what is unused is 0 */
struct graph_unary {
	float alpha;
	float beta;
	float low;
	float high;
};

/**
 * struct graph_slice - elements start, start + step … before end of one axis
 * @axis: 0 … rank − 1
 * @start: negative counts from the end; clamped to the axis at run time
 * @end: exclusive; negative counts from the end; GRAPH_SLICE_END; clamped
 * @step: ≥ 1
 */
struct graph_slice {
	int axis;
	int64_t start;
	int64_t end;
	int64_t step;
};

enum graph_pad_mode {
	GRAPH_PAD_CONSTANT,
	GRAPH_PAD_REFLECT,
	GRAPH_PAD_EDGE,
};

/** struct graph_pad - elements added before and after each axis, all ≥ 0 */
struct graph_pad {
	int64_t before[GRAPH_MAX_RANK];
	int64_t after[GRAPH_MAX_RANK];
	enum graph_pad_mode mode;
	float value;
};

/**
 * struct graph_reshape_dim - one dimension of the result
 * @axis: numerator/denominator · (dimension @axis of the input), exact;
 *	GRAPH_RESHAPE_NUMBER: numerator; GRAPH_RESHAPE_REST: what is left over
 *	(one dimension at most)
 * @numerator: ≥ 1
 * @denominator: ≥ 1
 */
struct graph_reshape_dim {
	int axis;
	int64_t numerator;
	int64_t denominator;
};

#define GRAPH_RESHAPE_NUMBER (-1)
#define GRAPH_RESHAPE_REST (-2)

struct graph_reshape {
	int rank;
	struct graph_reshape_dim dims[GRAPH_MAX_RANK];
};

/** struct graph_transpose - axis i of the result is axis perm[i] of the input */
struct graph_transpose {
	int perm[GRAPH_MAX_RANK];
};

/**
 * struct graph_depth_to_space - C = Cout·block², Hout = H·block
 * @block: ≥ 2
 * @crd: channel = (c, dy, dx) as PyTorch's pixel shuffle; else (dy, dx, c)
 */
struct graph_depth_to_space {
	int64_t block;
	bool crd;
};

/** struct graph_resize - y[i][j] = x[i / height][j / width] */
struct graph_resize {
	int64_t scale[2];
};

enum graph_direction {
	GRAPH_FORWARD,
	GRAPH_REVERSE,
	GRAPH_BIDIRECTIONAL,
};

/**
 * struct graph_recurrent - attributes of GRAPH_LSTM and GRAPH_GRU
 * @hidden: H
 * @direction: D = 2 if bidirectional, else 1; of y the forward half comes first
 * @linear_before_reset: GRU only: r·(h·Rᵀ + b) instead of (r·h)·Rᵀ + b
 */
struct graph_recurrent {
	int64_t hidden;
	enum graph_direction direction;
	bool linear_before_reset;
};

/**
 * struct graph_node - one operation
 * @op: which
 * @name: the ONNX node's name, or its first output's; for messages
 * @inputs: tensors, GRAPH_NO_TENSOR where an optional one is absent
 * @outputs: the same; every tensor has one producer at most
 * @input_count: number of @inputs
 * @output_count: number of @outputs
 * @structural: the weights rearrange (ones and zeros that stand for an operator
 *	without weights): never prune or train them
 * @conv: GRAPH_CONV, GRAPH_CONV_TRANSPOSE
 * @pool: GRAPH_MAX_POOL, GRAPH_AVERAGE_POOL
 * @unary: activations
 * @axis: GRAPH_CONCAT, GRAPH_PRELU, GRAPH_AFFINE: 0 … rank − 1
 * @slice: GRAPH_SLICE
 * @pad: GRAPH_PAD
 * @reshape: GRAPH_RESHAPE
 * @transpose: GRAPH_TRANSPOSE
 * @depth_to_space: GRAPH_DEPTH_TO_SPACE
 * @resize: GRAPH_RESIZE_NEAREST
 * @recurrent: GRAPH_LSTM, GRAPH_GRU
 */
struct graph_node {
	enum graph_op op;
	char *name;
	int *inputs;
	int *outputs;
	int input_count;
	int output_count;
	bool structural;
	union {
		struct graph_conv conv;
		struct graph_pool pool;
		struct graph_unary unary;
		int axis;
		struct graph_slice slice;
		struct graph_pad pad;
		struct graph_reshape reshape;
		struct graph_transpose transpose;
		struct graph_depth_to_space depth_to_space;
		struct graph_resize resize;
		struct graph_recurrent recurrent;
	};
};

/**
 * struct graph_quantization - how the imported file quantized a tensor
 *
 * Read from QuantizeLinear and DequantizeLinear, which are not nodes of the
 * graph. A quantized constant holds its dequantized values, so that
 * rint(data / scale) + zero_point gives back the stored integers.
 *
 * @count: 1 (whole tensor) or the length of @axis
 * @axis: the axis that scales belong to; 0 if count is 1
 * @scale: finite, > 0
 * @zero_point: in the range of the type
 * @low: smallest integer of the type, −128 for int8, 0 for uint8
 * @high: largest integer of the type
 */
struct graph_quantization {
	int64_t count;
	int axis;
	float *scale;
	int32_t *zero_point;
	int64_t low;
	int64_t high;
};

/**
 * struct graph_tensor - an input, a constant or the result of a node
 * @name: unique in the graph
 * @shape: numbers, or GRAPH_DIM_DYNAMIC
 * @data: values of a constant in row-major order; NULL if it is none
 * @producer: the node that computes it; −1 for inputs and constants
 * @quantization: NULL unless the imported file was quantized
 * @symbols: of a graph input: names of its dynamic dimensions ("N"), "" if it
 *	has none. Dimensions of one name must get the same number.
 */
struct graph_tensor {
	char *name;
	struct graph_shape shape;
	float *data;
	int producer;
	struct graph_quantization *quantization;
	char *symbols[GRAPH_MAX_RANK];
};

struct graph {
	char *name;
	struct graph_tensor *tensors;
	struct graph_node *nodes;
	int *inputs;
	int *outputs;
	int tensor_count;
	int node_count;
	int input_count;
	int output_count;
	/* private: allocated lengths of the arrays */
	int tensor_capacity;
	int node_capacity;
	int input_capacity;
	int output_capacity;
};

/** graph_create() - an empty graph; NULL without memory */
struct graph *graph_create(const char *name);

/** graph_destroy() - free a graph and all it owns; NULL is allowed */
void graph_destroy(struct graph *graph);

/** graph_clone() - a deep copy with the same indices; NULL without memory */
struct graph *graph_clone(const struct graph *graph);

/**
 * graph_add_tensor() - add a tensor without data
 * @graph: to change
 * @name: copied; must be new in the graph
 * @shape: copied; dimensions may be GRAPH_DIM_DYNAMIC
 *
 * Return: its index, or −ENOMEM, −EEXIST.
 */
int graph_add_tensor(struct graph *graph, const char *name,
		     const struct graph_shape *shape);

/**
 * graph_add_constant() - add a constant
 * @graph: to change
 * @name: copied; if it is taken, a number is appended
 * @shape: all dimensions known
 * @data: copied; NULL for zeros
 *
 * Return: its index, or −ENOMEM, −EOVERFLOW.
 */
int graph_add_constant(struct graph *graph, const char *name,
		       const struct graph_shape *shape, const float *data);

/**
 * graph_add_node() - append a node with all attributes zero
 * @graph: to change; the node becomes the producer of its outputs
 * @op: operator
 * @name: copied
 * @inputs: copied
 * @input_count: length of @inputs
 * @outputs: copied; tensors that have no producer yet
 * @output_count: length of @outputs
 *
 * The caller then fills in the attributes at graph->nodes[index].
 *
 * Return: its index, or −ENOMEM, −EINVAL.
 */
int graph_add_node(struct graph *graph, enum graph_op op, const char *name,
		   const int *inputs, int input_count, const int *outputs,
		   int output_count);

/** graph_add_input() - make a tensor the next input; 0 or −ENOMEM */
int graph_add_input(struct graph *graph, int tensor);

/** graph_add_output() - make a tensor the next output; 0 or −ENOMEM */
int graph_add_output(struct graph *graph, int tensor);

/** graph_find_tensor() - index of the tensor of a name, or −ENOENT */
int graph_find_tensor(const struct graph *graph, const char *name);

/** graph_op_name() - "Conv" …, as ONNX spells it where it has the operator */
const char *graph_op_name(enum graph_op op);

/** graph_op_is_linear() - Conv, ConvTranspose or Gemm: weight is inputs[1] */
bool graph_op_is_linear(enum graph_op op);

/** graph_op_is_recurrent() - LSTM or GRU: weights are inputs[1], inputs[2] */
bool graph_op_is_recurrent(enum graph_op op);

/** graph_op_is_activation() - a function of one element (PRelu: and channel) */
bool graph_op_is_activation(enum graph_op op);

/** graph_tensor_is_constant() - false also for GRAPH_NO_TENSOR */
bool graph_tensor_is_constant(const struct graph *graph, int tensor);

/** graph_tensor_use_count() - inputs of nodes, and graph outputs, that read it */
int graph_tensor_use_count(const struct graph *graph, int tensor);

/** graph_shape_count() - product of the dimensions, −EOVERFLOW, or −EINVAL if
 * one is dynamic */
int64_t graph_shape_count(const struct graph_shape *shape);

/**
 * graph_infer_shapes() - the shape of every tensor for given inputs
 * @graph: valid
 * @inputs: graph->input_count shapes, all numbers > 0, in the inputs' order
 * @shapes: result, graph->tensor_count of them
 *
 * The graph is not changed: executors of several sizes may share it.
 *
 * Return: 0; −EINVAL if an input does not match its declared shape or a node's
 * inputs do not fit each other, −EOVERFLOW; the message names the node.
 */
int graph_infer_shapes(const struct graph *graph,
		       const struct graph_shape *inputs,
		       struct graph_shape *shapes);

/**
 * graph_conv_pads() - padding of a convolution for a size of input
 * @node: GRAPH_CONV or GRAPH_CONV_TRANSPOSE
 * @height: of the input
 * @width: of the input
 * @pads: top, left, bottom, right; of a transposed convolution they may be
 *	negative where output_size asks for more than the taps reach
 */
void graph_conv_pads(const struct graph_node *node, int64_t height,
		     int64_t width, int64_t pads[4]);

/** graph_pool_pads() - the same for GRAPH_MAX_POOL and GRAPH_AVERAGE_POOL */
void graph_pool_pads(const struct graph_node *node, int64_t height,
		     int64_t width, int64_t pads[4]);

/**
 * graph_validate() - check every rule of this header, and that constants are
 * finite
 *
 * Return: 0 or −EINVAL with a message that names the node or tensor.
 */
int graph_validate(const struct graph *graph);

/** graph_validate_node() - the part of graph_validate() about one node */
int graph_validate_node(const struct graph *graph, int node);

/* ---- changing a graph ---- */

/** graph_tensor_clear() - free what a tensor owns */
void graph_tensor_clear(struct graph_tensor *tensor);

/** graph_node_clear() - free what a node owns */
void graph_node_clear(struct graph_node *node);

/**
 * graph_replace_uses() - let every reader of one tensor read another instead
 *
 * Nodes and graph outputs. When a graph output moves, @to takes its name, so
 * that outputs keep the names that the user knows.
 *
 * Return: 0; -EBUSY and nothing changed if @from is a graph output and @to
 * cannot be it: an input, a constant, another output.
 */
int graph_replace_uses(struct graph *graph, int from, int to);

/** graph_remove_node() - unlink a node; its outputs have no producer any more.
 * The index stays, with no inputs and outputs, until graph_compact(). */
void graph_remove_node(struct graph *graph, int node);

/**
 * graph_compact() - drop what no output depends on and sort topologically
 *
 * Graph inputs stay, also unused ones. Changes indices.
 *
 * Return: 0, −ENOMEM, or −EINVAL if the graph has a cycle.
 */
int graph_compact(struct graph *graph);

#endif
