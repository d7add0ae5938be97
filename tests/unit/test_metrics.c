/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <metrics/classification.h>
#include <metrics/perturbation.h>
#include <metrics/pixel_error.h>
#include <metrics/stroke_likelihood.h>
#include <metrics/stroke_statistics.h>
#include <metrics/structural_similarity.h>

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

/* ---- luminance ---- */

static void luminance_weighs_the_channels(void **state)
{
	const struct metrics_planes planes = { 3, 1, 2 };
	const float a[6] = { 0, 0, 0, 0, 0, 0 };
	const float red[6] = { 1, 1, 0, 0, 0, 0 };
	const float gray[6] = { 1, 1, 1, 1, 1, 1 };

	(void)state;
	assert_near(metrics_psnr_luminance(a, red, &planes, 3, 0, unit),
		    -20 * log10(65.481 / 255), 1e-12);
	assert_near(metrics_psnr_luminance(a, gray, &planes, 3, 0, unit),
		    -20 * log10(219.0 / 255), 1e-12);
	/* three gray pictures: no weights */
	assert_near(metrics_psnr_luminance(a, red, &planes, 1, 0, unit),
		    10 * log10(3), 1e-12);
}

static void luminance_does_not_see_the_border(void **state)
{
	const struct metrics_planes planes = { 1, 3, 3 };
	const float a[9] = { 0 };
	const float b[9] = { 1, 1, 1, 1, 0.1f, 1, 1, 1, 1 };

	(void)state;
	assert_near(metrics_psnr_luminance(a, b, &planes, 1, 1, unit), 20,
		    1e-6);
	assert_true(isnan(metrics_psnr_luminance(a, b, &planes, 1, 2, unit)));
}

/* ---- similarity over scales ---- */

enum { ROWS = 44, COLUMNS = 48 };

static void make_pattern(float *values, int difference)
{
	for (int y = 0; y < ROWS; y++)
		for (int x = 0; x < COLUMNS; x++)
			values[y * COLUMNS + x] =
				(float)((x * 7 + y * 13 + x * y / 8 +
					 difference * ((x ^ y) % 3)) %
					32) /
				32;
}

/* The number is of a program of its own, without separable windows or moments. */
static void ms_ssim_is_the_formula(void **state)
{
	const struct metrics_planes planes = { 1, ROWS, COLUMNS };
	float a[ROWS * COLUMNS], b[ROWS * COLUMNS];

	(void)state;
	make_pattern(a, 0);
	make_pattern(b, 1);
	assert_int_equal(metrics_scales(&planes), 3);
	assert_near(metrics_ms_ssim(a, b, &planes, unit), 0.5193530361, 1e-6);
	assert_near(metrics_ms_ssim(a, a, &planes, unit), 1, 1e-9);
}

static void ms_ssim_falls_with_noise(void **state)
{
	const struct metrics_planes planes = { 1, ROWS, COLUMNS };
	float a[ROWS * COLUMNS], b[ROWS * COLUMNS];
	double last = 1;

	(void)state;
	make_pattern(a, 0);
	for (int i = 1; i <= 4; i++) {
		double now;

		make_pattern(b, 0);
		perturbation_add_noise(b, ROWS * COLUMNS, 0.05 * i, 3);
		now = metrics_ms_ssim(a, b, &planes, unit);
		assert_true(now < last);
		last = now;
	}
}

static void scales_are_those_that_fit(void **state)
{
	(void)state;
	assert_int_equal(metrics_scales(&(struct metrics_planes){ 1, 4, 4 }),
			 1);
	assert_int_equal(metrics_scales(&(struct metrics_planes){ 1, 28, 28 }),
			 2);
	assert_int_equal(
		metrics_scales(&(struct metrics_planes){ 1, 175, 400 }), 4);
	assert_int_equal(
		metrics_scales(&(struct metrics_planes){ 1, 900, 176 }), 5);
}

/* ---- classes ---- */

