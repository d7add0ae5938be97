/* SPDX-License-Identifier: MIT */
/*
 * What the engine shows of itself: spans for a time line, and values for waves. An
 * observer changes nothing; without one nothing is computed for it.
 */
#ifndef SIM_ENGINE_OBSERVER_H
#define SIM_ENGINE_OBSERVER_H

#include <stdint.h>

/* Lines of the time line; @unit of a span numbers several of a kind. */
enum engine_track {
	ENGINE_TRACK_HOST, /* submissions and completions seen by the host */
	ENGINE_TRACK_DOORBELL,
	ENGINE_TRACK_COMMAND, /* a command from its dispatch to its retirement */
	ENGINE_TRACK_FETCH, /* entries and descriptors */
	ENGINE_TRACK_DMA, /* unit: the engine */
	ENGINE_TRACK_LINK_UP, /* packets towards the host */
	ENGINE_TRACK_LINK_DOWN,
	ENGINE_TRACK_CLUSTER_LOAD, /* unit: the cluster; a tile's passes together */
	ENGINE_TRACK_CLUSTER, /* likewise: lanes */
	ENGINE_TRACK_CLUSTER_STORE,
	ENGINE_TRACK_DRAM, /* unit: the channel; a transfer's requests together */
	ENGINE_TRACK_INTERRUPT,
	ENGINE_TRACK_COUNT,
};

/**
 * struct engine_span - something that took place in [begin, end)
 * @name: a static text
 * @sequence: of the command that it belongs to, or 0
 * @detail: a tile's number, or bytes, as the track has it
 */
struct engine_span {
	enum engine_track track;
	uint32_t unit;
	uint64_t begin;
	uint64_t end;
	const char *name;
	uint64_t sequence;
	uint64_t detail;
};

/* Waves: what holds from a cycle on. */
enum engine_signal {
	ENGINE_SIGNAL_CLUSTER_COMMAND, /* sequence, 0: none; unit: the cluster */
	ENGINE_SIGNAL_CLUSTER_STATE, /* enum engine_cluster_state */
	ENGINE_SIGNAL_WINDOW, /* commands in the window */
	ENGINE_SIGNAL_DRAM_QUEUE, /* requests waiting; unit: the channel */
	ENGINE_SIGNAL_LINK_TAGS, /* in use */
	ENGINE_SIGNAL_LINK_POSTED, /* posted credits in use */
	ENGINE_SIGNAL_DMA_COMMAND, /* sequence; unit: the engine */
	ENGINE_SIGNAL_COUNT,
};

struct engine_command;

/**
 * struct engine_observer - who looks on; a function may be NULL
 * @command: one has been pushed and has its sequence; comes before all else of it
 * @span: something is over; spans of a track and unit come in the order of their ends
 * @change: @value holds from cycle @now on; in the order of time, over all signals
 * @owner: handed to the functions
 */
struct engine_observer {
	void (*command)(void *owner, const struct engine_command *command);
	void (*span)(void *owner, const struct engine_span *span);
	void (*change)(void *owner, enum engine_signal signal, uint32_t unit,
		       uint64_t now, uint64_t value);
	void *owner;
};

#endif
