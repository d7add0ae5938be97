/* SPDX-License-Identifier: MIT */
/*
 * Small streams whose cycles follow from the rules of the pipeline by hand: what a load,
 * the lanes and a store take, and who waits for whom.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine_stream.h"

#define LANES 8
#define PORT 64
#define PIPELINE 24

/* One cluster, and a port for each that the SRAM can feed, unless a test says so. */
static void device_init(struct stream *stream, uint32_t clusters)
{
	stream_init(stream, "default");
	stream->config.clusters = clusters;
	stream->config.lanes = LANES;
	stream->config.sram_port_bytes = PORT;
	stream->config.sram_total_bytes = PORT * clusters;
	stream->config.pipeline_cycles = PIPELINE;
}

/* A command of one tile of so many vectors, all with the same pass. */
static struct engine_command *layer_add(struct stream *stream, uint64_t vectors,
					const struct engine_pass *pass)
{
	struct engine_command *command =
		stream_add(stream, ENGINE_ARRAY, 1, 1, 4, 0);

	command->tiles[0].vectors = vectors;
	command->passes[0] = *pass;
	return command;
}

/* Both engines say the same, and the test looks at one of them. */
static void device_run(struct stream *stream)
{
	struct engine_totals fast, reference;

	memset(&fast, 0, sizeof(fast));
	memset(&reference, 0, sizeof(reference));
	assert_int_equal(stream_run(stream, ENGINE_REFERENCE, &reference), 0);
	assert_int_equal(stream_run(stream, ENGINE_FAST, &fast), 0);
	assert_memory_equal(&fast, &reference, sizeof(fast));
}

static uint64_t elapsed(const struct engine_command *command)
{
	return command->end_cycle - command->start_cycle;
}

static void one_pass(void **state)
{
	/* 156 bytes of lines take 3 cycles of the port, and the weights come behind. */
	static const struct engine_pass pass = {
		.compute_cycles = 20,
		.issue_slots = 130,
		.bank_slots = 12,
		.weight_bytes = 100,
		.line_bytes = 156,
		.fill_cycles = 2,
		.decoder_cycles = 2,
		.epilogue_cycles = 5,
		.store_bytes = 64,
	};
	struct engine_command *command;
	struct stream stream;

	(void)state;
	device_init(&stream, 1);
	command = layer_add(&stream, 1, &pass);
	device_run(&stream);
	assert_int_equal(command->work_cycle, command->start_cycle + 3);
	assert_int_equal(elapsed(command), 3 + 20 + PIPELINE);
	assert_int_equal(command->lane_cycles[SPMM_STALL_ISSUE], 130);
	assert_int_equal(command->lane_cycles[SPMM_STALL_BANK], 12);
	assert_int_equal(command->lane_cycles[SPMM_STALL_ACTIVATIONS],
			 3 * LANES);
	assert_int_equal(command->lane_cycles[SPMM_STALL_TAIL],
			 20 * LANES - 130 - 12 + PIPELINE * LANES);
	stream_free(&stream);
}

/* The longer of port and write side decides, then lanes or decoder; who it is is blamed. */
static void load_bounds(void **state)
{
	struct engine_pass pass = { .compute_cycles = 7,
				    .line_bytes = 11 * PORT };
	struct engine_command *command;
	struct stream stream;

	(void)state;
	device_init(&stream, 1);
	pass.fill_cycles = 9;
	pass.decoder_cycles = 3;
	layer_add(&stream, 1, &pass);
	pass.decoder_cycles = 16;
	layer_add(&stream, 1, &pass)->fence = true;
	device_run(&stream);
	command = &stream.commands[0].command;
	assert_int_equal(elapsed(command), 11 + 7 + PIPELINE);
	assert_int_equal(command->lane_cycles[SPMM_STALL_ACTIVATIONS],
			 11 * LANES);
	assert_int_equal(command->lane_cycles[SPMM_STALL_WEIGHTS], 0);
	command = &stream.commands[1].command;
	assert_int_equal(elapsed(command), 11 + 16 + PIPELINE);
	assert_int_equal(command->lane_cycles[SPMM_STALL_WEIGHTS], 9 * LANES);
	assert_int_equal(command->lane_cycles[SPMM_STALL_ACTIVATIONS],
			 11 * LANES);
	stream_free(&stream);
}

