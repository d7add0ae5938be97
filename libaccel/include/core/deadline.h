/* SPDX-License-Identifier: MIT */
/* Points in monotonic time by which a wait has to end. */
#ifndef CORE_DEADLINE_H
#define CORE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t monotonic_ns(void);

/* The moment timeout_ns after another; a timeout too long to count ends never. */
uint64_t deadline_from(uint64_t start, uint64_t timeout_ns);

/* The moment timeout_ns from now, likewise. */
uint64_t deadline_after(uint64_t timeout_ns);

bool deadline_expired(uint64_t deadline);

/* Nanoseconds that are left, 0 once it has expired. */
uint64_t deadline_remaining(uint64_t deadline);

#endif
