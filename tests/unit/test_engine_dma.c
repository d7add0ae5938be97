/* SPDX-License-Identifier: MIT */
/*
 * Copies in the engine: their times by hand, the rates that bound them, the order of
 * their pieces, and the same answer whether every cycle is stepped or few of them.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <core/integer.h>
#include <sim/engine/dma.h>

#define TILES 64
#define RANGES 2048

/* A copy and everything that it refers to. */
struct copy {
	struct engine_command command;
	struct engine_tile tiles[TILES];
	struct memory_range memory[RANGES];
	struct memory_range host[RANGES];
	uint32_t memory_count;
	uint32_t host_count;
	uint64_t start;
	uint64_t allow; /* cycle from which the second half may go */
	bool started;
	bool allowed;
	bool finished;
	uint64_t piece[TILES]; /* the cycle at which it was done */
	uint32_t causes; /* seen, a bit for each */
};

struct device {
	struct engine_memory *memory;
	struct engine_link *link;
	struct engine_dma *dma;
};

enum place {
	IN_SRAM,
	IN_MEMORY,
	IN_HOST,
};

static struct sim_config config_default(void)
{
	struct sim_config config;

	assert_int_equal(sim_config_preset("default", &config), 0);
	return config;
}

static void device_open(struct device *device, const struct sim_config *config)
{
	assert_int_equal(sim_config_check(config), 0);
	assert_int_equal(engine_memory_create(config, NULL, &device->memory),
			 0);
	assert_int_equal(engine_link_create(config, NULL, &device->link), 0);
	assert_int_equal(engine_dma_create(config, device->memory, device->link,
					   NULL, &device->dma),
			 0);
}

static void device_close(struct device *device)
{
	engine_dma_destroy(device->dma);
	engine_link_destroy(device->link);
	engine_memory_destroy(device->memory);
}

static struct engine_ranges pages_add(struct memory_range *ranges,
				      uint32_t *used, uint64_t address,
				      uint64_t bytes)
{
	struct engine_ranges added = { .first = *used };

	while (bytes) {
		uint64_t length = min_u64(bytes, 4096 - address % 4096);

		assert_true(*used < RANGES);
		ranges[(*used)++] = (struct memory_range){
			.address = address,
			.length = (uint32_t)length,
		};
		address += length;
		bytes -= length;
	}
	added.count = *used - added.first;
	return added;
}

/* Gives a tile what lies in @place: none, ranges of memory, or of the host. */
static void tile_place(struct copy *copy, enum place place, uint64_t address,
		       uint64_t bytes, struct engine_ranges *memory,
		       struct engine_ranges *host)
{
	if (place == IN_MEMORY)
		*memory = pages_add(copy->memory, &copy->memory_count, address,
				    bytes);
	if (place == IN_HOST)
		*host = pages_add(copy->host, &copy->host_count, address,
				  bytes);
}

static void copy_make(struct copy *copy, uint64_t bytes, uint32_t pieces,
		      enum place from, enum place to)
{
	memset(copy, 0, sizeof(*copy));
	copy->command = (struct engine_command){
		.sequence = 1,
		.opcode = SPMM_IO_COPY,
		.unit = ENGINE_DMA,
		.tiles = copy->tiles,
		.tile_count = pieces,
		.memory_ranges = copy->memory,
		.link_ranges = copy->host,
		.copy_bytes = bytes,
	};
	for (uint32_t i = 0; i < pieces; i++) {
		struct engine_tile *tile = &copy->tiles[i];
		uint64_t first = bytes * i / pieces;
		uint64_t length = bytes * (i + 1) / pieces - first;

		tile_place(copy, from, 0x100000 + first, length, &tile->reads,
			   &tile->host_reads);
		tile_place(copy, to, 0x4100000 + first, length, &tile->writes,
			   &tile->host_writes);
	}
}

