/* SPDX-License-Identifier: MIT */
/* A classifier that looks at all pictures of a generator, and what it thinks of them. */
#ifndef TOOL_CRITIC_H
#define TOOL_CRITIC_H

#include "reference.h"

#include <compress/quantize.h>
#include <metrics/distribution.h>

#include <jansson.h>

/**
 * struct critic - a classifier, and what it sees in the dense network's pictures
 * @classifier: its features are compared
 * @range: of the pictures, black and white
 * @seed: of the latents
 * @real: features of the dense network's pictures
 * @floor: what two sets of the dense network's own pictures give, from other latents
 * @has_floor: latents were sampled, so that there are others
 */
struct critic {
	struct graph *classifier;
	struct quantize_range range;
	uint64_t seed;
	struct feature_set real;
	struct distribution_figures floor;
	bool has_floor;
};

/**
 * struct critic_source - what a critic starts from
 * @path: of the classifier
 * @dense: path of the dense network
 * @model: a compressed one, that says what its inputs are
 * @inputs: how they were made
 * @reference: what the dense network made of them
 * @range: black and white
 */
struct critic_source {
	const char *path;
	const char *dense;
	const struct accel_model *model;
	const struct inputs_source *inputs;
	const struct reference *reference;
	struct quantize_range range;
};

/* 0 or −errno; for critic_close() in any case. */
int critic_open(struct critic *critic, const struct critic_source *source);

void critic_close(struct critic *critic);

/* Of as many pictures as the dense network made. 0 or −errno. */
int critic_judge(const struct critic *critic, const float *values,
		 struct distribution_figures *figures);

/* A line under a headline, and JSON. */
void critic_print_headline(void);
void critic_print(const char *name, const struct distribution_figures *figures);
json_t *critic_json(const struct distribution_figures *figures);

#endif
