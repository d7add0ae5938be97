/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine_stream.h"

#define COMMANDS_MAX 4096

void stream_init(struct stream *stream, const char *preset)
{
	memset(stream, 0, sizeof(*stream));
	assert_int_equal(sim_config_preset(preset, &stream->config), 0);
	stream->commands = test_calloc(COMMANDS_MAX, sizeof(*stream->commands));
}

void stream_free(struct stream *stream)
{
	for (uint32_t i = 0; i < stream->count; i++) {
		struct engine_command *command = &stream->commands[i].command;

		test_free(command->tiles);
		test_free(command->passes);
		test_free(command->memory_ranges);
		test_free(command->link_ranges);
	}
	test_free(stream->commands);
}

struct engine_command *stream_add(struct stream *stream, enum engine_unit unit,
				  uint32_t tiles, uint32_t passes,
				  uint32_t memory_ranges, uint32_t link_ranges)
{
	struct engine_command *command =
		&stream->commands[stream->count++].command;

	assert_true(stream->count <= COMMANDS_MAX);
	*command = (struct engine_command){
		.unit = unit,
		.completes = true,
		.row_groups = 1,
		.column_groups = 1,
		.tile_count = tiles,
		.pass_count = passes,
		.tiles = test_calloc(tiles + 1, sizeof(*command->tiles)),
		.passes = test_calloc(passes + 1, sizeof(*command->passes)),
		.memory_ranges = test_calloc(memory_ranges + 1,
					     sizeof(*command->memory_ranges)),
		.link_ranges = test_calloc(link_ranges + 1,
					   sizeof(*command->link_ranges)),
	};
	return command;
}

static void command_retired(void *owner, struct engine_command *command)
{
	struct stream *stream = owner;
	struct stream_command *entry = (struct stream_command *)command;

	entry->times++;
	entry->retired_at = engine_now(stream->engine);
	entry->order = stream->retired++;
}

static void command_dropped(void *owner, struct engine_command *command)
{
	(void)owner;
	((struct stream_command *)command)->dropped++;
}

/* What goes on is this engine, or a new one in its state. */
static int stream_rest(struct stream *stream)
{
	struct engine_state state;
	int ret = engine_run(stream->engine, true);

	if (!ret)
		ret = engine_rest(stream->engine);
	if (ret || !stream->moves)
		return ret;
	engine_state_get(stream->engine, &state);
	engine_destroy(stream->engine);
	ret = engine_create(&stream->config, &stream->options, &stream->engine);
	if (!ret)
		engine_state_set(stream->engine, &state);
	return ret;
}

static int action_take(struct stream *stream,
		       const struct stream_command *command)
{
	switch (command->action) {
	case STREAM_PUSH_ON:
		return 0;
	case STREAM_IDLE:
		engine_idle(stream->engine, command->argument);
		return 0;
	case STREAM_REST:
		return stream_rest(stream);
	case STREAM_DROP:
		engine_drop(stream->engine, (uint16_t)command->argument);
		return 0;
	default:
		return engine_run(stream->engine,
				  command->action == STREAM_DRAIN);
	}
}

int stream_run(struct stream *stream, enum engine_mode mode,
	       struct engine_totals *totals)
{
	int ret = 0;

	stream->options = (struct engine_options){
		.mode = mode,
		.retired = command_retired,
		.dropped = command_dropped,
		.owner = stream,
	};
	assert_int_equal(engine_create(&stream->config, &stream->options,
				       &stream->engine),
			 0);
	for (uint32_t i = 0; i < stream->count && !ret; i++) {
		ret = engine_push(stream->engine, &stream->commands[i].command);
		if (!ret)
			ret = action_take(stream, &stream->commands[i]);
	}
	if (!ret)
		ret = engine_run(stream->engine, true);
	if (!ret)
		ret = engine_rest(stream->engine);
	if (totals)
		engine_totals(stream->engine, totals);
	engine_destroy(stream->engine);
	return ret;
}

static uint64_t random_next(uint64_t *state)
{
	/* splitmix64: public domain, Sebastiano Vigna. */
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint32_t below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)(random_next(state) % bound);
}

