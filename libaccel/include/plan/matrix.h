/* SPDX-License-Identifier: MIT */
/* A layer's matrices as a device's streams: which mapping, and the packing itself. */
#ifndef PLAN_MATRIX_H
#define PLAN_MATRIX_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"
#include "model/packing.h"
#include "pack/geometry.h"
#include "plan/shape.h"

/**
 * struct plan_matrix_context - what streams depend on
 * @model: of the plan
 * @shape: of the plan
 * @geometry: of the device
 */
struct plan_matrix_context {
	const struct model *model;
	const struct plan_shape *shape;
	const struct geometry *geometry;
};

/* MODEL_MATRIX_* of a layer. */
const struct model_csr *plan_matrix_csr(const struct model_layer *layer,
					int matrix);

/* How it is to be packed; @out has no bytes and no cycles yet. */
int plan_matrix_choose(const struct plan_matrix_context *context,
		       uint32_t layer, int matrix, struct model_stream *out);

/* Pack it so; @stream->bytes is for free(). */
int plan_matrix_pack(const struct plan_matrix_context *context, uint32_t layer,
		     int matrix, struct model_stream *stream);

/*
 * Would packing give the very stream of a file that was packed so? @chosen: by
 * plan_matrix_choose().
 */
bool plan_matrix_is_packed(const struct plan_matrix_context *context,
			   uint32_t layer, int matrix,
			   const struct model_stream *chosen);

/* Channels of the input of an SPMM that any weight is for. */
uint64_t plan_matrix_channels(const struct model *model, uint32_t layer);

/* All matrices, for a file. @packing->geometry and its sizes are set from the arguments. */
int plan_packing_create(const struct model *model,
			const struct geometry *geometry,
			const struct model_sizes *sizes,
			struct model_packing **packing);

#endif
