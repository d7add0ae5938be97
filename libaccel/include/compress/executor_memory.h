/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_EXECUTOR_MEMORY_H
#define COMPRESS_EXECUTOR_MEMORY_H

#include <stdbool.h>

#include <compress/graph.h>

/**
 * struct executor_memory - buffers and the tensors that take turns in them
 * @slot: buffer of each tensor, −1 for inputs, constants and what nothing computes
 * @size: floats of each buffer
 * @slot_count: number of buffers
 */
struct executor_memory {
	int *slot;
	int64_t *size;
	int slot_count;
};

/*
 * Give every computed tensor a buffer, and a buffer to as many tensors as do not
 * live at once. Graph outputs, or all tensors with keep, live to the end. Return 0
 * or −ENOMEM; the result goes back with executor_memory_release().
 */
int executor_memory_plan(struct executor_memory *memory,
			 const struct graph *graph,
			 const struct graph_shape *shapes, bool keep);

void executor_memory_release(struct executor_memory *memory);

#endif
