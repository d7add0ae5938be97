/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_TASK_SETTINGS_H
#define TRAIN_TASK_SETTINGS_H

#include <stdint.h>

#include <jansson.h>

#include <train/optimizer.h>
#include <train/schedule.h>

/* A twentieth of the steps, however many they turn out to be. */
#define TASK_WARMUP_USUAL UINT64_MAX

/**
 * struct task_settings - a description's "training"
 * @batch: samples of a step
 * @shards: parts that a batch is cut into; the result depends on it
 * @steps: usual number of steps
 * @optimizer: method and its numbers
 * @rate: schedule; its number of steps is the training's, and its warm-up may be
 *	TASK_WARMUP_USUAL
 */
struct task_settings {
	int64_t batch;
	int64_t shards;
	int64_t steps;
	struct optimizer_options optimizer;
	struct schedule_rate rate;
};

/* training: NULL for what is usual. 0 or −EINVAL with a text. */
int task_settings_read(struct task_settings *settings, const json_t *training);

#endif
