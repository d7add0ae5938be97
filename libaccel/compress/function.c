/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compress/function.h"
#include "core/error.h"

/* The names are ONNX's where it has the function; they stand in model files. */
static const struct {
	enum graph_op op;
	enum golden_function_kind kind;
	const char *name;
} functions[] = {
	{ GRAPH_RELU, GOLDEN_RELU, "Relu" },
	{ GRAPH_LEAKY_RELU, GOLDEN_LEAKY_RELU, "LeakyRelu" },
	{ GRAPH_PRELU, GOLDEN_LEAKY_RELU, "LeakyRelu" },
	{ GRAPH_CLIP, GOLDEN_CLIP, "Clip" },
	{ GRAPH_AFFINE, GOLDEN_AFFINE, "Affine" },
	{ GRAPH_SIGMOID, GOLDEN_SIGMOID, "Sigmoid" },
	{ GRAPH_TANH, GOLDEN_TANH, "Tanh" },
	{ GRAPH_SILU, GOLDEN_SILU, "Silu" },
	{ GRAPH_GELU, GOLDEN_GELU, "Gelu" },
	{ GRAPH_ELU, GOLDEN_ELU, "Elu" },
	{ GRAPH_HARD_SIGMOID, GOLDEN_HARD_SIGMOID, "HardSigmoid" },
	{ GRAPH_HARD_SWISH, GOLDEN_HARD_SWISH, "HardSwish" },
	{ GRAPH_SOFTPLUS, GOLDEN_SOFTPLUS, "Softplus" },
	{ GRAPH_EXP, GOLDEN_EXP, "Exp" },
	{ GRAPH_ABS, GOLDEN_ABS, "Abs" },
};

#define FUNCTION_COUNT (sizeof(functions) / sizeof(functions[0]))

void function_chain_release(struct function_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		free(chain->steps[i].alpha);
		free(chain->steps[i].beta);
	}
	chain->count = 0;
}

static int function_find(enum graph_op op)
{
	for (size_t i = 0; i < FUNCTION_COUNT; i++)
		if (functions[i].op == op)
			return (int)i;
	return -1;
}

bool function_node_fits(const struct graph *graph, int node)
{
	return function_find(graph->nodes[node].op) >= 0;
}

static int step_create(struct function_chain *chain,
		       enum golden_function_kind kind, size_t count)
{
	struct function_step *step = &chain->steps[chain->count];

	if (chain->count == FUNCTION_STEPS_MAX)
		return accel_error(-ENOSPC, "more than %d activations in a row",
				   FUNCTION_STEPS_MAX);
	step->kind = kind;
	step->count = count;
	step->alpha = calloc(count + 1, sizeof(float));
	step->beta = calloc(count + 1, sizeof(float));
	chain->count++;
	if (!step->alpha || !step->beta)
		return accel_error(-ENOMEM, "out of memory");
	return 0;
}

/* Length of a constant of shape [C] or [1]. */
static size_t constant_length(const struct graph *graph, int tensor)
{
	int64_t count = graph_shape_count(&graph->tensors[tensor].shape);

	return count > 0 ? (size_t)count : 0;
}

/* Slopes of PRelu, which is a LeakyRelu with more than one; scales and shifts of an affine node. */
static int append_constants(struct function_chain *chain,
			    const struct graph *graph,
			    const struct graph_node *node,
			    enum golden_function_kind kind)
{
	bool affine = kind == GOLDEN_AFFINE;
	size_t alphas = constant_length(graph, node->inputs[1]);
	size_t betas = affine ? constant_length(graph, node->inputs[2]) : 1;
	size_t count = alphas > betas ? alphas : betas;
	const float *alpha = graph->tensors[node->inputs[1]].data;
	const float *beta = affine ? graph->tensors[node->inputs[2]].data :
				     NULL;
	struct function_step *step = &chain->steps[chain->count];
	int ret = step_create(chain, kind, count);

	for (size_t i = 0; !ret && i < count; i++) {
		step->alpha[i] = alpha[alphas > 1 ? i : 0];
		step->beta[i] = beta ? beta[betas > 1 ? i : 0] : 0;
	}
	return ret;
}

int function_append_node(struct function_chain *chain,
			 const struct graph *graph, int index)
{
	const struct graph_node *node = &graph->nodes[index];
	enum golden_function_kind kind =
		functions[function_find(node->op)].kind;
	struct function_step *step = &chain->steps[chain->count];
	int ret;

	if (node->op == GRAPH_PRELU || node->op == GRAPH_AFFINE)
		return append_constants(chain, graph, node, kind);
	ret = step_create(chain, kind, 1);
	if (ret)
		return ret;
	step->alpha[0] = node->unary.alpha;
	step->beta[0] = node->unary.beta;
	if (kind == GOLDEN_CLIP) {
		step->alpha[0] = node->unary.low;
		step->beta[0] = node->unary.high;
	}
	return 0;
}

