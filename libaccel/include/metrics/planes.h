/* SPDX-License-Identifier: MIT */
#ifndef METRICS_PLANES_H
#define METRICS_PLANES_H

#include <stddef.h>

/** struct metrics_planes - a batch of images, [planes][height][width] */
struct metrics_planes {
	size_t planes;
	size_t height;
	size_t width;
};

#endif
