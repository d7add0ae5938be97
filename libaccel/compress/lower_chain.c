/* SPDX-License-Identifier: MIT */
/*
 * Order inside one SPMM: requantize, table, residual, store. A chain of nodes that
 * keeps to it, with nobody else reading what lies between, becomes one layer.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress/lowering.h"
#include "core/error.h"

/* The only node that reads a tensor, or none. */
static int only_reader(const struct lowering *lowering, int tensor)
{
	const struct graph *graph = lowering->graph;

	if (graph_tensor_use_count(graph, tensor) != 1)
		return LOWER_NONE;
	for (int n = 0; n < graph->node_count; n++)
		for (int i = 0; i < graph->nodes[n].input_count; i++)
			if (graph->nodes[n].inputs[i] == tensor)
				return n;
	return LOWER_NONE;
}

static bool same_shape(const struct graph *graph, int a, int b)
{
	const struct graph_shape *x = &graph->tensors[a].shape;
	const struct graph_shape *y = &graph->tensors[b].shape;

	return x->rank == y->rank &&
	       !memcmp(x->dims, y->dims, (size_t)x->rank * sizeof(x->dims[0]));
}

static bool is_clamp(enum graph_op op)
{
	return op == GRAPH_RELU || op == GRAPH_CLIP;
}

bool lower_axis_parameters(const struct graph *graph, int index)
{
	const struct graph_node *node = &graph->nodes[index];

	if (node->op != GRAPH_PRELU && node->op != GRAPH_AFFINE)
		return false;
	for (int i = 1; i < node->input_count; i++)
		if (graph->tensors[node->inputs[i]].shape.dims[0] > 1)
			return true;
	return false;
}

/* The axis of a chain's result that its rows are. */
static int row_axis(const struct lowering *lowering, int first)
{
	const struct graph_node *node = &lowering->graph->nodes[first];

	if (node->op == GRAPH_GEMM)
		return lowering->graph->tensors[node->inputs[0]].shape.rank - 1;
	if (node->op == GRAPH_SLICE || node->op == GRAPH_PAD)
		return lower_find_axis(lowering, node->inputs[0],
				       LOWER_CHANNEL);
	return 1;
}

static bool take_activation(const struct lowering *lowering, int node,
			    struct lower_chain *chain)
{
	enum graph_op op = lowering->graph->nodes[node].op;

	if (!function_node_fits(lowering->graph, node) ||
	    (lower_axis_parameters(lowering->graph, node) &&
	     lowering->graph->nodes[node].axis !=
		     row_axis(lowering, chain->first)))
		return false;
	if (chain->residual == LOWER_NONE) {
		if (chain->step_count == FUNCTION_STEPS_MAX)
			return false;
		chain->steps[chain->step_count++] = node;
		chain->steps_before_store += chain->store == LOWER_NONE;
		return true;
	}
	if (!is_clamp(op) || chain->clamp_count == FUNCTION_STEPS_MAX)
		return false;
	chain->clamps[chain->clamp_count++] = node;
	return true;
}

static bool is_store(enum graph_op op)
{
	return op == GRAPH_DEPTH_TO_SPACE || op == GRAPH_RESIZE_NEAREST;
}

/* Stores work on rows and columns: the result has to be NCHW. */
static bool result_is_image(const struct lowering *lowering, int first)
{
	static const uint8_t nchw[4] = { LOWER_BATCH, LOWER_CHANNEL,
					 LOWER_HEIGHT, LOWER_WIDTH };
	const struct graph_node *node = &lowering->graph->nodes[first];

	if (node->op == GRAPH_GEMM || node->op == GRAPH_CONV_TRANSPOSE)
		return false;
	if (node->op != GRAPH_SLICE && node->op != GRAPH_PAD)
		return true;
	return !memcmp(lowering->views[node->inputs[0]].axis, nchw,
		       sizeof(nchw));
}

static bool take_store(const struct lowering *lowering, int node,
		       struct lower_chain *chain)
{
	if (!is_store(lowering->graph->nodes[node].op) ||
	    !result_is_image(lowering, chain->first) ||
	    chain->store != LOWER_NONE || chain->residual != LOWER_NONE)
		return false;
	chain->store = node;
	chain->stored = chain->output;
	/* Its range and recorded quantization are the same. */
	if (!chain->step_count)
		chain->before = lowering->graph->nodes[node].outputs[0];
	return true;
}

static bool take_residual(const struct lowering *lowering, int node,
			  struct lower_chain *chain)
{
	const struct graph_node *add = &lowering->graph->nodes[node];
	enum graph_op first = lowering->graph->nodes[chain->first].op;
	int other;

