/* SPDX-License-Identifier: MIT */
/* The worked example of Documentation/weight-stream.rst is what the code does. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pack/stream.h>
#include <spmm/status.h>

#define EXAMPLE_BYTES 73

static const struct geometry geometry = {
	.clusters = 1,
	.lanes = 2,
	.vector_width = 32,
	.banks = 4,
	.accumulators = 4,
	.decoder_rate = 2,
	.schedule_window = 16,
	.epilogue_rate = 1,
};

static int64_t row_start[] = { 0, 2, 2, 6 };
static int32_t columns[] = { 1, 12, 3, 40, 41, 47 };
static int8_t values[] = { 5, -3, 7, -128, 0, 1 };
static const struct model_csr matrix = { 3, 48, row_start, columns, values };

/* A line "    0010  03 00 00 00  text": append its bytes when it is the next. */
static void read_line(const char *line, uint8_t *bytes, size_t *count)
{
	unsigned int offset, byte;
	int used = 0;

	if (sscanf(line, "    %4x%n", &offset, &used) != 1 || used != 8 ||
	    offset != *count)
		return;
	line += used + 1;
	while (line[0] == ' ' && sscanf(line, " %2x%n", &byte, &used) == 1 &&
	       used == 3) {
		assert_true(*count < EXAMPLE_BYTES);
		bytes[(*count)++] = (uint8_t)byte;
		line += used;
		if (line[0] == ' ' && line[1] == ' ')
			break;
	}
}

static void read_example(uint8_t *bytes)
{
	const char *source = getenv("ACCEL_SOURCE_DIR");
	bool found = false;
	size_t count = 0;
	char text[512];
	FILE *file;

	snprintf(text, sizeof(text), "%s/Documentation/weight-stream.rst",
		 source ? source : ".");
	file = fopen(text, "r");
	assert_non_null(file);
	while (fgets(text, sizeof(text), file)) {
		if (!strncmp(text, "Worked example", 14))
			found = true;
		if (found && count < EXAMPLE_BYTES)
			read_line(text, bytes, &count);
	}
	fclose(file);
	assert_int_equal(count, EXAMPLE_BYTES);
}

static void the_documented_bytes_are_packed(void **state)
{
	const struct mapping mapping = { 1, 1, 32 };
	uint8_t documented[EXAMPLE_BYTES];
	struct stream stream;

	(void)state;
	read_example(documented);
	assert_int_equal(stream_pack(&matrix, &geometry, &mapping, &stream), 0);
	assert_int_equal(stream.length, EXAMPLE_BYTES);
	assert_memory_equal(stream.bytes, documented, EXAMPLE_BYTES);
	stream_free(&stream);
}

static void the_documented_bytes_issue_as_documented(void **state)
{
	static const uint32_t cycles[] = { 0, 1, 2, 0, 1, 3 };
	uint8_t documented[EXAMPLE_BYTES];
	struct stream_decoded decoded;

	(void)state;
	read_example(documented);
	assert_int_equal(stream_decode(documented, EXAMPLE_BYTES, 3, 48,
				       &geometry, &decoded, NULL),
			 SPMM_SC_SUCCESS);
	assert_int_equal(decoded.nonzeros, 6);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(decoded.slots[i].row, i < 2 ? 0 : 2);
		assert_int_equal(decoded.slots[i].column, columns[i]);
		assert_int_equal(decoded.slots[i].weight, values[i]);
		assert_int_equal(decoded.slots[i].lane, i / 3);
		assert_int_equal(decoded.slots[i].cycle, cycles[i]);
	}
	assert_int_equal(decoded.parts[0].cycles, 4);
	assert_int_equal(decoded.parts[0].bank_stalls, 1);
	stream_decoded_free(&decoded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_documented_bytes_are_packed),
		cmocka_unit_test(the_documented_bytes_issue_as_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
