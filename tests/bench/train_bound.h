/* SPDX-License-Identifier: MIT */
/* The matrix products of a training step, to be timed alone. */
#ifndef TRAIN_BOUND_H
#define TRAIN_BOUND_H

#include <compress/graph.h>

struct train_bound;

/*
 * Those of Conv, ConvTranspose and Gemm for tensors of given shapes: forward, by the
 * weight and, unless the node reads an input of the graph, by its input. Recurrent
 * layers are left out. NULL without memory.
 */
struct train_bound *train_bound_create(const struct graph *graph,
				       const struct graph_shape *shapes);

/* Make them all, by OpenBLAS, on operands that stay in cache as far as they fit. */
void train_bound_run(struct train_bound *bound);

/* NULL is allowed. */
void train_bound_destroy(struct train_bound *bound);

#endif
