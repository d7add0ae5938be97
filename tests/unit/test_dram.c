/* SPDX-License-Identifier: MIT */
/*
 * The DRAM controller: whatever is asked of it, everything completes and no
 * timing constraint is violated; and the checker that says so sees violations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/dram/checker.h"
#include "sim/dram/controller.h"

/* A small DDR4-like channel; only the relations of the numbers matter. */
static const struct dram_standard standard = {
	.name = "test",
	.channels = 1,
	.ranks = 2,
	.groups_per_rank = 2,
	.banks_per_group = 4,
	.rows_per_bank = 64,
	.bursts_per_row = 16,
	.request_bytes = 64,
	.burst_clocks = 4,
	.read_done_clocks = 26,
	.write_done_clocks = 20,
	.gaps = {
		{ DRAM_READ, DRAM_READ, DRAM_SAME_GROUP, 8 },
		{ DRAM_READ, DRAM_READ, DRAM_OTHER_GROUP, 4 },
		{ DRAM_READ, DRAM_READ, DRAM_OTHER_RANK, 6 },
		{ DRAM_WRITE, DRAM_WRITE, DRAM_SAME_GROUP, 8 },
		{ DRAM_WRITE, DRAM_WRITE, DRAM_OTHER_GROUP, 4 },
		{ DRAM_READ, DRAM_WRITE, DRAM_SAME_RANK, 11 },
		{ DRAM_WRITE, DRAM_READ, DRAM_SAME_GROUP, 32 },
		{ DRAM_WRITE, DRAM_READ, DRAM_OTHER_GROUP, 24 },
		{ DRAM_READ, DRAM_PRECHARGE, DRAM_SAME_BANK, 12 },
		{ DRAM_WRITE, DRAM_PRECHARGE, DRAM_SAME_BANK, 44 },
		{ DRAM_ACTIVATE, DRAM_READ, DRAM_SAME_BANK, 22 },
		{ DRAM_ACTIVATE, DRAM_WRITE, DRAM_SAME_BANK, 22 },
		{ DRAM_ACTIVATE, DRAM_PRECHARGE, DRAM_SAME_BANK, 52 },
		{ DRAM_ACTIVATE, DRAM_ACTIVATE, DRAM_SAME_GROUP, 8 },
		{ DRAM_ACTIVATE, DRAM_ACTIVATE, DRAM_OTHER_GROUP, 4 },
		{ DRAM_PRECHARGE, DRAM_ACTIVATE, DRAM_SAME_BANK, 22 },
		{ DRAM_PRECHARGE, DRAM_REFRESH, DRAM_SAME_BANK, 22 },
		{ DRAM_PRECHARGE, DRAM_PRECHARGE, DRAM_SAME_RANK_OTHER_BANK, 2 },
		{ DRAM_REFRESH, DRAM_ACTIVATE, DRAM_SAME_RANK, 100 },
		{ DRAM_READ, DRAM_ACTIVATE, DRAM_SAME_RANK_OTHER_BANK, 3 },
	},
	.gap_count = 20,
	.activate_window_clocks = 34,
	.refresh_interval_clocks = 1500,
	.read_queue_entries = 8,
	.write_queue_entries = 8,
	.bank_queue_entries = 4,
	.drain_full = 8,
	.drain_idle = 2,
	.row_hit_cap = 4,
};

struct run {
	struct dram_checker *checker;
	uint64_t done;
	uint64_t hash;
	uint64_t last_clock;
};

static void on_issued(void *owner, uint64_t id, uint64_t clock)
{
	(void)owner;
	(void)id;
	(void)clock;
}

static void on_done(void *owner, uint64_t id, uint64_t clock)
{
	struct run *run = owner;

	(void)id;
	(void)clock;
	run->done++;
}

