/* SPDX-License-Identifier: MIT */
/* A training as it goes: steps, schedules, and the states to which it may return. */
#ifndef TRAIN_DISTILL_TRAINER_H
#define TRAIN_DISTILL_TRAINER_H

#include <train/distill_student.h>

/**
 * struct distill_trainer - all of a training
 * @options: not owned
 * @student: at work
 * @state: present
 * @good: the last one that was checked, to which a divergence returns
 * @initial: parameters at the beginning, to which lottery tickets return
 * @best: parameters of the best check that could be the result
 * @best_ranges: of its activations
 * @best_quality: −infinity while there is none
 * @history: curve
 * @steps: length; 0 until it is known
 * @rollbacks: divergences
 * @gave_up: there were too many of them
 * @saved: when the checkpoint was written, monotonic nanoseconds
 * @save_interval: until the next one
 */
struct distill_trainer {
	const struct distill_options *options;
	struct distill_student student;
	struct distill_state state;
	struct distill_state good;
	float *initial;
	float *best;
	struct quantize_range *best_ranges;
	double best_quality;
	struct history history;
	uint64_t steps;
	uint64_t rollbacks;
	bool gave_up;
	uint64_t saved;
	uint64_t save_interval;
};

/*
 * One step at a rate: batch, gradient, optimizer, penalty. −EDOM if the loss or the
 * gradient is not finite or has exploded; the state is then to be thrown away.
 */
int distill_trainer_step(struct distill_trainer *trainer, float rate);

/* Which step is it that a part of all steps stands for? */
uint64_t distill_trainer_at(const struct distill_trainer *trainer, double part);

#endif
