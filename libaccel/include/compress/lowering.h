/* SPDX-License-Identifier: MIT */
/*
 * What a float graph becomes on its way to a quantized model; private to
 * lower*.c.
 *
 * First every node finds its place in a lowered layer (lower.c, lower_chain.c
 * and the files that it calls), with weights still in binary32. Then tensors that
 * must share a quantization get one (lower_quantize.c), and only then are codes
 * computed (lower_emit.c).
 */
#ifndef COMPRESS_LOWERING_H
#define COMPRESS_LOWERING_H

#include "compress/function.h"
#include "compress/lower.h"
#include "compress/lower_matrix.h"

/* Where an axis of a graph's tensor lies in [C][H][W][B]. */
enum lower_axis {
	LOWER_BATCH,
	LOWER_CHANNEL,
	LOWER_HEIGHT,
	LOWER_WIDTH,
	LOWER_STEPS, /* height and batch in one: [T·N, F] of a sequence */
};

#define LOWER_NONE (-1)

/**
 * struct lower_tensor - a tensor of the model, or a stage within a layer
 * @source: the graph's tensor that it is named after
 * @model: what the model will hold; its name is not set
 * @stage: lives only inside a layer and has no memory
 * @range: values that it takes
 * @fixed: @model.quantization is given by the file
 * @group: another tensor with the same quantization, or itself
 * @index: in the model
 */
struct lower_tensor {
	int source;
	struct model_tensor model;
	bool stage;
	struct quantize_range range;
	bool fixed;
	int group;
	int index;
};

/* Which lowered tensor holds a graph's tensor, and where its axes went. */
struct lower_view {
	int tensor;
	uint8_t axis[GRAPH_MAX_RANK];
};

/**
 * struct lower_layer - a layer whose numbers are still real
 * @model: with lowered tensors for inputs and outputs, without codes
 * @matrix: of SPMM; the input weights of a recurrent layer
 * @hidden: the hidden weights of a recurrent layer
 * @input_mean: of what @matrix multiplies, or NULL
 * @hidden_mean: of what @hidden multiplies, or NULL
 * @function: of the table
 * @before: stage whose quantization the accumulator is rounded to when a table
 *	follows, or LOWER_NONE
 * @after: stage between table and residual, or LOWER_NONE
 * @clamp: applied to the output of an addition, product or average
 */
struct lower_layer {
	struct model_layer model;
	struct lower_matrix matrix;
	struct lower_matrix hidden;
	const struct channel_mean *input_mean;
	const struct channel_mean *hidden_mean;
	struct function_chain function;
	struct function_chain clamp;
	int before;
	int after;
};

struct lowering {
	const struct graph *graph;
	const struct lower_options *options;
	struct lower_view *views; /* of each graph tensor */
	int *claimed_by; /* of each node: the one whose layer does it, or none */
	int *layer_at; /* of each node: where its layer is made */
	struct lower_tensor *tensors;
	int tensor_count;
	struct lower_layer *layers;
	int layer_count;
	bool sequence; /* tensors of rank 3 are [T, N, F] */
};

/* An error text that names the node. */
__attribute__((format(printf, 3, 4))) int
lower_error(const struct lowering *lowering, int node, const char *format, ...);

/* ---- lower_tensor.c: tensors and views ---- */

/* Make a tensor for a graph's tensor; its number or −errno. */
int lower_tensor_add(struct lowering *lowering, int source,
		     const uint8_t axis[GRAPH_MAX_RANK]);

/* A stage that has the range and recorded quantization of a graph's tensor. */
int lower_stage_add(struct lowering *lowering, int source);

/* Take over another tensor's recorded quantization, if this one has none. */
void lower_inherit(struct lowering *lowering, int tensor, int source);

/* The same, and bind the graph's tensor to it. */
int lower_bind(struct lowering *lowering, int source,
	       const uint8_t axis[GRAPH_MAX_RANK]);

/* What a layer owns; its place in the list stays. */
void lower_layer_release(struct lower_layer *layer);

/* Append a layer with its name and operation set; NULL without memory. */
struct lower_layer *lower_layer_add(struct lowering *lowering, int node,
				    enum model_op op);

/* Axes of the usual layout of a rank. */
int lower_axes(const struct lowering *lowering, int node, int rank,
	       uint8_t axis[GRAPH_MAX_RANK]);

