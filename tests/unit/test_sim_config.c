/* SPDX-License-Identifier: MIT */
/* Configuration files of the simulator. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <accel/error.h>
#include <sim/config.h>
#include <sim/dram/configured.h>
#include <sim/engine/link.h>

static int text_read(const char *text, struct sim_config *config)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int ret;

	assert_non_null(file);
	ret = sim_config_read(file, "device.conf", config);
	fclose(file);
	return ret;
}

static void refused(const char *text, const char *line, const char *why)
{
	struct sim_config config;

	assert_int_equal(text_read(text, &config), -EINVAL);
	if (!strstr(accel_last_error(), line) ||
	    !strstr(accel_last_error(), why))
		fail_msg("the error is '%s'", accel_last_error());
}

static void presets_have_the_designed_size(void **state)
{
	static const struct {
		const char *name;
		uint32_t macs;
	} presets[] = { { "small", 512 },
			{ "default", 4096 },
			{ "hbm2e", 16384 } };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct sim_config c;

		assert_int_equal(sim_config_preset(presets[i].name, &c), 0);
		assert_int_equal(c.clusters * c.lanes * c.vector_width,
				 presets[i].macs);
	}
}

static void rates_are_peaks_less_overhead(void **state)
{
	struct sim_config config;

	(void)state;
	assert_int_equal(sim_config_preset("default", &config), 0);
	/* 8533 MT/s on 128 bits less 140 ns of every 3906. */
	assert_in_range(sim_config_dram_bandwidth(&config), 131600000000,
			131700000000);
	/* 16 GT/s on 8 lanes, 128 of 130 bits, 256 of 280 bytes. */
	assert_in_range(link_bandwidth(&config), 14400000000, 14410000000);
	assert_int_equal(sim_config_cycles(&config, 1500), 2);
}

/* Their switches cost time, and one's refresh none of the others'. */
static void ranks_are_no_bank_groups(void **state)
{
	struct sim_config config;

	(void)state;
	assert_int_equal(sim_config_preset("small", &config), 0);
	config.dram_ranks = 2;
	assert_in_range(sim_config_dram_bandwidth(&config), 25599000000,
			25600000000);
	/* Two bursts of 4 clocks with 2 between, where one group has one in 8. */
	config.dram_bank_groups = 1;
	assert_in_range(sim_config_dram_bandwidth(&config), 17066000000,
			17067000000);
	config.dram_rank_switch_ps = 2500;
	assert_in_range(sim_config_dram_bandwidth(&config), 12799000000,
			12800000000);
}

static void file_changes_a_preset(void **state)
{
	struct sim_config config;

	(void)state;
	assert_int_equal(text_read("# a comment\n\npreset = small\n"
				   "clusters = 4 # twice\n"
				   "sram_bytes=2M\n",
				   &config),
			 0);
	assert_int_equal(config.clusters, 4);
	assert_int_equal(config.sram_bytes, 2 << 20);
	assert_int_equal(config.dram_megatransfers, 3200);
}

static void bad_lines_are_named(void **state)
{
	char comment[800];

	(void)state;
	memset(comment, '#', sizeof(comment) - 1);
	comment[sizeof(comment) - 1] = '\0';
	refused(comment, "device.conf:1", "too long");
	refused("clusters = 4\nclusers = 4\n", "device.conf:2", "clusers");
	refused("\n\nlanes\n", "device.conf:3", "name = value");
	refused("clusters = many\n", "device.conf:1", "not a number");
	refused("clusters = 4X\n", "device.conf:1", "not a number");
	refused("clusters = -4\n", "device.conf:1", "not a number");
	refused("clusters = 0\n", "device.conf:1", "outside");
	refused("clusters = 99999999999999999999\n", "device.conf:1",
		"not a number");
	refused("lanes = 6\n", "device.conf:1", "power of two");
	refused("clusters = 4\nlanes = 8\nclusters = 4\n", "device.conf:3",
		"line 1");
	refused("preset = huge\n", "device.conf:1", "default");
	refused("lanes = 8\npreset = small\n", "device.conf:2", "first");
	refused("pcie_completion_bytes = 256\n", "device.conf:1", "request");
	refused("pcie_posted_data_credits = 15\n", "device.conf:1", "payload");
}