static void on_command(void *owner, enum dram_command command,
		       const struct dram_address *address, uint64_t clock)
{
	struct run *run = owner;

	dram_checker_command(run->checker, command, address, clock);
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static struct dram_request random_request(const struct dram_standard *of,
					  uint64_t *state)
{
	return (struct dram_request){
		.address = { .bank = next_random(state) %
				     dram_standard_banks(of),
			     .row = next_random(state) % 4,
			     .column = next_random(state) % 4 },
		.write = next_random(state) % 3 == 0,
	};
}

/* 2000 requests, after idleness until @start. */
static void run_random(const struct dram_standard *obeyed, uint64_t seed,
		       uint64_t start, struct run *run)
{
	struct dram_observer observer = { on_issued, on_done, on_command, run };
	struct dram_controller *controller;
	struct dram_request request = random_request(obeyed, &seed);
	uint64_t clock = 0;
	int left = 2000;

	assert_int_equal(dram_controller_create(obeyed, &observer, &controller),
			 0);
	while (clock < start)
		clock = dram_controller_clock(controller, clock);
	while (left || dram_controller_busy(controller)) {
		uint64_t next;

		while (left &&
		       dram_controller_has_room(controller, request.write)) {
			dram_controller_accept(controller, &request, clock);
			request = random_request(obeyed, &seed);
			left--;
		}
		next = dram_controller_clock(controller, clock);
		assert_true(next > clock);
		clock = next;
		assert_true(clock < start + 10000000);
	}
	run->last_clock = clock;
	dram_controller_destroy(controller);
}

static struct dram_standard standard_of(enum dram_policy policy)
{
	struct dram_standard changed = standard;

	changed.policy = policy;
	return changed;
}

/* Ranks, groups of each, banks of each. */
static const uint32_t geometries[][3] = {
	{ 2, 2, 4 },  { 1, 4, 4 }, { 4, 8, 2 },
	{ 1, 1, 16 }, { 4, 1, 1 }, { 1, 5, 3 },
};

static void test_everything_completes_without_violation(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 120; seed++) {
		struct dram_standard obeyed = standard_of(
			(enum dram_policy)(seed / 6 % DRAM_POLICY_COUNT));
		const uint32_t *geometry = geometries[seed % 6];
		struct run run = { 0 };

		obeyed.ranks = geometry[0];
		obeyed.groups_per_rank = geometry[1];
		obeyed.banks_per_group = geometry[2];
		obeyed.second_command = seed % 5 == 0;
		assert_int_equal(dram_checker_create(&obeyed, &run.checker), 0);
		run_random(&obeyed, seed, 0, &run);
		assert_string_equal(dram_checker_first(run.checker), "");
		assert_int_equal(dram_checker_violations(run.checker), 0);
		assert_int_equal(run.done, 2000);
		dram_checker_destroy(run.checker);
	}
}

/* Times are kept in 32 bits: the traffic passes where they begin anew. */
static void test_clocks_may_become_large(void **state)
{
	struct run run = { 0 };

	(void)state;
	assert_int_equal(dram_checker_create(&standard, &run.checker), 0);
	run_random(&standard, 3, (1u << 29) - 3000, &run);
	assert_true(run.last_clock > 1u << 29);
	assert_string_equal(dram_checker_first(run.checker), "");
	assert_int_equal(run.done, 2000);
	dram_checker_destroy(run.checker);
}

/* A controller that ignores any one gap must be caught by the checker. */
static void test_checker_sees_each_broken_gap(void **state)
{
	(void)state;
	for (uint32_t gap = 0; gap < standard.gap_count; gap++) {
		struct dram_standard broken = standard;
		struct run run = { 0 };

		broken.gaps[gap].clocks = 0;
		assert_int_equal(dram_checker_create(&standard, &run.checker),
				 0);
		run_random(&broken, 7, 0, &run);
		if (!dram_checker_violations(run.checker))
			fail_msg("gap %u is not checked", gap);
		dram_checker_destroy(run.checker);
	}
}

static void test_checker_sees_the_activate_window(void **state)
{
	struct dram_standard broken = standard;
	struct run run = { 0 };

	(void)state;
	broken.activate_window_clocks = 0;
	assert_int_equal(dram_checker_create(&standard, &run.checker), 0);
	run_random(&broken, 7, 0, &run);
	assert_true(dram_checker_violations(run.checker) > 0);
	dram_checker_destroy(run.checker);
}