/* Index of the axis that lies on a logical one, or −1. */
int lower_find_axis(const struct lowering *lowering, int source,
		    enum lower_axis wanted);

/* Axes of a graph's tensor, changed so that one of them is the channels. */
int lower_channel_axes(struct lowering *lowering, int node, int source,
		       int which, uint8_t axis[GRAPH_MAX_RANK]);

/*
 * The lowered tensor that holds a graph's tensor with its axes where they are
 * wanted: a permutation is added if need be. Negative: −errno.
 */
int lower_operand(struct lowering *lowering, int node, int source,
		  const uint8_t axis[GRAPH_MAX_RANK]);

/* Let two tensors have one quantization. */
void lower_unite(struct lowering *lowering, int a, int b);

/* ---- lower_chain.c: a linear node and what is fused with it ---- */

/**
 * struct lower_chain - nodes that become one SPMM
 * @first: the linear node
 * @last: the node whose place in the order the layer takes
 * @steps: activations
 * @step_count: number of @steps
 * @steps_before_store: of them, those that come before @store
 * @store: DepthToSpace or Resize, or LOWER_NONE
 * @stored: the graph's tensor that @store moves, or LOWER_NONE
 * @residual: the graph's tensor that is added, or LOWER_NONE
 * @before: the graph's tensor that the first activation reads
 * @after: the one that is added to the residual
 * @clamps: ReLU and Clip after the addition
 * @clamp_count: number of @clamps
 * @output: the graph's tensor that the layer makes
 */
struct lower_chain {
	int first;
	int last;
	int steps[FUNCTION_STEPS_MAX];
	int step_count;
	int steps_before_store;
	int store;
	int stored;
	int residual;
	int before;
	int after;
	int clamps[FUNCTION_STEPS_MAX];
	int clamp_count;
	int output;
};

/* Claim the nodes that go with a linear node, and find where they end. */
void lower_chain_claim(struct lowering *lowering, int node);

/* Make the layer of a claimed chain; at its last node. */
int lower_chain_layer(struct lowering *lowering, int first);

/*
 * The first thing of a chain: fill in the layer's matrix, window and input, and
 * the axes of its result. lower_linear.c.
 */
int lower_linear(struct lowering *lowering, int node, struct lower_layer *layer,
		 uint8_t axis[GRAPH_MAX_RANK]);

/**
 * struct lower_row - one row of a tensor, such as a step of a sequence
 * @input: the lowered tensor that it is cut from
 * @source: the graph's tensor that it becomes
 * @axis: where its axes go
 * @last: or the first
 */
struct lower_row {
	int input;
	int source;
	const uint8_t *axis;
	bool last;
};

/* Add the layer that cuts a row out. */
int lower_row(struct lowering *lowering, int node, const struct lower_row *row);

/* Does an activation have one parameter for each element of its axis? */
bool lower_axis_parameters(const struct graph *graph, int node);

/*
 * Claim the activations that follow a node, one after the other; the tensor that
 * they end with. @axis: of that tensor; NULL: only ReLU and Clip.
 */
int lower_claim_functions(struct lowering *lowering, int node,
			  const uint8_t *axis, struct function_chain *chain);

/*
 * Leave out of a range of inputs what a function does not tell apart: for sigmoid
 * what is beyond ±8, for tanh ±4, for ReLU and Clip what they cut.
 */
void lower_clip_range(struct quantize_range *range,
		      const struct function_chain *function);

/* ---- other nodes: each makes the layers of one ---- */

/* lower_elementwise.c */
int lower_elementwise(struct lowering *lowering, int node);
int lower_table(struct lowering *lowering, int node);
int lower_pool(struct lowering *lowering, int node);

/* lower_layout.c */
bool lower_slice_is_view(const struct lowering *lowering, int node);
int lower_concat(struct lowering *lowering, int node);
int lower_slice(struct lowering *lowering, int node);
int lower_transpose(struct lowering *lowering, int node);

int lower_reshape(struct lowering *lowering, int node); /* lower_reshape.c */

int lower_recurrent(struct lowering *lowering,
		    int node); /* lower_recurrent.c */

/* ---- after the walk ---- */

int lower_ports(struct lowering *lowering, struct model *model);
int lower_quantize(struct lowering *lowering);
int lower_emit(struct lowering *lowering, struct model *model);

#endif
