/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic on numbers that came from outside. Each returns false on overflow,
 * and the result is then not to be used.
 */
#ifndef CORE_CHECKED_H
#define CORE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool checked_add(size_t a, size_t b, size_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

static inline bool checked_multiply(size_t a, size_t b, size_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

static inline bool checked_add_u64(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

static inline bool checked_multiply_u64(uint64_t a, uint64_t b,
					uint64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

static inline bool checked_add_i64(int64_t a, int64_t b, int64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

static inline bool checked_multiply_i64(int64_t a, int64_t b, int64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

/* Round up to a multiple of alignment, which is a power of two. */
static inline bool checked_align(size_t value, size_t alignment,
				 size_t *aligned)
{
	if (__builtin_add_overflow(value, alignment - 1, aligned))
		return false;
	*aligned &= ~(alignment - 1);
	return true;
}

/* Does [offset, offset + length) lie within [0, size)? */
static inline bool checked_range(uint64_t offset, uint64_t length,
				 uint64_t size)
{
	return offset <= size && length <= size - offset;
}

#endif
