/* SPDX-License-Identifier: MIT */
#include <core/deadline.h>

#include <time.h>

#define NS_PER_SECOND 1000000000ull

uint64_t monotonic_ns(void)
{
	struct timespec now;

	/* Cannot fail: Linux always has this clock and the pointer is good. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t deadline_from(uint64_t start, uint64_t timeout_ns)
{
	uint64_t deadline;

	if (__builtin_add_overflow(start, timeout_ns, &deadline))
		return UINT64_MAX;
	return deadline;
}

uint64_t deadline_after(uint64_t timeout_ns)
{
	return deadline_from(monotonic_ns(), timeout_ns);
}

bool deadline_expired(uint64_t deadline)
{
	return deadline_remaining(deadline) == 0;
}

uint64_t deadline_remaining(uint64_t deadline)
{
	uint64_t now = monotonic_ns();

	return now < deadline ? deadline - now : 0;
}
