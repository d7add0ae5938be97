/* SPDX-License-Identifier: MIT */
/*
 * The PCIe link: exact times of single packets, full rate, the bounds that tags and
 * credits set, and the same answer whether every cycle is stepped or only those that
 * the link names.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <sim/engine/link.h>
#include <sim/engine/link_rate.h>

#define RANGES 1024

/*
 * At the default, a byte takes 65/1.024 ps = 63.4765625 ps and a packet has 24 bytes
 * beside its payload.
 */
static struct sim_config config_default(void)
{
	struct sim_config config;

	assert_int_equal(sim_config_preset("default", &config), 0);
	assert_int_equal(config.clock_hz, 1000000000);
	return config;
}

static struct engine_link *link_new(const struct sim_config *config)
{
	struct engine_link *link;

	assert_int_equal(sim_config_check(config), 0);
	assert_int_equal(engine_link_create(config, NULL, &link), 0);
	assert_true(link_idle(link));
	return link;
}

/* Pages of a buffer of @bytes. */
static uint32_t pages_of(struct memory_range *ranges, uint64_t bytes)
{
	uint32_t count = 0;

	for (uint64_t at = 0; at < bytes; at += 4096)
		ranges[count++] = (struct memory_range){
			.address = 0x10000000 + at,
			.length = bytes - at < 4096 ? (uint32_t)(bytes - at) :
						      4096,
		};
	assert_true(count <= RANGES);
	return count;
}

/* Jumps to the cycle at which the transfer is done. */
static uint64_t run_until(struct engine_link *link,
			  const struct link_transfer *transfer, uint64_t now)
{
	while (!link_transfer_done(transfer)) {
		uint64_t next = now + 1;

		if (!link_step(link, now))
			next = link_next(link, now);
		if (link_transfer_done(transfer))
			break;
		assert_true(next != ENGINE_NEVER && next > now);
		now = next;
	}
	return now;
}

static void drain(struct engine_link *link, uint64_t now)
{
	while (!link_idle(link)) {
		if (link_step(link, now))
			now++;
		else
			now = link_next(link, now);
		assert_true(now != ENGINE_NEVER);
	}
	assert_false(link_step(link, now + 1000));
	assert_true(link_next(link, now) == ENGINE_NEVER);
}

static void scales_are_exact(void **state)
{
	static const struct {
		uint32_t clock_hz, megatransfers, lanes;
	} cases[] = { { 1000000000, 16000, 8 },
		      { 1000000, 2500, 1 },
		      { 3999999979, 127997, 32 },
		      { 4000000000, 128000, 16 },
		      { 1333333333, 7999, 4 } };
	struct sim_config config = config_default();

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t rate = (uint64_t)cases[i].megatransfers * 1000000 *
				cases[i].lanes;
		struct link_scale scale;
		link_time second;

		config.clock_hz = cases[i].clock_hz;
		config.pcie_megatransfers = cases[i].megatransfers;
		config.pcie_lanes = cases[i].lanes;
		link_scale_init(&scale, &config);
		second = scale.picosecond * 1000000000000;
		assert_true(scale.cycle * config.clock_hz == second);
		/* A byte is 10 bits on the wire, or 8 · 130 ÷ 128. */
		if (cases[i].megatransfers < 8000)
			assert_true(scale.byte * rate == second * 10);
		else
			assert_true(scale.byte * rate * 128 ==
				    second * 8 * 130);
	}
}

/* Cycles of one transfer of one range on an idle link, and its packets. */
static uint64_t single(const struct sim_config *config, uint64_t address,
		       uint32_t length, uint32_t walks, bool write,
		       struct link_counts *counts)
{
	struct engine_link *link = link_new(config);
	const struct memory_range range = { address, length, walks };
	struct link_transfer transfer = {
		.ranges = &range,
		.count = 1,
		.write = write,
		.allowed = UINT64_MAX,
	};
	uint64_t cycles;

	link_open(link, &transfer);
	cycles = run_until(link, &transfer, 0);
	link_count(link, counts);
	drain(link, cycles);
	engine_link_destroy(link);
	return cycles;
}

