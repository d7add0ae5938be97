/* SPDX-License-Identifier: MIT */
/* What the network was before compression computes: the float executor's result. */
#ifndef TOOL_REFERENCE_H
#define TOOL_REFERENCE_H

#include "inputs.h"

/**
 * struct reference_node - one node of a float network
 * @name: of the node
 * @seconds: from the end of the node before to its own
 */
struct reference_node {
	char *name;
	double seconds;
};

/**
 * struct reference - the first output of a float network
 * @values: row-major, images NCHW
 * @shape: of @values
 * @range: of the values that came out, from 0 at least; of a network that ends in
 *	a sigmoid or tanh, what that can give
 * @seconds: of one run on this processor, one thread
 * @nodes: in order of execution
 * @node_count: of them
 */
struct reference {
	float *values;
	struct graph_shape shape;
	struct quantize_range range;
	double seconds;
	struct reference_node *nodes;
	int node_count;
};

/*
 * Run an ONNX file on a model's inputs, so often; times are the last run's. The
 * first one also touches memory for the first time. 0 or −errno.
 */
int reference_run(struct reference *reference, const char *path,
		  const struct inputs *inputs, int runs);

void reference_release(struct reference *reference);

#endif