/* Loads hide behind lanes, or lanes behind loads. */
static void double_buffer(void **state)
{
	struct engine_pass pass = { .compute_cycles = 20,
				    .line_bytes = 10 * PORT };
	struct stream stream;

	(void)state;
	device_init(&stream, 1);
	layer_add(&stream, 5, &pass);
	pass.line_bytes = 30 * PORT;
	layer_add(&stream, 5, &pass)->fence = true;
	device_run(&stream);
	assert_int_equal(elapsed(&stream.commands[0].command),
			 10 + 5 * 20 + PIPELINE);
	assert_int_equal(elapsed(&stream.commands[1].command),
			 5 * 30 + 20 + PIPELINE);
	stream_free(&stream);
}

static void single_buffer(void **state)
{
	static const struct engine_pass pass = { .compute_cycles = 20,
						 .line_bytes = 10 * PORT };
	struct stream stream;

	(void)state;
	device_init(&stream, 1);
	layer_add(&stream, 5, &pass)->single_buffer = true;
	device_run(&stream);
	assert_int_equal(elapsed(&stream.commands[0].command),
			 5 * (10 + 20) + PIPELINE);
	stream_free(&stream);
}

/* One pass may wait for the store; then the lanes wait, because of the epilogue. */
static void epilogue_bound(void **state)
{
	static const struct engine_pass pass = { .compute_cycles = 10,
						 .line_bytes = 10 * PORT,
						 .epilogue_cycles = 25 };
	struct engine_command *command;
	struct stream stream;

	(void)state;
	device_init(&stream, 1);
	command = layer_add(&stream, 6, &pass);
	device_run(&stream);
	assert_int_equal(elapsed(command), 10 + 6 * 25 + 1);
	/* Load, lanes, and what is left of the six stores beside them. */
	assert_int_equal(command->lane_cycles[SPMM_STALL_EPILOGUE],
			 (6 * 25 - 6 * 10) * LANES);
	stream_free(&stream);
}

static void store_port_bound(void **state)
{
	static const struct engine_pass pass = { .compute_cycles = 10,
						 .store_bytes = 40 * PORT };
	struct stream stream;

	(void)state;
	device_init(&stream, 1);
	layer_add(&stream, 3, &pass);
	device_run(&stream);
	assert_int_equal(elapsed(&stream.commands[0].command), 3 * 40 + 1);
	stream_free(&stream);
}

/* Four ports share what one takes: in pieces of half its width, so two end at a time. */
static void network_bound(void **state)
{
	struct engine_command *command;
	struct stream stream;

	(void)state;
	device_init(&stream, 4);
	stream.config.sram_total_bytes = PORT;
	command = stream_add(&stream, ENGINE_ARRAY, 1, 4, 0, 0);
	command->row_groups = 4;
	command->tiles[0].vectors = 1;
	for (unsigned int r = 0; r < 4; r++)
		command->passes[r] = (struct engine_pass){
			.compute_cycles = 5,
			.line_bytes = 10 * PORT,
		};
	device_run(&stream);
	assert_int_equal(command->work_cycle, command->start_cycle + 39);
	assert_int_equal(elapsed(command), 40 + 5 + PIPELINE);
	assert_int_equal(command->lane_cycles[SPMM_STALL_ACTIVATIONS],
			 (39 + 39 + 40 + 40) * LANES);
	stream_free(&stream);
}

/* Vectors go to the column groups in turn, across tiles. */
static void columns_in_turn(void **state)
{
	static const struct engine_pass pass = { .compute_cycles = 100 };
	struct engine_command *command;
	struct stream stream;

	(void)state;
	device_init(&stream, 3);
	command = stream_add(&stream, ENGINE_ARRAY, 2, 1, 0, 0);
	command->column_groups = 3;
	command->passes[0] = pass;
	command->tiles[0].vectors = 4;
	command->tiles[1].vectors = 5;
	device_run(&stream);
	/* Nine vectors are three for each. */
	assert_int_equal(elapsed(command), 3 * 100 + PIPELINE);
	stream_free(&stream);
}

/* What is loaded may be stored first: a tile waits, or the next command goes on. */
static void tile_dependency(void **state)
{
	static const struct engine_pass pass = { .compute_cycles = 50,
						 .line_bytes = 10 * PORT };
	struct engine_command *first, *second;
	struct stream stream;

	(void)state;
	for (unsigned int depends = 0; depends < 2; depends++) {
		device_init(&stream, 1);
		/* Both are dispatched before the first has ended. */
		stream.config.command_cycles = 1;
		first = layer_add(&stream, 2, &pass);
		second = layer_add(&stream, 1, &pass);
		second->tiles[0].after[0].sequence = depends;
		stream.commands[0].action = STREAM_PUSH_ON;
		device_run(&stream);
		assert_int_equal(elapsed(first), 10 + 2 * 50 + PIPELINE);
		if (depends) {
			assert_int_equal(second->work_cycle,
					 first->end_cycle + 10);
			assert_int_equal(second->lane_cycles[SPMM_STALL_TAIL],
					 (PIPELINE + 50 + PIPELINE) * LANES);
		} else {
			assert_int_equal(second->work_cycle,
					 first->end_cycle - PIPELINE);
		}
		stream_free(&stream);
	}
}

