/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

struct team;

enum optimizer_method {
	OPTIMIZER_ADAM, /* Kingma and Ba, 2015; AdamW with weight decay */
	OPTIMIZER_SGD, /* with Nesterov's momentum unless it is 0 */
};

/**
 * struct optimizer_options - 0 stands for the usual value, in parentheses
 * @method: which
 * @beta1: of Adam (0.9); of SGD: momentum (0.9); negative: none
 * @beta2: of Adam (0.999)
 * @epsilon: of Adam (1e-8)
 * @weight_decay: decoupled, per step and rate (0)
 * @clip: largest Euclidean norm of a gradient over all parameters (0: any)
 * @average: decay of the moving average of the parameters (0: none kept)
 */
struct optimizer_options {
	enum optimizer_method method;
	float beta1;
	float beta2;
	float epsilon;
	float weight_decay;
	float clip;
	float average;
};

/**
 * struct optimizer - state between steps; what a checkpoint stores
 * @options: with the usual values filled in
 * @count: parameters
 * @step: number of steps made
 * @first: mean of gradients, or momentum
 * @second: mean of their squares; NULL for SGD
 * @average: moving average of parameters; NULL if none is kept
 * @squares: for a step's own use
 */
struct optimizer {
	struct optimizer_options options;
	size_t count;
	uint64_t step;
	float *first;
	float *second;
	float *average;
	double *squares;
};

/* 0, −ENOMEM, or −EINVAL with a text for options out of range. */
int optimizer_create(struct optimizer *optimizer,
		     const struct optimizer_options *options, size_t count);
void optimizer_release(struct optimizer *optimizer);

/*
 * One step. team: shares the work, which changes no bit; NULL: the caller does it
 * alone. values: updated; gradient: clipped in place; keep: 1 for what may
 * change, 0 for what stays as it is, moments too; NULL: all may. Returns the
 * gradient's norm before clipping (NaN or infinite: nothing was changed).
 */
double optimizer_step(struct optimizer *optimizer, struct team *team,
		      float *values, float *gradient, const uint8_t *keep,
		      float rate);

#endif
