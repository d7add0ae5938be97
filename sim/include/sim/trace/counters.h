/* SPDX-License-Identifier: MIT */
/*
 * Values over time with a bounded rate of points: where a value changes often, its mean
 * over each interval stands for it.
 */
#ifndef SIM_TRACE_COUNTERS_H
#define SIM_TRACE_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct trace_counter - one value
 * @interval: cycles of which the mean is taken; 1: every change is a point
 * @emit: from cycle @at on it is @hundredths ÷ 100
 * @owner: handed to @emit
 * @id: for the owner
 * @start: of the interval that goes on, counter.c's as all that follows
 */
struct trace_counter {
	uint64_t interval;
	void (*emit)(void *owner, uint32_t id, uint64_t at,
		     uint64_t hundredths);
	void *owner;
	uint32_t id;
	uint64_t start;
	uint64_t since;
	uint64_t sum;
	uint64_t value;
	uint64_t shown;
	bool any;
};

/* @value holds from cycle @now on, which is not before the one of the last call. */
void trace_counter_change(struct trace_counter *counter, uint64_t now,
			  uint64_t value);

/* What the last interval has, and what holds after it. */
void trace_counter_flush(struct trace_counter *counter);

#endif
