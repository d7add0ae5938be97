/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_NETWORK_H
#define TRAIN_NETWORK_H

#include <stdbool.h>

#include <jansson.h>

#include <compress/graph.h>
#include <compress/sample.h>

/**
 * DOC: From a description to a graph
 *
 * A description is a JSON array of layers, each an object whose "layer" says which,
 * or the bare word where a layer needs nothing else; Documentation/train.rst lists
 * them. Several such arrays may go into one graph, one behind the other: the parts
 * of an autoencoder, a generator and its judge.
 *
 * Weights are drawn as He et al. (2015) say where a rectifier follows, else as
 * Glorot and Bengio (2010); they depend on the seed alone.
 */

/**
 * struct network - a graph while layers are added to it
 * @graph: belongs to the caller
 * @shapes: of each tensor, with one sample; private
 * @shape_capacity: private
 * @generator: of weights
 * @sequence: is the last tensor [T, N, F]? Else its first axis is the batch
 * @state: [1, N, H] from which the next recurrent layer starts, and which it forgets
 *	here then; GRAPH_NO_TENSOR: zero
 */
struct network {
	struct graph *graph;
	struct graph_shape *shapes;
	int shape_capacity;
	struct sample_generator generator;
	bool sequence;
	int state;
};

/* An empty graph; NULL members after an error. 0 or −ENOMEM. */
int network_begin(struct network *network, const char *name, uint64_t seed);

/* Frees the graph, too, unless it was taken: set graph to NULL then. */
void network_release(struct network *network);

/*
 * Add an input for batches of samples: [N, …], or of a sequence's [T, F] the
 * graph's [T, N, F]. Returns the tensor or -errno.
 */
int network_add_input(struct network *network, const char *name,
		      const struct graph_shape *sample, bool sequence);

/*
 * Add layers behind a tensor; names begin with prefix. Returns the last one's
 * result, or -errno with a text that says which layer is wrong: −EINVAL for what is
 * unknown, missing or does not fit.
 */
int network_add_layers(struct network *network, const char *prefix, int tensor,
		       const json_t *layers);

/* One linear layer, without a description. */
int network_add_linear(struct network *network, const char *name, int tensor,
		       int64_t outputs);

/* Any node with one output that reads tensors; its shape must be inferable. */
int network_add_node(struct network *network, const struct graph_node *node,
		     const char *name, const int *inputs, int count);

/* A tensor's shape for one sample, batch axis included. */
const struct graph_shape *network_shape(const struct network *network,
					int tensor);

/*
 * The state that a recurrent layer begins with, as a function of features [N, F]: a
 * linear layer and tanh. Sets network->state; 0 or -errno.
 */
int network_add_state(struct network *network, const char *name, int features,
		      int64_t hidden);

/* A reshape of [N, …] or of a sequence's last state to [N, dims …]. */
int network_add_reshape(struct network *network, const char *name, int tensor,
			const struct graph_shape *sample);

/**
 * network_part() - a part of a graph as a graph of its own
 * @graph: trained; not changed
 * @inputs: tensors that become inputs, in order
 * @input_count: of them
 * @outputs: tensors that become outputs
 * @output_count: of them
 * @name: of the part
 * @part: result, for graph_destroy()
 *
 * Return: 0 or −ENOMEM.
 */
int network_part(const struct graph *graph, const int *inputs, int input_count,
		 const int *outputs, int output_count, const char *name,
		 struct graph **part);

#endif