static void single_transfers_take_their_time(void **state)
{
	const struct sim_config config = config_default();
	struct link_counts counts;

	(void)state;
	/*
	 * 24 bytes up, 800 ns, 2 × (256 + 24) bytes down: 837070.3125 ps, seen at
	 * the next cycle.
	 */
	assert_int_equal(single(&config, 0x1000, 512, 0, false, &counts), 838);
	assert_int_equal(counts.packets_up, 1);
	assert_int_equal(counts.packets_down, 2);
	assert_int_equal(counts.read_bytes, 512);
	/* 24 + 88 bytes: 7109.375 ps. */
	assert_int_equal(single(&config, 0x1000, 64, 0, false, &counts), 808);
	/* (256 + 24) bytes: 17773.4375 ps, and 300 ns. */
	assert_int_equal(single(&config, 0x1000, 256, 0, true, &counts), 318);
	assert_int_equal(counts.packets_up, 1);
	assert_int_equal(counts.packets_down, 0);
	assert_int_equal(counts.write_bytes, 256);
}

static void walks_go_before(void **state)
{
	const struct sim_config config = config_default();
	struct link_counts counts;

	(void)state;
	/* Each level 24 + 32 bytes and 800 ns: 803554.6875 ps. */
	assert_int_equal(single(&config, 0x1000, 64, 2, false, &counts),
			 2 * 804 + 808);
	assert_int_equal(counts.packets_up, 3);
	assert_int_equal(counts.read_bytes, 64);
	assert_int_equal(single(&config, 0x1000, 256, 1, true, &counts),
			 804 + 318);
}

static void packets_are_cut_at_boundaries(void **state)
{
	const struct sim_config config = config_default();
	struct link_counts counts;

	(void)state;
	/* No request crosses 4 KiB: 100 and 412 bytes; 100, 256 and 156. */
	single(&config, 0x2000 - 100, 512, 0, false, &counts);
	assert_int_equal(counts.packets_up, 2);
	assert_int_equal(counts.packets_down, 3);
	/* Completions end at a multiple of 64: 224, 256 and 32. */
	single(&config, 0x1020, 512, 0, false, &counts);
	assert_int_equal(counts.packets_up, 1);
	assert_int_equal(counts.packets_down, 3);
	/* Writes of at most 256, none across 4 KiB: 100, 256, 244. */
	single(&config, 0x2000 - 100, 600, 0, true, &counts);
	assert_int_equal(counts.packets_up, 3);
}

static void doorbell_takes_its_time(void **state)
{
	const struct sim_config config = config_default();
	struct engine_link *link = link_new(&config);
	struct link_transfer doorbell = { 0 };
	struct link_counts counts;

	(void)state;
	link_doorbell(link, &doorbell, 10);
	/* 200 ns and 28 bytes: 1777.34375 ps. */
	assert_int_equal(run_until(link, &doorbell, 10), 10 + 202);
	link_count(link, &counts);
	assert_int_equal(counts.doorbells, 1);
	drain(link, 300);
	engine_link_destroy(link);
}

static void interrupt_follows_its_data(void **state)
{
	static const struct memory_range ranges[] = { { 0x1000, 16, 0 },
						      { 0xfee00000, 4, 0 } };
	const struct sim_config config = config_default();
	struct engine_link *link = link_new(&config);
	struct link_transfer transfer = {
		.ranges = ranges,
		.count = 2,
		.write = true,
		.allowed = UINT64_MAX,
	};
	struct link_counts counts;

	(void)state;
	link_interrupt(link, &transfer);
	/* 40 + 28 bytes: 4316.40625 ps, and 300 ns. */
	assert_int_equal(run_until(link, &transfer, 0), 305);
	link_count(link, &counts);
	assert_int_equal(counts.interrupts, 1);
	assert_int_equal(counts.packets_up, 2);
	drain(link, 400);
	engine_link_destroy(link);
}

/* Cycles to move @bytes by a long transfer. */
static uint64_t stream(const struct sim_config *config, uint64_t bytes,
		       bool write)
{
	struct engine_link *link = link_new(config);
	struct memory_range ranges[RANGES];
	struct link_transfer transfer = {
		.ranges = ranges,
		.count = pages_of(ranges, bytes),
		.write = write,
		.allowed = UINT64_MAX,
	};
	uint64_t cycles;

	link_open(link, &transfer);
	cycles = run_until(link, &transfer, 0);
	drain(link, cycles);
	engine_link_destroy(link);
	return cycles;
}

