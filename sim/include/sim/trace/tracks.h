/* SPDX-License-Identifier: MIT */
/* How the time line shows the engine's tracks: their groups, names and details. */
#ifndef SIM_TRACE_TRACKS_H
#define SIM_TRACE_TRACKS_H

#include <stdbool.h>

#include <sim/trace/lanes.h>

/* Groups of rows, in the order in which they are shown. */
enum trace_process {
	PROCESS_HOST = 1,
	PROCESS_COMMANDS,
	PROCESS_LINK,
	PROCESS_DMA,
	PROCESS_CLUSTERS,
	PROCESS_DRAM,
	PROCESS_END,
};

/**
 * struct trace_track - how a track is shown
 * @name: of its rows
 * @process: they belong to
 * @rank: of the rows among those of the same unit
 * @numbered: the name is followed by the unit
 * @detail: what a span's detail is, NULL: nothing
 * @by_command: spans are called like their command, if that has a name
 */
struct trace_track {
	const char *name;
	enum trace_process process;
	uint32_t rank;
	bool numbered;
	const char *detail;
	bool by_command;
};

extern const char *const trace_process_names[PROCESS_END];
extern const struct trace_track trace_tracks[TRACE_TRACK_COUNT];

/* What a cluster in a state (enum engine_cluster_state) waits for, or NULL. */
const char *trace_wait_name(uint64_t state);

#endif
