/* SPDX-License-Identifier: MIT */
/*
 * Device memory in the engine: whoever drives it, tick by tick or from event to event,
 * sees the same; every transfer is served in whole requests; streams reach what the
 * roofs suppose; page walks overlap with data.
 */
#include "unit.h"

#include <string.h>

#include <sim/dram/standard.h>
#include <sim/engine/address_map.h>
#include <sim/engine/memory.h>

#define TRANSFERS 40
#define RANGES 24
#define PAGE 4096u

static const char *const presets[] = { "small", "default", "hbm2e" };

/* A transfer and what its owner does to it; cycles are those of the owner's action. */
struct job {
	struct memory_transfer transfer;
	struct memory_range ranges[RANGES];
	uint64_t open;
	uint64_t raise; /* allowed becomes UINT64_MAX, class MEMORY_DEMAND */
	bool opened;
	bool raised;
	uint64_t completed;
};

struct run {
	struct job jobs[TRANSFERS];
	uint32_t count;
	struct memory_counts counts;
	uint64_t end;
	uint64_t steps;
};

static uint32_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static void job_make(struct job *job, uint64_t *seed)
{
	uint64_t page = random_next(seed) % 4096;

	*job = (struct job){
		.open = random_next(seed) % 20000,
		.raise = ENGINE_NEVER,
		.transfer = {
			.ranges = job->ranges,
			.count = random_next(seed) % RANGES,
			.write = random_next(seed) % 3 == 0,
			.class = random_next(seed) % MEMORY_CLASS_COUNT,
			.allowed = UINT64_MAX,
		},
	};
	for (uint32_t i = 0; i < job->transfer.count; i++) {
		uint32_t offset = random_next(seed) % PAGE;

		page = random_next(seed) % 4 ? page + 1 :
					       random_next(seed) % 65536;
		job->ranges[i] = (struct memory_range){
			.address = page * PAGE + offset,
			.length = random_next(seed) % (PAGE - offset + 1),
			.walks = random_next(seed) % 3 ? 0 :
							 random_next(seed) % 4,
		};
	}
	if (random_next(seed) % 2) {
		job->transfer.allowed = random_next(seed) % 8192;
		job->raise = job->open + random_next(seed) % 5000;
	}
}

/* What the owners do after the memory's step; true if anything. */
static bool owners_act(struct engine_memory *memory, struct run *run,
		       uint64_t now)
{
	bool acted = false;

	for (uint32_t i = 0; i < run->count; i++) {
		struct job *job = &run->jobs[i];

		if (!job->opened && now >= job->open) {
			memory_open(memory, &job->transfer);
			job->opened = true;
			acted = true;
		}
		if (job->opened && !job->raised && now >= job->raise) {
			job->transfer.allowed = UINT64_MAX;
			job->transfer.class = MEMORY_DEMAND;
			job->raised = true;
			acted = true;
		}
		if (job->opened && !job->completed &&
		    memory_transfer_done(&job->transfer)) {
			job->completed = now;
			acted = true;
		}
	}
	return acted;
}

static uint64_t owners_next(const struct run *run)
{
	uint64_t next = ENGINE_NEVER;

	for (uint32_t i = 0; i < run->count; i++) {
		const struct job *job = &run->jobs[i];

		if (!job->opened && job->open < next)
			next = job->open;
		if (!job->raised && job->raise < next)
			next = job->raise;
	}
	return next;
}

static bool run_done(const struct run *run)
{
	for (uint32_t i = 0; i < run->count; i++)
		if (!run->jobs[i].completed)
			return false;
	return true;
}

static void drive(const struct sim_config *config, struct run *run, bool jump)
{
	struct engine_memory *memory;
	uint64_t now = 0;

	assert_int_equal(engine_memory_create(config, NULL, &memory), 0);
	for (;;) {
		bool changed = memory_step(memory, now);

		run->steps++;
		changed |= owners_act(memory, run, now);
		if (run_done(run) && memory_idle(memory))
			break;
		if (changed || !jump) {
			now++;
		} else {
			uint64_t own = owners_next(run);

			now = memory_next(memory, now);
			now = own < now ? own : now;
			assert_int_not_equal(now, ENGINE_NEVER);
		}
		assert_true(now < 100000000);
	}
	run->end = now;
	memory_count(memory, &run->counts);
	engine_memory_destroy(memory);
}

static void run_make(struct run *run, uint64_t seed)
{
	memset(run, 0, sizeof(*run));
	run->count = TRANSFERS;
	for (uint32_t i = 0; i < run->count; i++)
		job_make(&run->jobs[i], &seed);
}

