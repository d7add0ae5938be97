/* SPDX-License-Identifier: MIT */
/*
 * Streams of commands for the engine: random ones from a seed, or built by a test; and
 * what becomes of them in either engine.
 */
#ifndef TEST_ENGINE_STREAM_H
#define TEST_ENGINE_STREAM_H

#include <sim/engine/engine.h>

/* What the host does when it has pushed a command. */
enum stream_action {
	STREAM_RUN,
	STREAM_PUSH_ON,
	STREAM_DRAIN,
	STREAM_IDLE,
	STREAM_DROP,
	STREAM_REST,
	STREAM_ACTION_COUNT,
};

/**
 * struct stream_command - a command with the memory that it points to
 * @action: after it has been pushed; on @argument
 * @times: it retired, and never more than once
 * @retired_at: cycle
 * @order: of retirement, over all
 */
struct stream_command {
	struct engine_command command;
	enum stream_action action;
	uint32_t argument;
	uint32_t times;
	uint32_t dropped;
	uint64_t retired_at;
	uint32_t order;
};

struct stream {
	struct sim_config config;
	struct stream_command *commands;
	uint32_t count;
	struct engine *engine;
	struct engine_options options;
	bool moves; /* at a rest, to a new engine */
	uint32_t retired;
};

/* A device of which every number may become a test's concern, and no command yet. */
void stream_init(struct stream *stream, const char *preset);
void stream_free(struct stream *stream);

/* The same seed makes the same stream. */
void stream_random(struct stream *stream, uint64_t seed, uint32_t count);

/* A command with room for so many tiles, passes and ranges of each kind, all zero. */
struct engine_command *stream_add(struct stream *stream, enum engine_unit unit,
				  uint32_t tiles, uint32_t passes,
				  uint32_t memory_ranges, uint32_t link_ranges);

/* Pushes all, drains and rests; the first error. */
int stream_run(struct stream *stream, enum engine_mode mode,
	       struct engine_totals *totals);

#endif
