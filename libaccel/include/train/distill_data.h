/* SPDX-License-Identifier: MIT */
/*
 * What students learn on: latents that are sampled, or elements of files. Element i of a
 * stream is a function of seed, stream and i alone, so that a training which goes on
 * from a checkpoint sees what it would have seen.
 */
#ifndef TRAIN_DISTILL_DATA_H
#define TRAIN_DISTILL_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include <compress/calibration_data.h>
#include <compress/graph.h>

/** enum distill_stream - elements of different streams do not meet */
enum distill_stream {
	DISTILL_TRAINING,
	DISTILL_VALIDATION,
};

/**
 * struct distill_source - where elements come from
 * @files: .npy, PNG or a folder, as read by calibration_data_read(); NULL: latents
 *	are sampled from N(0, 1)
 * @latents: number of different ones; 0: endless
 * @patch: height and width of what is cut from images whose size is free
 * @seed: of all
 */
struct distill_source {
	const struct calibration_data *files;
	int64_t latents;
	int64_t patch;
	uint64_t seed;
};

/** struct distill_item - one element of a file's batch */
struct distill_item {
	int sample;
	int64_t index;
};

/**
 * struct distill_data - private but for @shapes
 * @shapes: of each of the graph's inputs, for one element; [graph->input_count]
 * @axis: of the batch, for each input
 * @is_state: of each input: a recurrent state, always zero
 * @items: of files; none for latents
 * @held_out: the last ones, of the validation; 0: they are too few, and share
 */
struct distill_data {
	struct distill_source source;
	int input_count;
	struct graph_shape *shapes;
	int *axis;
	bool *is_state;
	struct distill_item *items;
	int64_t item_count;
	int64_t held_out;
};

/*
 * @graph's inputs; source->files must stay. −EINVAL with a text for files whose elements
 * have different sizes, or that are smaller than a patch.
 */
int distill_data_create(struct distill_data *data, const struct graph *graph,
			const struct distill_source *source);

/* The shape of an input for so many elements. */
struct graph_shape distill_data_shape(const struct distill_data *data,
				      int input, int64_t count);

/* Elements first … first + count − 1 of a stream, into one array for each input. */
void distill_data_fill(const struct distill_data *data,
		       enum distill_stream stream, uint64_t first,
		       int64_t count, float *const *inputs);

void distill_data_release(struct distill_data *data);

#endif