static void jumps_see_what_ticks_see(void **state)
{
	static struct run ticks, jumps;

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct sim_config config;

		sim_config_preset(presets[seed % 3], &config);
		if (seed % 4 == 0)
			config.clock_hz = 333000000;
		config.tlb_walkers = 1 + (uint32_t)seed % 3;
		config.dram_policy = seed % 5 == 0 ? DRAM_POLICY_REFERENCE :
						     DRAM_POLICY_DEVICE;
		if (seed % 7 == 0) {
			config.dram_ranks = 2;
			config.dram_banks = 2;
			config.dram_interleave_bytes = 128;
		}
		assert_int_equal(sim_config_check(&config), 0);
		run_make(&ticks, seed);
		run_make(&jumps, seed);
		drive(&config, &ticks, false);
		drive(&config, &jumps, true);
		assert_memory_equal(&ticks.counts, &jumps.counts,
				    sizeof(ticks.counts));
		assert_int_equal(ticks.end, jumps.end);
		for (uint32_t i = 0; i < ticks.count; i++)
			assert_int_equal(ticks.jobs[i].completed,
					 jumps.jobs[i].completed);
		assert_true(jumps.steps < ticks.steps);
	}
}

static void every_request_is_counted(void **state)
{
	static struct run run;

	(void)state;
	for (uint64_t seed = 100; seed < 130; seed++) {
		uint64_t bytes[2] = { 0 };
		uint64_t walks = 0;
		struct sim_config config;

		sim_config_preset(presets[seed % 3], &config);
		run_make(&run, seed);
		drive(&config, &run, true);
		for (uint32_t i = 0; i < run.count; i++) {
			const struct memory_transfer *t = &run.jobs[i].transfer;

			assert_int_equal(t->total % config.dram_burst_bytes, 0);
			bytes[t->write] += t->total;
			for (uint32_t r = 0; r < t->count; r++)
				if (t->ranges[r].length)
					walks += t->ranges[r].walks;
		}
		assert_int_equal(run.counts.read_bytes, bytes[false]);
		assert_int_equal(run.counts.write_bytes, bytes[true]);
		assert_int_equal(run.counts.walks, walks);
	}
}

static void map_is_one_to_one(void **state)
{
	static uint8_t seen[1 << 20];
	struct sim_config config;
	struct address_map map;

	(void)state;
	for (unsigned int p = 0; p < 3; p++) {
		uint32_t banks, columns;

		sim_config_preset(presets[p], &config);
		address_map_init(&map, &config);
		banks = config.dram_bank_groups * config.dram_banks;
		columns = config.dram_row_bytes / config.dram_burst_bytes;
		memset(seen, 0, sizeof(seen));
		for (uint64_t i = 0; i < sizeof(seen); i++) {
			uint64_t address = i * config.dram_burst_bytes;
			uint32_t channel = address_map_channel(&map, address);
			struct dram_address at =
				address_map_locate(&map, address);
			uint64_t index = at.row;

			assert_true(channel < config.dram_channels);
			assert_true(at.bank < banks && at.column < columns);
			index = index * banks + at.bank;
			index = index * columns + at.column;
			index = index * config.dram_channels + channel;
			assert_true(index < sizeof(seen));
			assert_int_equal(seen[index]++, 0);
		}
	}
}

/* So many streams of 4 MiB in all, page by page; permille of the attainable rate. */
static uint64_t stream_permille(const char *preset, uint32_t streams,
				bool writes)
{
	enum { PAGES = 1024 };
	static struct memory_range ranges[PAGES];
	static struct run run;
	uint32_t pages = PAGES / streams;
	struct sim_config config;
	uint64_t seed = streams;
	unsigned __int128 product;

	sim_config_preset(preset, &config);
	memset(&run, 0, sizeof(run));
	run.count = streams;
	for (uint32_t s = 0; s < streams; s++) {
		struct job *job = &run.jobs[s];
		uint64_t base = (random_next(&seed) % 65536) * 16 * PAGE;

		for (uint32_t i = 0; i < pages; i++)
			ranges[s * pages + i] = (struct memory_range){
				.address = base + (uint64_t)i * PAGE,
				.length = PAGE,
			};
		job->raise = ENGINE_NEVER;
		job->transfer = (struct memory_transfer){
			.ranges = &ranges[s * pages],
			.count = pages,
			.write = writes && s % 2,
			.class = writes && s % 2 ? MEMORY_WRITE_BACK :
						   MEMORY_DEMAND,
			.allowed = UINT64_MAX,
		};
	}
	drive(&config, &run, true);
	product = (unsigned __int128)PAGES * PAGE * config.clock_hz * 1000;
	return (uint64_t)(product / memory_bandwidth(&config) /
			  run.counts.busy_cycles);
}

static void streams_reach_the_attainable_rate(void **state)
{
	(void)state;
	for (unsigned int p = 0; p < 3; p++) {
		assert_true(stream_permille(presets[p], 1, false) > 980);
		assert_true(stream_permille(presets[p], 4, false) > 970);
		assert_true(stream_permille(presets[p], 16, false) > 970);
		assert_true(stream_permille(presets[p], 2, true) > 960);
		assert_true(stream_permille(presets[p], 4, true) > 950);
		assert_true(stream_permille(presets[p], 16, true) > 930);
	}
}

