/* SPDX-License-Identifier: MIT */
/*
 * The fast engine and the reference engine agree on everything that they report, on
 * random devices and random streams of commands.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <accel/error.h>

#include "engine_stream.h"

#define SEEDS 1500
#define COMMANDS 12
#define REST_SEEDS 300

static uint64_t seed_running;

static void commands_compare(const struct stream_command *fast,
			     const struct stream_command *reference)
{
	const struct engine_command *a = &fast->command;
	const struct engine_command *b = &reference->command;

	assert_int_equal(fast->times, reference->times);
	assert_int_equal(fast->dropped, reference->dropped);
	assert_int_equal(fast->retired_at, reference->retired_at);
	assert_int_equal(fast->order, reference->order);
	assert_int_equal(a->sequence, b->sequence);
	assert_int_equal(a->fetch_cycle, b->fetch_cycle);
	assert_int_equal(a->start_cycle, b->start_cycle);
	assert_int_equal(a->work_cycle, b->work_cycle);
	assert_int_equal(a->end_cycle, b->end_cycle);
	assert_int_equal(a->early_bytes, b->early_bytes);
	assert_int_equal(a->activates, b->activates);
	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		assert_int_equal(a->lane_cycles[i], b->lane_cycles[i]);
}

/* Those of a queue retire in order, each once unless it was dropped. */
static void order_check(const struct stream *stream)
{
	for (uint32_t i = 0; i < stream->count; i++) {
		const struct stream_command *one = &stream->commands[i];

		assert_int_equal(one->times + one->dropped, 1);
		for (uint32_t j = 0; one->times && j < i; j++) {
			const struct stream_command *other =
				&stream->commands[j];

			if (other->times &&
			    other->command.queue == one->command.queue)
				assert_true(other->order < one->order);
		}
	}
}

/* Cycles of the lanes of the busiest cluster. */
static uint64_t busiest_cycles(const struct engine_command *command)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < command->row_groups * command->column_groups;
	     i++) {
		uint32_t row = i / command->column_groups;
		uint32_t column = i % command->column_groups;
		uint64_t cycles = 0;
		uint64_t v = 0;

		for (uint32_t t = 0; t < command->tile_count; t++) {
			const struct engine_tile *tile = &command->tiles[t];

			for (uint64_t end = v + tile->vectors; v < end; v++)
				if (v % command->column_groups == column)
					cycles += command->passes[tile->passes +
								  row]
							  .compute_cycles;
		}
		if (cycles > most)
			most = cycles;
	}
	return most;
}

/*
 * What is somebody's sums up to what the device did, nothing is charged outside of a
 * command's life, and no command is faster than its lanes.
 */
static void accounts_check(const struct stream *stream,
			   const struct engine_totals *totals)
{
	uint64_t lanes =
		(uint64_t)stream->config.clusters * stream->config.lanes;
	uint64_t sum[SPMM_STALL_COUNT] = { 0 };
	uint64_t all = 0;

	for (uint32_t i = 0; i < stream->count; i++) {
		const struct engine_command *command =
			&stream->commands[i].command;
		uint64_t own = 0;

		for (unsigned int c = 0; c < SPMM_STALL_COUNT; c++) {
			sum[c] += command->lane_cycles[c];
			own += command->lane_cycles[c];
		}
		if (!stream->commands[i].times)
			continue;
		assert_true(own <= lanes * (command->end_cycle -
					    command->fetch_cycle));
		assert_true(command->fetch_cycle <= command->start_cycle);
		if (command->unit == ENGINE_ARRAY)
			assert_true(command->end_cycle - command->start_cycle >=
				    busiest_cycles(command));
	}
	for (unsigned int c = 0; c < SPMM_STALL_COUNT; c++) {
		if (c != SPMM_STALL_IDLE)
			assert_int_equal(sum[c], totals->lane_cycles[c]);
		all += totals->lane_cycles[c];
	}
	assert_int_equal(sum[SPMM_STALL_IDLE], 0);
	assert_int_equal(all, lanes * totals->cycles);
}

static void stream_check(struct stream *stream, enum engine_mode mode,
			 struct engine_totals *totals)
{
	int ret = stream_run(stream, mode, totals);

