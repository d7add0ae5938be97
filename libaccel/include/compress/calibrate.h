/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_CALIBRATE_H
#define COMPRESS_CALIBRATE_H

#include <compress/calibration_data.h>
#include <compress/calibration_method.h>
#include <compress/channel_means.h>
#include <compress/graph.h>
#include <compress/quantize.h>

struct compress_progress;

/**
 * struct calibration_options - what is known beforehand; low = high: nothing
 * @input_range: of image inputs. It is taken as it is: 0:255 makes the codes of
 *	8-bit pixels exact
 * @output_range: of image outputs. What is beyond will be clipped anyway, and
 *	should cost no codes
 * @method: for what nodes compute
 * @progress: told of samples, or NULL
 */
struct calibration_options {
	struct quantize_range input_range;
	struct quantize_range output_range;
	struct calibration_method method;
	const struct compress_progress *progress;
};

/**
 * calibration_run() - the values that every tensor takes
 * @graph: to run, already pruned and folded
 * @data: at least one sample
 * @options: what is known
 * @ranges: result, graph->tensor_count of them; constants keep 0 … 0
 * @means: result, as channel_means_create() made it for @graph; NULL: not wanted
 *
 * Ranges include 0. In networks that take images, what is computed gets some room
 * for other images than those; an input that held only whole numbers from 0 to 255
 * gets just these, so that the codes of 8-bit pixels are exact. Those of computed tensors are rounded up to nine bits, so that
 * the last bits of the processor's sums do not show; hidden states get ±1. A tensor that is read only by sigmoids is clipped to ±8, by
 * tanhs to ±4: beyond, they are flat, and the codes are needed in between.
 *
 * Return: 0; −EINVAL if a value is not finite, with a text that names the tensor,
 * or if there is no data; −ENOMEM, −EOVERFLOW.
 */
int calibration_run(const struct graph *graph,
		    const struct calibration_data *data,
		    const struct calibration_options *options,
		    struct quantize_range *ranges, struct channel_means *means);

#endif