static void streams_reach_the_bandwidth(void **state)
{
	const uint64_t bytes = RANGES * 4096;
	struct sim_config config = config_default();
	double attainable;

	(void)state;
	for (uint32_t lanes = 1; lanes <= 16; lanes *= 2) {
		config.pcie_lanes = lanes;
		/* Four megabytes, so that the first latency hardly counts. */
		attainable = (double)link_bandwidth(&config);
		for (int write = 0; write < 2; write++) {
			double seconds =
				(double)stream(&config, bytes, write) / 1e9;

			assert_true((double)bytes / seconds <= attainable);
			assert_true((double)bytes / seconds >
				    attainable * 0.98);
		}
	}
}

static void directions_share_only_what_they_must(void **state)
{
	const struct sim_config config = config_default();
	struct engine_link *link = link_new(&config);
	struct memory_range ranges[RANGES];
	struct link_transfer transfers[2];
	uint64_t bytes = RANGES * 4096, written, read;
	double requests = (double)bytes / 512 * 24, packets;

	(void)state;
	for (int write = 0; write < 2; write++) {
		transfers[write] = (struct link_transfer){
			.ranges = ranges,
			.count = pages_of(ranges, bytes),
			.write = write,
			.allowed = UINT64_MAX,
		};
		link_open(link, &transfers[write]);
	}
	read = run_until(link, &transfers[0], 0);
	written = run_until(link, &transfers[1], read);
	/* Downstream only completions; upstream the writes and the requests. */
	packets = (double)bytes / 256 * 280;
	assert_in_range(read, (uint64_t)(packets * 0.0634765625),
			(uint64_t)(packets * 0.0634765625 * 1.02));
	packets += requests;
	assert_in_range(written, (uint64_t)(packets * 0.0634765625),
			(uint64_t)(packets * 0.0634765625 * 1.02));
	drain(link, written);
	engine_link_destroy(link);
}

static void few_tags_bound_reads(void **state)
{
	struct sim_config config = config_default();

	(void)state;
	config.pcie_tags = 4;
	/*
	 * Each tag is used again after 838 cycles; the first time the four answers
	 * follow each other on the wire: 801.5234375 + 4 × 35.546875 ns.
	 */
	assert_int_equal(stream(&config, 16 * 4 * 512, false), 944 + 15 * 838);
	assert_in_range(link_bandwidth(&config), 4 * 512 * 1000000000ull / 838,
			4 * 512 * 1000000000ull / 837);
}

static void few_credits_bound_reads(void **state)
{
	struct sim_config config = config_default();

	(void)state;
	/* Room for one answer: the next request goes when it has come. */
	config.pcie_completion_bytes = 512;
	assert_int_equal(stream(&config, 16 * 512, false), 16 * 838);
	config = config_default();
	/*
	 * A credit is back when the host begins to answer: after 801.5 ns, the
	 * first time the second one after 837.1.
	 */
	config.pcie_nonposted_credits = 2;
	assert_int_equal(stream(&config, 10 * 2 * 512, false),
			 838 + 8 * 802 + 838);
	assert_in_range(link_bandwidth(&config), 2 * 512 * 1000000000ull / 802,
			2 * 512 * 1000000000ull / 801);
}

static void few_credits_bound_writes(void **state)
{
	struct sim_config config = config_default();

	(void)state;
	config.pcie_posted_credits = 1;
	assert_int_equal(stream(&config, 16 * 256, true), 16 * 318);
	assert_in_range(link_bandwidth(&config), 256 * 1000000000ull / 318,
			256 * 1000000000ull / 317);
	config = config_default();
	config.pcie_posted_data_credits = 31;
	assert_int_equal(stream(&config, 16 * 256, true), 16 * 318);
	/* Two at a time, one after the other at first. */
	config.pcie_posted_data_credits = 32;
	assert_int_equal(stream(&config, 16 * 256, true), 8 * 318 + 18);
}

struct record {
	uint64_t spans[ENGINE_TRACK_COUNT];
	uint64_t end[ENGINE_TRACK_COUNT];
	uint64_t bytes[ENGINE_TRACK_COUNT];
	uint64_t value[ENGINE_SIGNAL_COUNT];
	uint64_t most[ENGINE_SIGNAL_COUNT];
};

