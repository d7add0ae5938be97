/* SPDX-License-Identifier: MIT */
#include <train/feed.h>

#include <core/checked.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

static int measure(struct feed *feed, const struct graph_shape *shapes,
		   size_t *total)
{
	*total = 0;
	for (int i = 0; i < feed->inputs; i++) {
		int64_t count = graph_shape_count(&shapes[i]);

		if (count < 0 || !checked_add(*total, (size_t)count, total))
			return accel_error(-EOVERFLOW,
					   "a batch is too large for memory");
		feed->size[i] = (size_t)count;
	}
	return 0;
}

static void point(struct feed *feed)
{
	float *at = feed->memory;

	for (int s = 0; s < feed->shards; s++)
		for (int i = 0; i < feed->inputs; i++) {
			feed->pointers[s * feed->inputs + i] = at;
			at += feed->size[i];
		}
}

int feed_create(struct feed *feed, const struct graph_shape *shapes, int inputs,
		int shards)
{
	size_t total;
	int ret;

	*feed = (struct feed){ .shards = shards, .inputs = inputs };
	feed->size = calloc((size_t)inputs, sizeof(*feed->size));
	feed->pointers = calloc((size_t)shards * (size_t)inputs,
				sizeof(*feed->pointers));
	if (!feed->size || !feed->pointers)
		return accel_error(-ENOMEM, "no memory for a batch");
	ret = measure(feed, shapes, &total);
	if (ret)
		return ret;
	feed->memory = reallocarray(NULL, total * (size_t)shards,
				    sizeof(*feed->memory));
	if (!feed->memory)
		return accel_error(-ENOMEM, "no memory for a batch");
	point(feed);
	return 0;
}

void feed_release(struct feed *feed)
{
	free(feed->size);
	free(feed->pointers);
	free(feed->memory);
	*feed = (struct feed){ .shards = 0 };
}

float *const *feed_shard(const struct feed *feed, int shard)
{
	return feed->pointers + (ptrdiff_t)shard * feed->inputs;
}

void feed_shapes(const struct graph *graph, int64_t samples,
		 struct graph_shape *shapes)
{
	for (int i = 0; i < graph->input_count; i++) {
		shapes[i] = graph->tensors[graph->inputs[i]].shape;
		for (int d = 0; d < shapes[i].rank; d++)
			if (shapes[i].dims[d] == GRAPH_DIM_DYNAMIC)
				shapes[i].dims[d] = samples;
	}
}
