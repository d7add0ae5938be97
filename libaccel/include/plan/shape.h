/* SPDX-License-Identifier: MIT */
/* The sizes of one run: what the options leave open is filled from the model. */
#ifndef PLAN_SHAPE_H
#define PLAN_SHAPE_H

#include "accel/plan.h"
#include "model/model.h"

/**
 * struct plan_shape - sizes of all tensors
 * @batch: B of all of them
 * @extents: tensor_count of the model
 */
struct plan_shape {
	uint32_t batch;
	struct model_extent *extents;
};

int plan_shape_infer(const struct model *model,
		     const struct accel_plan_options *options,
		     struct plan_shape *shape);
void plan_shape_free(struct plan_shape *shape);

size_t plan_element_size(enum model_type type);

/* Bytes of a tensor; false when they cannot be counted. */
bool plan_tensor_bytes(const struct model *model,
		       const struct plan_shape *shape, uint32_t tensor,
		       size_t *bytes);

#endif
