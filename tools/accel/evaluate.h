/* SPDX-License-Identifier: MIT */
#ifndef TOOL_EVALUATE_H
#define TOOL_EVALUATE_H

#include "inputs.h"

#include <compress/quantize.h>

#include <stdbool.h>

/**
 * struct evaluate_request - a report on a model that was just made
 * @dense: path of the dense network
 * @model: path of what came of it
 * @report: path of the page
 * @command: that made it
 * @features: path of a classifier that looks at all pictures, or NULL
 * @sketches: the network draws sketches, and is judged by them
 * @source: of the inputs; of a folder the first file is taken
 * @range: black and white of the result; low = high: as the model says
 */
struct evaluate_request {
	const char *dense;
	const char *model;
	const char *report;
	const char *command;
	const char *features;
	bool sketches;
	struct inputs_source source;
	struct quantize_range range;
};

/* Runs both on the simulator; prints nothing. 0 or −errno. */
int evaluate_report(const struct evaluate_request *request);

#endif