static void record_span(void *owner, const struct engine_span *span)
{
	struct record *record = owner;

	assert_true(span->begin >= record->end[span->track]);
	assert_true(span->end > span->begin);
	assert_int_equal(span->sequence, 7);
	record->end[span->track] = span->end;
	record->bytes[span->track] += span->detail;
	record->spans[span->track]++;
}

static void record_change(void *owner, enum engine_signal signal, uint32_t unit,
			  uint64_t now, uint64_t value)
{
	struct record *record = owner;

	(void)unit;
	(void)now;
	record->value[signal] = value;
	if (record->most[signal] < value)
		record->most[signal] = value;
}

static void observer_sees_every_packet(void **state)
{
	struct record record = { 0 };
	const struct engine_observer observer = { .span = record_span,
						  .change = record_change,
						  .owner = &record };
	const struct sim_config config = config_default();
	struct memory_range ranges[RANGES];
	struct link_transfer transfers[2];
	struct link_counts counts;
	struct engine_link *link;

	(void)state;
	assert_int_equal(engine_link_create(&config, &observer, &link), 0);
	for (int write = 0; write < 2; write++) {
		transfers[write] = (struct link_transfer){
			.ranges = ranges,
			.count = pages_of(ranges, 64 << 10),
			.write = write,
			.allowed = UINT64_MAX,
			.sequence = 7,
		};
		link_open(link, &transfers[write]);
	}
	drain(link, run_until(link, &transfers[1], 0));
	link_count(link, &counts);
	assert_int_equal(record.spans[ENGINE_TRACK_LINK_UP], counts.packets_up);
	assert_int_equal(record.spans[ENGINE_TRACK_LINK_DOWN],
			 counts.packets_down);
	assert_int_equal(record.bytes[ENGINE_TRACK_LINK_UP], 64 << 10);
	assert_int_equal(record.bytes[ENGINE_TRACK_LINK_DOWN], 64 << 10);
	assert_int_equal(record.value[ENGINE_SIGNAL_LINK_TAGS], 0);
	assert_int_equal(record.value[ENGINE_SIGNAL_LINK_POSTED], 0);
	assert_in_range(record.most[ENGINE_SIGNAL_LINK_TAGS], 24, 64);
	engine_link_destroy(link);
}

#define TRANSFERS 60

/* What happens to a link from outside, and when. */
struct script {
	struct sim_config config;
	struct memory_range ranges[TRANSFERS][8];
	struct link_transfer transfers[TRANSFERS];
	uint64_t open[TRANSFERS];
	uint64_t raise[TRANSFERS]; /* cycle at which the rest is allowed */
	bool doorbell[TRANSFERS];
};

struct outcome {
	uint64_t done[TRANSFERS];
	struct link_counts counts;
	uint64_t steps;
};

static uint64_t seed;

static uint32_t pick(uint32_t bound)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % bound);
}

static void script_config(struct sim_config *config)
{
	static const uint32_t clocks[] = { 1000000000, 1333333333, 700000001 };

	*config = config_default();
	config->clock_hz = clocks[pick(3)];
	config->pcie_megatransfers = pick(2) ? 16000 : 5000;
	config->pcie_lanes = 1u << pick(6);
	config->pcie_payload = 128u << pick(3);
	config->pcie_read_request = 128u << pick(4);
	config->pcie_tags = 1 + pick(20);
	config->pcie_read_latency_ps = pick(2) ? pick(900000) : 0;
	config->pcie_write_latency_ps = pick(2) ? pick(400000) : 0;
	config->pcie_doorbell_ps = pick(2) ? pick(300000) : 0;
	config->pcie_nonposted_credits = 1 + pick(20);
	config->pcie_posted_credits = 1 + pick(20);
	config->pcie_posted_data_credits = config->pcie_payload / 16 + pick(64);
	config->pcie_completion_bytes = config->pcie_read_request + pick(4096);
}

