/* SPDX-License-Identifier: MIT */
/* The layers that stand for the factors of one. */
#ifndef COMPRESS_LOW_RANK_GRAPH_H
#define COMPRESS_LOW_RANK_GRAPH_H

struct graph;
struct low_rank_factors;

/** struct low_rank_parts - tensors of the new layers' weights; negative: there is none */
struct low_rank_parts {
	int first;
	int second;
	int rest;
};

/**
 * low_rank_graph_split() - two or three layers in place of one
 * @graph: changed: nodes are appended; for graph_compact()
 * @node: convolution, transposed convolution or matrix, in one group
 * @factors: of its weights as rows of outputs; of a transposed convolution, whose rows
 *	are its inputs, of the transposed ones. They are changed
 * @parts: result
 *
 * Return: 0, −ENOMEM or −EEXIST.
 */
int low_rank_graph_split(struct graph *graph, int node,
			 struct low_rank_factors *factors,
			 struct low_rank_parts *parts);

#endif
