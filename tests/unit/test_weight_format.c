/* SPDX-License-Identifier: MIT */
/* Weights of few bits: what they are called, and how near their codes come. */
#include "unit.h"

#include "float_graph.h"

#include <compress/weight_code.h>
#include <compress/weight_format.h>
#include <compress/weight_vector.h>

#include <errno.h>
#include <math.h>
#include <string.h>

enum { COLUMNS = 96, ROWS = 200 };

static uint64_t seed = 11;

static struct weight_format format_of(const char *text)
{
	struct weight_format format;

	CHECK(weight_format_parse(text, &format));
	return format;
}

static void test_names(void **state)
{
	static const char *const names[] = {
		"int8",		 "int4",
		"int2:tensor",	 "int4:group:32:mse",
		"codebook:16",	 "fp16",
		"fp8",		 "fixed:8",
		"int3:mse",	 "codebook:256",
		"codebook:64:v4"
	};
	static const char *const wrong[] = { "",
					     "int",
					     "int9",
					     "int1",
					     "int4:group",
					     "int4:group:0",
					     "int4:rows",
					     "codebook",
					     "codebook:1",
					     "codebook:257",
					     "codebook:16:4",
					     "codebook:16:v1",
					     "codebook:16:v9",
					     "fp32",
					     "fp8:tensor",
					     "fixed:9",
					     "int8x",
					     "int4:group:32:mse:tensor:mse" };
	struct weight_format format;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		format = format_of(names[i]);
		weight_format_print(&format, text, sizeof(text));
		assert_string_equal(text, names[i]);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(weight_format_parse(wrong[i], &format),
				 -EINVAL);
	format = format_of("int8:channel");
	assert_true(weight_format_is_plain(&format));
	format = format_of("int8:mse");
	assert_false(weight_format_is_plain(&format));
	format = format_of("codebook:16");
	assert_true(weight_format_bits(&format) == 4);
	format = format_of("codebook:16:v4");
	assert_true(weight_format_bits(&format) == 1);
}

/* Large and small weights in one row, as pruned layers have them. */
static void make_row(float *values, int32_t *columns)
{
	for (int i = 0; i < COLUMNS; i++) {
		double spread = i < COLUMNS / 2 ? 1 : 0.1;

		values[i] = (float)(spread * (random_unit(&seed) +
					      random_unit(&seed) - 1));
		columns[i] = i;
	}
}

static double row_error(const char *name, const float *values,
			const int32_t *columns)
{
	const struct weight_format format = format_of(name);
	const struct quantize_row row = { values, COLUMNS, 0.1f, 0.01f };
	struct weight_coder coder;
	int8_t codes[COLUMNS];
	double sum = 0;
	float scale;

	CHECK(weight_coder_create(&coder, &format, values, COLUMNS));
	CHECK(weight_coder_row(&coder, &row, columns, codes, &scale));
	assert_true(scale > 0 && isfinite(scale));
	for (int i = 0; i < COLUMNS; i++) {
		double error = (double)values[i] - (double)scale * codes[i];

		sum += error * error;
	}
	return sum;
}

static double error_of(const char *name)
{
	int32_t columns[COLUMNS];
	float values[COLUMNS];
	double sum = 0;

	seed = 11;
	for (int r = 0; r < ROWS; r++) {
		make_row(values, columns);
		sum += row_error(name, values, columns);
	}
	return sum;
}

static void test_more_bits_are_nearer(void **state)
{
	static const char *const order[] = { "int2", "int3", "int4", "int5",
					     "int6", "int7", "int8" };
	double before = INFINITY;

	(void)state;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		double error = error_of(order[i]);

		assert_true(error < 0.5 * before);
		before = error;
	}
}

static void test_what_costs_more_is_nearer(void **state)
{
	(void)state;
	assert_true(error_of("int4:mse") < error_of("int4"));
	assert_true(error_of("int4:group:16") < 0.8 * error_of("int4"));
	assert_true(error_of("codebook:16") < error_of("int4:tensor"));
	assert_true(error_of("codebook:256") < 0.1 * error_of("codebook:16"));
	assert_true(error_of("fp8") < error_of("int4"));
	assert_true(error_of("fp16") <= 1.01 * error_of("int8"));
	assert_true(error_of("fixed:8") < 5 * error_of("int8"));
}

/* |error| ≤ s / 2 wherever nothing is clipped. */
static void test_rounding_is_to_the_nearest(void **state)
{
	const struct weight_format format = format_of("int4");
	int32_t columns[COLUMNS];
	struct weight_coder coder;
	int8_t codes[COLUMNS];
	float values[COLUMNS], scale;

	(void)state;
	for (int r = 0; r < ROWS; r++) {
		struct quantize_row row = { values, COLUMNS, 0, 1 };

		make_row(values, columns);
		CHECK(weight_coder_create(&coder, &format, values, COLUMNS));
		CHECK(weight_coder_row(&coder, &row, columns, codes, &scale));
		for (int i = 0; i < COLUMNS; i++) {
			assert_in_range(codes[i] + 7, 0, 14);
			assert_true(fabs((double)values[i] -
					 (double)scale * codes[i]) <=
				    0.5000001 * (double)scale);
		}
	}
}

