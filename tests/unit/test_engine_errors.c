/* SPDX-License-Identifier: MIT */
/*
 * What cannot go on is an error with a text, in either engine, never a hang; and what a
 * reset takes away comes back to its owner.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <accel/error.h>

#include "engine_stream.h"

static const struct engine_pass pass = {
	.compute_cycles = 100,
	.issue_slots = 700,
};

static struct engine_command *layer_add(struct stream *stream)
{
	struct engine_command *command =
		stream_add(stream, ENGINE_ARRAY, 1, 1, 0, 0);

	command->opcode = 9;
	command->tiles[0].vectors = 4;
	command->passes[0] = pass;
	return command;
}

/* A dependency on what never comes. */
static void waits_for_ever(void **state)
{
	static const enum engine_mode modes[] = { ENGINE_FAST,
						  ENGINE_REFERENCE };
	struct stream stream;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		stream_init(&stream, "small");
		layer_add(&stream);
		layer_add(&stream)->tiles[0].after[0].sequence = 77;
		assert_int_equal(stream_run(&stream, modes[i], NULL), -EIO);
		assert_non_null(strstr(accel_last_error(), "command 2"));
		assert_non_null(strstr(accel_last_error(), "opcode 9"));
		assert_int_equal(stream.commands[0].times, 1);
		assert_int_equal(stream.commands[1].times, 0);
		stream_free(&stream);
	}
}

static void refuse(struct stream *stream, const char *text)
{
	assert_int_equal(stream_run(stream, ENGINE_FAST, NULL), -EIO);
	assert_non_null(strstr(accel_last_error(), text));
	stream_free(stream);
}

static void contradictions(void **state)
{
	struct stream stream;

	(void)state;
	stream_init(&stream, "small");
	layer_add(&stream)->passes[0].bank_slots = 101;
	refuse(&stream, "issues more than its lane-cycles");

	stream_init(&stream, "small");
	layer_add(&stream)->row_groups = 3;
	refuse(&stream, "clusters");

	stream_init(&stream, "small");
	layer_add(&stream)->tiles[0].passes = 1;
	refuse(&stream, "refers to pass 1 of 1");

	stream_init(&stream, "small");
	layer_add(&stream)->macs = 1ull << 40;
	refuse(&stream, "more than the multipliers can");
}

/* Those dispatched end in silence, the others never begin; another queue goes on. */
static void drop(void **state)
{
	struct stream stream;

	(void)state;
	stream_init(&stream, "small");
	for (unsigned int i = 0; i < 12; i++) {
		layer_add(&stream)->queue = i % 2;
		stream.commands[i].action = STREAM_RUN;
	}
	stream.commands[11].action = STREAM_DROP;
	stream.commands[11].argument = 1;
	assert_int_equal(stream_run(&stream, ENGINE_FAST, NULL), 0);
	for (unsigned int i = 0; i < 12; i++) {
		const struct stream_command *command = &stream.commands[i];

		assert_int_equal(command->times + command->dropped, 1);
		if (i % 2 == 0)
			assert_int_equal(command->times, 1);
	}
	assert_int_equal(stream.commands[11].dropped, 1);
	assert_int_equal(stream.commands[11].command.end_cycle, ENGINE_NEVER);
	stream_free(&stream);
}

/* A host that waits costs time, which is nobody's. */
static void idle(void **state)
{
	struct engine_totals totals;
	struct stream stream;

	(void)state;
	stream_init(&stream, "small");
	layer_add(&stream);
	stream.commands[0].action = STREAM_DRAIN;
	layer_add(&stream);
	stream.commands[1].action = STREAM_DRAIN;
	assert_int_equal(stream_run(&stream, ENGINE_FAST, &totals), 0);
	stream.commands[0].action = STREAM_IDLE;
	stream.commands[0].argument = 1000000;
	assert_int_equal(stream_run(&stream, ENGINE_FAST, &totals), 0);
	assert_true(stream.commands[1].command.start_cycle > 1000000);
	assert_true(totals.lane_cycles[SPMM_STALL_IDLE] >
		    900000ull * stream.config.lanes * stream.config.clusters);
	stream_free(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_for_ever),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(drop),
		cmocka_unit_test(idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
