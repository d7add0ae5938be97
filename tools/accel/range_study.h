/* SPDX-License-Identifier: MIT */
/* What ranges of activations cost: those that calibration fixes, and those of each run. */
#ifndef TOOL_RANGE_STUDY_H
#define TOOL_RANGE_STUDY_H

#include <compress/compress.h>

/**
 * struct range_study_request - a network before and after
 * @dense: as it was imported
 * @pruned: its weights are yet to be rounded
 * @mask: of @pruned
 * @options: how to round, and what is known of ranges
 * @calibration: what fixes the ranges
 * @held_out: what to measure on, a run for each of its elements where the network has a
 *	batch
 */
struct range_study_request {
	const struct graph *dense;
	const struct graph *pruned;
	const struct prune_mask *mask;
	const struct compress_options *options;
	const struct calibration_data *calibration;
	const struct calibration_data *held_out;
};

enum range_study_way {
	RANGE_STUDY_BINARY32, /* activations are not rounded at all */
	RANGE_STUDY_STATIC, /* one range for each tensor, as on the device */
	RANGE_STUDY_DYNAMIC, /* one for each tensor in each run */
	RANGE_STUDY_WAYS,
};

/**
 * struct range_study - PSNR against the dense network
 * @psnr: with weights of int8, in dB; no biases are corrected, in none of the ways
 * @runs: that it was measured on
 */
struct range_study {
	double psnr[RANGE_STUDY_WAYS];
	int runs;
};

/* 0, or −errno with a text. */
int range_study_run(const struct range_study_request *request,
		    struct range_study *study);

#endif
