/* SPDX-License-Identifier: MIT */
/* Where the results of a run go: .npy files and a picture. */
#ifndef TOOL_OUTPUTS_H
#define TOOL_OUTPUTS_H

#include "options.h"

#include <accel/model.h>
#include <accel/plan.h>
#include <compress/array.h>

/**
 * struct outputs - what to write
 * @files: [NAME=]FILE.npy each; without a name, the first output that has none yet
 * @image: PNG of the first output that is an image, or NULL
 * @range: black and white of it; low = high: as the model says
 */
struct outputs {
	struct option_list files;
	const char *image;
	struct quantize_range range;
};

/* Find wrong names before the run, not after it; 0 or −EINVAL. */
int outputs_check(const struct outputs *outputs,
		  const struct accel_model *model);

/* Write what the last run of the plan gave, images in the layout given. */
int outputs_write(const struct outputs *outputs,
		  const struct accel_model *model, struct accel_plan *plan,
		  enum array_layout layout);

/*
 * The same of values that are at hand: of each of the model's outputs, in the layout that
 * output_layout() says.
 */
int outputs_write_values(const struct outputs *outputs,
			 const struct accel_model *model,
			 const struct accel_port_info *ports, float **values,
			 uint32_t count, enum array_layout layout);

/* The layout that an output is written in: the user's for images. */
enum accel_layout output_layout(const struct accel_port_info *port,
				enum array_layout layout);

/* Values of an output of the last run, for free(); 0 or −errno. */
int output_read(struct accel_plan *plan, uint32_t index,
		enum array_layout layout, struct accel_port_info *port,
		float **values);

#endif
