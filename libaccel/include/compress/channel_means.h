/* SPDX-License-Identifier: MIT */
/*
 * The mean of each channel that a matrix is multiplied with. What rounding the
 * weights changes, times that, is what the results are off by on average; the bias
 * can take it back (Nagel et al., 2019, section 4.2).
 */
#ifndef COMPRESS_CHANNEL_MEANS_H
#define COMPRESS_CHANNEL_MEANS_H

#include "compress/graph.h"

/**
 * struct channel_mean - of one tensor
 * @axis: of the channels; negative: no node multiplies this tensor
 * @channels: length of that axis
 * @mean: [@channels]; a sum until channel_means_finish()
 * @count: values of each channel that were added up
 */
struct channel_mean {
	int axis;
	int64_t channels;
	double *mean;
	double count;
};

/** struct channel_means - of each tensor of a graph */
struct channel_means {
	int tensor_count;
	struct channel_mean *of;
};

/* For the inputs of linear and recurrent nodes, and hidden states; 0 or −ENOMEM. */
int channel_means_create(struct channel_means *means,
			 const struct graph *graph);

/* Add a tensor's values; 0 or −ENOMEM. */
int channel_means_add(struct channel_means *means, int tensor,
		      const struct graph_shape *shape, const float *values);

/* After all values. */
void channel_means_finish(struct channel_means *means);

/* Of a tensor whose channels a node's matrix multiplies; NULL if not known. */
const struct channel_mean *channel_means_get(const struct channel_means *means,
					     const struct graph *graph,
					     const struct graph_node *node,
					     int tensor);

void channel_means_release(struct channel_means *means);

#endif
