/* SPDX-License-Identifier: MIT */
/* The table and the plot of `accel sweep`. */
#include "unit.h"

#include <sweep_plot.h>

#include <stdlib.h>
#include <string.h>

/* Values that a reader can tell apart; the point with that number is refused. */
static void fill(struct sweep_result *results, uint32_t count, uint32_t refused)
{
	for (uint32_t i = 0; i < count; i++)
		results[i] = (struct sweep_result){
			.refusal = i == refused ? strdup("too small, \"x\"") :
						  NULL,
			.cycles = 1000 * (i + 1),
			.roof_hard_cycles = 900,
			.roof_structural_cycles = 950,
			.utilization = 0.5,
			.bytes_dram = 7,
			.bytes_pcie = 8,
			.device_seconds = 1e-6,
			.energy_joules = 3e-3,
			.host_seconds = 0.25,
		};
}

static char *printed(const struct sweep_table *table, bool plot)
{
	char *text = NULL, *copy;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	if (plot) {
		assert_int_equal(sweep_plot_print(table, stream), 0);
	} else {
		sweep_table_print_names(table, stream);
		for (uint32_t i = 0; i < grid_points(table->grid); i++)
			sweep_table_print_row(table, i, stream);
	}
	assert_int_equal(fclose(stream), 0);
	copy = strdup(text);
	free(text);
	return copy;
}

static unsigned int count_of(const char *text, const char *part)
{
	unsigned int count = 0;

	while ((text = strstr(text, part))) {
		text += strlen(part);
		count++;
	}
	return count;
}

static void rows_hold_points_in_order(void **state)
{
	struct sweep_result results[2];
	struct grid grid = { 0 };
	struct sweep_table table = { "model", &grid, results };
	char *text;

	(void)state;
	fill(results, 2, 1);
	assert_int_equal(grid_add(&grid, "lanes=4"), 0);
	assert_int_equal(grid_add(&grid, "sram_bytes=1M,2"), 0);
	text = printed(&table, false);
	assert_string_equal(
		text,
		"lanes,sram_bytes,status,cycles,roof_hard_cycles,"
		"roof_structural_cycles,utilization,bytes_dram,bytes_pcie,"
		"device_seconds,energy_estimate_joules,host_seconds\n"
		"4,1048576,ok,1000,900,950,0.500000,7,8,0.000001000,"
		"0.003000000,0.250000\n"
		"4,2,\"too small, \"\"x\"\"\",,,,,,,,,\n");
	assert_int_equal(sweep_table_refused(&table), 1);
	free(text);
	free(results[1].refusal);
	grid_release(&grid);
}

/* Three values, given out of order, of two lines; the middle of one is refused. */
static void plot_has_a_line_for_each_combination(void **state)
{
	struct sweep_result results[6];
	struct grid grid = { 0 };
	struct sweep_table table = { "a<b&c", &grid, results };
	char *text;

	(void)state;
	fill(results, 6, 4);
	assert_int_equal(grid_add(&grid, "clusters=16,1,4"), 0);
	assert_int_equal(grid_add(&grid, "lanes=4,8"), 0);
	text = printed(&table, true);
	assert_int_equal(count_of(text, "<circle"), 2 * 5);
	/* two panels of two lines, and the legend */
	assert_int_equal(count_of(text, "class=\"line\""), 2 * 2 + 2);
	assert_non_null(strstr(text, ">a&lt;b&amp;c<"));
	assert_non_null(strstr(text, ">lanes=8<"));
	assert_non_null(strstr(text, ">clusters<"));
	assert_non_null(strstr(text, ">cycles<"));
	assert_non_null(strstr(text, ">clusters=4 lanes=8: 6000<"));
	/* From left to right, 4 halfway between 1 and 16; a gap where it is refused. */
	assert_non_null(strstr(text, "\"M112.4 165.0M627.6 241.7\""));
	assert_non_null(
		strstr(text, "\"M112.4 126.7L370.0 50.0L627.6 203.3\""));
	free(text);
	free(results[4].refusal);
	grid_release(&grid);
}

static void plot_of_nothing_is_a_plot(void **state)
{
	struct sweep_result results[1];
	struct grid grid = { 0 };
	struct sweep_table table = { "model", &grid, results };
	char *text;

	(void)state;
	fill(results, 1, 0);
	assert_int_equal(grid_add(&grid, "preset=small"), 0);
	text = printed(&table, true);
	assert_int_equal(count_of(text, "<circle"), 0);
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
	assert_non_null(strstr(text, ">small<"));
	assert_non_null(strstr(text, "</svg>\n"));
	free(text);
	free(results[0].refusal);
	grid_release(&grid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_hold_points_in_order),
		cmocka_unit_test(plot_has_a_line_for_each_combination),
		cmocka_unit_test(plot_of_nothing_is_a_plot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
