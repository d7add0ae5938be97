/* SPDX-License-Identifier: MIT */
/* The energy estimate is its table times the counts, and nothing else. */
#include "unit.h"

#include <plan/energy.h>

#include <string.h>

static void every_figure_has_a_source(void **state)
{
	const struct energy_action *actions = energy_actions();

	(void)state;
	for (int i = 0; i < ENERGY_KINDS; i++) {
		assert_true(actions[i].picojoules > 0);
		assert_true(strlen(actions[i].name) > 0);
		assert_true(strlen(actions[i].key) > 0);
		assert_non_null(strstr(actions[i].source, "20"));
	}
}

static void farther_memory_costs_more(void **state)
{
	const struct energy_action *actions = energy_actions();

	(void)state;
	assert_true(actions[ENERGY_BUFFER_BYTE].picojoules <
		    actions[ENERGY_SRAM_BYTE].picojoules);
	assert_true(actions[ENERGY_SRAM_BYTE].picojoules <
		    actions[ENERGY_DRAM_BYTE].picojoules);
}

static void parts_sum_to_the_total(void **state)
{
	struct energy energy = energy_estimate(1000000, 2000, 300, 40);
	double sum = 0;

	(void)state;
	for (int i = 0; i < ENERGY_KINDS; i++)
		sum += energy.joules[i];
	assert_float_equal(sum * 1e9, energy.total * 1e9, 1e-9);
	/* By hand, in nJ: a MAC is 0.1 pJ and reads a byte at 0.9375 pJ. */
	assert_float_equal(energy.joules[ENERGY_MAC] * 1e9, 100, 1e-6);
	assert_float_equal(energy.joules[ENERGY_BUFFER_BYTE] * 1e9, 937.5,
			   1e-6);
	assert_float_equal(energy.joules[ENERGY_SRAM_BYTE] * 1e9, 3.5, 1e-6);
	assert_float_equal(energy.joules[ENERGY_DRAM_BYTE] * 1e9, 13.125, 1e-6);
	assert_float_equal(energy.joules[ENERGY_PCIE_BYTE] * 1e9, 1.2352, 1e-6);
}

static void nothing_done_costs_nothing(void **state)
{
	(void)state;
	assert_true(energy_estimate(0, 0, 0, 0).total == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_figure_has_a_source),
		cmocka_unit_test(farther_memory_costs_more),
		cmocka_unit_test(parts_sum_to_the_total),
		cmocka_unit_test(nothing_done_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
