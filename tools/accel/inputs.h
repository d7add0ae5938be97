/* SPDX-License-Identifier: MIT */
/* The arrays that a model is run on: from files, sampled, or zero. */
#ifndef TOOL_INPUTS_H
#define TOOL_INPUTS_H

#include "options.h"

#include <accel/model.h>
#include <accel/plan.h>
#include <compress/array.h>

/**
 * struct inputs_source - where inputs come from
 * @files: [NAME=]FILE each; without a name, the first input that has none yet
 * @layout: of .npy images where both fit
 * @range: of pictures, black and white, where the model does not say
 * @seed: of what is sampled
 * @batch: of what is sampled, when no file says it
 * @fill: sample also images and sequences, of any values that their codes can
 *	hold, for comparisons; else they have to be given
 */
struct inputs_source {
	struct option_list files;
	enum array_layout layout;
	struct quantize_range range;
	uint64_t seed;
	int64_t batch;
	bool fill;
};

/**
 * struct inputs - one array for each input of a model
 * @arrays: values are NULL for a state that starts as zero
 * @count: of them
 * @sizes: that they have, for accel_plan_create()
 * @layout: of the first image's file, else NCHW
 */
struct inputs {
	struct array *arrays;
	uint32_t count;
	struct accel_plan_options sizes;
	enum array_layout layout;
};

/* 0; −EINVAL for what does not fit or is missing; −ENOMEM and others. */
int inputs_gather(struct inputs *inputs, const struct accel_model *model,
		  const struct inputs_source *source);

void inputs_release(struct inputs *inputs);

/* Hand all of them to a plan of their sizes. */
int inputs_write(const struct inputs *inputs, struct accel_plan *plan);

#endif
