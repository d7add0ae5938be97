/* SPDX-License-Identifier: MIT */
/* Optimizers against their formulas worked out by hand, and what masks promise. */
#include "unit.h"

#include <errno.h>
#include <math.h>

#include <train/optimizer.h>
#include <train/schedule.h>

static struct optimizer created(struct optimizer_options options, size_t count)
{
	struct optimizer optimizer;

	assert_int_equal(optimizer_create(&optimizer, &options, count), 0);
	return optimizer;
}

/* The first step of Adam is the rate, whatever the gradient's size. */
static void adam_follows_its_formula(void **state)
{
	struct optimizer o = created(
		(struct optimizer_options){ .method = OPTIMIZER_ADAM }, 1);
	double m = 0, v = 0, w = 2;
	float value = 2;

	(void)state;
	for (int step = 1; step <= 5; step++) {
		float gradient = (float)step * 0.3F - 0.7F;
		double g = (double)gradient;

		m = 0.9 * m + 0.1 * g;
		v = 0.999 * v + 0.001 * g * g;
		w -= 0.01 * (m / (1 - pow(0.9, step))) /
		     (sqrt(v / (1 - pow(0.999, step))) + 1e-8);
		optimizer_step(&o, NULL, &value, &gradient, NULL, 0.01F);
		assert_float_equal((double)value, w, 1e-5);
	}
	assert_int_equal(o.step, 5);
	optimizer_release(&o);
}

static void descent_follows_its_formula(void **state)
{
	struct optimizer o =
		created((struct optimizer_options){ .method = OPTIMIZER_SGD,
						    .weight_decay = 0.1F },
			1);
	double m = 0, w = 1;
	float value = 1;

	(void)state;
	for (int step = 0; step < 4; step++) {
		float gradient = 0.5F;

		m = 0.9 * m + 0.5;
		w = w * (1 - 0.1 * 0.1) - 0.1 * (0.5 + 0.9 * m);
		optimizer_step(&o, NULL, &value, &gradient, NULL, 0.1F);
		assert_float_equal((double)value, w, 1e-5);
	}
	optimizer_release(&o);
}

/* A weight pruned in the middle has moments: they must not move it. */
static void what_is_masked_stays(void **state)
{
	struct optimizer o =
		created((struct optimizer_options){ .weight_decay = 0.1F }, 2);
	float values[2] = { 1, 1 };
	float gradient[2] = { 1, 1 };

	(void)state;
	optimizer_step(&o, NULL, values, gradient, NULL, 0.1F);
	values[0] = 0;
	values[1] = 3;
	for (int step = 0; step < 3; step++) {
		gradient[0] = 1;
		gradient[1] = 1;
		optimizer_step(&o, NULL, values, gradient, (uint8_t[]){ 0, 1 },
			       0.1F);
		assert_true(values[0] == 0);
	}
	assert_true(values[1] < 2.8F);
	optimizer_release(&o);
}

static void long_gradients_are_clipped(void **state)
{
	struct optimizer o = created(
		(struct optimizer_options){
			.method = OPTIMIZER_SGD, .beta1 = -1, .clip = 1 },
		2);
	float values[2] = { 0, 0 };
	float gradient[2] = { 30, 40 };

	(void)state;
	assert_float_equal(optimizer_step(&o, NULL, values, gradient, NULL, 1),
			   50, 1e-9);
	assert_float_equal(values[0], -0.6, 1e-6);
	assert_float_equal(values[1], -0.8, 1e-6);
	optimizer_release(&o);
}

static void what_is_not_finite_changes_nothing(void **state)
{
	struct optimizer o = created((struct optimizer_options){ 0 }, 2);
	float values[2] = { 1, 2 };
	float gradient[2] = { NAN, 1 };

	(void)state;
	assert_true(isnan(optimizer_step(&o, NULL, values, gradient, NULL, 1)));
	assert_true(values[0] == 1 && values[1] == 2);
	assert_int_equal(o.step, 0);
	assert_true(o.first[1] == 0 && o.second[1] == 0);
	optimizer_release(&o);
}

/* Of a value that stays, the average is that value from the first step on. */
static void the_average_begins_at_the_values(void **state)
{
	struct optimizer o =
		created((struct optimizer_options){ .average = 0.99F }, 1);
	float value = 5;
	float gradient = 0;

	(void)state;
	for (int step = 0; step < 3; step++) {
		optimizer_step(&o, NULL, &value, &gradient, NULL, 0.1F);
		assert_float_equal(o.average[0], 5, 1e-5);
	}
	optimizer_release(&o);
}

static void bad_options_are_refused(void **state)
{
	const struct optimizer_options bad[] = {
		{ .beta1 = 1 },		{ .beta2 = 2 },	  { .epsilon = -1 },
		{ .clip = -1 },		{ .average = 1 }, { .clip = NAN },
		{ .epsilon = NAN },	{ .beta1 = NAN }, { .average = NAN },
		{ .weight_decay = -1 },
	};
	struct optimizer o;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(optimizer_create(&o, &bad[i], 1), -EINVAL);
}

static void rates_rise_and_fall(void **state)
{
	struct schedule_rate s = { .shape = SCHEDULE_COSINE,
				   .peak = 2,
				   .final = 0.1F,
				   .warmup = 10,
				   .steps = 110 };

	(void)state;
	assert_true(schedule_rate(&s, 0) > 0);
	for (uint64_t step = 1; step <= 10; step++)
		assert_true(schedule_rate(&s, step) >
			    schedule_rate(&s, step - 1));
	for (uint64_t step = 10; step <= 110; step++)
		assert_float_equal(
			(double)schedule_rate(&s, step),
			2 * (0.1 + 0.45 * (1 + cos(3.14159265358979 *
						   (double)(step - 10) / 100))),
			1e-6);
	assert_float_equal(schedule_rate(&s, 1000), 0.2, 1e-6);
	s.shape = SCHEDULE_LINEAR;
	assert_float_equal(schedule_rate(&s, 60), 1.1, 1e-6);
	s.shape = SCHEDULE_CONSTANT;
	assert_float_equal(schedule_rate(&s, 109), 2, 1e-6);
	s.shape = SCHEDULE_STEP;
	assert_float_equal(schedule_rate(&s, 80), 0.2, 1e-6);
}

static void sparsity_grows_as_a_cube(void **state)
{
	const struct schedule_sparsity s = { .initial = 0.1,
					     .final = 0.9,
					     .begin = 100,
					     .end = 210,
					     .interval = 25 };

	(void)state;
	assert_float_equal(schedule_sparsity(&s, 0), 0.1, 0);
	assert_float_equal(schedule_sparsity(&s, 155), 0.9 - 0.8 / 8, 1e-12);
	assert_float_equal(schedule_sparsity(&s, 210), 0.9, 0);
	assert_float_equal(schedule_sparsity(&s, 999), 0.9, 0);
	assert_false(schedule_prunes(&s, 99));
	assert_true(schedule_prunes(&s, 100));
	assert_false(schedule_prunes(&s, 101));
	assert_true(schedule_prunes(&s, 200));
	assert_true(schedule_prunes(&s, 210));
	assert_false(schedule_prunes(&s, 225));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adam_follows_its_formula),
		cmocka_unit_test(descent_follows_its_formula),
		cmocka_unit_test(what_is_masked_stays),
		cmocka_unit_test(long_gradients_are_clipped),
		cmocka_unit_test(what_is_not_finite_changes_nothing),
		cmocka_unit_test(the_average_begins_at_the_values),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(rates_rise_and_fall),
		cmocka_unit_test(sparsity_grows_as_a_cube),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
