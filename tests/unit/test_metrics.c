/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include <compress/metrics.h>

#define assert_near(value, expected, tolerance)                           \
	do {                                                              \
		double v = value, e = expected;                           \
                                                                          \
		if (!(fabs(v - e) <= (tolerance)))                        \
			fail_msg("%s is %.12g, not %.12g", #value, v, e); \
	} while (0)

static const struct quantize_range unit = { 0, 1 };
static const struct quantize_range bytes = { 0, 255 };

static void psnr_is_in_decibels_of_the_peak(void **state)
{
	const float a[4] = { 10, 20, 30, 40 };
	const float b[4] = { 11, 19, 31, 39 };

	(void)state;
	/* mean squared error 1 */
	assert_near(metrics_psnr(a, b, 4, bytes), 20 * log10(255), 1e-12);
	assert_true(isinf(metrics_psnr(a, a, 4, bytes)));
}

static void psnr_does_not_see_beyond_the_range(void **state)
{
	const float a[2] = { -5, 300 };
	const float b[2] = { 0, 255 };

	(void)state;
	assert_true(isinf(metrics_psnr(a, b, 2, bytes)));
}

static void max_error_is_the_largest(void **state)
{
	const float a[3] = { 1, 2, 3 };
	const float b[3] = { 1, 2.5f, 2.75f };
	const float broken[3] = { NAN, 2, 3 };

	(void)state;
	assert_near(metrics_max_error(a, b, 3), 0.5, 0);
	assert_true(isnan(metrics_max_error(a, broken, 3)));
}

static void accuracy_counts_right_rows(void **state)
{
	const float scores[] = { 1, 2, 0, 5, 4, 3, 0, 0, 1, 9, 8, 7 };
	const int64_t labels[] = { 1, 0, 2, 1 };

	(void)state;
	assert_near(metrics_accuracy(scores, 4, 3, labels), 0.75, 0);
}

static uint32_t noise_state = 1;

static float noise(void)
{
	noise_state = noise_state * 1664525u + 1013904223u;
	return (float)(noise_state >> 8) / 16777216.0f;
}

/* One window by the paper's formula, without taking the sum apart. */
static double window_ssim(const float *a, const float *b, size_t width)
{
	double weight[11][11], total = 0;
	double ma = 0, mb = 0, va = 0, vb = 0, covariance = 0;

	for (int y = 0; y < 11; y++)
		for (int x = 0; x < 11; x++) {
			weight[y][x] = exp(
				-((y - 5) * (y - 5) + (x - 5) * (x - 5)) / 4.5);
			total += weight[y][x];
		}
	for (int i = 0; i < 121; i++) {
		double w = weight[i / 11][i % 11] / total;

		ma += w *
		      (double)a[(size_t)(i / 11) * width + (size_t)(i % 11)];
		mb += w *
		      (double)b[(size_t)(i / 11) * width + (size_t)(i % 11)];
	}
	for (int i = 0; i < 121; i++) {
		double w = weight[i / 11][i % 11] / total;
		size_t at = (size_t)(i / 11) * width + (size_t)(i % 11);

		va += w * ((double)a[at] - ma) * ((double)a[at] - ma);
		vb += w * ((double)b[at] - mb) * ((double)b[at] - mb);
		covariance += w * ((double)a[at] - ma) * ((double)b[at] - mb);
	}
	return (2 * ma * mb + 1e-4) * (2 * covariance + 9e-4) /
	       ((ma * ma + mb * mb + 1e-4) * (va + vb + 9e-4));
}

static void ssim_is_the_mean_over_windows(void **state)
{
	const struct metrics_planes planes = { 2, 13, 17 };
	float a[2 * 13 * 17], b[2 * 13 * 17];
	double sum = 0;

	(void)state;
	for (size_t i = 0; i < 2 * 13 * 17; i++) {
		a[i] = noise();
		b[i] = 0.7f * a[i] + 0.3f * noise();
	}
	for (size_t plane = 0; plane < 2; plane++)
		for (size_t y = 0; y < 3; y++)
			for (size_t x = 0; x < 7; x++) {
				size_t at = (plane * 13 + y) * 17 + x;

				sum += window_ssim(a + at, b + at, 17);
			}
	assert_near(metrics_ssim(a, b, &planes, unit), sum / 42, 1e-9);
	assert_near(metrics_ssim(a, a, &planes, unit), 1, 1e-12);
}

static void ssim_works_on_tiny_images(void **state)
{
	const struct metrics_planes planes = { 1, 2, 3 };
	const float a[6] = { 0, 1, 0, 1, 0, 1 };
	const float b[6] = { 1, 0, 1, 0, 1, 0 };

	(void)state;
	assert_near(metrics_ssim(a, a, &planes, unit), 1, 1e-12);
	assert_true(metrics_ssim(a, b, &planes, unit) < 0);
}

/*
 * With all components equal the mixture is one normal distribution, whose density
 * is known in closed form.
 */
static void stroke_likelihood_is_the_formula(void **state)
{
	float strokes[2 * METRICS_STROKE_SIZE] = { 0 };
	float outputs[2 * METRICS_STROKE_OUTPUTS] = { 0 };
	float *mixture = outputs + 3;
	double rho = tanh(0.5), x = (0.7 - 0.2) / exp(0.3);
	double y = (-0.4 - 0.1) / exp(-0.2);
	double density, pens;

	(void)state;
	strokes[METRICS_STROKE_SIZE] = 0.7f;
	strokes[METRICS_STROKE_SIZE + 1] = -0.4f;
	strokes[METRICS_STROKE_SIZE + 3] = 1;
	outputs[0] = 1;
	outputs[1] = 2;
	outputs[2] = 3;
	for (int i = 0; i < METRICS_MIXTURE; i++) {
		mixture[i] = 4;
		mixture[METRICS_MIXTURE + i] = 0.2f;
		mixture[2 * METRICS_MIXTURE + i] = 0.1f;
		mixture[3 * METRICS_MIXTURE + i] = 0.3f;
		mixture[4 * METRICS_MIXTURE + i] = -0.2f;
		mixture[5 * METRICS_MIXTURE + i] = 0.5f;
	}
	density = exp(-(x * x + y * y - 2 * rho * x * y) /
		      (2 * (1 - rho * rho))) /
		  (2 * M_PI * exp(0.3) * exp(-0.2) * sqrt(1 - rho * rho));
	pens = exp(2) / (exp(1) + exp(2) + exp(3));
	assert_near(metrics_stroke_nll(strokes, outputs, 2, 1),
		    -log(density) - log(pens), 1e-6);
}

static void unlikely_strokes_stay_finite(void **state)
{
	float strokes[2 * METRICS_STROKE_SIZE] = { 0 };
	float outputs[2 * METRICS_STROKE_OUTPUTS] = { 0 };

	(void)state;
	strokes[METRICS_STROKE_SIZE] = 1000;
	for (int i = 5 * METRICS_MIXTURE; i < 6 * METRICS_MIXTURE; i++)
		outputs[3 + i] = 15;
	assert_true(isfinite(metrics_stroke_nll(strokes, outputs, 2, 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(psnr_is_in_decibels_of_the_peak),
		cmocka_unit_test(psnr_does_not_see_beyond_the_range),
		cmocka_unit_test(max_error_is_the_largest),
		cmocka_unit_test(accuracy_counts_right_rows),
		cmocka_unit_test(ssim_is_the_mean_over_windows),
		cmocka_unit_test(ssim_works_on_tiny_images),
		cmocka_unit_test(stroke_likelihood_is_the_formula),
		cmocka_unit_test(unlikely_strokes_stay_finite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