/* A command that has no place in the window waits for the one before. */
static void window_of_one(void **state)
{
	static const struct engine_pass pass = { .compute_cycles = 50,
						 .line_bytes = 10 * PORT };
	struct stream stream;

	(void)state;
	device_init(&stream, 1);
	stream.config.command_cycles = 1;
	stream.config.command_window = 1;
	layer_add(&stream, 1, &pass);
	layer_add(&stream, 1, &pass);
	stream.commands[0].action = STREAM_PUSH_ON;
	device_run(&stream);
	assert_true(stream.commands[1].command.start_cycle >=
		    stream.commands[0].command.end_cycle);
	stream_free(&stream);
}

/* A long copy holds one place; others go on, but not farther than is promised. */
static void reach(void **state)
{
	static const struct engine_pass pass = { .compute_cycles = 10 };
	const uint32_t pages = 64;
	struct engine_command *copy;
	struct stream stream;
	uint32_t early = 0;

	(void)state;
	device_init(&stream, 1);
	copy = stream_add(&stream, ENGINE_DMA, pages, 0, pages, pages);
	copy->copy_bytes = 4096ull * pages;
	for (uint32_t i = 0; i < pages; i++) {
		copy->tiles[i].host_reads = (struct engine_ranges){ i, 1 };
		copy->tiles[i].writes = (struct engine_ranges){ i, 1 };
		copy->memory_ranges[i].length = 4096;
		copy->memory_ranges[i].address = 4096ull * i;
		copy->link_ranges[i] = copy->memory_ranges[i];
	}
	for (unsigned int i = 0; i < 40; i++)
		layer_add(&stream, 1, &pass);
	device_run(&stream);
	for (uint32_t i = 1; i <= 40; i++) {
		const struct engine_command *command =
			&stream.commands[i].command;

		if (command->start_cycle < copy->end_cycle)
			early++;
		else
			assert_true(i > engine_reach(&stream.config));
	}
	assert_int_equal(early, engine_reach(&stream.config));
	stream_free(&stream);
}

/* Tiles before a barrier are stored, and some cycles pass, before it is loaded. */
static void barrier(void **state)
{
	static const struct engine_pass pass = { .compute_cycles = 50 };
	struct engine_command *command;
	struct stream stream;

	(void)state;
	device_init(&stream, 1);
	command = stream_add(&stream, ENGINE_ARRAY, 3, 1, 0, 0);
	command->passes[0] = pass;
	for (unsigned int t = 0; t < 3; t++) {
		command->tiles[t].vectors = 1;
		command->tiles[t].barrier = t > 0;
		command->tiles[t].barrier_cycles = 7;
	}
	device_run(&stream);
	assert_int_equal(elapsed(command), 3 * (50 + PIPELINE) + 2 * 7);
	stream_free(&stream);
}

/* With a reach, a tile is loaded while the one before it is computed. */
static void barrier_with_reach(void **state)
{
	static const struct engine_pass pass = { .compute_cycles = 50,
						 .fill_cycles = 10 };
	struct engine_command *command;
	struct stream stream;

	(void)state;
	device_init(&stream, 1);
	command = stream_add(&stream, ENGINE_ARRAY, 4, 1, 0, 0);
	command->passes[0] = pass;
	for (unsigned int t = 0; t < 4; t++) {
		command->tiles[t].vectors = 1;
		command->tiles[t].barrier = t > 0;
		command->tiles[t].barrier_reach = t != 2;
		command->tiles[t].barrier_cycles = 7;
	}
	device_run(&stream);
	/* Only the third waits for the one before it, and is loaded then. */
	assert_int_equal(elapsed(command),
			 2 * (10 + 50) + 2 * 50 + 2 * PIPELINE + 7);
	stream_free(&stream);
}

static uint64_t weights_add(struct engine_command *command, uint32_t pages)
{
	command->weights.count = pages;
	for (uint32_t i = 0; i < pages; i++)
		command->memory_ranges[i] =
			(struct memory_range){ 4096ull * i, 4096, 0 };
	return 4096ull * pages;
}

