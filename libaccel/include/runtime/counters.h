/* SPDX-License-Identifier: MIT */
/*
 * What a queue counts. Its one thread writes, anybody reads: plain 64-bit words, stored
 * whole, with no order among them.
 */
#ifndef RUNTIME_COUNTERS_H
#define RUNTIME_COUNTERS_H

#include <stdint.h>

/**
 * struct queue_counters - as struct accel_queue_stats, which explains them
 *
 * Part of the stats page: a change is one of its version.
 */
struct queue_counters {
	uint64_t submitted;
	uint64_t batches;
	uint64_t doorbells;
	uint64_t reports;
	uint64_t completed;
	uint64_t failed;
	uint64_t reaps;
	uint64_t empty_reaps;
	uint64_t spins;
	uint64_t spin_ns;
	uint64_t sleeps;
	uint64_t wakeups;
	uint64_t wait_ns;
	uint64_t reserved[3];
};

_Static_assert(sizeof(struct queue_counters) == 128, "two cache lines");

static inline uint64_t counter_read(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* For its one writer: no lock prefix. */
static inline void counter_add(uint64_t *counter, uint64_t amount)
{
	__atomic_store_n(counter, *counter + amount, __ATOMIC_RELAXED);
}

static inline void counter_set(uint64_t *counter, uint64_t value)
{
	__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

#endif
