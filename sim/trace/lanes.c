/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sim/trace/lanes.h>

/* More at once are a mistake of whoever makes the spans. */
#define LANES_MAX 256

/* The rows of one unit of a track, in the order in which they were opened. */
struct unit {
	struct trace_lane *lanes;
	uint32_t count;
};

struct trace_lanes {
	struct trace_lanes_user user;
	uint32_t units[TRACE_TRACK_COUNT];
	struct unit *tracks[TRACE_TRACK_COUNT];
	uint32_t opened;
};

/* What the detail of a track's spans is decides what continues one. */
static bool is_single(enum engine_track track)
{
	return track == ENGINE_TRACK_HOST || track == ENGINE_TRACK_DOORBELL ||
	       track == ENGINE_TRACK_COMMAND ||
	       track == ENGINE_TRACK_INTERRUPT ||
	       (unsigned int)track == TRACE_TRACK_WAIT;
}

static bool is_of_tiles(enum engine_track track)
{
	return track == ENGINE_TRACK_CLUSTER_LOAD ||
	       track == ENGINE_TRACK_CLUSTER ||
	       track == ENGINE_TRACK_CLUSTER_STORE;
}

/*
 * Passes of a tile that follow each other, and bytes that one command moves without a
 * pause, are one span; its bytes are summed.
 */
static bool try_merge(struct trace_lane *lane, const struct engine_span *more)
{
	struct engine_span *span = &lane->span;

	if (!lane->pending || is_single(more->track) ||
	    span->sequence != more->sequence || strcmp(span->name, more->name))
		return false;
	if (is_of_tiles(more->track)) {
		if (span->detail != more->detail || span->end != more->begin)
			return false;
	} else {
		/* side by side or overlapping, but not over what is written */
		if (more->begin > span->end || more->end < span->begin ||
		    more->begin < lane->end)
			return false;
		span->detail += more->detail;
	}
	if (more->begin < span->begin)
		span->begin = more->begin;
	if (more->end > span->end)
		span->end = more->end;
	return true;
}

/* Nothing can continue it any more. */
static void hand_out(struct trace_lanes *lanes, struct trace_lane *lane)
{
	if (!lane->pending)
		return;
	lanes->user.emit(lanes->user.owner, lane);
	lane->pending = false;
	lane->end = lane->span.end;
}

static struct trace_lane *lane_open(struct trace_lanes *lanes,
				    struct unit *unit)
{
	struct trace_lane *grown;

	if (unit->count == LANES_MAX)
		return NULL;
	grown = reallocarray(unit->lanes, unit->count + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	unit->lanes = grown;
	grown[unit->count] = (struct trace_lane){
		.number = ++lanes->opened,
		.index = unit->count,
	};
	return &grown[unit->count++];
}

/* A row whose last span is over when this one begins, or a new row. */
static struct trace_lane *lane_find(struct trace_lanes *lanes,
				    struct unit *unit,
				    const struct engine_span *span)
{
	for (uint32_t i = 0; i < unit->count; i++) {
		struct trace_lane *lane = &unit->lanes[i];
		uint64_t end = lane->pending ? lane->span.end : lane->end;

		if (end <= span->begin)
			return lane;
	}
	return lane_open(lanes, unit);
}

bool trace_lanes_add(struct trace_lanes *lanes, const struct engine_span *span)
{
	struct trace_lane *lane;
	struct unit *unit;
	uint32_t count;

	if (span->unit >= lanes->units[span->track] || span->end < span->begin)
		return false;
	unit = &lanes->tracks[span->track][span->unit];
	for (uint32_t i = 0; i < unit->count; i++)
		if (try_merge(&unit->lanes[i], span))
			return true;
	count = unit->count;
	lane = lane_find(lanes, unit, span);
	if (!lane)
		return false;
	hand_out(lanes, lane);
	lane->span = *span;
	lane->pending = true;
	if (unit->count > count)
		lanes->user.opened(lanes->user.owner, lane);
	/* at once: arrows are drawn in the order in which these are handed out */
	if (is_single(span->track))
		hand_out(lanes, lane);
	return true;
}

void trace_lanes_flush(struct trace_lanes *lanes)
{
	for (int track = 0; track < TRACE_TRACK_COUNT; track++)
		for (uint32_t i = 0; i < lanes->units[track]; i++) {
			struct unit *unit = &lanes->tracks[track][i];

			for (uint32_t l = 0; l < unit->count; l++)
				hand_out(lanes, &unit->lanes[l]);
		}
}

int trace_lanes_create(const uint32_t units[TRACE_TRACK_COUNT],
		       const struct trace_lanes_user *user,
		       struct trace_lanes **out)
{
	struct trace_lanes *lanes = calloc(1, sizeof(*lanes));

	*out = NULL;
	if (!lanes)
		return -ENOMEM;
	lanes->user = *user;
	for (int track = 0; track < TRACE_TRACK_COUNT; track++) {
		lanes->tracks[track] =
			calloc(units[track] + 1, sizeof(struct unit));
		if (!lanes->tracks[track]) {
			trace_lanes_destroy(lanes);
			return -ENOMEM;
		}
		lanes->units[track] = units[track];
	}
	*out = lanes;
	return 0;
}

void trace_lanes_destroy(struct trace_lanes *lanes)
{
	if (!lanes)
		return;
	for (int track = 0; track < TRACE_TRACK_COUNT; track++) {
		for (uint32_t i = 0; i < lanes->units[track]; i++)
			free(lanes->tracks[track][i].lanes);
		free(lanes->tracks[track]);
	}
	free(lanes);
}