static void impossible_memories_are_refused(void **state)
{
	(void)state;
	refused("dram_rfc_ps = 3900000\n", "device.conf:1", "dram_refi_ps");
	refused("dram_width_bits = 132\n", "device.conf:1", "dram_channels");
	refused("dram_burst_bytes = 16\ndram_width_bits = 512\n",
		"device.conf:2", "dram_burst_bytes");
	refused("dram_banks = 16\ndram_ranks = 4\n", "device.conf:2",
		"dram_bank_groups");
	refused("dram_row_bytes = 256\ndram_burst_bytes = 256\n"
		"dram_interleave_bytes = 128\n",
		"device.conf:3", "dram_interleave_bytes");
	refused("memory_bytes = 1M\ndram_row_bytes = 64K\n", "device.conf:2",
		"memory_bytes");
	refused("dram_rcd_ps = 50000\n", "device.conf:1", "dram_ras_ps");
	refused("dram_rrd_short_ps = 9000\n", "device.conf:1",
		"dram_rrd_long_ps");
	refused("dram_ccd_long_ps = 1\n", "device.conf:1", "dram_ccd_short_ps");
	refused("dram_megatransfers = 100000\ndram_wr_ps = 1000000\n"
		"dram_transfers_per_clock = 1\n",
		"device.conf:3", "16384");
	refused("dram_drain_low = 60\n", "device.conf:1", "dram_drain_high");
	refused("dram_write_queue = 16\n", "device.conf:1", "dram_drain_high");
	refused("dram_channels = 3\n", "device.conf:1", "power of two");
}

/* Every preset, and what a user may make of it, is a standard. */
static void memories_become_standards(void **state)
{
	static const char *const presets[] = { "small", "default", "hbm2e" };
	struct dram_standard standard;
	struct sim_config config;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(sim_config_preset(presets[i], &config), 0);
		assert_int_equal(sim_config_check(&config), 0);
		dram_standard_configure(&config, &standard);
		assert_int_equal(standard.burst_clocks, 4);
		assert_int_equal(standard.request_bytes, 64);
		assert_true(standard.gap_count <= DRAM_GAPS_MAX);
	}
	/* JESD79-4, in clocks of 0.625 ns. */
	sim_config_preset("small", &config);
	dram_standard_configure(&config, &standard);
	assert_int_equal(standard.read_done_clocks, 22 + 4);
	assert_int_equal(standard.write_done_clocks, 16 + 4);
	assert_int_equal(standard.activate_window_clocks, 34);
	assert_int_equal(standard.refresh_interval_clocks, 12480);
	/* With one bank group its column gap bounds the rate. */
	config.dram_bank_groups = 1;
	assert_in_range(sim_config_dram_bandwidth(&config), 12200000000,
			12300000000);
}

static void fields_are_set_by_name(void **state)
{
	struct sim_config config;
	uint64_t number;

	(void)state;
	assert_int_equal(sim_config_preset("small", &config), 0);
	assert_int_equal(sim_config_set(&config, "sram_bytes", "512K"), 0);
	assert_int_equal(config.sram_bytes, 512 << 10);
	assert_int_equal(sim_config_set(&config, "sram", "512K"), -ENOENT);
	assert_int_equal(sim_config_set(&config, "lanes", "6"), -EINVAL);
	assert_int_equal(config.lanes, 8);
	assert_int_equal(sim_config_check(&config), 0);
	assert_int_equal(sim_config_set(&config, "sram_bytes", "128K"), 0);
	assert_int_equal(sim_config_check(&config), -EINVAL);
	assert_true(sim_config_number("0x10K", &number));
	assert_int_equal(number, 16384);
	assert_true(sim_config_number("010", &number));
	assert_int_equal(number, 10);
	assert_false(sim_config_number("0x", &number));
	assert_false(sim_config_number("16k", &number));
}

