/* SPDX-License-Identifier: MIT */
/* The worked example of Documentation/device.rst is what the device does. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_host.h"

#define PAGE 4096
#define OUTPUT 0x1a0
#define OUTPUT_BYTES 8
#define LINES 24

static FILE *document_open(void)
{
	const char *source = getenv("ACCEL_SOURCE_DIR");
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/Documentation/device.rst",
		 source ? source : ".");
	file = fopen(path, "re");
	assert_non_null(file);
	return file;
}

/* A line "    0010  03 00 00 00": puts its bytes at their offset. */
static bool line_read(const char *line, uint8_t *page)
{
	unsigned int offset, byte;
	int used = 0;

	if (sscanf(line, "    %4x%n", &offset, &used) != 1 || used != 8 ||
	    strncmp(line + 8, "  ", 2))
		return false;
	for (line += 9; sscanf(line, " %2x%n", &byte, &used) == 1;
	     line += used) {
		assert_true(offset < PAGE);
		page[offset++] = (uint8_t)byte;
	}
	return true;
}

static void example_read(uint8_t *page)
{
	FILE *file = document_open();
	unsigned int lines = 0;
	bool found = false;
	char line[512];

	memset(page, 0, PAGE);
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "Worked example", 14))
			found = true;
		if (found)
			lines += line_read(line, page);
	}
	fclose(file);
	assert_int_equal(lines, LINES);
}

static void the_documented_output_comes_out(void **state)
{
	struct sim_config config;
	struct spmm_sqe entry = { .opcode = SPMM_IO_SPMM,
				  .address = host_virtual(0),
				  .length = sizeof(struct spmm_descriptor) };
	uint8_t page[PAGE];
	struct test_host *host;

	(void)state;
	assert_int_equal(sim_config_preset("default", &config), 0);
	config.clusters = 1;
	config.lanes = 2;
	config.banks = 4;
	config.decoder_rate = 2;
	config.sram_total_bytes = 64;
	host = host_start(&config);
	host_open_queue(host, 1);
	example_read(page);
	memcpy(host_device(host, 0), page, PAGE);
	memset(host_device(host, OUTPUT), 0, OUTPUT_BYTES);
	assert_int_equal(host_run(host, 1, entry, NULL), 0);
	assert_memory_equal(host_device(host, 0), page, PAGE);
	host_stop(host);
}

/* Each field has its line in the table, with the default preset's value. */
static void every_configuration_field_is_documented(void **state)
{
	static char text[1 << 17];
	FILE *file = document_open();
	size_t length = fread(text, 1, sizeof(text) - 1, file);
	const char *name;

	(void)state;
	fclose(file);
	text[length] = '\0';
	for (unsigned int i = 0; (name = sim_config_field(i)); i++) {
		char line[128];

		snprintf(line, sizeof(line), "\n%s ", name);
		if (!strstr(text, line))
			fail_msg("%s has no line in device.rst", name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_documented_output_comes_out),
		cmocka_unit_test(every_configuration_field_is_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
