/* SPDX-License-Identifier: MIT */
/*
 * Another clock seen from the device's: its frequency is @numerator ÷ @denominator of
 * it, exactly. Edge e lies in the device cycle in which it takes place.
 */
#ifndef SIM_ENGINE_CLOCK_RATIO_H
#define SIM_ENGINE_CLOCK_RATIO_H

#include <stdint.h>

#include <core/integer.h>

struct clock_ratio {
	uint64_t numerator;
	uint64_t denominator;
};

static inline struct clock_ratio clock_ratio_make(uint64_t numerator,
						  uint64_t denominator)
{
	uint64_t a = numerator;
	uint64_t b = denominator;

	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return (struct clock_ratio){ numerator / a, denominator / a };
}

/* value · a ÷ b, rounded up. */
static inline uint64_t clock_ratio_scale_up(uint64_t value, uint64_t a,
					    uint64_t b)
{
	uint64_t product;

	if (!__builtin_mul_overflow(value, a, &product))
		return divide_up(product, b);
	return divide_up_u128((unsigned __int128)value * a, b);
}

/* The first edge that is not before device cycle @cycle begins. */
static inline uint64_t clock_ratio_edge(const struct clock_ratio *ratio,
					uint64_t cycle)
{
	return clock_ratio_scale_up(cycle, ratio->numerator,
				    ratio->denominator);
}

/* The device cycle in which an edge lies: the last that begins at it or before. */
static inline uint64_t clock_ratio_cycle(const struct clock_ratio *ratio,
					 uint64_t edge)
{
	uint64_t product;

	if (!__builtin_mul_overflow(edge, ratio->denominator, &product))
		return product / ratio->numerator;
	return (uint64_t)((unsigned __int128)edge * ratio->denominator /
			  ratio->numerator);
}

/* The first device cycle that does not begin before an edge. */
static inline uint64_t clock_ratio_after(const struct clock_ratio *ratio,
					 uint64_t edge)
{
	return clock_ratio_scale_up(edge, ratio->denominator, ratio->numerator);
}

#endif
