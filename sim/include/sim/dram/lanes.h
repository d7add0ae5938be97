/* SPDX-License-Identifier: MIT */
/*
 * Eight times of 16 bits side by side, those of ACT, PRE, READ and WRITE at two banks, in
 * the vectors that gcc and clang make of any target's registers: a controller compares
 * dozens of times for every command.
 *
 * Where SSE2 has one instruction for what its vectors take several for, it is named:
 * compilers do not find it.
 */
#ifndef SIM_DRAM_LANES_H
#define SIM_DRAM_LANES_H

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define DRAM_LANES 8

/* Arrays of times are read as vectors, too. */
typedef int16_t dram_lanes __attribute__((vector_size(16), may_alias));

static inline dram_lanes dram_lanes_set(int16_t value)
{
	return (dram_lanes){ value, value, value, value,
			     value, value, value, value };
}

static inline dram_lanes dram_lanes_max(dram_lanes a, dram_lanes b)
{
#ifdef __SSE2__
	return (dram_lanes)_mm_max_epi16((__m128i)a, (__m128i)b);
#else
	dram_lanes above = a > b;

	return (a & above) | (b & ~above);
#endif
}

static inline dram_lanes dram_lanes_min(dram_lanes a, dram_lanes b)
{
#ifdef __SSE2__
	return (dram_lanes)_mm_min_epi16((__m128i)a, (__m128i)b);
#else
	dram_lanes above = a > b;

	return (b & above) | (a & ~above);
#endif
}

/* The least of the eight. */
static inline int16_t dram_lanes_least(dram_lanes lanes)
{
#ifdef __SSE2__
	__m128i least = (__m128i)lanes;

	least = _mm_min_epi16(least, _mm_shuffle_epi32(least, 0x4e));
	least = _mm_min_epi16(least, _mm_shuffle_epi32(least, 0xb1));
	least = _mm_min_epi16(least, _mm_shufflelo_epi16(least, 0xb1));
	return (int16_t)_mm_cvtsi128_si32(least);
#else
	int16_t least = lanes[0];

	for (unsigned int i = 1; i < DRAM_LANES; i++)
		least = lanes[i] < least ? lanes[i] : least;
	return least;
#endif
}

/* A bit for each of sixteen times that is at most @limit. */
static inline uint64_t dram_lanes_at_most(dram_lanes low, dram_lanes high,
					  dram_lanes limit)
{
#ifdef __SSE2__
	__m128i above = _mm_packs_epi16((__m128i)(low > limit),
					(__m128i)(high > limit));

	return (uint32_t)_mm_movemask_epi8(above) ^ 0xffffu;
#else
	uint64_t bits = 0;

	for (unsigned int i = 0; i < DRAM_LANES; i++)
		bits |= (uint64_t)(low[i] <= limit[i]) << i |
			(uint64_t)(high[i] <= limit[i]) << (i + DRAM_LANES);
	return bits;
#endif
}

/* Of each of a bank's commands @value where @bytes has @byte, else @times of its pair. */
static inline dram_lanes dram_lanes_where(const uint8_t *bytes, uint8_t byte,
					  int16_t value, dram_lanes times)
{
#ifdef __SSE2__
	int32_t four;
	__m128i where;

	__builtin_memcpy(&four, bytes, sizeof(four));
	where = _mm_cmpeq_epi8(_mm_cvtsi32_si128(four),
			       _mm_set1_epi8((char)byte));
	where = _mm_unpacklo_epi8(where, where);
	where = _mm_unpacklo_epi64(where, where);
	return ((dram_lanes)where & value) | (times & ~(dram_lanes)where);
#else
	for (unsigned int i = 0; i < DRAM_LANES; i++)
		if (bytes[i % 4] == byte)
			times[i] = value;
	return times;
#endif
}

/*
 * Sets one bank's times of a pair. As a whole vector: what has been written by halves
 * and is read whole at once takes long.
 */
static inline void dram_lanes_put(dram_lanes *pair, uint32_t bank,
				  dram_lanes times)
{
	static const dram_lanes halves[2] = {
		{ -1, -1, -1, -1, 0, 0, 0, 0 },
		{ 0, 0, 0, 0, -1, -1, -1, -1 },
	};

	*pair = (*pair & ~halves[bank]) | (times & halves[bank]);
}

#endif
