/* SPDX-License-Identifier: MIT */
/* A run of a model on a device. */
#ifndef TRIAL_H
#define TRIAL_H

#include "probe.h"

#include <accel/device.h>
#include <accel/model.h>
#include <compress/quantize.h>

/** struct trial - a model that has run on a probe's input */
struct trial {
	struct accel_device *device;
	struct accel_plan *plan;
	enum accel_layout layout;
};

/* Open the device, plan with flags (ACCEL_PLAN_*) and run. */
int trial_create(struct trial *trial, const char *uri,
		 struct accel_model *model, const struct probe *probe,
		 uint32_t flags);

/* An output, for free(3). */
int trial_read(struct trial *trial, uint32_t index, struct values *output);

/*
 * Lowest peak signal-to-noise ratio of the outputs that the probe expects. Range:
 * low = high: what the expected values span.
 */
int trial_psnr(struct trial *trial, const struct probe *probe,
	       struct quantize_range range, double *psnr);

void trial_destroy(struct trial *trial);

/*
 * Run with the golden arithmetic and on the simulated device and compare all
 * activations.
 */
int trial_compare(struct accel_model *model, const struct probe *probe,
		  struct accel_difference *difference);

#endif
