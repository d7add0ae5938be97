/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_FAKE_QUANTIZE_H
#define TRAIN_FAKE_QUANTIZE_H

#include <stdbool.h>

#include <compress/graph.h>
#include <compress/quantize.h>
#include <train/tape.h>

/**
 * DOC: Quantization in training
 *
 * While a network is trained, its weights and activations are rounded as they will
 * be on the device, and the gradient goes through as if they were not (straight
 * through; Jacob et al., 2018). Weights have the scales that lowering gives them;
 * of the activations just those are rounded that lowering turns into codes.
 */

struct fake_quantize;

/**
 * struct fake_quantize_options - as for lowering
 * @ranges: for each tensor of the graph, the values that it takes; copied
 * @input_range: of image inputs, black and white; low = high: unknown
 * @output_range: of image outputs
 */
struct fake_quantize_options {
	const struct quantize_range *ranges;
	struct quantize_range input_range;
	struct quantize_range output_range;
};

/*
 * graph: must outlive the result; its weights may change. Off at first. 0, −ENOMEM,
 * or what graph_lower() would say of the graph.
 */
int fake_quantize_create(struct fake_quantize **out, const struct graph *graph,
			 const struct fake_quantize_options *options);

/* New ranges; the set of tensors stays. 0 or as fake_quantize_create(). */
int fake_quantize_update(struct fake_quantize *fake,
			 const struct fake_quantize_options *options);

/* From now on tensors and weights are rounded, or are not. */
void fake_quantize_enable(struct fake_quantize *fake, bool on);

/* For struct tape_options: .transformed, .transform; the context is @fake. */
const bool *fake_quantize_tensors(const struct fake_quantize *fake);
int fake_quantize_transform(void *fake, int tensor,
			    const struct graph_shape *shape, float *values,
			    uint8_t *pass);

/* Round all weights of the graph as they are now. */
void fake_quantize_weights(struct fake_quantize *fake);

/*
 * For tape_replace_constant(): what fake_quantize_weights() made of a weight; NULL
 * for other tensors. The place stays while @fake lives.
 */
const float *fake_quantize_rounded(const struct fake_quantize *fake,
				   int tensor);

void fake_quantize_destroy(struct fake_quantize *fake);

#endif
