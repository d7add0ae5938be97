/* SPDX-License-Identifier: MIT */
/*
 * When each lane of a cluster issues each of its symbols: the rule that the
 * hardware follows, as a function of the weight stream alone.
 *
 * A lane sees the next `window` symbols of its stream, of which some may have
 * issued already. In each cycle the lanes choose one after the other: a lane
 * issues the oldest symbol that it sees whose bank no lane before it has taken
 * and whose row is the oldest unfinished one or one of the next accumulators − 1.
 * The choice needs nothing from the lanes after it, so that in hardware lane l
 * decides one clock after lane l − 1: a pipeline without a long path.
 */
#ifndef PACK_SCHEDULE_H
#define PACK_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pack/geometry.h"

#define SCHEDULE_LANES_MAX 128
#define SCHEDULE_BANKS_MAX 64
#define SCHEDULE_WINDOW_MAX 64

/* A symbol: its bank, or a filler, which needs no bank; and is its row new? */
#define SCHEDULE_BANK_MASK 0x3f
#define SCHEDULE_FILLER 0x40
#define SCHEDULE_NEW_ROW 0x80

/**
 * struct schedule_lane - what one lane has to do
 * @symbols: in stream order
 * @count: of @symbols
 * @cycles: out: when each symbol issues; NULL when nobody wants to know
 * @end: out: the cycle behind its last issue; NULL likewise
 */
struct schedule_lane {
	const uint8_t *symbols;
	size_t count;
	uint32_t *cycles;
	uint64_t *end;
};

/**
 * struct schedule_limits - of a cluster
 * @lanes: ≤ SCHEDULE_LANES_MAX
 * @banks: ≤ SCHEDULE_BANKS_MAX
 * @window: symbols that a lane sees, ≤ SCHEDULE_WINDOW_MAX
 * @accumulators: rows that a lane works on at a time
 * @rate: symbols that all lanes issue in one cycle
 */
struct schedule_limits {
	uint32_t lanes;
	uint32_t banks;
	uint32_t window;
	uint32_t accumulators;
	uint32_t rate;
};

/**
 * struct schedule_result - what it took
 * @cycles: until the last lane has finished
 * @stalls: lane-cycles without an issue, before the lane's own end
 */
struct schedule_result {
	uint64_t cycles;
	uint64_t stalls;
};

/* False when the geometry is out of the model's range; vector_width is in use. */
bool schedule_limits_from(const struct geometry *geometry,
			  uint32_t vector_width,
			  struct schedule_limits *limits);

struct schedule_result schedule_run(const struct schedule_limits *limits,
				    const struct schedule_lane *lanes);

#endif
