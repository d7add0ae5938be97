/* SPDX-License-Identifier: MIT */
/* The grid of `accel sweep`: its points, what is refused, how rows are written. */
#include "unit.h"

#include <csv.h>
#include <grid.h>

#include <accel/error.h>
#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void points_are_every_combination_once(void **state)
{
	static const char *const expected[] = {
		"clusters=2 lanes=8 sram_bytes=1048576",
		"clusters=2 lanes=8 sram_bytes=2097152",
		"clusters=2 lanes=8 sram_bytes=4194304",
		"clusters=4 lanes=8 sram_bytes=1048576",
		"clusters=4 lanes=8 sram_bytes=2097152",
		"clusters=4 lanes=8 sram_bytes=4194304",
	};
	struct grid grid = { 0 };
	char label[256];

	(void)state;
	assert_int_equal(grid_points(&grid), 1);
	assert_int_equal(grid_add(&grid, "clusters=2,4"), 0);
	assert_int_equal(grid_add(&grid, "lanes=8"), 0);
	assert_int_equal(grid_add(&grid, "sram_bytes=1M,2048K,0x400000"), 0);
	assert_int_equal(grid_points(&grid), 6);
	for (uint32_t i = 0; i < 6; i++) {
		grid_label(&grid, i, 0, label, sizeof(label));
		assert_string_equal(label, expected[i]);
	}
	grid_label(&grid, 5, 1, label, sizeof(label));
	assert_string_equal(label, "lanes=8 sram_bytes=4194304");
	grid_label(&grid, 5, 0, label, 12);
	assert_string_equal(label, "clusters=4 ");
	grid_release(&grid);
}

static void points_change_the_base(void **state)
{
	struct sim_config base, config;
	struct grid grid = { 0 };

	(void)state;
	assert_int_equal(sim_config_preset("small", &base), 0);
	assert_int_equal(grid_add(&grid, "preset=small,hbm2e"), 0);
	assert_int_equal(grid_add(&grid, "lanes=4,5"), 0);
	assert_true(grid_has_preset(&grid));
	assert_int_equal(grid_config(&grid, 2, &base, &config), 0);
	assert_int_equal(config.clusters, 64);
	assert_int_equal(config.lanes, 4);
	assert_int_equal(grid_config(&grid, 3, &base, &config), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "lanes = 5"));
	grid_release(&grid);
	assert_int_equal(grid_add(&grid, "sram_bytes=64K"), 0);
	assert_false(grid_has_preset(&grid));
	assert_int_equal(grid_config(&grid, 0, &base, &config), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "prefetch_bytes"));
	grid_release(&grid);
}

static void refused(struct grid *grid, const char *setting, const char *why)
{
	uint32_t axes = grid->axis_count;

	assert_int_equal(grid_add(grid, setting), -EINVAL);
	assert_int_equal(grid->axis_count, axes);
	if (!strstr(accel_last_error(), why))
		fail_msg("%s: the error is '%s'", setting, accel_last_error());
}

static void settings_that_are_none_are_refused(void **state)
{
	struct grid grid = { 0 };

	(void)state;
	refused(&grid, "clusters", "KEY=V1");
	refused(&grid, "=4", "KEY=V1");
	refused(&grid, "clusters=", "KEY=V1");
	refused(&grid, "clusters=4,,8", "not a number");
	refused(&grid, "clusters=4,", "not a number");
	refused(&grid, "clusters=-4", "not a number");
	refused(&grid, "clusters=4,8,4", "4 twice");
	refused(&grid, "sram_bytes=1M,1024K", "twice");
	refused(&grid, "preset=huge", "hbm2e");
	assert_int_equal(grid_add(&grid, "clusters=4,8"), 0);
	refused(&grid, "clusters=16", "set twice");
	refused(&grid, "preset=small", "first");
	grid_release(&grid);
}

static void close_matches_of_unknown_keys_are_named(void **state)
{
	struct grid grid = { 0 };

	(void)state;
	refused(&grid, "cluster=4", "close ones are clusters");
	refused(&grid, "clusetrs=4", "close ones are clusters");
	refused(&grid, "sram=1M",
		"sram_bytes, sram_port_bytes, sram_total_bytes");
	refused(&grid, "dram_width=64", "dram_width_bits");
	refused(&grid, "xyzzy=1", "device.rst");
	assert_null(strstr(accel_last_error(), "close"));
}

/* "KEY=1,2,…,256" */
static void add_many(struct grid *grid, const char *key)
{
	char setting[2048];
	size_t used = (size_t)snprintf(setting, sizeof(setting), "%s=1", key);

	for (int i = 2; i <= 256; i++)
		used += (size_t)snprintf(setting + used, sizeof(setting) - used,
					 ",%d", i);
	assert_int_equal(grid_add(grid, setting), 0);
}

static void grids_have_a_limit(void **state)
{
	struct grid grid = { 0 };

	(void)state;
	add_many(&grid, "clusters");
	add_many(&grid, "dma_bytes");
	assert_int_equal(grid_points(&grid), GRID_POINTS_MAX);
	refused(&grid, "lanes=4,8", "more than 65536 points");
	assert_int_equal(grid_add(&grid, "lanes=4"), 0);
	grid_release(&grid);
}

static void field_is(const char *text, const char *expected)
{
	char *written = NULL;
	size_t size;
	FILE *stream = open_memstream(&written, &size);

	assert_non_null(stream);
	csv_field(stream, text);
	assert_int_equal(fclose(stream), 0);
	assert_string_equal(written, expected);
	free(written);
}

static void csv_quotes_what_would_break_a_row(void **state)
{
	(void)state;
	field_is("", "");
	field_is("16", "16");
	field_is("two words; more", "two words; more");
	field_is("1,2", "\"1,2\"");
	field_is("a \"b\"", "\"a \"\"b\"\"\"");
	field_is("one\ntwo", "\"one\ntwo\"");
	field_is("\r", "\"\r\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_are_every_combination_once),
		cmocka_unit_test(points_change_the_base),
		cmocka_unit_test(settings_that_are_none_are_refused),
		cmocka_unit_test(close_matches_of_unknown_keys_are_named),
		cmocka_unit_test(grids_have_a_limit),
		cmocka_unit_test(csv_quotes_what_would_break_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