static void f1_is_as_by_hand(void **state)
{
	/* chosen: 0, 0, 1, 1, 2, 0; class 3 neither occurs nor is chosen */
	const float scores[] = { 9, 0, 0, 0, 9, 0, 0, 0, 0, 9, 0, 0,
				 0, 9, 0, 0, 0, 0, 9, 0, 9, 0, 0, 0 };
	const int64_t labels[] = { 0, 1, 1, 1, 2, 2 };
	struct classification_figures figures;
	struct class_figures each[4];

	(void)state;
	assert_int_equal(classification_measure(scores, 6, 4, labels, each,
						&figures),
			 0);
	assert_near(figures.accuracy, 4.0 / 6, 1e-15);
	assert_near(each[0].precision, 1.0 / 3, 1e-15);
	assert_near(each[0].recall, 1, 1e-15);
	assert_near(each[0].f1, 0.5, 1e-15);
	assert_near(each[1].precision, 1, 1e-15);
	assert_near(each[1].recall, 2.0 / 3, 1e-15);
	assert_near(each[1].f1, 0.8, 1e-15);
	assert_near(each[2].f1, 2.0 / 3, 1e-15);
	assert_int_equal(each[3].count, 0);
	assert_near(figures.f1, (0.5 + 0.8 + 2.0 / 3) / 3, 1e-15);
	assert_near(figures.recall, (1 + 2.0 / 3 + 0.5) / 3, 1e-15);
}

static void labels_that_are_no_class_are_refused(void **state)
{
	const float scores[] = { 1, 2, NAN, 1 };
	const int64_t high[] = { 2 }, low[] = { -1 }, good[] = { 0, 0 };
	struct classification_figures figures;

	(void)state;
	assert_int_equal(classification_measure(scores, 1, 2, high, NULL,
						&figures),
			 -EINVAL);
	assert_int_equal(classification_measure(scores, 1, 2, low, NULL,
						&figures),
			 -EINVAL);
	assert_int_equal(classification_measure(scores, 2, 2, good, NULL,
						&figures),
			 -EINVAL);
	assert_int_equal(
		classification_measure(scores, 1, 2, good, NULL, &figures), 0);
}

/* ---- sketches ---- */

static void sketches_are_measured_up_to_their_end(void **state)
{
	/* two sketches, step by step; the second has no end */
	const float strokes[] = {
		0,  0,	1, 0, 0, 0, 0, 1, 0, 0, /* the beginning */
		3,  4,	0, 1, 0, 1, 0, 1, 0, 0, /* drawn, then lifted */
		-9, 0,	1, 0, 0, 1, 0, 1, 0, 0, /* not drawn */
		0,  2,	0, 0, 1, 1, 0, 1, 0, 0, /* drawn, the end */
		50, 50, 0, 0, 1, 1, 0, 1, 0, 0, /* nobody sees it */
	};
	struct stroke_statistics found;

	(void)state;
	assert_int_equal(stroke_statistics_find(strokes, 5, 2, &found), 0);
	assert_near(found.steps.mean, 4.5, 0);
	assert_near(found.steps.deviation, 0.5, 0);
	assert_near(found.lifts.mean, 0.5, 0);
	assert_near(found.ink.mean, (7 + 4) / 2.0, 1e-12);
	assert_near(found.width.mean, (9 + 4) / 2.0, 1e-12);
	assert_near(found.height.mean, 3, 1e-12);
	assert_near(found.ended, 0.5, 0);
	assert_int_equal(stroke_statistics_find(strokes, 0, 2, &found),
			 -EINVAL);
}

/* ---- inputs that are changed ---- */

static void pictures_move_right_and_down(void **state)
{
	const struct metrics_planes planes = { 2, 2, 3 };
	float values[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	const float moved[] = { 1, 1, 2, 1, 1, 2, 7, 7, 8, 7, 7, 8 };

	(void)state;
	perturbation_move(values, &planes, 1, 1);
	assert_memory_equal(values, moved, sizeof(moved));
}

static void noise_is_that_of_its_seed(void **state)
{
	enum { COUNT = 10000 };
	static float a[COUNT], b[COUNT];
	double sum = 0;

	(void)state;
	perturbation_add_noise(a, COUNT, 0.5, 7);
	perturbation_add_noise(b, COUNT, 0.5, 7);
	assert_memory_equal(a, b, sizeof(a));
	for (int i = 0; i < COUNT; i++)
		sum += (double)a[i] * (double)a[i];
	assert_near(sqrt(sum / COUNT), 0.5, 0.02);
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
		cmocka_unit_test(luminance_weighs_the_channels),
		cmocka_unit_test(luminance_does_not_see_the_border),
		cmocka_unit_test(ms_ssim_is_the_formula),
		cmocka_unit_test(ms_ssim_falls_with_noise),
		cmocka_unit_test(scales_are_those_that_fit),
		cmocka_unit_test(f1_is_as_by_hand),
		cmocka_unit_test(labels_that_are_no_class_are_refused),
		cmocka_unit_test(sketches_are_measured_up_to_their_end),
		cmocka_unit_test(pictures_move_right_and_down),
		cmocka_unit_test(noise_is_that_of_its_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
