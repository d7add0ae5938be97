/* SPDX-License-Identifier: MIT */
/*
 * Four times side by side, for ACT, PRE, READ and WRITE, in the vectors that gcc and
 * clang make of any target's registers: a controller compares dozens of times for every
 * command.
 */
#ifndef SIM_DRAM_LANES_H
#define SIM_DRAM_LANES_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define DRAM_LANES 4

typedef int32_t dram_lanes __attribute__((vector_size(16)));

static inline dram_lanes dram_lanes_set(int32_t value)
{
	return (dram_lanes){ value, value, value, value };
}

/* Where @which is −1 the one, where it is 0 the other. */
static inline dram_lanes dram_lanes_select(dram_lanes which, dram_lanes one,
					   dram_lanes other)
{
	return (one & which) | (other & ~which);
}

static inline dram_lanes dram_lanes_max(dram_lanes a, dram_lanes b)
{
	return dram_lanes_select(a > b, a, b);
}

static inline dram_lanes dram_lanes_min(dram_lanes a, dram_lanes b)
{
	return dram_lanes_select(a > b, b, a);
}

/* The least of the four. */
static inline int32_t dram_lanes_least(dram_lanes lanes)
{
	int32_t a = lanes[0] < lanes[1] ? lanes[0] : lanes[1];
	int32_t b = lanes[2] < lanes[3] ? lanes[2] : lanes[3];

	return a < b ? a : b;
}

/* A bit for each lane that is at most @limit. */
static inline uint32_t dram_lanes_at_most(dram_lanes lanes, int32_t limit)
{
	dram_lanes above = lanes > dram_lanes_set(limit);

#ifdef __SSE2__
	return (uint32_t)_mm_movemask_ps((__m128)above) ^ 15;
#else
	return (uint32_t)((~above[0] & 1) | (~above[1] & 2) | (~above[2] & 4) |
			  (~above[3] & 8));
#endif
}

/* A bit for each of four banks that has a lane at most @limit where @mask is −1. */
static inline uint32_t dram_lanes_any(const dram_lanes *banks, dram_lanes mask,
				      int32_t limit)
{
#ifdef __SSE2__
	dram_lanes above = dram_lanes_set(limit);
	__m128i a = (__m128i)(mask & ~(banks[0] > above));
	__m128i b = (__m128i)(mask & ~(banks[1] > above));
	__m128i c = (__m128i)(mask & ~(banks[2] > above));
	__m128i d = (__m128i)(mask & ~(banks[3] > above));
	/* A byte for each lane, a bit for each byte, then one for four of them. */
	uint32_t bits = (uint32_t)_mm_movemask_epi8(
		_mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d)));

	bits |= bits >> 1;
	bits |= bits >> 2;
	return (bits & 0x1111) * 0x1248 >> 12 & 15;
#else
	uint32_t bits = 0;

	for (unsigned int i = 0; i < 4; i++) {
		dram_lanes in = mask & (banks[i] <= dram_lanes_set(limit));

		bits |= (uint32_t)((in[0] | in[1] | in[2] | in[3]) & 1) << i;
	}
	return bits;
#endif
}

#endif
