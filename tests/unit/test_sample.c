/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <math.h>
#include <string.h>

#include <compress/sample.h>

/*
 * From the authors' own C code, seeded with SplitMix64(0): the state that
 * prng.di.unimi.it/splitmix64.c yields for 0, then xoshiro256starstar.c.
 */
static void generator_is_the_published_one(void **state)
{
	static const uint64_t seeded[4] = {
		0xe220a8397b1dcdaf,
		0x6e789e6aa1b965f4,
		0x06c45d188009454f,
		0xf88bb8a8724c81ec,
	};
	struct sample_generator generator;

	(void)state;
	sample_seed(&generator, 0);
	assert_memory_equal(generator.state, seeded, sizeof(seeded));
	/* rotl(s1 · 5, 7) · 9, by hand for a state whose first steps are small */
	generator = (struct sample_generator){ .state = { 1, 2, 3, 4 } };
	assert_int_equal(sample_bits(&generator), 11520);
	assert_int_equal(sample_bits(&generator), 0);
	assert_int_equal(sample_bits(&generator), 1509978240);
}

static void seeds_give_the_same_values_always(void **state)
{
	struct sample_generator a, b;

	(void)state;
	sample_seed(&a, 42);
	sample_seed(&b, 42);
	for (int i = 0; i < 1000; i++)
		assert_true(sample_normal(&a) == sample_normal(&b));
	sample_seed(&b, 43);
	assert_true(sample_bits(&a) != sample_bits(&b));
}

/* These bits must never change: models are calibrated with them. */
static void normals_are_frozen(void **state)
{
	static const uint32_t expected[8] = { 0x3ff133e4, 0x3e4255ec,
					      0x3fa6aae5, 0xbff46858,
					      0x3ee06b99, 0xbf4ad5f5,
					      0xbf284470, 0xbe3a6eb7 };
	struct sample_generator generator;
	float values[8];

	(void)state;
	sample_seed(&generator, 1);
	sample_normals(&generator, values, 8);
	assert_memory_equal(values, expected, sizeof(expected));
}

/* Moments of 10⁶ values, each within five standard errors. */
static void normals_are_normal(void **state)
{
	const int count = 1000000;
	struct sample_generator generator;
	double sum = 0, square = 0, third = 0, fourth = 0;
	int beyond = 0;

	(void)state;
	sample_seed(&generator, 7);
	for (int i = 0; i < count; i++) {
		double x = sample_normal(&generator);

		sum += x;
		square += x * x;
		third += x * x * x;
		fourth += x * x * x * x;
		beyond += fabs(x) > 1.959963984540054;
	}
	assert_true(fabs(sum / count) < 5e-3);
	assert_true(fabs(square / count - 1) < 5 * sqrt(2e-6));
	assert_true(fabs(third / count) < 5 * sqrt(15e-6));
	assert_true(fabs(fourth / count - 3) < 5 * sqrt(96e-6));
	assert_true(fabs((double)beyond / count - 0.05) < 5 * 2.2e-4);
}

static void bounded_integers_are_even(void **state)
{
	struct sample_generator generator;
	int seen[6] = { 0 };

	(void)state;
	sample_seed(&generator, 3);
	for (int i = 0; i < 60000; i++)
		seen[sample_below(&generator, 6)]++;
	for (int i = 0; i < 6; i++)
		assert_in_range(seen[i], 9500, 10500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generator_is_the_published_one),
		cmocka_unit_test(seeds_give_the_same_values_always),
		cmocka_unit_test(normals_are_frozen),
		cmocka_unit_test(normals_are_normal),
		cmocka_unit_test(bounded_integers_are_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
