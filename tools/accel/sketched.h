/* SPDX-License-Identifier: MIT */
/* Sketches that the dense network draws, as inputs. */
#ifndef TOOL_SKETCHED_H
#define TOOL_SKETCHED_H

#include "inputs.h"

#include <accel/device.h>
#include <compress/sketches.h>
#include <metrics/stroke_statistics.h>

/* Steps of the longest sketch. */
#define SKETCHED_STEPS 128

/*
 * Draw source->batch sketches by source->seed with the network of a file, and make
 * inputs of them: a model is then teacher-forced. Both are to be released if the result
 * is 1. 0 if the network is no Sketch-RNN decoder, or −errno.
 */
int sketched_gather(struct inputs *inputs, struct sketches *sketches,
		    const char *dense, const struct inputs_source *source);

/*
 * What a model's own sketches look like: as many as those, by the same seed; its inputs
 * are of sketched_gather(). 0 or −errno.
 */
int sketched_look(struct accel_device *device, struct accel_model *model,
		  const struct inputs *inputs, uint64_t seed, double timeout,
		  struct stroke_statistics *statistics);

#endif