	if (add->op != GRAPH_ADD || chain->store != LOWER_NONE ||
	    first == GRAPH_CONV_TRANSPOSE || chain->residual != LOWER_NONE)
		return false;
	other = add->inputs[add->inputs[0] == chain->output];
	if (graph_tensor_is_constant(lowering->graph, other) ||
	    !same_shape(lowering->graph, other, chain->output))
		return false;
	chain->after = chain->output;
	chain->residual = other;
	return true;
}

static bool available(const struct lowering *lowering, int node, int first)
{
	return node != LOWER_NONE &&
	       (lowering->claimed_by[node] == LOWER_NONE ||
		lowering->claimed_by[node] == first);
}

static struct lower_chain match(const struct lowering *lowering, int first)
{
	const struct graph_node *nodes = lowering->graph->nodes;
	struct lower_chain chain = {
		.first = first,
		.last = first,
		.store = is_store(nodes[first].op) ? first : LOWER_NONE,
		.stored = LOWER_NONE,
		.residual = LOWER_NONE,
		.before = nodes[first].outputs[0],
		.after = LOWER_NONE,
		.output = nodes[first].outputs[0],
	};

	for (;;) {
		int node = only_reader(lowering, chain.output);

		if (!available(lowering, node, first))
			break;
		if (!take_activation(lowering, node, &chain) &&
		    !take_store(lowering, node, &chain) &&
		    !take_residual(lowering, node, &chain))
			break;
		chain.last = node;
		chain.output = nodes[node].outputs[0];
	}
	return chain;
}

void lower_chain_claim(struct lowering *lowering, int first)
{
	struct lower_chain chain = match(lowering, first);

	lowering->claimed_by[first] = first;
	for (int i = 0; i < chain.step_count; i++)
		lowering->claimed_by[chain.steps[i]] = first;
	for (int i = 0; i < chain.clamp_count; i++)
		lowering->claimed_by[chain.clamps[i]] = first;
	if (chain.store != LOWER_NONE)
		lowering->claimed_by[chain.store] = first;
	lowering->claimed_by[chain.last] = first;
	lowering->layer_at[first] = chain.last;
	/* The addition is claimed too where a clamp follows it. */
	if (chain.residual != LOWER_NONE)
		lowering->claimed_by[only_reader(lowering, chain.after)] =
			first;
}

/* Does an activation's own axis, if it has one, lie on the channels? */
static bool along_channels(const struct lowering *lowering, int node,
			   const uint8_t *axis)
{
	return !lower_axis_parameters(lowering->graph, node) ||
	       axis[lowering->graph->nodes[node].axis] == LOWER_CHANNEL;
}

int lower_claim_functions(struct lowering *lowering, int node,
			  const uint8_t *axis, struct function_chain *chain)
{
	int output = lowering->graph->nodes[node].outputs[0];

	for (;;) {
		int reader = only_reader(lowering, output);
		int ret;

		if (!available(lowering, reader, node) ||
		    !function_node_fits(lowering->graph, reader) ||
		    chain->count == FUNCTION_STEPS_MAX)
			return output;
		if (axis ? !along_channels(lowering, reader, axis) :
			   !is_clamp(lowering->graph->nodes[reader].op))
			return output;
		ret = function_append_node(chain, lowering->graph, reader);
		if (ret)
			return ret;
		lowering->claimed_by[reader] = node;
		output = lowering->graph->nodes[reader].outputs[0];
	}
}

/* ---- making the layer ---- */

/* Source rows of DepthToSpace in the (channel, dy, dx) order of the store. */
static uint32_t shuffle_source(const struct graph_depth_to_space *shuffle,
			       uint32_t row, uint32_t rows)
{
	uint32_t phases = (uint32_t)(shuffle->block * shuffle->block);

	if (shuffle->crd)
		return row;
	return row % phases * (rows / phases) + row / phases;
}

/* Which channel's parameters row r of the matrix takes, for one activation. */
static uint32_t row_channel(const struct lower_chain *chain,
			    const struct graph *graph,
			    const struct lower_layer *layer, bool after_store,
			    uint32_t row)
{
	const struct model_spmm *spmm = &layer->model.spmm;
	uint32_t phases = spmm->shuffle_height * spmm->shuffle_width;

	if (phases == 1)
		return row;
	if (spmm->transposed || after_store)
		return row / phases;
	return shuffle_source(&graph->nodes[chain->store].depth_to_space, row,
			      layer->matrix.rows);
}

