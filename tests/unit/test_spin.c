/* SPDX-License-Identifier: MIT */
/* When a wait spins and when it sleeps: waits of a clock that the test moves. */
#include "unit.h"

#include <runtime/spin.h>

#define US 1000ull
#define MS 1000000ull

/* What a sleep adds to a wait, as a virtual machine has it. */
#define WAKE_NS (30 * US)

/* One wait for what comes after so long. Return: how long it spun. */
static uint64_t wait_for(struct spin *spin, uint64_t length)
{
	uint64_t budget = spin_budget(spin);
	bool slept = length > budget;

	spin_learn(spin, length + (slept ? WAKE_NS : 0), slept, true);
	return slept ? budget : length;
}

static unsigned int sleeps_of(struct spin *spin, uint64_t length,
			      unsigned int waits)
{
	unsigned int sleeps = 0;

	for (unsigned int i = 0; i < waits; i++)
		sleeps += wait_for(spin, length) < length;
	return sleeps;
}

static uint64_t spun_of(struct spin *spin, uint64_t length, unsigned int waits)
{
	uint64_t spun = 0;

	for (unsigned int i = 0; i < waits; i++)
		spun += wait_for(spin, length);
	return spun;
}

static void short_waits_never_sleep(void **state)
{
	static const uint64_t lengths[] = { 0, 100, 2 * US, 20 * US, 45 * US };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct spin spin;

		spin_init(&spin, 0);
		assert_int_equal(sleeps_of(&spin, lengths[i], 1000), 0);
	}
}

static void the_mean_is_what_waits_take(void **state)
{
	struct spin spin;

	(void)state;
	spin_init(&spin, 0);
	sleeps_of(&spin, 20 * US, 100);
	assert_in_range(spin.mean_ns, 19 * US, 21 * US);
	/* Steady waits: hardly more than they take is spent on one that is late. */
	assert_in_range(spin_budget(&spin), 20 * US, 23 * US);
}

static void long_waits_hardly_spin(void **state)
{
	struct spin spin;

	(void)state;
	spin_init(&spin, 0);
	sleeps_of(&spin, 3 * MS, 10);
	assert_int_equal(sleeps_of(&spin, 3 * MS, 10000), 10000);
	/* Less than 1 in 10000 of the time: the probes. */
	assert_in_range(spun_of(&spin, 3 * MS, 10000), 1, 3 * US * 1000);
}

static void waits_that_become_short_are_found(void **state)
{
	struct spin spin;

	(void)state;
	spin_init(&spin, 0);
	sleeps_of(&spin, 3 * MS, 100000);
	/* Together with the wake-up these look longer than the limit, but for a probe. */
	assert_in_range(sleeps_of(&spin, 30 * US, SPIN_PROBE_LAST), 1,
			SPIN_PROBE_LAST - 1);
	assert_int_equal(sleeps_of(&spin, 30 * US, 1000), 0);
}

static void one_long_pause_is_soon_forgotten(void **state)
{
	struct spin spin;

	(void)state;
	spin_init(&spin, 0);
	sleeps_of(&spin, 5 * US, 100);
	assert_int_equal(sleeps_of(&spin, 3600 * 1000 * MS, 1), 1);
	assert_int_equal(sleeps_of(&spin, 5 * US, 1000), 0);
}

static void a_time_that_is_over_tells_nothing_of_shorter_ones(void **state)
{
	struct spin spin;
	uint64_t mean;

	(void)state;
	spin_init(&spin, 0);
	sleeps_of(&spin, 3 * MS, 100);
	mean = spin.mean_ns;
	for (int i = 0; i < 100; i++)
		spin_learn(&spin, 1 * US, false, false);
	assert_int_equal(spin.mean_ns, mean);
	/* But one that was waited for in vain for so long is not short. */
	spin_init(&spin, 0);
	for (int i = 0; i < 100; i++)
		spin_learn(&spin, 3 * MS, true, false);
	assert_int_equal(sleeps_of(&spin, 3 * MS, 1), 1);
	assert_true(spin.mean_ns > SPIN_LIMIT_NS);
}

static void a_program_that_names_a_time_gets_it(void **state)
{
	struct spin spin;

	(void)state;
	spin_init(&spin, 300 * (int64_t)US);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(spin_budget(&spin), 300 * US);
		spin_learn(&spin, 5 * MS, true, true);
	}
	spin_init(&spin, -1);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(spin_budget(&spin), 0);
		spin_learn(&spin, 100, true, true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_waits_never_sleep),
		cmocka_unit_test(the_mean_is_what_waits_take),
		cmocka_unit_test(long_waits_hardly_spin),
		cmocka_unit_test(waits_that_become_short_are_found),
		cmocka_unit_test(one_long_pause_is_soon_forgotten),
		cmocka_unit_test(
			a_time_that_is_over_tells_nothing_of_shorter_ones),
		cmocka_unit_test(a_program_that_names_a_time_gets_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
