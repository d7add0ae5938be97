/* SPDX-License-Identifier: MIT */
/* What a training is in the middle of; shared by its loop and its checkpoints. */
#ifndef TRAIN_TRAINING_LOOP_H
#define TRAIN_TRAINING_LOOP_H

#include <train/schedule.h>
#include <train/training.h>
#include <train/training_state.h>

/**
 * struct training - a run
 * @task: whose learners are trained
 * @options: of the caller
 * @result: of the caller, and at the same time the present state
 * @rate: schedule over all steps
 * @interval: steps between points of the curve
 * @rate_factor: halved at each rollback
 * @first_loss: of the first step
 * @good: state to go back to
 * @good_step: steps that it had made
 * @best: the state of the best quality measured, for who ends early
 * @best_quality: of it
 * @saved: when the last checkpoint was written
 */
struct training {
	struct task *task;
	const struct training_options *options;
	struct training_result *result;
	struct schedule_rate rate;
	uint64_t interval;
	float rate_factor;
	double first_loss;
	struct training_snapshot good;
	uint64_t good_step;
	struct training_snapshot best;
	struct task_quality best_quality;
	uint64_t saved;
};

/*
 * Write all of it. What goes wrong is told in the status, and the training goes on:
 * a disk that is full now may not be later, and the last checkpoint is still there.
 */
void training_save(struct training *training);

/*
 * Go on with what a checkpoint holds: 1; 0 if there is none; −EINVAL for one of
 * another training, −EBADMSG for a damaged one.
 */
int training_load(struct training *training);

#endif
