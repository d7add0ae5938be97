/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_BATCH_STATISTICS_H
#define COMPRESS_BATCH_STATISTICS_H

#include <stdint.h>

#include <compress/graph.h>

/** struct batch_statistics - of one channel over a batch, [N, C, …] */
struct batch_statistics {
	double mean;
	double variance;
};

/* In binary64 and in the order of the elements. */
struct batch_statistics batch_statistics(const float *values,
					 const struct graph_shape *shape,
					 int64_t channel);

#endif
