/* SPDX-License-Identifier: MIT */
/* What --metrics and --labels ask for beside the figures that are always there. */
#ifndef TOOL_APPRAISAL_H
#define TOOL_APPRAISAL_H

#include "robustness.h"

#include <compress/sketches.h>
#include <metrics/quality.h>
#include <metrics/stroke_statistics.h>

#include <jansson.h>

/**
 * struct appraisal - of one model
 * @figures: of its results
 * @classes: with labels, one for each class
 * @nll: teacher-forced, of a decoder of sketches, for each step; else NaN
 * @kl: from the dense network, likewise
 * @statistics: of the sketches that it draws itself
 * @robustness: PSNR of each case, or NaN
 */
struct appraisal {
	struct quality_figures figures;
	struct class_figures *classes;
	double nll;
	double kl;
	struct stroke_statistics statistics;
	double robustness[ROBUSTNESS_CASES];
};

/** struct appraisal_row - a model in a table */
struct appraisal_row {
	const char *name;
	const struct appraisal *appraisal;
};

/**
 * struct appraiser - what models are held against
 * @metrics: of enum quality_metric
 * @range: black and white
 * @seed: of all that is random
 * @quality: the dense network's results
 * @classifier: that looks at all pictures, or NULL
 * @others: the dense network's result of the next seed's latents
 * @labels: for each input, or NULL
 * @class_count: of a classifier
 * @classes: with labels, the dense network's
 * @inputs: of all runs
 * @sketches: that the dense network drew, or NULL
 * @nll: of its own sketches
 * @statistics: of them
 * @robustness: with that metric
 */
struct appraiser {
	unsigned int metrics;
	struct quantize_range range;
	uint64_t seed;
	struct quality quality;
	struct graph *classifier;
	struct reference others;
	int64_t *labels;
	size_t class_count;
	struct class_figures *classes;
	const struct inputs *inputs;
	const struct sketches *sketches;
	double nll;
	struct stroke_statistics statistics;
	struct robustness robustness;
};

/**
 * struct appraiser_source - what an appraiser starts from
 * @metrics: of enum quality_metric
 * @features: path of a classifier, or NULL
 * @labels: path, or NULL
 * @dense: path of the dense network
 * @model: a compressed one, that says what its inputs are
 * @inputs: of all runs
 * @sampled: how they were made
 * @reference: the dense network's result
 * @sketches: that the inputs are, or NULL
 * @range: black and white
 */
struct appraiser_source {
	unsigned int metrics;
	const char *features;
	const char *labels;
	const char *dense;
	const struct accel_model *model;
	const struct inputs *inputs;
	const struct inputs_source *sampled;
	const struct reference *reference;
	const struct sketches *sketches;
	struct quantize_range range;
};

/* 0 or −errno; for appraiser_close() in any case. */
int appraiser_open(struct appraiser *appraiser,
		   const struct appraiser_source *source);

/* values: what the model made of the inputs. 0 or −errno. */
int appraiser_judge(const struct appraiser *appraiser,
		    struct accel_device *device, struct accel_model *model,
		    const float *values, double timeout,
		    struct appraisal *appraisal);

void appraiser_close(struct appraiser *appraiser);

/* Tables, one row for each model. */
void appraiser_print(const struct appraiser *appraiser,
		     const struct appraisal_row *rows, uint32_t count);

/* Was there a classifier to look at all pictures, and are there latents for a floor? */
bool appraiser_has_features(const struct appraiser *appraiser);
bool appraiser_has_floor(const struct appraiser *appraiser);

/* Is there anything beside what that classifier sees? */
bool appraiser_has_more(const struct appraiser *appraiser);

json_t *distribution_json(const struct distribution_figures *figures);

/* What is to stand beside a model's figures, and beside all of them. */
json_t *appraisal_json(const struct appraiser *appraiser,
		       const struct appraisal *appraisal);
json_t *appraiser_json(const struct appraiser *appraiser);

#endif
