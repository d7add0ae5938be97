/* SPDX-License-Identifier: MIT */
#include <train/dataset_order.h>

#include <compress/sample.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>

/* Fisher and Yates, as Durstenfeld wrote it (1964). */
static void permute(struct dataset_order *order, uint64_t epoch)
{
	struct sample_generator generator;

	/* Seeds next to each other must not share epochs. */
	sample_seed(&generator, order->seed);
	sample_seed(&generator, sample_bits(&generator) + epoch);
	for (size_t i = 0; i < order->count; i++)
		order->permutation[i] = i;
	for (size_t i = order->count; i > 1; i--) {
		size_t j = (size_t)sample_below(&generator, i);
		size_t held = order->permutation[i - 1];

		order->permutation[i - 1] = order->permutation[j];
		order->permutation[j] = held;
	}
	order->epoch = epoch;
}

int dataset_order_create(struct dataset_order *order, size_t count,
			 uint64_t seed)
{
	*order = (struct dataset_order){ .count = count, .seed = seed };
	if (!count)
		return accel_error(-EINVAL, "no samples to train on");
	order->permutation = calloc(count, sizeof(*order->permutation));
	if (!order->permutation)
		return accel_error(-ENOMEM, "no memory for %zu samples", count);
	permute(order, 0);
	return 0;
}

void dataset_order_release(struct dataset_order *order)
{
	free(order->permutation);
	order->permutation = NULL;
}

void dataset_order_batch(struct dataset_order *order, uint64_t step,
			 size_t size, size_t *indices)
{
	uint64_t first = step * size;

	for (size_t i = 0; i < size; i++) {
		uint64_t epoch = (first + i) / order->count;

		if (epoch != order->epoch)
			permute(order, epoch);
		indices[i] = order->permutation[(first + i) % order->count];
	}
}
