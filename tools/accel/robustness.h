/* SPDX-License-Identifier: MIT */
/* A model and the dense network on inputs that were changed a little. */
#ifndef TOOL_ROBUSTNESS_H
#define TOOL_ROBUSTNESS_H

#include "reference.h"

#include <accel/device.h>

/* Some noise, much noise; moved. */
#define ROBUSTNESS_CASES 3

/* Of a case, for a headline and for JSON. */
extern const char *const robustness_names[ROBUSTNESS_CASES];

/**
 * struct robustness - changed inputs, and what the dense network makes of them
 * @inputs: of each case
 * @references: likewise
 */
struct robustness {
	struct inputs inputs[ROBUSTNESS_CASES];
	struct reference references[ROBUSTNESS_CASES];
};

/**
 * robustness_open() - change inputs and run the dense network on them
 * @robustness: result, for robustness_close() in any case
 * @dense: path of the dense network
 * @inputs: as they were; states stay as they are
 * @seed: of the noise
 *
 * Noise has a tenth, and a half, of the deviation that an input's values have. Pictures
 * move by a pixel, right and down; to anything else half the deviation is added.
 *
 * Return: 0 or −errno.
 */
int robustness_open(struct robustness *robustness, const char *dense,
		    const struct inputs *inputs, uint64_t seed);

/* PSNR of a model against the dense network in each case; 0 or −errno. */
int robustness_measure(const struct robustness *robustness,
		       struct accel_device *device, struct accel_model *model,
		       struct quantize_range range, double timeout,
		       double psnr[ROBUSTNESS_CASES]);

void robustness_close(struct robustness *robustness);

#endif