static int add_functions(struct lowering *lowering,
			 const struct lower_chain *chain,
			 struct lower_layer *layer)
{
	uint32_t *index =
		calloc((size_t)layer->matrix.rows + 1, sizeof(*index));
	int ret = 0;

	if (!index)
		return accel_error(-ENOMEM, "out of memory");
	for (int i = 0; !ret && i < chain->step_count; i++) {
		bool after = i >= chain->steps_before_store;
		struct function_step *step = &layer->function.steps[i];

		ret = function_append_node(&layer->function, lowering->graph,
					   chain->steps[i]);
		if (ret)
			break;
		for (uint32_t r = 0; r < layer->matrix.rows; r++)
			index[r] = row_channel(chain, lowering->graph, layer,
					       after, r);
		if (!ret)
			ret = function_gather(step, index, layer->matrix.rows);
	}
	for (int i = 0; !ret && i < chain->clamp_count; i++)
		ret = function_append_node(&layer->clamp, lowering->graph,
					   chain->clamps[i]);
	free(index);
	return ret;
}

static int shuffle_rows(const struct graph_depth_to_space *shuffle,
			struct lower_matrix *matrix)
{
	uint32_t *source;
	int ret;

	if (shuffle->crd)
		return 0;
	source = malloc(((size_t)matrix->rows + 1) * sizeof(*source));
	if (!source)
		return accel_error(-ENOMEM, "out of memory");
	for (uint32_t r = 0; r < matrix->rows; r++)
		source[r] = shuffle_source(shuffle, r, matrix->rows);
	ret = lower_matrix_permute(matrix, source);
	free(source);
	return ret;
}

static int add_store(struct lowering *lowering, const struct lower_chain *chain,
		     struct lower_layer *layer)
{
	const struct graph_node *store;
	struct model_spmm *spmm = &layer->model.spmm;

	if (chain->store == LOWER_NONE)
		return 0;
	store = &lowering->graph->nodes[chain->store];
	if (store->op == GRAPH_RESIZE_NEAREST) {
		spmm->replicate_height = (uint32_t)store->resize.scale[0];
		spmm->replicate_width = (uint32_t)store->resize.scale[1];
		return 0;
	}
	spmm->shuffle_height = (uint32_t)store->depth_to_space.block;
	spmm->shuffle_width = spmm->shuffle_height;
	return shuffle_rows(&store->depth_to_space, &layer->matrix);
}

/* Where a function is not flat, near enough for 8 bits. */
static bool active_range(const struct function_step *step,
			 struct quantize_range *range)
{
	switch (step->kind) {
	case GOLDEN_RELU:
		*range = (struct quantize_range){ 0, INFINITY };
		return true;
	case GOLDEN_CLIP:
		*range = (struct quantize_range){ step->alpha[0],
						  step->beta[0] };
		return true;
	case GOLDEN_SIGMOID:
		*range = (struct quantize_range){ -8, 8 };
		return true;
	case GOLDEN_TANH:
		*range = (struct quantize_range){ -4, 4 };
		return true;
	default:
		return false;
	}
}

void lower_clip_range(struct quantize_range *range,
		      const struct function_chain *function)
{
	struct quantize_range active = { -INFINITY, INFINITY };
	float scale = 1, shift = 0, low, high;
	size_t i = 0;

	for (; i < function->count; i++) {
		const struct function_step *step = &function->steps[i];

		if (step->kind != GOLDEN_AFFINE || step->count > 1)
			break;
		scale *= step->alpha[0];
		shift = step->alpha[0] * shift + step->beta[0];
	}
	if (i == function->count || scale == 0 ||
	    !active_range(&function->steps[i], &active))
		return;
	low = ((scale > 0 ? active.low : active.high) - shift) / scale;
	high = ((scale > 0 ? active.high : active.low) - shift) / scale;
	/* All of it may lie where the function is flat. */
	if (low >= range->high || high <= range->low)
		return;
	range->low = fmaxf(range->low, low);
	range->high = fminf(range->high, high);
}

static int add_stages(struct lowering *lowering,
		      const struct lower_chain *chain,
		      struct lower_layer *layer)
{
	float low, high;

	if (!function_clamp(&layer->function, &low, &high)) {
		layer->before = lower_stage_add(lowering, chain->before);
		if (layer->before < 0)
			return layer->before;
		lower_clip_range(&lowering->tensors[layer->before].range,
				 &layer->function);
	}
	if (chain->residual != LOWER_NONE) {
		layer->after = lower_stage_add(lowering, chain->after);
		if (layer->after < 0)
			return layer->after;
	}
	return 0;
}

