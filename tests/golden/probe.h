/* SPDX-License-Identifier: MIT */
/* An input of a network, and what the network should make of it. */
#ifndef PROBE_H
#define PROBE_H

#include <accel/plan.h>
#include <accel/run.h>
#include <compress/graph.h>
#include <compress/quantize.h>

#define PROBE_OUTPUTS 2

/** struct values - numbers of one input or output, owned */
struct values {
	float *data;
	size_t count;
};

/**
 * struct probe - an input and the outputs it should give
 * @sizes: of the input
 * @layout: of images, in and out
 * @input: of the network's first input; others are zero
 * @expected: of its first outputs; without data: is not compared
 */
struct probe {
	struct accel_plan_options sizes;
	enum accel_layout layout;
	struct values input;
	struct values expected[PROBE_OUTPUTS];
};

/*
 * Read .npy files; outputs may be NULL. Images are NHWC if their last axis is 3 long.
 */
int probe_read(struct probe *probe, const char *input,
	       const char *const outputs[PROBE_OUTPUTS]);

/*
 * Take a picture, or latents if there is none, and run the network in binary32 for
 * what is expected. pixels: black and white.
 */
int probe_compute(struct probe *probe, const struct graph *graph,
		  const char *picture, struct quantize_range pixels);

void probe_release(struct probe *probe);

#endif
