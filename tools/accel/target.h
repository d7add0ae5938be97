/* SPDX-License-Identifier: MIT */
/* What a compressed model is to reach, in words, and the way there; see compress/automatic.h. */
#ifndef TOOL_TARGET_H
#define TOOL_TARGET_H

#include <compress/automatic.h>
#include <compress/calibration_data.h>
#include <compress/compress.h>
#include <compress/graph.h>

#include "packing.h"

/* "psnr>=32", "fid<=0.1", "ratio>=20", "sparsity>=90%", "cycles<=5000", "cycles<=50%". */
#define TARGET_FORMS \
	"psnr>=32, fid<=0.1, ratio>=20, sparsity>=0.9, cycles<=20000 or cycles<=50%"

/* 0, or −EINVAL with a text that says what is wrong with it. */
int target_parse(const char *text, struct automatic_target *target);

/**
 * struct target_request - a network, and what is asked of it
 * @text: the target as it was given
 * @target: the same, parsed
 * @model: path of the network, for messages
 * @output: of the model that will be written; trials lie beside it for a moment
 * @options: ranges, seed, source
 * @search: see struct automatic_options
 * @looks: likewise
 * @fast: likewise
 * @compact: what is written is packed
 * @packing: for @compact
 * @classifier: whose features FID is in; for that target only
 * @held_out: data to measure on; NULL: the data
 */
struct target_request {
	const char *text;
	struct automatic_target target;
	const char *model;
	const char *output;
	const struct compress_options *options;
	const struct point_search_kind *search;
	int looks;
	bool fast;
	bool compact;
	const struct packing_options *packing;
	struct graph *classifier;
	const struct calibration_data *held_out;
};

/*
 * Search, showing progress; then say on standard error what was chosen for each layer
 * and why. The first SIGINT or SIGTERM ends the search with the best so far. 0 with a
 * result for automatic_release(); −ERANGE with a text that says what can be had, and by
 * which command.
 */
int target_run(const struct target_request *request, const struct graph *graph,
	       const struct calibration_data *data,
	       struct automatic_result *result);

#endif