/* Fixed point has powers of two for scales, and the least that fits. */
static void test_fixed_point(void **state)
{
	const struct weight_format format = format_of("fixed:8");
	const float values[] = { 127, -3, 0.5f };
	const int32_t columns[] = { 0, 1, 2 };
	const struct quantize_row row = { values, 3, 0, 1 };
	struct weight_coder coder;
	int8_t codes[3];
	float scale;

	(void)state;
	CHECK(weight_coder_create(&coder, &format, values, 3));
	CHECK(weight_coder_row(&coder, &row, columns, codes, &scale));
	assert_true(scale == 1);
	assert_int_equal(codes[0], 127);
	assert_int_equal(codes[1], -3);
	assert_int_equal(codes[2], 0);
}

static void test_rows_of_zeros_and_of_nothing(void **state)
{
	static const char *const names[] = { "int4", "int4:group:2", "fp8",
					     "codebook:4", "fixed:4" };
	const float zeros[4] = { 0 };
	const int32_t columns[] = { 0, 1, 2, 3 };
	struct weight_coder coder;
	int8_t codes[4];
	float scale;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t count = 0; count <= 4; count += 4) {
			const struct weight_format format = format_of(names[i]);
			const struct quantize_row row = { zeros, count, 2, 1 };

			CHECK(weight_coder_create(&coder, &format, zeros,
						  count));
			CHECK(weight_coder_row(&coder, &row, columns, codes,
					       &scale));
			assert_true(scale > 0 && isfinite(scale));
			for (size_t c = 0; c < count; c++)
				assert_int_equal(codes[c], 0);
		}
}

/* ---- vectors ---- */

/* Rows of a few vectors, the last one cut off: as many centroids give them back. */
static void test_vectors_are_found(void **state)
{
	enum { KINDS = 4, WIDTH = 3, LENGTH = 3 * 20 + 2 };
	const struct weight_format format = format_of("codebook:4:v3");
	static struct weight_coder coder;
	static float values[ROWS * LENGTH], rounded[LENGTH];
	int64_t row_start[ROWS + 1] = { 0 };
	float kinds[KINDS][WIDTH];

	(void)state;
	for (int i = 0; i < KINDS * WIDTH; i++)
		kinds[i / WIDTH][i % WIDTH] =
			(float)(i % 5 + 1) * (i % 2 ? 1.0F : -1.0F);
	for (int r = 0; r < ROWS; r++) {
		row_start[r + 1] = row_start[r] + LENGTH;
		for (int i = 0; i < LENGTH; i++)
			values[row_start[r] + i] =
				kinds[(r + i / WIDTH) % KINDS][i % WIDTH];
	}
	CHECK(weight_coder_create(&coder, &format, values, ROWS * LENGTH));
	CHECK(weight_vectors_learn(&coder, values, row_start, ROWS));
	assert_int_equal(coder.centroid_count, KINDS);
	for (int r = 0; r < ROWS; r++) {
		weight_vectors_round(&coder, values + row_start[r], LENGTH,
				     rounded);
		for (int i = 0; i < LENGTH; i++)
			assert_float_equal(rounded[i], values[row_start[r] + i],
					   1e-6);
	}
}

/* Rows of one value are one vector, and empty rows are none. */
static void test_few_vectors(void **state)
{
	const struct weight_format format = format_of("codebook:16:v2");
	static struct weight_coder coder;
	const float values[] = { 2, 2, 2, 2, 2 };
	const int64_t row_start[] = { 0, 0, 5, 5 };
	const int32_t columns[] = { 0, 1, 2, 3, 4 };
	const struct quantize_row row = { values, 5, 0, 1 };
	int8_t codes[5];
	float scale;

	(void)state;
	CHECK(weight_coder_create(&coder, &format, values, 5));
	CHECK(weight_vectors_learn(&coder, values, row_start, 3));
	CHECK(weight_coder_row(&coder, &row, columns, codes, &scale));
	for (int i = 0; i < 5; i++)
		assert_float_equal(scale * (float)codes[i], 2, 2.0 / 2048);
	CHECK(weight_vectors_learn(&coder, values, row_start, 1));
	assert_int_equal(coder.centroid_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_more_bits_are_nearer),
		cmocka_unit_test(test_what_costs_more_is_nearer),
		cmocka_unit_test(test_rounding_is_to_the_nearest),
		cmocka_unit_test(test_fixed_point),
		cmocka_unit_test(test_rows_of_zeros_and_of_nothing),
		cmocka_unit_test(test_vectors_are_found),
		cmocka_unit_test(test_few_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
