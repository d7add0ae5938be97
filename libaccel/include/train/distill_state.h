/* SPDX-License-Identifier: MIT */
/* All that a training changes as it goes: copied for rollbacks, kept in checkpoints. */
#ifndef TRAIN_DISTILL_STATE_H
#define TRAIN_DISTILL_STATE_H

#include <stddef.h>
#include <stdint.h>

#include <compress/quantize.h>
#include <train/checkpoint.h>
#include <train/optimizer.h>

/**
 * struct distill_numbers - the part without arrays
 * @step: number of steps made
 * @peak: rate that was found
 * @factor: of the rate, after divergences
 * @average: of the loss, over the last steps
 * @loss: sum since the last point of the curve
 * @losses: number of them
 * @sparsity: of the mask
 * @quality: at the last point of the curve
 */
struct distill_numbers {
	uint64_t step;
	double peak;
	double factor;
	double average;
	double loss;
	uint64_t losses;
	double sparsity;
	double quality;
};

/**
 * struct distill_state - see above
 * @numbers: single ones
 * @count: of parameters
 * @range_count: of the student's tensors
 * @values: parameters
 * @keep: 1 for those that are not pruned
 * @worth: what movement pruning has summed up
 * @ranges: of activations, once it quantizes
 * @optimizer: its state
 */
struct distill_state {
	struct distill_numbers numbers;
	size_t count;
	size_t range_count;
	float *values;
	uint8_t *keep;
	float *worth;
	struct quantize_range *ranges;
	struct optimizer optimizer;
};

/* Everything kept, all else zero; 0, −ENOMEM or −EINVAL for the options. */
int distill_state_create(struct distill_state *state, size_t count,
			 size_t range_count,
			 const struct optimizer_options *options);

/* Between states that were created alike. */
void distill_state_copy(struct distill_state *to,
			const struct distill_state *from);

void distill_state_put(const struct distill_state *state,
		       struct train_checkpoint *checkpoint);
int distill_state_get(struct distill_state *state,
		      struct train_checkpoint *checkpoint);

void distill_state_release(struct distill_state *state);

#endif