static bool chance(uint64_t *state, uint32_t percent)
{
	return below(state, 100) < percent;
}

static void config_random(struct sim_config *config, uint64_t *random)
{
	config->clusters = 1 + below(random, 6);
	config->lanes = 1u << below(random, 4);
	config->sram_port_bytes = 1 + below(random, 64);
	config->sram_total_bytes = 1 + below(random, 256);
	config->pipeline_cycles = below(random, 40);
	config->command_cycles = 1 + below(random, 80);
	config->command_window = 1 + below(random, 5);
	config->tile_prefetch = 1 + below(random, 3);
	config->dma_bytes = 1 + below(random, 200);
	config->prefetch_bytes = 4096ull << below(random, 5);
	config->pcie_tags = 1 + below(random, 16);
	config->pcie_payload = 128u << below(random, 3);
	config->pcie_read_request = 128u << below(random, 4);
	config->pcie_read_latency_ps = below(random, 900000);
	config->pcie_write_latency_ps = below(random, 400000);
	config->clock_hz = 500000000 + below(random, 1500000000);
}

static void range_random(struct memory_range *range, uint64_t *random,
			 uint32_t length)
{
	uint32_t offset = below(random, 4096 - length + 1);

	if (chance(random, 70))
		offset &= ~63u;
	range->address = (uint64_t)below(random, 65536) * 4096 + offset;
	range->length = length;
	range->walks = chance(random, 10) ? 1 + below(random, 3) : 0;
}

static struct engine_ranges ranges_random(struct memory_range *ranges,
					  uint32_t *used, uint64_t *random,
					  uint32_t percent)
{
	struct engine_ranges out = { *used, 0 };

	if (!chance(random, percent))
		return out;
	out.count = 1 + below(random, 3);
	for (uint32_t i = 0; i < out.count; i++)
		range_random(&ranges[(*used)++], random,
			     1 + below(random,
				       chance(random, 20) ? 4096 : 256));
	return out;
}

static void dependencies_random(struct engine_tile *tile, uint32_t index,
				uint32_t earlier, uint64_t *random)
{
	for (unsigned int i = 0; i < 3 && chance(random, 30); i++) {
		uint32_t back = below(random, 6);

		if (back > earlier)
			continue;
		/* Of its own command, only tiles before this one. */
		if (!back && !index)
			continue;
		tile->after[i].sequence = earlier + 1 - back;
		tile->after[i].tile = back ? below(random, 5) : index - 1;
		if (back && chance(random, 30))
			tile->after[i].tile = ENGINE_TILE_ALL;
	}
	tile->barrier = chance(random, 10);
	tile->barrier_cycles = tile->barrier ? below(random, 60) : 0;
	tile->barrier_reach = below(random, 3);
}

static void pass_random(struct engine_pass *pass, uint32_t lanes,
			uint64_t *random)
{
	uint32_t cycles = below(random, chance(random, 20) ? 2 : 200);
	uint32_t slots = cycles * lanes;

	pass->compute_cycles = cycles;
	pass->issue_slots = below(random, slots + 1);
	pass->bank_slots =
		below(random, slots - (uint32_t)pass->issue_slots + 1);
	pass->weight_bytes = below(random, 2000);
	pass->line_bytes = below(random, 2000);
	pass->fill_cycles = below(random, 60);
	pass->decoder_cycles = below(random, 60);
	pass->epilogue_cycles = below(random, chance(random, 20) ? 300 : 40);
	pass->store_bytes = below(random, 1000);
}