/* What a window would do: start, let pieces go, finish. True if anything changed. */
static bool copy_step(struct device *device, struct copy *copy, uint64_t now)
{
	const struct engine_command *command = &copy->command;
	uint32_t half = command->tile_count / 2;
	bool changed = false;
	uint32_t done;

	if (copy->finished || now < copy->start)
		return false;
	if (!copy->started) {
		if (!dma_has_room(device->dma))
			return false;
		dma_start(device->dma, &copy->command, now);
		dma_allow(device->dma, command, half);
		copy->started = true;
		return true;
	}
	if (now >= copy->allow && !copy->allowed) {
		dma_allow(device->dma, command, command->tile_count);
		copy->allowed = changed = true;
	}
	done = dma_pieces_done(device->dma, command);
	for (uint32_t i = done; i-- && !copy->piece[i];)
		copy->piece[i] = now;
	if (done < command->tile_count) {
		copy->causes |= 1u << dma_cause(device->dma, command, now);
		return changed;
	}
	dma_finish(device->dma, &copy->command);
	copy->finished = true;
	return true;
}

/* The next cycle at which a copy wants a step by itself. */
static uint64_t copy_next(const struct copy *copy, uint64_t now)
{
	if (copy->start > now)
		return copy->start;
	return copy->allow > now ? copy->allow : ENGINE_NEVER;
}

/* Runs all copies; the number of steps. */
static uint64_t copies_run(struct device *device, struct copy *copies,
			   uint32_t count, bool jump)
{
	uint64_t now = 0, steps = 0;
	uint32_t finished = 0;

	while (finished < count) {
		bool changed = link_step(device->link, now);
		uint64_t next;

		changed |= memory_step(device->memory, now);
		changed |= dma_step(device->dma, now);
		finished = 0;
		next = min_u64(link_next(device->link, now),
			       memory_next(device->memory, now));
		next = min_u64(next, dma_next(device->dma, now));
		for (uint32_t i = 0; i < count; i++) {
			changed |= copy_step(device, &copies[i], now);
			finished += copies[i].finished;
			next = min_u64(next, copy_next(&copies[i], now));
		}
		now = changed || !jump ? now + 1 : next;
		steps++;
		assert_true(now != ENGINE_NEVER && now < 100000000);
	}
	assert_true(dma_has_room(device->dma));
	assert_true(link_idle(device->link));
	return steps;
}

/* Cycles of a single copy, all of whose pieces may go at once. */
static uint64_t copy_cycles(const struct sim_config *config, uint64_t bytes,
			    uint32_t pieces, enum place from, enum place to,
			    uint32_t *causes)
{
	static struct copy copy;
	struct device device;

	device_open(&device, config);
	copy_make(&copy, bytes, pieces, from, to);
	copy.allow = 1;
	copies_run(&device, &copy, 1, true);
	device_close(&device);
	if (causes)
		*causes = copy.causes;
	return copy.piece[pieces - 1];
}

static void single_pieces_take_their_time(void **state)
{
	struct sim_config config = config_default();

	(void)state;
	config.dma_bytes = 128;
	/*
	 * Opened in cycle 2, requested in 3; the two completions are there in 823
	 * and 841, and each passes in two cycles.
	 */
	assert_int_equal(copy_cycles(&config, 512, 1, IN_HOST, IN_SRAM, NULL),
			 842);
	/* Opened in cycle 2; from 3 on, 128 bytes pass in each. */
	assert_int_equal(copy_cycles(&config, 1024, 1, IN_SRAM, IN_SRAM, NULL),
			 10);
	/* No less when a cycle's bytes are of two pieces; half may go in cycle 1. */
	assert_int_equal(copy_cycles(&config, 1024, 16, IN_SRAM, IN_SRAM, NULL),
			 9);
	/* The second half of the packet passes in cycle 4, 318 cycles from 5. */
	assert_int_equal(copy_cycles(&config, 256, 1, IN_SRAM, IN_HOST, NULL),
			 5 + 318);
	assert_int_equal(copy_cycles(&config, 0, 1, IN_SRAM, IN_SRAM, NULL), 3);
}

