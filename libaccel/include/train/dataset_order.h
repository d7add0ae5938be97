/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_DATASET_ORDER_H
#define TRAIN_DATASET_ORDER_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct dataset_order - in which order samples are trained on
 * @count: samples
 * @seed: of the permutations
 * @epoch: that @permutation is of
 * @permutation: private
 *
 * Every epoch takes each sample once, in an order that depends on seed and epoch
 * alone: so a batch depends on nothing but the seed and its number.
 */
struct dataset_order {
	size_t count;
	uint64_t seed;
	uint64_t epoch;
	size_t *permutation;
};

/* 0, −EINVAL without samples, −ENOMEM. */
int dataset_order_create(struct dataset_order *order, size_t count,
			 uint64_t seed);
void dataset_order_release(struct dataset_order *order);

/* Which samples are in batch number @step, each of @size. */
void dataset_order_batch(struct dataset_order *order, uint64_t step,
			 size_t size, size_t *indices);

#endif
