// SPDX-License-Identifier: MIT
/* Strokes are drawn from a distribution, and know how it changes with its outputs. */
#include "unit.h"

#include "float_graph.h"

#include <compress/stroke.h>
#include <metrics/stroke_likelihood.h>

#include <math.h>
#include <string.h>

enum { OUTPUTS = METRICS_STROKE_OUTPUTS, STROKE = METRICS_STROKE_SIZE };

static uint64_t seed = 3;

static void make_outputs(float *outputs)
{
	for (int i = 0; i < OUTPUTS; i++)
		outputs[i] = (float)(2 * random_unit(&seed) - 1);
}

/* Of the second of two steps; the first one's outputs predict it. */
static double log_likelihood(const float *outputs, const float *stroke)
{
	float strokes[2 * STROKE] = { 0 };

	memcpy(strokes + STROKE, stroke, STROKE * sizeof(float));
	return -metrics_stroke_nll(strokes, outputs, 2, 1);
}

static void test_gradient_is_that_of_the_likelihood(void **state)
{
	const float step = 1.0f / 256;
	struct sample_generator generator;
	float outputs[2 * OUTPUTS], stroke[STROKE], gradient[OUTPUTS] = { 0 };

	(void)state;
	make_outputs(outputs);
	sample_seed(&generator, 1);
	stroke_draw(&generator, outputs, 1, stroke);
	stroke_gradient(outputs, stroke, -3, gradient);
	for (int i = 0; i < OUTPUTS; i++) {
		float own = outputs[i];
		double difference;

		outputs[i] = own + step;
		difference = log_likelihood(outputs, stroke);
		outputs[i] = own - step;
		difference -= log_likelihood(outputs, stroke);
		outputs[i] = own;
		difference *= -3 / (2 * (double)step);
		assert_true(fabs((double)gradient[i] - difference) <=
			    1e-3 * (1 + fabs(difference)));
	}
}

/* Where strokes come from the outputs themselves, no change is called for on average. */
static void test_mean_gradient_is_zero(void **state)
{
	enum { DRAWS = 20000 };
	struct sample_generator generator;
	float outputs[OUTPUTS], gradient[OUTPUTS] = { 0 };

	(void)state;
	make_outputs(outputs);
	sample_seed(&generator, 2);
	for (int i = 0; i < DRAWS; i++) {
		float stroke[STROKE];

		stroke_draw(&generator, outputs, 1, stroke);
		stroke_gradient(outputs, stroke, 1.0 / DRAWS, gradient);
	}
	for (int i = 0; i < OUTPUTS; i++)
		assert_true(fabsf(gradient[i]) < 0.02f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gradient_is_that_of_the_likelihood),
		cmocka_unit_test(test_mean_gradient_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
