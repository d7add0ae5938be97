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

/*
 * The options that fill a struct inputs_source, for a command's table; those that
 * differ between commands are what to say of files and of the default batch.
 */
#define INPUTS_OPTIONS(source, files_help, latents_help)                            \
	{                                                                           \
		"input",       0,	  OPTION_LIST, &(source).files,             \
		"[NAME=]FILE", files_help                                           \
	},                                                                          \
		{ "input-range",                                                    \
		  0,                                                                \
		  OPTION_RANGE,                                                     \
		  &(source).range,                                                  \
		  "LO:HI",                                                          \
		  "black and white of a PNG, if MODEL does not say" },              \
		{ "layout",	 0,                                                 \
		  OPTION_LAYOUT, &(source).layout,                                  \
		  "nchw|nhwc",	 "of .npy images where both fit (nchw)" },          \
		{ "latents", 0, OPTION_COUNT, &(source).batch, "N", latents_help }, \
	{                                                                           \
		"seed", 0, OPTION_SEED, &(source).seed, "S",                        \
			"of what is sampled (0)"                                    \
	}

/* Layout and ranges of pictures, for the table of a command that calibrates with them. */
#define INPUTS_PICTURE_OPTIONS(layout, input_range, output_range)               \
	{ "layout",  0,		  OPTION_LAYOUT,                                \
	  &(layout), "nchw|nhwc", "of .npy images where both fit (nchw)" },     \
		{ "input-range",  0,	   OPTION_RANGE,                        \
		  &(input_range), "LO:HI", "black and white of input images" }, \
	{                                                                       \
		"output-range", 0, OPTION_RANGE, &(output_range), "LO:HI",      \
			"black and white of output images"                      \
	}

#define INPUTS_FILES_HELP ".npy or PNG; states left out are zero"
#define INPUTS_LATENTS_HELP "sample so many when no file gives them (1)"

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

/*
 * The same of arrays that are at hand, one for each input: they stay the caller's, and
 * there is nothing to release. 0 or −EINVAL.
 */
int inputs_lend(struct inputs *inputs, const struct accel_model *model,
		struct array *arrays);

void inputs_release(struct inputs *inputs);

/* Hand all of them to a plan of their sizes. */
int inputs_write(const struct inputs *inputs, struct accel_plan *plan);

#endif
