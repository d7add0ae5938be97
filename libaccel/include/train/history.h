/* SPDX-License-Identifier: MIT */
/* How a training went: its loss and quality over the steps, for reports. */
#ifndef TRAIN_HISTORY_H
#define TRAIN_HISTORY_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct history_point - the state after some step
 * @step: number of steps made
 * @loss: mean over the steps since the point before
 * @quality: PSNR against the teacher on the validation set, in decibels
 * @sparsity: of the mask
 * @rate: of the last step
 * @quantized: weights and activations were int8
 */
struct history_point {
	uint64_t step;
	double loss;
	double quality;
	double sparsity;
	double rate;
	uint64_t quantized;
};

/** struct history - points in the order of steps; all zero is an empty one */
struct history {
	struct history_point *points;
	size_t count;
	size_t capacity;
};

/* Add a point, which takes the place of those that are not before it; 0 or −ENOMEM. */
int history_add(struct history *history, const struct history_point *point);

/*
 * About so many lines of text, "step loss quality …", the first and the last point among
 * them; free it. NULL without memory.
 */
char *history_format(const struct history *history, size_t lines);

struct json_t;
/* A list of objects, NULL without memory. */
struct json_t *history_json(const struct history *history);

void history_release(struct history *history);

#endif
