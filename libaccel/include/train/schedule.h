/* SPDX-License-Identifier: MIT */
/* What changes over the steps of a training: its rate, its sparsity. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum schedule_shape {
	SCHEDULE_COSINE, /* to @final along half a cosine */
	SCHEDULE_LINEAR,
	SCHEDULE_CONSTANT,
	SCHEDULE_STEP, /* times 0.1 at 1/2 and 3/4 */
};

/**
 * struct schedule_rate - learning rate
 * @shape: after the warm-up
 * @peak: at its end
 * @final: part of @peak that is left at the end
 * @warmup: steps of linear rise to @peak
 * @steps: in all
 */
struct schedule_rate {
	enum schedule_shape shape;
	float peak;
	float final;
	uint64_t warmup;
	uint64_t steps;
};

/* The rate of a step, counted from 0. Only +, −, ×, ÷ of binary64: the same bits
 * everywhere (the cosine is a polynomial of its own). */
float schedule_rate(const struct schedule_rate *schedule, uint64_t step);

/**
 * struct schedule_sparsity - gradual pruning (Zhu and Gupta, 2017)
 * @initial: at @begin
 * @final: at @end and after it
 * @begin: first step that prunes
 * @end: step that reaches @final
 * @interval: steps between masks, ≥ 1
 */
struct schedule_sparsity {
	double initial;
	double final;
	uint64_t begin;
	uint64_t end;
	uint64_t interval;
};

/* final + (initial − final)·(1 − progress)³ */
double schedule_sparsity(const struct schedule_sparsity *schedule,
			 uint64_t step);

/* Is a mask made before this step? Also at @end itself. */
bool schedule_prunes(const struct schedule_sparsity *schedule, uint64_t step);

#endif