static void the_slowest_part_bounds_a_copy(void **state)
{
	struct sim_config config = config_default();
	const uint64_t bytes = 2 << 20;
	double link = (double)link_bandwidth(&config) / 1e9;
	double dram = (double)memory_bandwidth(&config) / 1e9;
	uint32_t causes;
	double cycles;

	(void)state;
	for (uint32_t pieces = 8; pieces <= TILES; pieces *= 2) {
		cycles = (double)copy_cycles(&config, bytes, pieces, IN_HOST,
					     IN_MEMORY, &causes);
		assert_true(cycles > (double)bytes / link);
		assert_true(cycles < (double)bytes / link * 1.02);
		assert_true(causes & 1u << SPMM_STALL_PCIE);
		cycles = (double)copy_cycles(&config, bytes, pieces, IN_MEMORY,
					     IN_HOST, &causes);
		assert_true(cycles > (double)bytes / link);
		assert_true(cycles < (double)bytes / link * 1.02);
		assert_true(causes & 1u << SPMM_STALL_PCIE);
		cycles = (double)copy_cycles(&config, bytes, pieces, IN_MEMORY,
					     IN_MEMORY, &causes);
		assert_true(cycles > (double)bytes * 2 / dram);
		assert_true(cycles < (double)bytes * 2 / dram * 1.25);
		assert_true(causes & 1u << SPMM_STALL_DRAM);
	}
	config.dma_bytes = 8;
	cycles = (double)copy_cycles(&config, bytes, 8, IN_HOST, IN_MEMORY,
				     &causes);
	assert_true(cycles >= (double)bytes / 8);
	assert_true(cycles < (double)bytes / 8 * 1.01);
	assert_true(causes & 1u << SPMM_STALL_DMA);
}

static void walks_overlap_with_what_moves(void **state)
{
	static struct copy copy;
	const struct sim_config config = config_default();
	const double link = (double)link_bandwidth(&config) / 1e9;
	struct device device;
	double bytes = TILES * 4096;

	(void)state;
	for (int write = 0; write < 2; write++) {
		device_open(&device, &config);
		copy_make(&copy, TILES * 4096, TILES, write ? IN_SRAM : IN_HOST,
			  write ? IN_HOST : IN_SRAM);
		for (uint32_t i = 0; i < copy.host_count; i++)
			copy.host[i].walks = 1;
		copy.allow = 1;
		copies_run(&device, &copy, 1, true);
		/* Only the first walk is waited for; all take the wire. */
		assert_in_range(copy.piece[TILES - 1], bytes / link,
				bytes / link * 1.05 + 804 + 838);
		device_close(&device);
	}
}

static void pieces_wait_for_their_turn(void **state)
{
	static struct copy copy;
	const struct sim_config config = config_default();
	struct device device;

	(void)state;
	device_open(&device, &config);
	copy_make(&copy, 64 << 10, 8, IN_MEMORY, IN_HOST);
	copy.allow = 50000;
	copies_run(&device, &copy, 1, true);
	for (uint32_t i = 1; i < 8; i++)
		assert_true(copy.piece[i] > copy.piece[i - 1]);
	assert_true(copy.piece[3] < 50000);
	assert_true(copy.piece[4] > 50000);
	device_close(&device);
}

static void engines_share_the_link(void **state)
{
	static struct copy copies[3];
	struct sim_config config = config_default();
	const uint64_t bytes = 512 << 10;
	struct device device;

	(void)state;
	device_open(&device, &config);
	for (int i = 0; i < 3; i++) {
		copy_make(&copies[i], bytes, 8, IN_HOST, IN_MEMORY);
		copies[i].allow = 1;
	}
	copies_run(&device, copies, 3, true);
	/* Two at once, at half the rate; the third has the link alone. */
	assert_in_range(copies[0].piece[7], 2 * 36300, 2 * 36300 * 1.02);
	assert_in_range(copies[1].piece[7], 2 * 36300, 2 * 36300 * 1.02);
	assert_in_range(copies[2].piece[7], 3 * 36300, 3 * 36300 * 1.02);
	device_close(&device);
}