/*
 * The first pass follows the weights in slices: it starts when a sixteenth has come,
 * and ends a sixteenth of its cycles after the last, or when its cycles are over.
 */
static void weights_in_slices(void **state)
{
	struct engine_pass pass = { .compute_cycles = 16 };
	struct engine_command *command;
	struct stream stream;
	uint64_t bytes, slow;

	(void)state;
	device_init(&stream, 1);
	command = layer_add(&stream, 1, &pass);
	bytes = weights_add(command, 4);
	device_run(&stream);
	slow = elapsed(command);
	assert_true(command->early_bytes >= bytes / 16);
	assert_true(command->early_bytes < bytes / 2);
	assert_true(command->lane_cycles[SPMM_STALL_DRAM] > 0);
	stream_free(&stream);

	/* Sixteen times as long as all of the weights' way: nothing is waited for. */
	pass.compute_cycles = 16 * slow;
	device_init(&stream, 1);
	command = layer_add(&stream, 1, &pass);
	weights_add(command, 4);
	device_run(&stream);
	assert_int_equal(command->end_cycle,
			 command->work_cycle + 16 * slow + PIPELINE);
	stream_free(&stream);
}

/* A layer that streams its input takes the memory's time, a little more, never less. */
static void memory_bound(void **state)
{
	static const struct engine_pass pass = { .compute_cycles = 1 };
	const uint32_t pages = 256;
	struct engine_command *command;
	struct stream stream;
	uint64_t least;

	(void)state;
	device_init(&stream, 1);
	command = stream_add(&stream, ENGINE_ARRAY, pages, 1, pages, 0);
	command->passes[0] = pass;
	for (uint32_t i = 0; i < pages; i++) {
		command->tiles[i].vectors = 1;
		command->tiles[i].reads = (struct engine_ranges){ i, 1 };
		command->memory_ranges[i] =
			(struct memory_range){ 4096ull * i, 4096, 0 };
	}
	stream.config.tile_prefetch = 32;
	device_run(&stream);
	least = (uint64_t)(4096.0 * pages * stream.config.clock_hz /
			   (double)memory_bandwidth(&stream.config));
	assert_true(elapsed(command) >= least);
	assert_true(elapsed(command) <= least * 11 / 10 + 300);
	assert_true(command->lane_cycles[SPMM_STALL_DRAM] >=
		    LANES * elapsed(command) * 8 / 10);
	stream_free(&stream);
}

static uint64_t layer_cycles(const struct engine_pass *pass, uint32_t port)
{
	struct stream stream;
	uint64_t cycles;

	device_init(&stream, 1);
	stream.config.sram_port_bytes = port;
	stream.config.sram_total_bytes = port;
	layer_add(&stream, 9, pass);
	device_run(&stream);
	cycles = elapsed(&stream.commands[0].command);
	stream_free(&stream);
	return cycles;
}

/* A wider port never costs time, more work never saves any. */
static void monotone(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		struct engine_pass pass;
		uint64_t cycles;

		random = random * 1664525u + 1013904223u;
		pass = (struct engine_pass){
			.compute_cycles = random >> 8 & 63,
			.line_bytes = random >> 14 & 4095,
			.fill_cycles = random >> 20 & 31,
			.epilogue_cycles = random >> 25 & 63,
			.store_bytes = random >> 10 & 2047,
		};
		cycles = layer_cycles(&pass, 32);
		assert_true(layer_cycles(&pass, 64) <= cycles);
		pass.compute_cycles++;
		assert_true(layer_cycles(&pass, 32) >= cycles);
		pass.epilogue_cycles += 5;
		assert_true(layer_cycles(&pass, 32) >= cycles);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_pass),
		cmocka_unit_test(load_bounds),
		cmocka_unit_test(double_buffer),
		cmocka_unit_test(single_buffer),
		cmocka_unit_test(epilogue_bound),
		cmocka_unit_test(store_port_bound),
		cmocka_unit_test(network_bound),
		cmocka_unit_test(columns_in_turn),
		cmocka_unit_test(tile_dependency),
		cmocka_unit_test(window_of_one),
		cmocka_unit_test(reach),
		cmocka_unit_test(barrier),
		cmocka_unit_test(barrier_with_reach),
		cmocka_unit_test(weights_in_slices),
		cmocka_unit_test(memory_bound),
		cmocka_unit_test(monotone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
