/* SPDX-License-Identifier: MIT */
#ifndef METRICS_QUALITY_H
#define METRICS_QUALITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <compress/graph.h>
#include <compress/quantize.h>
#include <metrics/classification.h>
#include <metrics/distribution.h>

/**
 * DOC: Quality
 *
 * Everything that the results of a compressed network tell when they are held against
 * those of the dense one on the same inputs. Nothing is run but the classifier: who
 * calls it has a device, or an executor.
 */

/* What can be measured; bits of quality_options.metrics. */
enum quality_metric {
	QUALITY_PSNR = 1 << 0, /* and the largest error, PSNR of luminance */
	QUALITY_SSIM = 1 << 1,
	QUALITY_MS_SSIM = 1 << 2,
	QUALITY_FID = 1 << 3,
	QUALITY_KID = 1 << 4,
	QUALITY_PRECISION_RECALL = 1 << 5,
	QUALITY_DENSITY_COVERAGE = 1 << 6,
	QUALITY_NLL = 1 << 7,
	QUALITY_ROBUSTNESS = 1 << 8,
};

#define QUALITY_FEATURES                                        \
	(QUALITY_FID | QUALITY_KID | QUALITY_PRECISION_RECALL | \
	 QUALITY_DENSITY_COVERAGE)

/*
 * A list as psnr,ssim,msssim,fid,kid,pr,dc,nll,robustness, or all. 0; −EINVAL, with a
 * text that says what there is.
 */
int quality_parse(const char *list, unsigned int *metrics);

/**
 * struct quality_dense - what the dense network gave
 * @values: row-major, images NCHW
 * @others: of as many other inputs of the same kind, or NULL: the floor is from them
 * @shape: of both
 * @range: black and white
 */
struct quality_dense {
	const float *values;
	const float *others;
	struct graph_shape shape;
	struct quantize_range range;
};

/**
 * struct quality_options - what to measure
 * @metrics: of enum quality_metric; those that are not for these results, or lack a
 *	classifier, are left out
 * @classifier: whose features pictures are compared in, or NULL
 * @classifier_name: what messages call it, or NULL
 * @labels: of a network that is a classifier itself, one for each row, or NULL
 * @seed: of the parts that KID draws; for the floor it is the next one
 */
struct quality_options {
	unsigned int metrics;
	const struct graph *classifier;
	const char *classifier_name;
	const int64_t *labels;
	uint64_t seed;
};

/**
 * struct quality_figures - what came out; NaN for what was not measured
 * @psnr: in decibels
 * @psnr_luminance: of images with three channels
 * @max_error: largest difference
 * @ssim: of images
 * @ms_ssim: likewise
 * @distribution: in the classifier's features
 * @classes: with labels
 */
struct quality_figures {
	double psnr;
	double psnr_luminance;
	double max_error;
	double ssim;
	double ms_ssim;
	struct distribution_figures distribution;
	struct classification_figures classes;
};

/**
 * struct quality - a dense network's results, ready to hold others against
 * @dense: of it
 * @options: what is measured
 * @features: of its pictures
 * @floor: the figures of its own pictures from other inputs; its distribution alone
 * @classes: its own, with labels
 * @scales: of MS-SSIM
 */
struct quality {
	struct quality_dense dense;
	struct quality_options options;
	struct feature_set features;
	struct quality_figures floor;
	struct classification_figures classes;
	size_t scales;
};

/**
 * quality_open() - look at the dense network's results
 * @quality: result, for quality_close() in any case
 * @dense: values must stay
 * @options: likewise
 *
 * Return: 0; −EINVAL, with a text, for values that are not finite or no range, for a
 * classifier of other pictures, too few pictures, a label that is no class; −ENOMEM.
 */
int quality_open(struct quality *quality, const struct quality_dense *dense,
		 const struct quality_options *options);

/* As many values as the dense network gave, for the same inputs. 0 or −errno. */
int quality_measure(const struct quality *quality, const float *values,
		    struct quality_figures *figures);

void quality_close(struct quality *quality);

#endif
