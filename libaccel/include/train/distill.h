/* SPDX-License-Identifier: MIT */
/*
 * Recovery: a sparse student learns to give what its dense teacher gives. The engine of
 * accel distill and accel compress --recover.
 */
#ifndef TRAIN_DISTILL_H
#define TRAIN_DISTILL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <compress/calibration_data.h>
#include <compress/graph.h>
#include <compress/prune.h>
#include <train/distill_data.h>
#include <train/history.h>
#include <train/recipe.h>

/**
 * struct distill_progress - how far a training is
 * @step: made
 * @steps: in all; 0: still looking for a rate
 * @loss: mean of the last ones
 * @quality: at the last check
 * @sparsity: of the mask
 */
struct distill_progress {
	uint64_t step;
	uint64_t steps;
	double loss;
	double quality;
	double sparsity;
};

/* Told after every step, also of the search; takes no part in the training. */
typedef void (*distill_observer)(void *context,
				 const struct distill_progress *progress);

/**
 * struct distill_options - what a training is given
 * @sparsity: part of the weights that goes, 0 ≤ sparsity < 1
 * @steps: length; 0: as many as fit into @minutes
 * @minutes: length; 0: DISTILL_MINUTES_DEFAULT
 * @workers: threads, ≥ 1; the result does not depend on it
 * @recipe: all else
 * @mask: the student comes pruned already, with these positions kept, and trains with
 *	int8 from its first step; NULL: it is pruned on the way. Never ends worse than
 *	it began
 * @calibration: what ranges are measured on while it trains with int8
 * @input_range: of image inputs; low = high: unknown
 * @output_range: of image outputs
 * @checkpoint: file that holds the state; NULL: none is kept
 * @resume: go on from there
 * @stop: set by a signal's handler: end soon, with the best so far; or NULL
 * @observer: or NULL
 * @observer_context: handed to it
 */
struct distill_options {
	double sparsity;
	uint64_t steps;
	double minutes;
	int workers;
	const struct recipe *recipe;
	const struct prune_mask *mask;
	const struct calibration_data *calibration;
	struct quantize_range input_range;
	struct quantize_range output_range;
	const char *checkpoint;
	bool resume;
	const volatile sig_atomic_t *stop;
	distill_observer observer;
	void *observer_context;
};

#define DISTILL_MINUTES_DEFAULT 5

/**
 * struct distill_result - what came of it
 * @mask: kept positions of the student
 * @history: curve
 * @step: steps that were made
 * @steps: that were meant
 * @rate: peak, as found or given
 * @rollbacks: times that the training diverged and went back
 * @gave_up: it diverged once more than it may, and ended early with the best so far
 * @quality: of the student, in decibels against the teachers
 * @quantized: it was trained with int8, so that lowering has nothing to correct
 */
struct distill_result {
	struct prune_mask *mask;
	struct history history;
	uint64_t step;
	uint64_t steps;
	double rate;
	uint64_t rollbacks;
	bool gave_up;
	double quality;
	bool quantized;
};

/**
 * distill_run() - train a student
 * @student: its weights are changed; pruned ones are zero in the end
 * @teachers: recipe->teacher_count + 1 networks with the same inputs and outputs; the
 *	first may be the student before
 * @data: inputs
 * @options: how
 * @result: for distill_result_release()
 *
 * The same arguments give the same student and mask on one type of processor, also if
 * it was interrupted and resumed in between; with @minutes only after the first
 * checkpoint.
 *
 * Return: 0, also when it was stopped; −EINVAL for networks that do not fit or a
 * sparsity that empties a layer; −EDOM if it diverges at every rate before there is
 * anything that could be the result; −EBADMSG for a
 * checkpoint that is damaged or of another training; −ENOMEM, and what the file system
 * says of the checkpoint.
 */
int distill_run(struct graph *student, const struct graph *const *teachers,
		const struct distill_data *data,
		const struct distill_options *options,
		struct distill_result *result);

void distill_result_release(struct distill_result *result);

#endif
