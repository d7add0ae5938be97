/* SPDX-License-Identifier: MIT */
/*
 * How long a wait spins before it sleeps. A sleep and its wake-up cost some 7 µs and a
 * system call or two; spinning costs the core. So a wait spins only if what it waits for
 * is likely there before the limit.
 *
 * What is likely is learned from the waits before: the mean of how long they took, and
 * the mean deviation from it, smoothed as RFC 6298 smooths round trips.
 *
 *	SPINNING	mean ≤ limit: spin for mean + 4 deviations, at most the limit
 *	SLEEPING	mean > limit: sleep at once; but every so many waits is a probe,
 *			which spins up to the limit
 *
 * Waits that slept look longer than they had to be, by the wake-up. The probes are for
 * that: one that need not sleep leads back to SPINNING, with what it took as the mean.
 * From probe to probe twice as many waits pass, up to a bound.
 */
#ifndef RUNTIME_SPIN_H
#define RUNTIME_SPIN_H

#include <stdbool.h>
#include <stdint.h>

/* The limit where a program names none. */
#define SPIN_LIMIT_NS 50000

/* From probe to probe, at first and at last. */
#define SPIN_PROBE_FIRST 8
#define SPIN_PROBE_LAST 256

/**
 * struct spin - what the waits of a queue have learned
 * @option: of struct accel_queue_options: spin so long; 0: adapt; −1: never spin
 * @mean_ns: of the waits
 * @deviation_ns: from it
 * @interval: waits from probe to probe
 * @left: waits until the next one
 */
struct spin {
	int64_t option;
	uint64_t mean_ns;
	uint64_t deviation_ns;
	uint32_t interval;
	uint32_t left;
};

void spin_init(struct spin *spin, int64_t option);

/* How long the wait that begins now is to spin. */
uint64_t spin_budget(struct spin *spin);

/**
 * spin_learn() - a wait is over
 * @spin: of the queue
 * @waited_ns: it took
 * @slept: for a part of that
 * @satisfied: what it waited for came; else its time was over
 */
void spin_learn(struct spin *spin, uint64_t waited_ns, bool slept,
		bool satisfied);

#endif
