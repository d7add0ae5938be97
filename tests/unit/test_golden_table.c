/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <golden/table.h>

#include <math.h>
#include <string.h>

static const struct golden_quantization eighth = { 0.125f, 0 };
static const struct golden_quantization unit = { 1.0f / 255, -128 };

static int entry(const int8_t table[GOLDEN_TABLE_SIZE], int code)
{
	return table[code + 128];
}

static void build(enum golden_function_kind kind, float alpha, float beta,
		  struct golden_quantization input,
		  struct golden_quantization output,
		  int8_t table[GOLDEN_TABLE_SIZE])
{
	const struct golden_function function = { kind, alpha, beta };

	golden_table_build(&function, 1, input, output, table);
}

static void an_empty_chain_requantizes(void **state)
{
	const struct golden_quantization output = { 0.25f, 3 };
	int8_t table[GOLDEN_TABLE_SIZE];

	(void)state;
	golden_table_build(NULL, 0, eighth, output, table);
	for (int code = -128; code < 128; code++)
		assert_int_equal(entry(table, code),
				 golden_quantize((float)code * 0.125f, output));
	assert_int_equal(entry(table, 1), 3); /* 0.5 rounds to even */
	assert_int_equal(entry(table, 3), 5); /* 1.5 too */
}

static void relu_and_its_relatives(void **state)
{
	int8_t table[GOLDEN_TABLE_SIZE];

	(void)state;
	build(GOLDEN_RELU, 0, 0, eighth, eighth, table);
	for (int code = -128; code < 128; code++)
		assert_int_equal(entry(table, code), code < 0 ? 0 : code);
	build(GOLDEN_LEAKY_RELU, 0.25f, 0, eighth, eighth, table);
	assert_int_equal(entry(table, 100), 100);
	assert_int_equal(entry(table, -100), -25);
	build(GOLDEN_LEAKY_RELU, -1.0f, 0, eighth, eighth, table);
	assert_int_equal(entry(table, -100), 100);
	build(GOLDEN_CLIP, -1.0f, 2.0f, eighth, eighth, table);
	assert_int_equal(entry(table, -128), -8);
	assert_int_equal(entry(table, 5), 5);
	assert_int_equal(entry(table, 127), 16);
	build(GOLDEN_CLIP, -INFINITY, 2.0f, eighth, eighth, table);
	assert_int_equal(entry(table, -128), -128);
	build(GOLDEN_AFFINE, 2.0f, -1.0f, eighth, eighth, table);
	assert_int_equal(entry(table, 10), 12);
	build(GOLDEN_ABS, 0, 0, eighth, eighth, table);
	assert_int_equal(entry(table, -128), 127);
	assert_int_equal(entry(table, -3), 3);
}

static double formula(enum golden_function_kind kind, double x)
{
	switch (kind) {
	case GOLDEN_SIGMOID:
		return 0.5 + 0.5 * tanh(x / 2);
	case GOLDEN_TANH:
		return 1 - 2 / (exp(2 * x) + 1);
	case GOLDEN_SILU:
		return x * (0.5 + 0.5 * tanh(x / 2));
	case GOLDEN_GELU:
		return x * (0.5 + 0.5 * erf(x / sqrt(2.0)));
	case GOLDEN_ELU:
		return x > 0 ? x : 0.75 * (exp(x) - 1);
	case GOLDEN_HARD_SIGMOID:
		return fmin(fmax(0.75 * x + 0.5, 0), 1);
	case GOLDEN_HARD_SWISH:
		return x * fmin(fmax(x / 6 + 0.5, 0), 1);
	case GOLDEN_SOFTPLUS:
		return log(1 + exp(x));
	case GOLDEN_EXP:
		return exp(x);
	default:
		return x;
	}
}

/* Against other forms of the formulas; x within ±16, so none overflows. */
static void functions_have_their_values(void **state)
{
	(void)state;
	for (int kind = GOLDEN_SIGMOID; kind <= GOLDEN_EXP; kind++) {
		const struct golden_function function = {
			(enum golden_function_kind)kind, 0.75f, 0.5f
		};

		for (int code = -128; code < 128; code++) {
			double x = code * 0.125;
			double exact = formula(function.kind, x);
			float value =
				golden_function_apply(&function, (float)x);

			assert_true(fabs((double)value - exact) <=
				    1e-7 * (1 + fabs(exact)));
		}
	}
}

static void extremes_do_not_overflow(void **state)
{
	const struct golden_function softplus = { GOLDEN_SOFTPLUS, 0, 0 };
	const struct golden_function sigmoid = { GOLDEN_SIGMOID, 0, 0 };
	const struct golden_function silu = { GOLDEN_SILU, 0, 0 };

	(void)state;
	assert_true(golden_function_apply(&softplus, 1e30f) == 1e30f);
	assert_true(golden_function_apply(&softplus, -1e30f) == 0.0f);
	assert_true(golden_function_apply(&sigmoid, -1e30f) == 0.0f);
	assert_true(golden_function_apply(&silu, -1e30f) == 0.0f);
}

static void chains_round_between_their_links(void **state)
{
	const struct golden_function chain[] = {
		{ GOLDEN_AFFINE, 0.5f, 0.25f },
		{ GOLDEN_SIGMOID, 0, 0 },
	};
	int8_t table[GOLDEN_TABLE_SIZE];

	(void)state;
	golden_table_build(chain, 2, eighth, unit, table);
	for (int code = -128; code < 128; code++) {
		float x = (float)code * 0.125f * 0.5f + 0.25f;
		float y = (float)(1.0 / (1.0 + exp(-(double)x)));

		assert_int_equal(entry(table, code), golden_quantize(y, unit));
	}
}

static void rows_are_looked_up(void **state)
{
	int8_t table[GOLDEN_TABLE_SIZE];
	int8_t codes[GOLDEN_TABLE_SIZE];

	(void)state;
	build(GOLDEN_SIGMOID, 0, 0, eighth, unit, table);
	for (int i = 0; i < GOLDEN_TABLE_SIZE; i++)
		codes[i] = (int8_t)(127 - i);
	golden_table_apply_row(table, codes, GOLDEN_TABLE_SIZE, codes);
	for (int i = 0; i < GOLDEN_TABLE_SIZE; i++)
		assert_int_equal(codes[i], entry(table, 127 - i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_chain_requantizes),
		cmocka_unit_test(relu_and_its_relatives),
		cmocka_unit_test(functions_have_their_values),
		cmocka_unit_test(extremes_do_not_overflow),
		cmocka_unit_test(chains_round_between_their_links),
		cmocka_unit_test(rows_are_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
