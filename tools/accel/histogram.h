/* SPDX-License-Identifier: MIT */
/*
 * How often each duration was seen, without keeping them: 32 buckets for each power of
 * two, so that a value is known to within 3 %, from 1 ns to centuries.
 */
#ifndef TOOL_HISTOGRAM_H
#define TOOL_HISTOGRAM_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#define HISTOGRAM_BITS 5
#define HISTOGRAM_STEPS (1u << HISTOGRAM_BITS)
/* Values below 32 are buckets of their own; 59 powers of two follow. */
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_BITS + 1) * HISTOGRAM_STEPS)

/** struct histogram - zeroed is one that has seen nothing */
struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t least;
	uint64_t most;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline uint32_t histogram_bucket(uint64_t value)
{
	uint32_t shift;

	if (value < HISTOGRAM_STEPS)
		return (uint32_t)value;
	shift = 63u - (uint32_t)__builtin_clzll(value) - HISTOGRAM_BITS;
	return shift * HISTOGRAM_STEPS + (uint32_t)(value >> shift);
}

/* The smallest and the largest value of a bucket. */
uint64_t histogram_low(uint32_t bucket);
uint64_t histogram_high(uint32_t bucket);

/* A value that was seen @times times. */
static inline void histogram_record(struct histogram *histogram, uint64_t value,
				    uint64_t times)
{
	if (!histogram->count || value < histogram->least)
		histogram->least = value;
	if (value > histogram->most)
		histogram->most = value;
	histogram->count += times;
	histogram->sum += value * times;
	histogram->buckets[histogram_bucket(value)] += times;
}

/* So much of @fraction (0 … 1) is not above it; 0 if nothing was seen. */
uint64_t histogram_percentile(const struct histogram *histogram,
			      double fraction);

double histogram_mean(const struct histogram *histogram);

/* A bar for each power of two, indented. */
void histogram_print(const struct histogram *histogram, FILE *stream);

/* Percentiles, and each bucket that is not empty as [low, high, count]; or NULL. */
json_t *histogram_json(const struct histogram *histogram);

#endif