static void array_random(struct stream *stream, uint64_t *random)
{
	uint32_t earlier = stream->count;
	uint32_t tiles = below(random, 6);
	uint32_t clusters = stream->config.clusters;
	uint32_t row_groups = 1 + below(random, clusters);
	uint32_t passes = row_groups * (1 + below(random, 3));
	struct engine_command *command = stream_add(stream, ENGINE_ARRAY, tiles,
						    passes, 6 * tiles + 3,
						    6 * tiles + 3);
	uint32_t memory = 0, host = 0;

	command->row_groups = row_groups;
	command->column_groups = 1 + below(random, clusters / row_groups);
	command->single_buffer = chance(random, 20);
	command->weights =
		ranges_random(command->memory_ranges, &memory, random, 70);
	command->weights_from_host =
		ranges_random(command->link_ranges, &host, random, 10);
	for (uint32_t p = 0; p < passes; p++)
		pass_random(&command->passes[p], stream->config.lanes, random);
	for (uint32_t t = 0; t < tiles; t++) {
		struct engine_tile *tile = &command->tiles[t];

		tile->vectors = chance(random, 90) ? below(random, 12) : 0;
		tile->passes = row_groups * below(random, passes / row_groups);
		tile->reads = ranges_random(command->memory_ranges, &memory,
					    random, 40);
		tile->writes = ranges_random(command->memory_ranges, &memory,
					     random, 30);
		tile->host_reads =
			ranges_random(command->link_ranges, &host, random, 10);
		tile->host_writes =
			ranges_random(command->link_ranges, &host, random, 10);
		dependencies_random(tile, t, earlier, random);
	}
}

static void copy_random(struct stream *stream, uint64_t *random)
{
	uint32_t earlier = stream->count;
	uint32_t pieces = 1 + below(random, 5);
	struct engine_command *command = stream_add(stream, ENGINE_DMA, pieces,
						    0, 2 * pieces, 2 * pieces);
	bool from_host = chance(random, 50);
	bool to_host = chance(random, 50);
	uint32_t memory = 0, host = 0;

	for (uint32_t t = 0; t < pieces; t++) {
		struct engine_tile *tile = &command->tiles[t];
		uint32_t length = 1 + below(random, 4096);
		struct engine_ranges *from = from_host ? &tile->host_reads :
							 &tile->reads;
		struct engine_ranges *to = to_host ? &tile->host_writes :
						     &tile->writes;

		*from = (struct engine_ranges){ from_host ? host++ : memory++,
						1 };
		*to = (struct engine_ranges){ to_host ? host++ : memory++, 1 };
		range_random((from_host ? command->link_ranges :
					  command->memory_ranges) +
				     from->first,
			     random, length);
		range_random((to_host ? command->link_ranges :
					command->memory_ranges) +
				     to->first,
			     random, length);
		command->copy_bytes += length;
		dependencies_random(tile, t, earlier, random);
		tile->barrier = false;
	}
}

static void fetch_random(struct engine_fetch *fetch, uint64_t *random)
{
	fetch->doorbell = chance(random, 15);
	fetch->entry = fetch->doorbell || chance(random, 40);
	fetch->entry_bytes = fetch->entry ? 64 * (1 + below(random, 8)) : 0;
	fetch->entry_in_host = chance(random, 50);
	fetch->descriptor_bytes = chance(random, 70) ? 256 : 0;
	fetch->descriptor_in_host = chance(random, 20);
	fetch->descriptor_in_sram = !fetch->descriptor_in_host &&
				    chance(random, 30);
	fetch->entry_address = (uint64_t)below(random, 65536) * 4096;
	fetch->descriptor_address = (uint64_t)below(random, 65536) * 4096;
}

static void command_random(struct stream *stream, uint64_t *random)
{
	struct stream_command *entry = &stream->commands[stream->count];
	uint32_t kind = below(random, 100);

	if (kind < 70)
		array_random(stream, random);
	else if (kind < 88)
		copy_random(stream, random);
	else
		stream_add(stream, ENGINE_NOBODY, 0, 0, 0, 0);
	entry->command.queue = (uint16_t)below(random, 3);
	entry->command.fence = chance(random, 8);
	entry->command.completes = chance(random, 60);
	fetch_random(&entry->command.fetch, random);
	entry->action = STREAM_RUN;
	if (chance(random, 10))
		entry->action =
			(enum stream_action)below(random, STREAM_ACTION_COUNT);
	entry->argument = entry->action == STREAM_IDLE ? below(random, 20000) :
							 below(random, 3);
}

void stream_random(struct stream *stream, uint64_t seed, uint32_t count)
{
	static const char *const presets[] = { "small", "default", "hbm2e" };
	uint64_t random = seed;

	stream_init(stream, presets[below(&random, 3)]);
	config_random(&stream->config, &random);
	while (stream->count < count)
		command_random(stream, &random);
}
