/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_FUNCTION_H
#define COMPRESS_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compress/graph.h"
#include "golden/table.h"

/**
 * DOC: Functions that become tables
 *
 * A chain of functions of one element, with parameters for the whole tensor or
 * for each channel. The compressor samples it into int8 tables; its text travels
 * in the model file, so that an export can write the functions themselves.
 */

#define FUNCTION_STEPS_MAX 8

/**
 * struct function_step - one function
 * @kind: see golden/table.h
 * @alpha: @count values
 * @beta: @count values
 * @count: 1, or one for each channel
 */
struct function_step {
	enum golden_function_kind kind;
	float *alpha;
	float *beta;
	size_t count;
};

struct function_chain {
	struct function_step steps[FUNCTION_STEPS_MAX];
	size_t count;
};

void function_chain_release(struct function_chain *chain);

/** function_node_fits() - can function_append_node() take this node? */
bool function_node_fits(const struct graph *graph, int node);

/**
 * function_append_node() - add an activation or an affine node to the chain
 *
 * Return: 0, −ENOMEM, −ENOSPC when the chain is full.
 */
int function_append_node(struct function_chain *chain,
			 const struct graph *graph, int node);

/**
 * function_gather() - give a step one parameter for each row
 * @step: with one for the tensor (stays so) or for each channel
 * @index: the channel of each of @rows rows
 */
int function_gather(struct function_step *step, const uint32_t *index,
		    size_t rows);

/** function_channels() - 1, or the number of channels that parameters are for */
size_t function_channels(const struct function_chain *chain);

/**
 * function_clamp() - is the chain min(max(x, low), high) and nothing else?
 * @low: result, may be −∞
 * @high: result, may be ∞
 */
bool function_clamp(const struct function_chain *chain, float *low,
		    float *high);

/** function_table() - the table of one channel; see golden_table_build() */
void function_table(const struct function_chain *chain, size_t channel,
		    struct golden_quantization input,
		    struct golden_quantization output,
		    int8_t table[GOLDEN_TABLE_SIZE]);

/** function_text() - JSON text for model_layer.activation; NULL without memory */
char *function_text(const struct function_chain *chain);

/** function_parse() - what function_text() wrote; −EINVAL, −ENOMEM */
int function_parse(const char *text, struct function_chain *chain);

#endif
