/* SPDX-License-Identifier: MIT */
/* Which parts of one block of memory a tape's values and gradients take, and when. */
#ifndef TRAIN_TAPE_MEMORY_H
#define TRAIN_TAPE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include <compress/graph.h>

/**
 * struct tape_role - what a tensor is on a tape
 * @wanted: its gradient is asked for
 * @seeded: it is part of the loss
 * @transformed: it is changed before anything reads it
 * @computed: its values need memory of the tape's
 * @active: on a way from a wanted tensor to a seeded one, so that its gradient has
 *	to be computed
 */
struct tape_role {
	bool wanted;
	bool seeded;
	bool transformed;
	bool computed;
	bool active;
};

/**
 * struct tape_span - floats that are in use from one step to another
 * @used: are they at all?
 * @begin: step that writes them first
 * @end: step that reads them last
 * @size: of them; a multiple of a cache line
 * @offset: result
 *
 * Steps are the nodes forth, 0 … N − 1, the loss, the nodes back from the last to
 * the first, and what the caller does then.
 */
struct tape_span {
	bool used;
	int begin;
	int end;
	int64_t size;
	int64_t offset;
};

/**
 * struct tape_memory - the plan
 * @values: of each tensor
 * @gradients: likewise
 * @passes: likewise, of bytes that say where gradients go through
 * @floats: of the whole block
 */
struct tape_memory {
	struct tape_span *values;
	struct tape_span *gradients;
	struct tape_span *passes;
	int64_t floats;
};

/* Steps of a graph: the loss, a node's way back, and what the caller does then. */
int tape_step_loss(const struct graph *graph);
int tape_step_back(const struct graph *graph, int node);
int tape_step_end(const struct graph *graph);

/* Does the way back lead through this node? */
bool tape_node_is_active(const struct graph_node *node,
			 const struct tape_role *roles);

/* 0, −EOVERFLOW or −ENOMEM; back with tape_memory_release(). */
int tape_memory_plan(struct tape_memory *memory, const struct graph *graph,
		     const struct graph_shape *shapes,
		     const struct tape_role *roles);

void tape_memory_release(struct tape_memory *memory);

/*
 * Give spans their offsets, so that none that are in use at one time overlap;
 * floats: of all together. 0, −EOVERFLOW or −ENOMEM.
 */
int tape_memory_place(struct tape_span *spans, int count, int64_t *floats);

#endif