/*
 * The skipped clocks are idle: calling at each clock changes nothing. A hash of all
 * commands and their clocks; requests come in bursts, at clocks of their own.
 */
static void hash_command(void *owner, enum dram_command command,
			 const struct dram_address *address, uint64_t clock)
{
	struct run *run = owner;
	uint64_t what = clock << 16 | address->bank << 8 | (uint64_t)command;

	run->hash = (run->hash ^ what) * 0x9e3779b97f4a7c15u;
	run->hash ^= run->hash >> 29;
	run->last_clock = clock;
}

static uint64_t commands_of(const struct dram_standard *obeyed, uint64_t seed,
			    bool skip)
{
	struct run run = { 0 };
	struct dram_observer observer = { on_issued, on_done, hash_command,
					  &run };
	struct dram_controller *controller;
	uint64_t burst = 0;
	uint64_t next = 0;

	dram_controller_create(obeyed, &observer, &controller);
	for (uint64_t clock = 0; clock < 20000; clock++) {
		bool entered = false;

		while (clock >= burst) {
			struct dram_request request =
				random_request(obeyed, &seed);

			if (dram_controller_has_room(controller, request.write))
				dram_controller_accept(controller, &request,
						       clock);
			entered = true;
			if (next_random(&seed) % 8 == 0)
				burst = clock + next_random(&seed) % 200;
		}
		if (!skip || entered || clock >= next)
			next = dram_controller_clock(controller, clock);
	}
	dram_controller_destroy(controller);
	return run.hash;
}

static void test_skipping_is_exact(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct dram_standard obeyed = standard_of(
			(enum dram_policy)(seed % DRAM_POLICY_COUNT));

		obeyed.second_command = seed % 3 == 0;
		assert_int_equal(commands_of(&obeyed, seed, true),
				 commands_of(&obeyed, seed, false));
	}
}

/* A hash of the commands after a long idle time, its refreshes left out or not. */
static uint64_t commands_after_idleness(const struct dram_standard *obeyed,
					uint64_t idle, bool skip)
{
	struct run run = { 0 };
	struct dram_observer observer = { on_issued, on_done, hash_command,
					  &run };
	struct dram_controller *controller;
	uint64_t skipped = 0;
	uint64_t seed = idle;
	uint64_t clock = 0;

	dram_controller_create(obeyed, &observer, &controller);
	for (int burst = 0; burst < 3; burst++) {
		uint64_t start = burst * idle;

		while (clock < start) {
			if (skip)
				skipped += dram_controller_skip(controller,
								&clock, start);
			clock = dram_controller_clock(controller, clock);
		}
		clock = start;
		run.hash = 0;
		for (int i = 0; i < 8; i++) {
			struct dram_request request =
				random_request(obeyed, &seed);

			dram_controller_accept(controller, &request, clock);
		}
		while (clock < start + 2 * obeyed->refresh_interval_clocks)
			clock = dram_controller_clock(controller, clock);
	}
	dram_controller_destroy(controller);
	assert_int_equal(skipped > 0, skip);
	return run.hash;
}

static void test_idle_refreshes_may_be_left_out(void **state)
{
	(void)state;
	for (uint64_t idle = 900000; idle < 900000 + 40 * 91; idle += 91) {
		struct dram_standard obeyed = standard_of(
			(enum dram_policy)(idle % DRAM_POLICY_COUNT));

		assert_int_equal(commands_after_idleness(&obeyed, idle, true),
				 commands_after_idleness(&obeyed, idle, false));
	}
	/* More than 32 bits of clocks. */
	assert_int_not_equal(
		commands_after_idleness(&standard, 1ull << 40, true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_completes_without_violation),
		cmocka_unit_test(test_clocks_may_become_large),
		cmocka_unit_test(test_checker_sees_each_broken_gap),
		cmocka_unit_test(test_checker_sees_the_activate_window),
		cmocka_unit_test(test_skipping_is_exact),
		cmocka_unit_test(test_idle_refreshes_may_be_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
