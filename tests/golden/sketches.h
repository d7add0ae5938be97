/* SPDX-License-Identifier: MIT */
/* Sketches that a Sketch-RNN decoder draws. */
#ifndef SKETCHES_H
#define SKETCHES_H

#include <compress/graph.h>

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

/* Draw at temperature 1 from states that are zero. */
int sketches_sample(struct sketches *sketches, const struct graph *graph,
		    size_t batch, size_t steps, uint64_t seed);

/*
 * Mean negative log-likelihood per step, up to each sketch's end, by a network's
 * outputs on the sketches' strokes. NaN without memory.
 */
double sketches_nll(const struct sketches *sketches, const float *outputs);

void sketches_release(struct sketches *sketches);

#endif