static void script_make(struct script *script)
{
	uint64_t now = 0;

	memset(script, 0, sizeof(*script));
	script_config(&script->config);
	for (int i = 0; i < TRANSFERS; i++) {
		struct link_transfer *transfer = &script->transfers[i];

		transfer->ranges = script->ranges[i];
		transfer->count = pick(9);
		transfer->write = pick(2);
		transfer->allowed = pick(2) ? UINT64_MAX : pick(9000);
		for (uint32_t r = 0; r < transfer->count; r++) {
			uint32_t offset = pick(4096);

			script->ranges[i][r] = (struct memory_range){
				.address = (uint64_t)pick(1000) << 12 | offset,
				.length = pick(4097 - offset),
				.walks = pick(3) ? 0 : pick(3),
			};
		}
		script->doorbell[i] = !pick(6);
		script->open[i] = now += pick(4) ? pick(20) : pick(3000);
		script->raise[i] = now + pick(4000);
	}
}

/* Everything of the script that is due; the next cycle at which something is. */
static uint64_t script_apply(struct script *script, struct engine_link *link,
			     uint64_t now, bool *changed)
{
	uint64_t next = ENGINE_NEVER;

	for (int i = 0; i < TRANSFERS; i++) {
		struct link_transfer *transfer = &script->transfers[i];

		if (script->open[i] == now && script->doorbell[i])
			link_doorbell(link, transfer, now);
		else if (script->open[i] == now)
			link_open(link, transfer);
		if (script->raise[i] == now)
			transfer->allowed = UINT64_MAX;
		if (script->open[i] == now || script->raise[i] == now)
			*changed = true;
		if (script->open[i] > now && script->open[i] < next)
			next = script->open[i];
		if (script->raise[i] > now && script->raise[i] < next)
			next = script->raise[i];
	}
	return next;
}

static void script_run(struct script *script, bool jump,
		       struct outcome *outcome)
{
	struct engine_link *link = link_new(&script->config);
	uint64_t now = 0;
	bool more = true;

	memset(outcome, 0, sizeof(*outcome));
	while (more) {
		/* The link goes first, the others after it. */
		bool changed = link_step(link, now);
		uint64_t next = script_apply(script, link, now, &changed);

		for (int i = 0; i < TRANSFERS; i++)
			if (!outcome->done[i] && script->open[i] <= now &&
			    link_transfer_done(&script->transfers[i]))
				outcome->done[i] = now + 1;
		more = next != ENGINE_NEVER || !link_idle(link);
		outcome->steps++;
		if (jump && !changed) {
			uint64_t due = link_next(link, now);

			now = next < due ? next : due;
		} else {
			now++;
		}
		assert_true(!more || now != ENGINE_NEVER);
	}
	link_count(link, &outcome->counts);
	engine_link_destroy(link);
}

static void jumping_changes_nothing(void **state)
{
	static struct script script, copy;
	static struct outcome every, jumped;
	uint64_t steps = 0, jumps = 0;

	(void)state;
	for (seed = 1; seed <= 150; seed++) {
		uint64_t number = seed;

		script_make(&script);
		/* A seed's script and its copy, for transfers have a state. */
		copy = script;
		for (int i = 0; i < TRANSFERS; i++)
			copy.transfers[i].ranges = copy.ranges[i];
		script_run(&script, false, &every);
		script_run(&copy, true, &jumped);
		steps += every.steps;
		jumps += jumped.steps;
		every.steps = jumped.steps = 0;
		if (memcmp(&every, &jumped, sizeof(every)))
			fail_msg("script %d differs", (int)number);
		seed = number;
	}
	/* Otherwise the comparison would say nothing. */
	assert_true(jumps < steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scales_are_exact),
		cmocka_unit_test(single_transfers_take_their_time),
		cmocka_unit_test(walks_go_before),
		cmocka_unit_test(packets_are_cut_at_boundaries),
		cmocka_unit_test(doorbell_takes_its_time),
		cmocka_unit_test(interrupt_follows_its_data),
		cmocka_unit_test(streams_reach_the_bandwidth),
		cmocka_unit_test(directions_share_only_what_they_must),
		cmocka_unit_test(few_tags_bound_reads),
		cmocka_unit_test(few_credits_bound_reads),
		cmocka_unit_test(few_credits_bound_writes),
		cmocka_unit_test(observer_sees_every_packet),
		cmocka_unit_test(jumping_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
