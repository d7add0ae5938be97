/* SPDX-License-Identifier: MIT */
/*
 * Small squares cut from calibration pictures. A network that takes pictures of any
 * size shows as much on them as on the whole, at a known cost; and more where each is
 * of another scale, contrast and saturation.
 */
#ifndef COMPRESS_CALIBRATION_PATCHES_H
#define COMPRESS_CALIBRATION_PATCHES_H

#include <stdbool.h>

#include <compress/calibration_data.h>
#include <compress/graph.h>

/**
 * struct calibration_patches - 0 stands for the default
 * @count: patches (192)
 * @size: rows and columns of each (24; more where the network needs it)
 * @seed: of their positions
 */
struct calibration_patches {
	int count;
	int64_t size;
	uint64_t seed;
};

/*
 * Does the network have one input, a picture of any size, and are the data more than
 * the patches would be?
 */
bool calibration_patches_apply(const struct graph *graph,
			       const struct calibration_data *data,
			       const struct calibration_patches *options);

/*
 * Cut patches, a few in each sample, for calibration_data_release(); only where
 * calibration_patches_apply(). 0 or −ENOMEM.
 */
int calibration_patches_cut(struct calibration_data *patches,
			    const struct graph *graph,
			    const struct calibration_data *data,
			    const struct calibration_patches *options);

#endif
