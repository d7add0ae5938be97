/* SPDX-License-Identifier: MIT */
/* A compressed model beside the dense network: quality, size and cost. */
#ifndef TOOL_EVALUATION_H
#define TOOL_EVALUATION_H

#include "appraisal.h"
#include "original.h"
#include "reference.h"

#include <accel/device.h>
#include <accel/model.h>
#include <accel/plan.h>
#include <formats/image.h>

/**
 * struct evaluation - one model against the reference
 * @path: of the model
 * @values: its first output on the device, images NCHW
 * @info: of the model
 * @file_bytes: size of its file
 * @psnr: against the reference, both clipped to the range
 * @ssim: of images, else NaN
 * @max_error: largest difference
 * @against_original: PSNR of luminance, where the set has one
 * @appraisal: by the set's appraiser
 * @total: what the run cost
 * @layers: what each layer cost, by names of the model
 * @layer_count: of them
 * @host_seconds: of the run
 */
struct evaluation {
	const char *path;
	float *values;
	struct accel_model_info info;
	uint64_t file_bytes;
	double psnr;
	double ssim;
	double max_error;
	double against_original;
	struct appraisal appraisal;
	struct accel_layer_info total;
	struct accel_layer_info *layers;
	uint32_t layer_count;
	double host_seconds;
};

/**
 * struct evaluation_set - all that are compared
 * @reference: of the dense network
 * @range: black and white; the peak of PSNR is its width
 * @seed: of what is sampled
 * @device: that the models run on
 * @device_info: of it
 * @original: what the inputs were made of; or NULL
 * @appraiser: of more than is always measured; or NULL
 * @items: one for each model
 * @count: of them
 */
struct evaluation_set {
	struct reference reference;
	struct quantize_range range;
	uint64_t seed;
	struct accel_device *device;
	struct accel_device_info device_info;
	const struct original *original;
	const struct appraiser *appraiser;
	struct evaluation *items;
	uint32_t count;
};

/* Run a model and measure it against the set's reference; 0 or −errno. */
int evaluation_run(struct evaluation *evaluation,
		   const struct evaluation_set *set, struct accel_model *model,
		   const struct inputs *inputs, double timeout_seconds);

/* To standard output; 0 or −errno. */
int evaluation_print(const struct evaluation_set *set);
int evaluation_print_json(const struct evaluation_set *set);

/* What evaluation_run() has allocated. */
void evaluation_release(struct evaluation *evaluation);

json_t *evaluation_json(const struct evaluation_set *set);

/* As evaluation_write_picture(), to be released. */
int evaluation_make_picture(const struct evaluation_set *set,
			    struct image *picture);

/*
 * One picture: a row for each network, the dense one first, and a column for each
 * of the first images of the batch; a single image's networks lie side by side.
 */
int evaluation_write_picture(const struct evaluation_set *set,
			     const char *path);

#endif
