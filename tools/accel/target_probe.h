/* SPDX-License-Identifier: MIT */
/* Measures int8 models for the automatic mode: against the dense network, on devices. */
#ifndef TOOL_TARGET_PROBE_H
#define TOOL_TARGET_PROBE_H

#include "packing.h"

#include <compress/calibration_data.h>
#include <compress/graph.h>
#include <compress/quantize.h>
#include <model/model.h>

#include <stddef.h>

struct accel_device;

/* Sizes of a timed run where the network leaves them open: one latent, picture, sequence. */
#define TARGET_PROBE_SIDE 64
#define TARGET_PROBE_STEPS 16

/**
 * struct target_probe - what is measured with
 * @graph: dense
 * @data: inputs to compare results on
 * @path: of the file that a model is written to for its size
 * @compact: it is packed
 * @packing: for @compact
 * @classifier: in whose features pictures are compared, or NULL for PSNR
 * @range: black and white, the peak of PSNR
 * @cpu: runs models for their results
 * @reference: results of the dense network, one after the other
 * @values: those of a model
 * @count: of both
 */
struct target_probe {
	const struct graph *graph;
	const struct calibration_data *data;
	char *path;
	bool compact;
	const struct packing_options *packing;
	struct graph *classifier;
	struct quantize_range range;
	struct accel_device *cpu;
	float *reference;
	float *values;
	size_t count;
};

/* The members up to @range are given; runs the dense network. 0 or −errno. */
int target_probe_open(struct target_probe *probe);

/* See struct automatic_probe; @context is the probe. */
int target_probe_quality(void *context, const struct model *model,
			 double *quality);
int target_probe_size(void *context, const struct model *model,
		      uint64_t *bytes);
int target_probe_time(void *context, const struct model *model,
		      uint64_t *cycles,
		      void (*layer)(void *layer_context, const char *name,
				    uint64_t cycles),
		      void *layer_context);

void target_probe_close(struct target_probe *probe);

#endif
