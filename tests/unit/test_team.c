/* SPDX-License-Identifier: MIT */
/* Threads that do one thing together: all of them, all of it, and nothing twice. */
#include "unit.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include <train/optimizer.h>
#include <train/team.h>

#define MEMBERS 5
#define COUNT 20011

struct calls {
	const struct team *team;
	int of[MEMBERS];
	unsigned char writers[COUNT];
};

static void count(void *context, int member)
{
	struct calls *calls = context;
	struct team_span own = team_part(calls->team, member, COUNT, 64);

	calls->of[member]++;
	for (size_t i = own.begin; i < own.end; i++)
		calls->writers[i]++;
}

static void every_member_has_its_part(void **state)
{
	(void)state;
	for (int members = 1; members <= MEMBERS; members++) {
		struct calls calls = { 0 };
		struct team *team;

		assert_int_equal(team_create(&team, members), 0);
		calls.team = team;
		for (int round = 0; round < 200; round++)
			team_run(team, count, &calls);
		team_destroy(team);
		for (int m = 0; m < MEMBERS; m++)
			assert_int_equal(calls.of[m], m < members ? 200 : 0);
		for (size_t i = 0; i < COUNT; i++)
			assert_int_equal(calls.writers[i], 200);
	}
}

static void members_that_went_to_sleep_come_back(void **state)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	struct calls calls = { 0 };
	struct team *team;

	(void)state;
	assert_int_equal(team_create(&team, 3), 0);
	calls.team = team;
	for (int round = 0; round < 3; round++) {
		nanosleep(&pause, NULL);
		team_run(team, count, &calls);
	}
	team_destroy(team);
	for (int m = 0; m < 3; m++)
		assert_int_equal(calls.of[m], 3);
}

static void the_caller_may_run_where_it_could(void **state)
{
	struct calls calls = { 0 };
	cpu_set_t before, after;
	struct team *team;

	(void)state;
	assert_int_equal(team_create(&team, 2), 0);
	calls.team = team;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	team_run(team, count, &calls);
	assert_int_equal(sched_getaffinity(0, sizeof(after), &after), 0);
	assert_true(CPU_EQUAL(&before, &after));
	team_destroy(team);
}

static void nobody_is_a_team_of_one(void **state)
{
	struct calls calls = { 0 };

	(void)state;
	team_run(NULL, count, &calls);
	assert_int_equal(calls.of[0], 1);
	assert_int_equal(calls.writers[0], 1);
	assert_int_equal(calls.writers[COUNT - 1], 1);
}

/* Three steps with all that a step can have; the weights, then the average. */
static void train(struct team *team, float *result)
{
	const struct optimizer_options options = {
		.weight_decay = 0.01F,
		.clip = 1,
		.average = 0.9F,
	};
	static float gradient[COUNT];
	static uint8_t keep[COUNT];
	struct optimizer o;

	assert_int_equal(optimizer_create(&o, &options, COUNT), 0);
	for (size_t i = 0; i < COUNT; i++) {
		result[i] = (float)(i % 101) - 50;
		keep[i] = i % 3 != 0;
	}
	for (int step = 0; step < 3; step++) {
		for (size_t i = 0; i < COUNT; i++)
			gradient[i] = (float)(i % 997) - 498;
		optimizer_step(&o, team, result, gradient, keep, 0.1F);
	}
	memcpy(result + COUNT, o.average, COUNT * sizeof(*result));
	optimizer_release(&o);
}

static void workers_change_no_bit_of_a_step(void **state)
{
	static float alone[2 * COUNT], together[2 * COUNT];

	(void)state;
	train(NULL, alone);
	for (int members = 2; members <= MEMBERS; members++) {
		struct team *team;

		assert_int_equal(team_create(&team, members), 0);
		train(team, together);
		team_destroy(team);
		assert_memory_equal(alone, together, sizeof(alone));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_has_its_part),
		cmocka_unit_test(members_that_went_to_sleep_come_back),
		cmocka_unit_test(the_caller_may_run_where_it_could),
		cmocka_unit_test(nobody_is_a_team_of_one),
		cmocka_unit_test(workers_change_no_bit_of_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
