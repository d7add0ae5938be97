/* SPDX-License-Identifier: MIT */
/*
 * What a plan uploads once: weight streams packed for the device's geometry,
 * scales, biases and tables, one after the other. Streams that lie packed in the model's
 * file stay there until they are uploaded.
 */
#ifndef PLAN_CONSTANTS_H
#define PLAN_CONSTANTS_H

#include <stddef.h>
#include <stdint.h>

#include "model/file_reader.h"
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

/**
 * struct plan_piece - bytes that lie together
 * @offset: a multiple of PLAN_CONSTANTS_ALIGNMENT; zeros fill what is before it
 * @length: of it
 * @bytes: or NULL
 * @place: in the model's file, where there are no @bytes
 */
struct plan_piece {
	uint64_t offset;
	uint64_t length;
	uint8_t *bytes;
	struct model_place place;
};

/**
 * struct plan_constants - all of it
 * @pieces: in ascending order
 * @piece_count: of @pieces
 * @piece_capacity: room in @pieces
 * @length: to the end of the last
 * @layers: as many as the model has
 */
struct plan_constants {
	struct plan_piece *pieces;
	size_t piece_count;
	size_t piece_capacity;
	uint64_t length;
	struct plan_layer_constants *layers;
};

/* @reader: of a model whose matrices are not there yet; NULL where they are. */
int plan_constants_create(const struct model *model,
			  const struct plan_shape *shape,
			  const struct geometry *geometry,
			  struct model_reader *reader,
			  struct plan_constants *constants);
void plan_constants_free(struct plan_constants *constants);

/* Nobody needs the pieces any more; the offsets stay. */
void plan_constants_drop(struct plan_constants *constants);

#endif