#define COPIES 8

struct scenario {
	struct sim_config config;
	struct copy copies[COPIES];
};

static uint64_t seed;

static uint32_t pick(uint32_t bound)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % bound);
}

/* Shorter, scattered and untranslated ranges, and places that mix. */
static void copy_disturb(struct copy *copy)
{
	for (uint32_t i = 0; i < copy->memory_count; i++) {
		copy->memory[i].length -= pick(copy->memory[i].length);
		copy->memory[i].walks = pick(8) ? 0 : pick(3);
	}
	for (uint32_t i = 0; i < copy->host_count; i++) {
		copy->host[i].length -= pick(copy->host[i].length);
		copy->host[i].walks = pick(8) ? 0 : pick(3);
	}
}

static void scenario_make(struct scenario *scenario)
{
	static const char *const presets[] = { "small", "default", "hbm2e" };
	struct sim_config *config = &scenario->config;
	uint64_t start = 0;

	assert_int_equal(sim_config_preset(presets[pick(3)], config), 0);
	config->dma_engines = 1 + pick(3);
	config->dma_bytes = pick(2) ? 128 : 1 + pick(64);
	config->dma_buffer = 32768 << pick(3);
	config->pcie_payload = 128 << pick(6);
	config->pcie_read_request = 128 << pick(6);
	config->pcie_tags = 1 + pick(64);
	for (int i = 0; i < COPIES; i++) {
		struct copy *copy = &scenario->copies[i];

		copy_make(copy, pick(8) ? pick(100000) : pick(3),
			  1 + pick(TILES), pick(3), pick(3));
		if (pick(2))
			copy_disturb(copy);
		copy->start = start += pick(3000);
		copy->allow = start + 1 + pick(10000);
	}
}

static void scenario_run(struct scenario *scenario, bool jump,
			 struct memory_counts *memory, struct link_counts *link,
			 uint64_t *steps)
{
	struct device device;

	device_open(&device, &scenario->config);
	*steps += copies_run(&device, scenario->copies, COPIES, jump);
	memset(memory, 0, sizeof(*memory));
	memset(link, 0, sizeof(*link));
	memory_count(device.memory, memory);
	link_count(device.link, link);
	device_close(&device);
}

static void jumping_changes_nothing(void **state)
{
	static struct scenario every, jumped;
	struct memory_counts memory[2];
	struct link_counts link[2];
	uint64_t steps = 0, jumps = 0;

	(void)state;
	for (uint64_t number = 1; number <= 60; number++) {
		seed = number;
		scenario_make(&every);
		seed = number;
		scenario_make(&jumped);
		scenario_run(&every, false, &memory[0], &link[0], &steps);
		scenario_run(&jumped, true, &memory[1], &link[1], &jumps);
		for (int i = 0; i < COPIES; i++) {
			assert_memory_equal(every.copies[i].piece,
					    jumped.copies[i].piece,
					    sizeof(every.copies[i].piece));
			assert_int_equal(every.copies[i].causes,
					 jumped.copies[i].causes);
		}
		assert_memory_equal(&link[0], &link[1], sizeof(link[0]));
		assert_int_equal(memory[0].read_bytes, memory[1].read_bytes);
		assert_int_equal(memory[0].write_bytes, memory[1].write_bytes);
	}
	assert_true(jumps < steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_pieces_take_their_time),
		cmocka_unit_test(the_slowest_part_bounds_a_copy),
		cmocka_unit_test(walks_overlap_with_what_moves),
		cmocka_unit_test(pieces_wait_for_their_turn),
		cmocka_unit_test(engines_share_the_link),
		cmocka_unit_test(jumping_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