/* Tiles of a tensor's rows: a piece of each channel. Permille, likewise. */
static uint64_t tiles_permille(const char *preset)
{
	enum { CHANNELS = 512, TILES = 8, PIECE = 256, STRIDE = 16384 };
	static struct memory_range ranges[TILES * CHANNELS];
	static struct run run;
	struct sim_config config;
	unsigned __int128 product;

	sim_config_preset(preset, &config);
	memset(&run, 0, sizeof(run));
	for (uint32_t i = 0; i < TILES * CHANNELS; i++)
		ranges[i] = (struct memory_range){
			.address = (uint64_t)i % CHANNELS * STRIDE +
				   i / CHANNELS * PIECE,
			.length = PIECE,
		};
	run.count = 1;
	run.jobs[0].raise = ENGINE_NEVER;
	run.jobs[0].transfer = (struct memory_transfer){
		.ranges = ranges,
		.count = TILES * CHANNELS,
		.class = MEMORY_DEMAND,
		.allowed = UINT64_MAX,
	};
	drive(&config, &run, true);
	product = (unsigned __int128)sizeof(ranges) / sizeof(ranges[0]) *
		  PIECE * config.clock_hz * 1000;
	return (uint64_t)(product / memory_bandwidth(&config) /
			  run.counts.busy_cycles);
}

/* A single channel of DDR4 has a bank conflict now and then. */
static void pieces_of_rows_are_nearly_streams(void **state)
{
	static const uint64_t least[] = { 900, 960, 960 };

	(void)state;
	for (unsigned int p = 0; p < 3; p++)
		assert_true(tiles_permille(presets[p]) > least[p]);
}

/* Cycles of one transfer of @pages pages. */
static uint64_t pages_cycles(uint32_t pages, uint32_t walks, uint32_t walk_ps)
{
	static struct run run;
	struct sim_config config;

	sim_config_preset("default", &config);
	config.tlb_walk_ps = walk_ps;
	memset(&run, 0, sizeof(run));
	run.count = 1;
	run.jobs[0].raise = ENGINE_NEVER;
	run.jobs[0].transfer = (struct memory_transfer){
		.ranges = run.jobs[0].ranges,
		.count = pages,
		.class = MEMORY_DEMAND,
		.allowed = UINT64_MAX,
	};
	for (uint32_t i = 0; i < pages; i++)
		run.jobs[0].ranges[i] = (struct memory_range){
			.address = (uint64_t)i * PAGE,
			.length = PAGE,
			.walks = walks,
		};
	drive(&config, &run, true);
	return run.jobs[0].completed;
}

static void walks_precede_and_overlap(void **state)
{
	uint64_t one = pages_cycles(1, 0, 1000000);

	(void)state;
	/* Of the first page all, 1000 cycles each, up to the next clock edge. */
	assert_in_range(pages_cycles(1, 3, 1000000), one + 2998, one + 3002);
	/* The second page's is made at the same time. */
	assert_in_range(pages_cycles(2, 1, 1000000), one + 1000, one + 1100);
	/* The third's begins when the second is at the front. */
	assert_in_range(pages_cycles(3, 1, 1000000), one + 1900, one + 2100);
	/* Short ones vanish behind the data but for the first. */
	assert_in_range(pages_cycles(20, 1, 20000), pages_cycles(20, 0, 0) + 10,
			pages_cycles(20, 0, 0) + 60);
}

/* Of one request of a demand that comes when others of a class fill the memory. */
static uint64_t demand_latency(enum memory_class others)
{
	enum { PAGES = 1024 };
	static struct memory_range ranges[PAGES];
	static struct run run;
	struct sim_config config;

	sim_config_preset("default", &config);
	memset(&run, 0, sizeof(run));
	run.count = 2;
	for (uint32_t i = 0; i < PAGES; i++)
		ranges[i] = (struct memory_range){
			.address = (uint64_t)i * PAGE,
			.length = PAGE,
		};
	run.jobs[0].ranges[0] = (struct memory_range){ 1 << 28, 64, 0 };
	run.jobs[0].open = 3000;
	for (uint32_t i = 0; i < 2; i++) {
		run.jobs[i].raise = ENGINE_NEVER;
		run.jobs[i].transfer = (struct memory_transfer){
			.ranges = i ? ranges : run.jobs[0].ranges,
			.count = i ? PAGES : 1,
			.write = i && others == MEMORY_WRITE_BACK,
			.class = i ? others : MEMORY_DEMAND,
			.allowed = UINT64_MAX,
		};
	}
	drive(&config, &run, true);
	return run.jobs[0].completed - run.jobs[0].open;
}

static void prefetches_leave_room_to_demands(void **state)
{
	(void)state;
	assert_true(demand_latency(MEMORY_PREFETCH) * 4 <
		    demand_latency(MEMORY_DEMAND) * 3);
}

/* The writes alone take more than 30000 cycles. */
static void writes_do_not_starve_reads(void **state)
{
	(void)state;
	assert_true(demand_latency(MEMORY_WRITE_BACK) < 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_is_one_to_one),
		cmocka_unit_test(every_request_is_counted),
		cmocka_unit_test(jumps_see_what_ticks_see),
		cmocka_unit_test(streams_reach_the_attainable_rate),
		cmocka_unit_test(walks_precede_and_overlap),
		cmocka_unit_test(pieces_of_rows_are_nearly_streams),
		cmocka_unit_test(prefetches_leave_room_to_demands),
		cmocka_unit_test(writes_do_not_starve_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