/* Steps and batch change places, or only axes before the features come and go. */
static bool keeps_features(const struct lowering *lowering, int node)
{
	const struct graph_node *view = &lowering->graph->nodes[node];
	const struct graph_shape *in, *out;

	if (view->op != GRAPH_TRANSPOSE && view->op != GRAPH_RESHAPE)
		return false;
	in = &lowering->graph->tensors[view->inputs[0]].shape;
	out = &lowering->graph->tensors[view->outputs[0]].shape;
	if (in->rank > 3 || out->rank > 3 || !lowering->sequence)
		return false;
	if (view->op == GRAPH_TRANSPOSE)
		return in->rank == 3 && view->transpose.perm[2] == 2;
	return in->dims[in->rank - 1] == out->dims[out->rank - 1];
}

/* What a tensor of features is called at the end of such views. */
static int after_views(const struct lowering *lowering, int tensor)
{
	int node = only_reader(lowering, tensor);

	while (node != LOWER_NONE && keeps_features(lowering, node)) {
		tensor = lowering->graph->nodes[node].outputs[0];
		node = only_reader(lowering, tensor);
	}
	return tensor;
}

/* Unbounded results of a last matrix product leave the device as binary32. */
static bool stays_float(const struct lowering *lowering,
			const struct lower_chain *chain)
{
	const struct graph *graph = lowering->graph;
	int result = after_views(lowering, chain->output);
	bool output = false;

	for (int i = 0; i < graph->output_count; i++)
		output |= graph->outputs[i] == result;
	return output && graph->nodes[chain->first].op == GRAPH_GEMM &&
	       chain->last == chain->first &&
	       graph_tensor_use_count(graph, result) == 1 &&
	       !graph->tensors[chain->output].quantization &&
	       !graph->tensors[result].quantization;
}

static int add_residual(struct lowering *lowering,
			const struct lower_chain *chain,
			const uint8_t axis[GRAPH_MAX_RANK])
{
	if (chain->residual == LOWER_NONE)
		return MODEL_NO_TENSOR;
	return lower_operand(lowering, chain->last, chain->residual, axis);
}

/*
 * Where values only move, codes do: the result's quantization is that of what it
 * was made from.
 */
static void share_quantization(struct lowering *lowering,
			       const struct lower_chain *chain,
			       const struct lower_layer *layer)
{
	int output = layer->model.outputs[0];

	if (chain->stored != LOWER_NONE &&
	    chain->step_count == chain->steps_before_store)
		lower_inherit(lowering, output, chain->stored);
	if (layer->matrix.identity && !chain->step_count &&
	    chain->residual == LOWER_NONE)
		lower_unite(lowering, layer->model.inputs[0], output);
}

/* Everything but its place among the layers, which may move while it is made. */
static int build(struct lowering *lowering, const struct lower_chain *chain,
		 struct lower_layer *layer)
{
	uint8_t axis[GRAPH_MAX_RANK] = { 0 };
	struct model_spmm *spmm = &layer->model.spmm;
	int ret = lower_linear(lowering, chain->first, layer, axis);

	if (!ret)
		ret = add_store(lowering, chain, layer);
	if (!ret)
		ret = add_functions(lowering, chain, layer);
	if (!ret)
		ret = add_stages(lowering, chain, layer);
	if (ret)
		return ret;
	spmm->residual = add_residual(lowering, chain, axis);
	if (spmm->residual < MODEL_NO_TENSOR)
		return spmm->residual;
	ret = lower_bind(lowering, chain->output, axis);
	if (ret < 0)
		return ret;
	if (stays_float(lowering, chain))
		lowering->tensors[ret].model.type = MODEL_FLOAT32;
	layer->model.outputs[0] = ret;
	layer->model.output_count = 1;
	share_quantization(lowering, chain, layer);
	return 0;
}

int lower_chain_layer(struct lowering *lowering, int first)
{
	struct lower_chain chain = match(lowering, first);
	struct lower_layer layer = {
		.model.op = MODEL_SPMM,
		.before = LOWER_NONE,
		.after = LOWER_NONE,
	};
	struct lower_layer *place;
	int ret;

	layer.model.spmm.residual = MODEL_NO_TENSOR;
	ret = build(lowering, &chain, &layer);
	place = ret ? NULL : lower_layer_add(lowering, first, MODEL_SPMM);
	if (!place) {
		lower_layer_release(&layer);
		return ret ? ret : -ENOMEM;
	}
	layer.model.name = place->model.name;
	*place = layer;
	return 0;
}
