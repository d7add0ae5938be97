/* SPDX-License-Identifier: MIT */
/* Each loss against its definition, and its gradient against differences of it. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include <train/loss.h>

#include "one_node.h"

#define ROWS 3
#define CLASSES 4
#define COUNT (ROWS * CLASSES)

static float target[COUNT];
static const int64_t labels[ROWS] = { 2, 0, 3 };

typedef double (*loss_function)(const float *x, float *gradient);

static double squared(const float *x, float *gradient)
{
	return loss_squared(x, target, COUNT, 0.5, gradient);
}

static double absolute(const float *x, float *gradient)
{
	return loss_absolute(x, target, COUNT, 0.5, gradient);
}

static double divergence(const float *x, float *gradient)
{
	return loss_divergence(x, target, ROWS, CLASSES, 3, 0.5, gradient);
}

static double cross_entropy(const float *x, float *gradient)
{
	return loss_cross_entropy(x, labels, ROWS, CLASSES, 0.1F, 0.5,
				  gradient);
}

static double binary(const float *x, float *gradient)
{
	return loss_binary(x, target, COUNT, 0.5, gradient);
}

static double gaussian(const float *x, float *gradient)
{
	return loss_gaussian(x, x + COUNT / 2, COUNT / 2, 0.5, gradient,
			     gradient ? gradient + COUNT / 2 : NULL);
}

static void gradient_agrees(loss_function loss)
{
	const float step = 0.0078125F;
	float x[COUNT], gradient[COUNT];

	for (int i = 0; i < COUNT; i++) {
		x[i] = random_value();
		target[i] = random_value();
		gradient[i] = 1;
	}
	loss(x, gradient);
	for (int i = 0; i < COUNT; i++) {
		float middle = x[i];
		double high, low;

		x[i] = middle + step;
		high = loss(x, NULL);
		x[i] = middle - step;
		low = loss(x, NULL);
		x[i] = middle;
		/* It was added to what was there. */
		assert_float_equal((double)gradient[i] - 1,
				   (high - low) / (2 * (double)step), 2e-3);
	}
}

static void gradients_agree(void **state)
{
	const loss_function losses[] = { squared,	absolute, divergence,
					 cross_entropy, binary,	  gaussian };

	(void)state;
	for (size_t i = 0; i < sizeof(losses) / sizeof(*losses); i++)
		gradient_agrees(losses[i]);
}

static void values_are_those_of_the_definitions(void **state)
{
	const float a[2] = { 1, 3 }, b[2] = { 2, 0 };
	const float scores[2] = { 0, (float)log(3) };

	(void)state;
	assert_float_equal(loss_squared(a, b, 2, 0.5, NULL), 5, 1e-9);
	assert_float_equal(loss_absolute(a, b, 2, 0.5, NULL), 2, 1e-9);
	assert_float_equal(loss_divergence(a, a, 1, 2, 2, 1, NULL), 0, 1e-9);
	/* p = ½, ½ against q = ¼, ¾ */
	assert_float_equal(loss_divergence(scores, (float[]){ 1, 1 }, 1, 2, 1,
					   1, NULL),
			   log(2) / 2 + log(2.0 / 3) / 2, 1e-6);
	assert_float_equal(loss_cross_entropy(scores, (int64_t[]){ 1 }, 1, 2, 0,
					      1, NULL),
			   -log(0.75), 1e-6);
	assert_float_equal(loss_binary((float[]){ 0 }, (float[]){ 1 }, 1, 1,
				       NULL),
			   log(2), 1e-9);
	assert_float_equal(loss_gaussian((float[]){ 2 }, (float[]){ 0 }, 1, 1,
					 NULL, NULL),
			   2, 1e-9);
}

/* Scores of any size; a naive exponential would overflow. */
static void large_scores_stay_finite(void **state)
{
	const float scores[2] = { 1000, -1000 };

	(void)state;
	assert_float_equal(loss_cross_entropy(scores, (int64_t[]){ 1 }, 1, 2, 0,
					      1, NULL),
			   2000, 1e-6);
	assert_float_equal(loss_binary(scores, (float[]){ 0, 1 }, 2, 1, NULL),
			   2000, 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gradients_agree),
		cmocka_unit_test(values_are_those_of_the_definitions),
		cmocka_unit_test(large_scores_stay_finite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
