/* SPDX-License-Identifier: MIT */
/* The energy estimate is its table times the counts, and nothing else. */
#include "unit.h"

#include <plan/energy.h>

#include <string.h>

static const char *const standards[] = { "DDR4", "LPDDR5X", "HBM2E" };

#define STANDARDS (sizeof(standards) / sizeof(*standards))

static void every_figure_has_a_source(void **state)
{
	struct energy_table table;

	(void)state;
	for (size_t s = 0; s < STANDARDS; s++) {
		energy_table_for(standards[s], &table);
		assert_string_equal(table.memory, standards[s]);
		for (int i = 0; i < ENERGY_KINDS; i++) {
			assert_true(table.actions[i].picojoules > 0);
			assert_true(strlen(table.actions[i].name) > 0);
			assert_true(strlen(table.actions[i].key) > 0);
			assert_true(strlen(table.actions[i].source) > 40);
		}
	}
}

static void memory_without_figures_says_what_stands_in(void **state)
{
	struct energy_table table;

	(void)state;
	energy_table_for("other", &table);
	assert_string_equal(table.memory, "LPDDR5X");
	energy_table_for(NULL, &table);
	assert_string_equal(table.memory, "LPDDR5X");
}

static void farther_memory_costs_more(void **state)
{
	struct energy_table table;

	(void)state;
	for (size_t s = 0; s < STANDARDS; s++) {
		energy_table_for(standards[s], &table);
		assert_true(table.actions[ENERGY_BUFFER_BYTE].picojoules <
			    table.actions[ENERGY_SRAM_BYTE].picojoules);
		assert_true(table.actions[ENERGY_SRAM_BYTE].picojoules <
			    table.actions[ENERGY_DRAM_BYTE].picojoules);
	}
}

/* By hand: mA · V · ns. */
static void memory_differs_by_standard(void **state)
{
	struct energy_table table;

	(void)state;
	energy_table_for("DDR4", &table);
	assert_float_equal(table.actions[ENERGY_DRAM_BYTE].picojoules, 40.125,
			   1e-9);
	assert_float_equal(table.actions[ENERGY_DRAM_ACTIVATE].picojoules,
			   4233.6, 1e-6);
	energy_table_for("LPDDR5X", &table);
	assert_float_equal(table.actions[ENERGY_DRAM_BYTE].picojoules, 20.125,
			   1e-9);
	energy_table_for("HBM2E", &table);
	assert_float_equal(table.actions[ENERGY_DRAM_BYTE].picojoules, 27.84,
			   1e-9);
}

static void parts_sum_to_the_total(void **state)
{
	const struct energy_counts counts = {
		.macs = 1000000,
		.sram_bytes = 2000,
		.dram_bytes = 2048,
		.dram_activates = 2,
		.pcie_bytes = 40,
		.seconds = 1e-6,
		.multipliers = 4096,
		.dram_bandwidth = 1000000000,
	};
	struct energy_table table;
	struct energy energy;
	double sum = 0;

	(void)state;
	energy_table_for("HBM2E", &table);
	energy = energy_estimate(&table, &counts);
	for (int i = 0; i < ENERGY_KINDS; i++)
		sum += energy.joules[i];
	assert_float_equal(sum * 1e9, energy.total * 1e9, 1e-9);
	/* By hand, in nJ: a MAC is 0.1 pJ and reads a byte at 1 pJ. */
	assert_float_equal(energy.joules[ENERGY_MAC] * 1e9, 100, 1e-6);
	assert_float_equal(energy.joules[ENERGY_BUFFER_BYTE] * 1e9, 1002, 1e-6);
	assert_float_equal(energy.joules[ENERGY_SRAM_BYTE] * 1e9, 3.5, 1e-6);
	assert_float_equal(energy.joules[ENERGY_DRAM_BYTE] * 1e9, 57.01632,
			   1e-6);
	assert_float_equal(energy.joules[ENERGY_DRAM_ACTIVATE] * 1e9, 1.818,
			   1e-6);
	assert_float_equal(energy.joules[ENERGY_PCIE_BYTE] * 1e9, 1.2352, 1e-6);
	/* 4096 of 65536 multipliers that take 55 W: 3.4375 W for 1 us */
	assert_float_equal(energy.joules[ENERGY_CHIP_IDLE] * 1e9, 3437.5, 1e-3);
	assert_float_equal(energy.joules[ENERGY_DRAM_IDLE] * 1e9, 2.55, 1e-6);
}

static void nothing_done_costs_nothing(void **state)
{
	const struct energy_counts nothing = { .multipliers = 4096 };
	struct energy_table table;

	(void)state;
	energy_table_for("DDR4", &table);
	assert_true(energy_estimate(&table, &nothing).total == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_figure_has_a_source),
		cmocka_unit_test(memory_without_figures_says_what_stands_in),
		cmocka_unit_test(farther_memory_costs_more),
		cmocka_unit_test(memory_differs_by_standard),
		cmocka_unit_test(parts_sum_to_the_total),
		cmocka_unit_test(nothing_done_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
