/* SPDX-License-Identifier: MIT */
/* Stall causes for people: their names, and shares that sum to exactly 100 %. */
#ifndef TOOL_STALL_H
#define TOOL_STALL_H

#include <accel/plan.h>

/* Shares are whole tenths of a percent. */
#define STALL_WHOLE 1000

/**
 * struct stall_cause - one of enum spmm_stall
 * @key: for programs
 * @name: for people
 */
struct stall_cause {
	const char *key;
	const char *name;
};

/* ACCEL_STALL_CAUSES of them. */
const struct stall_cause *stall_causes(void);

/*
 * Round lane-cycles to shares that sum to STALL_WHOLE: those with the largest
 * remainders are rounded up. All are 0 when there are no lane-cycles.
 */
void stall_shares(const uint64_t stall[ACCEL_STALL_CAUSES],
		  int shares[ACCEL_STALL_CAUSES]);

/* The largest share that is not useful work. */
int stall_largest(const int shares[ACCEL_STALL_CAUSES]);

#endif
