/* SPDX-License-Identifier: MIT */
/*
 * The command line of accel compress, and what of it contradicts itself or would be passed over.
 */
#ifndef COMPRESS_ARGUMENTS_H
#define COMPRESS_ARGUMENTS_H

#include "options.h"
#include "packing.h"
#include "target.h"

#include <compress/compress.h>
#include <compress/low_rank.h>
#include <compress/point_search.h>

#include <stdbool.h>
#include <stdint.h>

/** struct compress_arguments - the command line */
struct compress_arguments {
	const char *input;
	const char *weights;
	const char *output;
	const char *sparsity;
	const char *scope;
	const char *method;
	const char *reconstruct;
	const char *budget;
	const char *recipe;
	const char *pattern;
	const char *threshold;
	const char *low_rank;
	const char *dictionary;
	struct low_rank factors;
	struct compress_choices *choices;
	int64_t rounds;
	const char *quantize;
	const char *calibration;
	const char *rounding;
	const char *order;
	const char *activations;
	const struct graph *dense; /* where activations are studied */
	const char *sample;
	const char *float_output;
	const char *report;
	const char *command;
	const char *target;
	const char *features;
	struct automatic_target bound;
	const char *search;
	const struct point_search_kind *search_kind;
	int64_t looks;
	bool fast;
	char **told; /* all that there is to say of a target's model */
	struct option_list calibrate;
	int64_t sketches;
	int64_t latents;
	enum array_layout layout;
	bool json;
	bool compact;
	bool recover;
	struct packing_options packing;
	struct compress_options options;
};

/*
 * Fill in what was not said, read what was, and look whether it can be done and where its
 * results can be written. Return: a status, STATUS_OK to go on with; what is wrong is printed.
 */
int compress_arguments_check(const struct option_usage *usage,
			     struct compress_arguments *arguments);

/* Is some of it sparse before anything is pruned? */
bool compress_arguments_have_sparse_parts(
	const struct compress_arguments *arguments);

#endif
