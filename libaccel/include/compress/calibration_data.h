/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_CALIBRATION_DATA_H
#define COMPRESS_CALIBRATION_DATA_H

#include <stdint.h>

#include <compress/array.h>
#include <compress/graph.h>

/**
 * struct calibration_data - what a network is run on to see what values it takes
 * @samples: each one run, with graph->input_count arrays
 * @sample_count: number of samples
 * @input_count: of the graph
 * @is_state: of each input: a recurrent layer's state, which starts as zero
 */
struct calibration_data {
	struct array **samples;
	int sample_count;
	int input_count;
	bool *is_state;
};

/**
 * struct calibration_source - how to read files; see struct array_port
 * @layout: of .npy images
 * @range: of pictures
 * @others: .npy files of the inputs by number, as many elements in their batch as
 *	the first one's file has; [0] is not looked at; NULL: there are none
 */
struct calibration_source {
	enum array_layout layout;
	struct quantize_range range;
	const char *const *others;
};

/*
 * Read a .npy file, a PNG or a folder of both (in the order of their names) as
 * values of the graph's first input. States of recurrent layers are zero unless
 * @source has a file; other inputs need one. Large batches are run in parts.
 *
 * Return 0; −EINVAL for what does not fit, −ENOENT, −ENOMEM …
 */
int calibration_data_read(struct calibration_data *data,
			  const struct graph *graph, const char *path,
			  const struct calibration_source *source);

/*
 * Sample latents: count values of every input, from N(0, 1) by seed; states of
 * recurrent layers are zero. −EINVAL for a graph whose inputs are images or
 * sequences.
 */
int calibration_data_sample(struct calibration_data *data,
			    const struct graph *graph, int64_t count,
			    uint64_t seed);

void calibration_data_release(struct calibration_data *data);

#endif
