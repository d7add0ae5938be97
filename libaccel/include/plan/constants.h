/* SPDX-License-Identifier: MIT */
/*
 * What a plan uploads once: weight streams packed for the device's geometry,
 * scales, biases and tables, one after the other.
 */
#ifndef PLAN_CONSTANTS_H
#define PLAN_CONSTANTS_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "pack/geometry.h"
#include "plan/shape.h"

#define PLAN_CONSTANTS_ALIGNMENT 64

/**
 * struct plan_matrix - offsets of what belongs to one weight matrix
 * @weights: the stream
 * @weights_length: its bytes
 * @scales: M binary32
 * @biases: M int32
 * @nonzeros: of the matrix
 * @issue_cycles: of the longest part of the stream for one vector
 * @optimal_cycles: lower bound of the same
 */
struct plan_matrix {
	uint64_t weights;
	uint64_t weights_length;
	uint64_t scales;
	uint64_t biases;
	uint64_t nonzeros;
	uint64_t issue_cycles;
	uint64_t optimal_cycles;
};

/**
 * struct plan_layer_constants - of one layer
 * @matrix: of an SPMM; the input weights of a recurrent layer
 * @hidden: its hidden weights
 * @tables: offset
 */
struct plan_layer_constants {
	struct plan_matrix matrix;
	struct plan_matrix hidden;
	uint64_t tables;
};

struct plan_constants {
	uint8_t *bytes;
	size_t length;
	size_t capacity;
	struct plan_layer_constants *layers; /* layer_count of the model */
};

int plan_constants_create(const struct model *model,
			  const struct plan_shape *shape,
			  const struct geometry *geometry,
			  struct plan_constants *constants);
void plan_constants_free(struct plan_constants *constants);

#endif
