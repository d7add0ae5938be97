/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_FEED_H
#define TRAIN_FEED_H

#include <compress/graph.h>

/**
 * struct feed - memory for the inputs of a batch, shard by shard
 * @shards: of the batch
 * @inputs: of the graph
 * @size: elements of each input of a shard
 * @memory: private
 * @pointers: [shards][inputs], for batch_run()
 */
struct feed {
	int shards;
	int inputs;
	size_t *size;
	float *memory;
	float **pointers;
};

/* shapes: of the inputs of one shard. 0, −EOVERFLOW, −ENOMEM. */
int feed_create(struct feed *feed, const struct graph_shape *shapes, int inputs,
		int shards);
void feed_release(struct feed *feed);

/* The inputs of one shard. */
float *const *feed_shard(const struct feed *feed, int shard);

/* The shapes of a graph's inputs for so many samples: what is dynamic is the batch. */
void feed_shapes(const struct graph *graph, int64_t samples,
		 struct graph_shape *shapes);

#endif
