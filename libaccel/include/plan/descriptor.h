/* SPDX-License-Identifier: MIT */
/* Descriptors of a plan's layers, in the device's form and byte order. */
#ifndef PLAN_DESCRIPTOR_H
#define PLAN_DESCRIPTOR_H

#include <linux/types.h>
#include <spmm/descriptor.h>

#include "model/model.h"
#include "plan/band.h"
#include "plan/constants.h"
#include "plan/memory.h"
#include "plan/shape.h"

/**
 * struct descriptor_context - what a layer's descriptor is made from
 * @model: of the plan
 * @shape: of the plan
 * @memory: of the plan
 * @constants: of the plan
 * @activations: device address of offset 0 of @memory
 * @weights: device address of offset 0 of @constants
 * @weights_hint: of weight streams, enum spmm_hint
 */
struct descriptor_context {
	const struct model *model;
	const struct plan_shape *shape;
	const struct plan_memory *memory;
	const struct plan_constants *constants;
	uint64_t activations;
	uint64_t weights;
	uint8_t weights_hint;
};

/* Some rows of the result of a layer that is a MODEL_SPMM. */
int descriptor_build_spmm(const struct descriptor_context *context,
			  uint32_t layer, struct plan_rows rows,
			  struct spmm_descriptor *out);

/* An ADD, MULTIPLY, TABLE or POOL_*. */
int descriptor_build_eltwise(const struct descriptor_context *context,
			     uint32_t layer,
			     struct spmm_eltwise_descriptor *out);

/* An LSTM or GRU with its state. */
void descriptor_build_recurrent(const struct descriptor_context *context,
				const struct plan_state *state,
				struct spmm_recurrent_descriptor *out);

/* A PERMUTE. */
void descriptor_build_permute(const struct descriptor_context *context,
			      uint32_t layer, struct spmm_copy_descriptor *out);

/*
 * A picture that is copied as it is, some rows of all channels after the other, so that
 * layers before and behind can go on meanwhile. False: the tensor has no bands of rows;
 * a plain copy does as well.
 */
bool descriptor_build_copy(const struct descriptor_context *context,
			   uint32_t tensor, uint64_t source,
			   uint64_t destination,
			   struct spmm_copy_descriptor *out);

#endif