static int gather(float **values, const uint32_t *index, size_t rows)
{
	float *result = malloc((rows + 1) * sizeof(*result));

	if (!result)
		return accel_error(-ENOMEM, "out of memory");
	for (size_t r = 0; r < rows; r++)
		result[r] = (*values)[index[r]];
	free(*values);
	*values = result;
	return 0;
}

int function_gather(struct function_step *step, const uint32_t *index,
		    size_t rows)
{
	int ret;

	if (step->count == 1)
		return 0;
	ret = gather(&step->alpha, index, rows);
	if (!ret)
		ret = gather(&step->beta, index, rows);
	step->count = rows;
	return ret;
}

size_t function_channels(const struct function_chain *chain)
{
	size_t channels = 1;

	for (size_t i = 0; i < chain->count; i++)
		if (chain->steps[i].count > channels)
			channels = chain->steps[i].count;
	return channels;
}

bool function_clamp(const struct function_chain *chain, float *low, float *high)
{
	*low = -INFINITY;
	*high = INFINITY;
	for (size_t i = 0; i < chain->count; i++) {
		const struct function_step *step = &chain->steps[i];
		bool clip = step->kind == GOLDEN_CLIP;

		if (!clip && step->kind != GOLDEN_RELU)
			return false;
		*low = fmaxf(*low, clip ? step->alpha[0] : 0);
		*high = fmaxf(*high, clip ? step->alpha[0] : 0);
		if (clip) {
			*low = fminf(*low, step->beta[0]);
			*high = fminf(*high, step->beta[0]);
		}
	}
	return true;
}

void function_table(const struct function_chain *chain, size_t channel,
		    struct golden_quantization input,
		    struct golden_quantization output,
		    int8_t table[GOLDEN_TABLE_SIZE])
{
	struct golden_function list[FUNCTION_STEPS_MAX];

	for (size_t i = 0; i < chain->count; i++) {
		const struct function_step *step = &chain->steps[i];
		size_t at = step->count > 1 ? channel : 0;

		list[i] = (struct golden_function){ step->kind, step->alpha[at],
						    step->beta[at] };
	}
	golden_table_build(list, chain->count, input, output, table);
}

static const char *kind_name(enum golden_function_kind kind)
{
	for (size_t i = 0; i < FUNCTION_COUNT; i++)
		if (functions[i].kind == kind)
			return functions[i].name;
	return "Identity";
}

static json_t *json_floats(const float *values, size_t count)
{
	json_t *array = json_array();

	/* JSON has no infinity; a bound that large is none. */
	for (size_t i = 0; i < count; i++)
		json_array_append_new(
			array, json_real(fmin(fmax(values[i], -1e38), 1e38)));
	return array;
}

char *function_text(const struct function_chain *chain)
{
	json_t *list = json_array();
	char *text;

	for (size_t i = 0; i < chain->count; i++) {
		const struct function_step *step = &chain->steps[i];

		json_array_append_new(
			list, json_pack("[s, o, o]", kind_name(step->kind),
					json_floats(step->alpha, step->count),
					json_floats(step->beta, step->count)));
	}
	text = json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(list);
	return text;
}

static int parse_step(json_t *item, struct function_chain *chain)
{
	struct function_step *step = &chain->steps[chain->count];
	json_t *alpha, *beta;
	const char *name;
	size_t i, count;
	int ret;

	if (json_unpack(item, "[s, o, o]", &name, &alpha, &beta))
		return accel_error(-EINVAL, "an activation of unknown form");
	count = json_array_size(alpha);
	for (i = 0; i < FUNCTION_COUNT; i++)
		if (!strcmp(functions[i].name, name))
			break;
	if (i == FUNCTION_COUNT || !count || json_array_size(beta) != count)
		return accel_error(-EINVAL, "unknown activation %s", name);
	ret = step_create(chain, functions[i].kind, count);
	for (i = 0; !ret && i < count; i++) {
		step->alpha[i] =
			(float)json_number_value(json_array_get(alpha, i));
		step->beta[i] =
			(float)json_number_value(json_array_get(beta, i));
	}
	return ret;
}

int function_parse(const char *text, struct function_chain *chain)
{
	json_t *list = json_loads(text, 0, NULL);
	int ret = 0;

	chain->count = 0;
	if (!json_is_array(list))
		ret = accel_error(-EINVAL,
				  "an activation that is no JSON list");
	for (size_t i = 0; !ret && i < json_array_size(list); i++)
		ret = parse_step(json_array_get(list, i), chain);
	json_decref(list);
	if (ret)
		function_chain_release(chain);
	return ret;
}
