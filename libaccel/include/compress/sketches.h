/* SPDX-License-Identifier: MIT */
/* Sketches that a Sketch-RNN decoder draws. */
#ifndef COMPRESS_SKETCHES_H
#define COMPRESS_SKETCHES_H

#include <compress/calibration_data.h>
#include <compress/graph.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct sketches - sampled, teacher-forced through the network that drew them
 * @steps: of the longest
 * @batch: how many
 * @lengths: [batch], steps of each, the beginning and the end included
 * @strokes: [steps][batch][5]
 * @outputs: [steps][batch][123], of the network that drew them
 */
struct sketches {
	size_t steps;
	size_t batch;
	size_t *lengths;
	float *strokes;
	float *outputs;
};

/**
 * struct sketches_options - how to draw
 * @count: sketches
 * @steps: the most that one has
 * @temperature: the square root of it scales deviations, and logits are divided by
 *	it: below 1 they are more alike than those that the network learned from
 * @seed: of the strokes
 */
struct sketches_options {
	size_t count;
	size_t steps;
	double temperature;
	uint64_t seed;
};

/* Is the network such a decoder, by the shapes of its inputs and outputs? */
bool sketches_apply(const struct graph *graph);

/*
 * One step of whoever draws: what follows strokes [batch][5], as outputs [batch][123];
 * states [batch][hidden] become those after it. 0 or −errno.
 */
typedef int (*sketches_step)(void *context, const float *strokes,
			     float *const states[2], float *outputs);

/* Draw from states that are zero, of so many values each. 0, −ENOMEM, what a step says. */
int sketches_draw(struct sketches *sketches,
		  const struct sketches_options *options, size_t hidden,
		  sketches_step step, void *context);

/* Draw with the float executor. 0, −EINVAL for another network, −ENOMEM. */
int sketches_sample(struct sketches *sketches, const struct graph *graph,
		    const struct sketches_options *options);

/*
 * The strokes as data to calibrate the same network with, a few sketches of about
 * the same length in each sample; for calibration_data_release(). 0 or −ENOMEM.
 */
int sketches_calibrate(const struct sketches *sketches,
		       const struct graph *graph,
		       struct calibration_data *data);

/*
 * Mean negative log-likelihood per step, up to each sketch's end, by a network's
 * outputs on the sketches' strokes. NaN without memory.
 */
double sketches_nll(const struct sketches *sketches, const float *outputs);

/* Mean divergence per step of other outputs from the network's; metrics_stroke_kl(). */
double sketches_kl(const struct sketches *sketches, const float *outputs);

void sketches_release(struct sketches *sketches);

#endif
