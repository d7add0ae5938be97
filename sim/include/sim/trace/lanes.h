/* SPDX-License-Identifier: MIT */
/*
 * Rows of a time line. What a track shows of one unit may overlap (commands in the
 * window, transfers of a channel), the spans of a row may not: each goes to the first
 * row, or lane, that is free, and what continues a span becomes one with it.
 */
#ifndef SIM_TRACE_LANES_H
#define SIM_TRACE_LANES_H

#include <stdbool.h>

#include <sim/engine/observer.h>

/* Beside the engine's: what a cluster waits for. */
#define TRACE_TRACK_WAIT ENGINE_TRACK_COUNT
#define TRACE_TRACK_COUNT (ENGINE_TRACK_COUNT + 1)

/**
 * struct trace_lane - one row
 * @number: 1, 2, … over all rows
 * @index: of the unit's rows
 * @span: the last one, not handed out yet, for more of it may come
 * @end: of the one before it
 * @pending: there is a @span
 */
struct trace_lane {
	uint32_t number;
	uint32_t index;
	struct engine_span span;
	uint64_t end;
	bool pending;
};

/**
 * struct trace_lanes_user - who shows them
 * @opened: a row is new
 * @emit: its span is whole; those of a row come in order
 */
struct trace_lanes_user {
	void (*opened)(void *owner, const struct trace_lane *lane);
	void (*emit)(void *owner, const struct trace_lane *lane);
	void *owner;
};

struct trace_lanes;

/* With as many units for each track; −ENOMEM. */
int trace_lanes_create(const uint32_t units[TRACE_TRACK_COUNT],
		       const struct trace_lanes_user *user,
		       struct trace_lanes **out);

/* False if there is no such unit or no row for it: the span is not shown. */
bool trace_lanes_add(struct trace_lanes *lanes, const struct engine_span *span);

/* Hands out what is pending. */
void trace_lanes_flush(struct trace_lanes *lanes);

void trace_lanes_destroy(struct trace_lanes *lanes);

#endif