	if (ret)
		print_error("%s\n", accel_last_error());
	assert_int_equal(ret, 0);
}

static void seed_check(uint64_t seed)
{
	struct engine_totals fast_totals, reference_totals;
	struct stream fast, reference;

	memset(&fast_totals, 0, sizeof(fast_totals));
	memset(&reference_totals, 0, sizeof(reference_totals));
	stream_random(&fast, seed, COMMANDS);
	stream_random(&reference, seed, COMMANDS);
	seed_running = seed;
	stream_check(&fast, ENGINE_FAST, &fast_totals);
	stream_check(&reference, ENGINE_REFERENCE, &reference_totals);
	for (uint32_t i = 0; i < fast.count; i++)
		commands_compare(&fast.commands[i], &reference.commands[i]);
	assert_memory_equal(&fast_totals, &reference_totals,
			    sizeof(fast_totals));
	order_check(&fast);
	accounts_check(&fast, &fast_totals);
	stream_free(&fast);
	stream_free(&reference);
}

/* ENGINE_SEED names the only one to be run. */
static void engines_agree(void **state)
{
	const char *only = getenv("ENGINE_SEED");
	uint64_t first = only ? strtoull(only, NULL, 0) : 1;
	uint64_t last = only ? first : SEEDS;

	(void)state;
	for (uint64_t seed = first; seed <= last; seed++)
		seed_check(seed);
}

/* An engine at rest, and a new one in its state. */
static void restored_engine_goes_on_alike(void **state)
{
	struct engine_totals totals[2];
	struct stream streams[2];

	(void)state;
	memset(totals, 0, sizeof(totals));
	for (uint64_t seed = 1; seed <= REST_SEEDS; seed++) {
		seed_running = seed;
		for (unsigned int i = 0; i < 2; i++) {
			stream_random(&streams[i], seed, COMMANDS);
			streams[i].commands[seed % COMMANDS].action =
				STREAM_REST;
			streams[i].moves = i;
			stream_check(&streams[i], ENGINE_FAST, &totals[i]);
		}
		for (uint32_t i = 0; i < COMMANDS; i++)
			commands_compare(&streams[0].commands[i],
					 &streams[1].commands[i]);
		assert_memory_equal(&totals[0], &totals[1], sizeof(totals[0]));
		order_check(&streams[1]);
		stream_free(&streams[0]);
		stream_free(&streams[1]);
	}
}

/* One queue, some of whose commands come with a doorbell, the first among them. */
static void batches_random(struct stream *stream, uint64_t seed, bool drains)
{
	stream_random(stream, seed, COMMANDS);
	for (uint32_t i = 0; i < COMMANDS; i++) {
		struct stream_command *command = &stream->commands[i];

		command->command.queue = 0;
		command->action = STREAM_RUN;
		if (i && !command->command.fetch.doorbell)
			continue;
		command->command.fetch.doorbell = true;
		command->command.fetch.entry = true;
		command->command.fetch.entry_bytes = 64;
		if (i && drains)
			command[-1].action = STREAM_DRAIN;
	}
}

/* A doorbell's commands are seen before the last ones have retired, or after. */
static void host_speed_does_not_matter(void **state)
{
	struct engine_totals totals[2];
	struct stream streams[2];

	(void)state;
	memset(totals, 0, sizeof(totals));
	for (uint64_t seed = 1; seed <= REST_SEEDS; seed++) {
		seed_running = seed;
		for (unsigned int i = 0; i < 2; i++) {
			batches_random(&streams[i], seed, i);
			stream_check(&streams[i], ENGINE_FAST, &totals[i]);
		}
		for (uint32_t i = 0; i < COMMANDS; i++)
			commands_compare(&streams[0].commands[i],
					 &streams[1].commands[i]);
		assert_memory_equal(&totals[0], &totals[1], sizeof(totals[0]));
		stream_free(&streams[0]);
		stream_free(&streams[1]);
	}
}

static int seed_show(void **state)
{
	(void)state;
	print_message("last seed: %" PRIu64 "\n", seed_running);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(engines_agree, seed_show),
		cmocka_unit_test_teardown(host_speed_does_not_matter,
					  seed_show),
		cmocka_unit_test_teardown(restored_engine_goes_on_alike,
					  seed_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
