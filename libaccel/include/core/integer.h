/* SPDX-License-Identifier: MIT */
/*
 * Small arithmetic on numbers that are known to be in range; for what came from
 * outside there is core/checked.h.
 */
#ifndef CORE_INTEGER_H
#define CORE_INTEGER_H

#include <stdint.h>

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* a ÷ b rounded up; b is not 0. */
static inline uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

/* The same where a product of two numbers of 64 bits is divided. */
static inline uint64_t divide_up_u128(unsigned __int128 a, uint64_t b)
{
	return (uint64_t)(a / b + (a % b != 0));
}

/* Up to a multiple of alignment, which is a power of two. */
static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

/* The first of the nth of count even shares of a total. */
static inline uint64_t even_share(uint64_t total, uint64_t n, uint64_t count)
{
	return total / count * n + total % count * n / count;
}

#endif
