/* SPDX-License-Identifier: MIT */
/* Where each activation of a run lies in the plan's device memory. */
#ifndef PLAN_MEMORY_H
#define PLAN_MEMORY_H

#include "model/model.h"
#include "plan/shape.h"
#include "plan/storage.h"

#define PLAN_MEMORY_NONE UINT64_MAX

/*
 * Moments: 0 is the copy of the inputs, layer l is l + 1, the copy of the outputs
 * comes after all.
 */
#define PLAN_MOMENT_INPUTS 0
#define PLAN_MOMENT_OF_LAYER(l) ((l) + 1)
#define PLAN_MOMENT_END UINT32_MAX

/**
 * struct plan_copy - an input of a concat that could not be written in place
 * @layer: the concat
 * @tensor: the input
 * @offset: destination
 * @node: of the destination
 * @moment: after which it is made: when the tensor has been written
 * @stream: it goes to device memory at once, since it would not find room in the
 *	SRAM until it is read
 */
struct plan_copy {
	uint32_t layer;
	uint32_t tensor;
	uint64_t offset;
	uint32_t node;
	uint32_t moment;
	bool stream;
};

/**
 * struct plan_state - what a recurrent layer keeps between steps
 * @layer: of the model
 * @cell: offset of H × B binary32
 * @hidden: offset of H × B int8
 * @sequence: offset for the output sequence if the model has no use for it, else
 *	PLAN_MEMORY_NONE
 */
struct plan_state {
	uint32_t layer;
	uint64_t cell;
	uint64_t hidden;
	uint64_t sequence;
};

/**
 * struct plan_memory - the layout
 * @offset: of each tensor, or PLAN_MEMORY_NONE for recurrent states
 * @bytes: of each tensor
 * @total: of all, the states included
 * @copies: in order of their moments
 * @states: one for each recurrent layer
 * @storage: which tensors share memory; nodes 0 … tensor_count − 1 are tensors
 * @last_read: for each tensor the moment of the last layer or copy that reads it,
 *	0 if none does, PLAN_MOMENT_END for outputs and for everything that is kept
 */
struct plan_memory {
	uint64_t *offset;
	uint64_t *bytes;
	uint64_t total;
	struct plan_copy *copies;
	uint32_t copy_count;
	struct plan_state *states;
	uint32_t state_count;
	struct storage_set storage;
	uint32_t *last_read;
	uint32_t tensor_count;
};

int plan_memory_create(const struct model *model,
		       const struct plan_shape *shape, bool keep,
		       struct plan_memory *memory);
void plan_memory_free(struct plan_memory *memory);

/* Does nothing after the layer read a byte of the tensor? */
bool plan_memory_is_last_read(const struct plan_memory *memory, uint32_t tensor,
			      uint32_t layer);

#endif
