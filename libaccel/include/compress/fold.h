/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_FOLD_H
#define COMPRESS_FOLD_H

#include "compress/graph.h"

/**
 * fold_graph() - rewrite a graph so that more of it fits into one device operation
 * @graph: valid; indices of nodes and tensors change
 *
 * Sums and products with one constant for each channel become affine nodes, these
 * go into the linear layer before them, and activations move before a reshape or
 * transposition, next to the layer that makes their input. To be done before
 * pruning and calibration, which see the result.
 *
 * Return: 0 or −ENOMEM.
 */
int fold_graph(struct graph *graph);

#endif
