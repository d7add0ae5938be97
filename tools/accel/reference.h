/* SPDX-License-Identifier: MIT */
/* What the network was before compression computes: the float executor's result. */
#ifndef TOOL_REFERENCE_H
#define TOOL_REFERENCE_H

#include "inputs.h"

/**
 * struct reference - the first output of a float network
 * @values: row-major, images NCHW
 * @shape: of @values
 * @range: of the values that came out, from 0 at least; of a network that ends in
 *	a sigmoid or tanh, what that can give
 * @seconds: of one run on this processor, one thread
 */
struct reference {
	float *values;
	struct graph_shape shape;
	struct quantize_range range;
	double seconds;
};

/* Run an ONNX file on a model's inputs; 0 or −errno. */
int reference_run(struct reference *reference, const char *path,
		  const struct inputs *inputs);

void reference_release(struct reference *reference);

#endif