/* The specification's chapter on configurations, at its first line. */
static FILE *chapter_open(void)
{
	const char *root = getenv("ACCEL_SOURCE_DIR");
	char path[4096], line[512];
	FILE *file;

	assert_non_null(root);
	snprintf(path, sizeof(path), "%s/Documentation/device.rst", root);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strcmp(line, "Configuration\n"))
			return file;
	fail_msg("%s has no chapter \"Configuration\"", path);
	return NULL;
}

/*
 * The next row of a table whose first column is a field, and which field; -1 at the
 * chapter's end. In a row two spaces follow the name, in a sentence one.
 */
static int row_next(FILE *file, char *line, int size)
{
	const char *name;

	while (fgets(line, size, file)) {
		size_t length = strcspn(line, " \n");

		if (!strncmp(line, "Worked example", 14))
			return -1;
		for (unsigned int i = 0; (name = sim_config_field(i)); i++)
			if (strlen(name) == length &&
			    !strncmp(line, name, length) &&
			    !strncmp(line + length, "  ", 2))
				return (int)i;
	}
	return -1;
}

static void value_expect(const struct sim_config *config, unsigned int field,
			 const char *text)
{
	uint64_t number;

	if (!text || !sim_config_number(text, &number) ||
	    number != sim_config_value(config, field))
		fail_msg("device.rst says %s = %s, the preset has %llu",
			 sim_config_field(field), text ? text : "nothing",
			 (unsigned long long)sim_config_value(config, field));
}

/* One table has each field once, in the order of the code, with its default. */
static void specification_has_every_field(void **state)
{
	FILE *file = chapter_open();
	struct sim_config config;
	char line[512];

	(void)state;
	assert_int_equal(sim_config_preset("default", &config), 0);
	for (unsigned int i = 0; sim_config_field(i); i++) {
		if (row_next(file, line, sizeof(line)) != (int)i)
			fail_msg("device.rst lacks %s", sim_config_field(i));
		strtok(line, " \n");
		value_expect(&config, i, strtok(NULL, " \n"));
	}
	fclose(file);
}

/* The other has in its order whatever differs between presets, and nothing else. */
static void specification_has_what_presets_differ_in(void **state)
{
	static const char *const presets[] = { "small", "default", "hbm2e" };
	struct sim_config config[3];
	FILE *file = chapter_open();
	char line[512];
	int row;

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(sim_config_preset(presets[i], &config[i]), 0);
	for (unsigned int i = 0; sim_config_field(i); i++)
		row_next(file, line, sizeof(line));
	for (unsigned int i = 0; sim_config_field(i); i++) {
		uint64_t value = sim_config_value(&config[0], i);

		if (value == sim_config_value(&config[1], i) &&
		    value == sim_config_value(&config[2], i))
			continue;
		row = row_next(file, line, sizeof(line));
		if (row != (int)i)
			fail_msg("device.rst lacks %s of presets",
				 sim_config_field(i));
		strtok(line, " \n");
		for (unsigned int k = 0; k < 3; k++)
			value_expect(&config[k], i, strtok(NULL, " \n"));
	}
	assert_int_equal(row_next(file, line, sizeof(line)), -1);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets_have_the_designed_size),
		cmocka_unit_test(rates_are_peaks_less_overhead),
		cmocka_unit_test(ranks_are_no_bank_groups),
		cmocka_unit_test(file_changes_a_preset),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(impossible_memories_are_refused),
		cmocka_unit_test(memories_become_standards),
		cmocka_unit_test(fields_are_set_by_name),
		cmocka_unit_test(specification_has_every_field),
		cmocka_unit_test(specification_has_what_presets_differ_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
