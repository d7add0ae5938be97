/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include <sim/kernel.h>

#define WIDE 64
#define NARROW 16

typedef int8_t bytes16 __attribute__((vector_size(16), aligned(1)));
typedef int32_t words16 __attribute__((vector_size(64)));
typedef uint32_t unsigned16 __attribute__((vector_size(64)));

#define INLINE static inline __attribute__((always_inline))

/* A macro: a function that returned it would need AVX-512 for its interface. */
#define OPERAND(x) \
	((unsigned16) __builtin_convertvector(*(const bytes16 *)(x), words16))

/* Sums stay in registers over all non-zeros of the row. */
INLINE void row_wide(const struct sim_tap *taps, size_t tap_count,
		     const int8_t *x, uint32_t start, int32_t *out)
{
	unsigned16 a = (unsigned16){ 0 } + start;
	unsigned16 b = a, c = a, d = a;

	for (size_t i = 0; i < tap_count; i++) {
		uint32_t weight = (uint32_t)taps[i].weight;
		const int8_t *at = x + taps[i].offset;

		a += OPERAND(at) * weight;
		b += OPERAND(at + 16) * weight;
		c += OPERAND(at + 32) * weight;
		d += OPERAND(at + 48) * weight;
	}
	memcpy(out, &a, sizeof(a));
	memcpy(out + 16, &b, sizeof(b));
	memcpy(out + 32, &c, sizeof(c));
	memcpy(out + 48, &d, sizeof(d));
}

INLINE void row_narrow(const struct sim_tap *taps, size_t tap_count,
		       const int8_t *x, uint32_t start, int32_t *out)
{
	unsigned16 a = (unsigned16){ 0 } + start;

	for (size_t i = 0; i < tap_count; i++)
		a += OPERAND(x + taps[i].offset) * (uint32_t)taps[i].weight;
	memcpy(out, &a, sizeof(a));
}

INLINE void row_any(const struct sim_tap *taps, size_t tap_count,
		    const int8_t *x, uint32_t start, size_t count, int32_t *out)
{
	size_t i = 0;

	for (; count - i > 2 * NARROW && i < count; i += WIDE)
		row_wide(taps, tap_count, x + i, start, out + i);
	for (; i < count; i += NARROW)
		row_narrow(taps, tap_count, x + i, start, out + i);
}

#ifdef __x86_64__
/* Integers: every version gives the same result, so the best one may run. */
__attribute__((target("avx512f,avx512bw"))) static void
row_avx512(const struct sim_tap *taps, size_t tap_count, const int8_t *x,
	   uint32_t start, size_t count, int32_t *out)
{
	row_any(taps, tap_count, x, start, count, out);
}

__attribute__((target("avx2"))) static void
row_avx2(const struct sim_tap *taps, size_t tap_count, const int8_t *x,
	 uint32_t start, size_t count, int32_t *out)
{
	row_any(taps, tap_count, x, start, count, out);
}
#endif

void kernel_row(const struct sim_tap *taps, size_t tap_count, const int8_t *x,
		uint32_t start, size_t count, int32_t *out)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512bw")) {
		row_avx512(taps, tap_count, x, start, count, out);
		return;
	}
	if (__builtin_cpu_supports("avx2")) {
		row_avx2(taps, tap_count, x, start, count, out);
		return;
	}
#endif
	row_any(taps, tap_count, x, start, count, out);
}
