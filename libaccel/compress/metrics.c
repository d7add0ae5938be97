/* SPDX-License-Identifier: MIT */
#include <compress/metrics.h>

#include <math.h>
#include <stdlib.h>

#define SSIM_WINDOW 11
#define SSIM_SIGMA 1.5
#define SSIM_K1 0.01
#define SSIM_K2 0.03

static double clipped(float value, struct quantize_range range)
{
	return (double)fminf(fmaxf(value, range.low), range.high);
}

/* Equal arrays divide by zero, which gives the infinity that is meant. */
double metrics_psnr(const float *a, const float *b, size_t count,
		    struct quantize_range range)
{
	double peak = (double)range.high - (double)range.low;
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double error = clipped(a[i], range) - clipped(b[i], range);

		sum += error * error;
	}
	return 10 * log10(peak * peak * (double)count / sum);
}

double metrics_max_error(const float *a, const float *b, size_t count)
{
	double largest = 0;

	for (size_t i = 0; i < count; i++) {
		double error = fabs((double)a[i] - (double)b[i]);

		if (isnan(error))
			return error;
		largest = fmax(largest, error);
	}
	return largest;
}

double metrics_accuracy(const float *scores, size_t rows, size_t classes,
			const int64_t *labels)
{
	size_t right = 0;

	for (size_t row = 0; row < rows; row++) {
		const float *score = scores + row * classes;
		size_t best = 0;

		for (size_t i = 1; i < classes; i++)
			if (score[i] > score[best])
				best = i;
		right += (int64_t)best == labels[row];
	}
	return (double)right / (double)rows;
}

/* ---- structural similarity ---- */

/** struct moments - Gaussian-weighted means under one window */
struct moments {
	double a, b, aa, bb, ab;
};

static void moments_add(struct moments *sum, double weight, double a, double b)
{
	sum->a += weight * a;
	sum->b += weight * b;
	sum->aa += weight * a * a;
	sum->bb += weight * b * b;
	sum->ab += weight * a * b;
}

/* Weights that sum to 1, also when the window had to be cut to the image. */
static void gaussian(double *weights, size_t length)
{
	double middle = ((double)length - 1) / 2;
	double sum = 0;

	for (size_t i = 0; i < length; i++) {
		double x = (double)i - middle;

		weights[i] = exp(-x * x / (2 * SSIM_SIGMA * SSIM_SIGMA));
		sum += weights[i];
	}
	for (size_t i = 0; i < length; i++)
		weights[i] /= sum;
}

/* Luminance · contrast · structure of one window, equation 13 of the paper. */
static double similarity(const struct moments *m, double peak)
{
	double c1 = SSIM_K1 * peak * SSIM_K1 * peak;
	double c2 = SSIM_K2 * peak * SSIM_K2 * peak;
	double variance = m->aa - m->a * m->a + m->bb - m->b * m->b;
	double covariance = m->ab - m->a * m->b;

	return (2 * m->a * m->b + c1) * (2 * covariance + c2) /
	       ((m->a * m->a + m->b * m->b + c1) * (variance + c2));
}

/** struct window - a separable window and the images under it */
struct window {
	size_t height, width;
	double vertical[SSIM_WINDOW], horizontal[SSIM_WINDOW];
	struct quantize_range range;
};

/* Means over the rows of the window, for each column. */
static void sum_rows(const struct window *window, const float *a,
		     const float *b, size_t width, struct moments *columns)
{
	for (size_t x = 0; x < width; x++) {
		columns[x] = (struct moments){ 0 };
		for (size_t y = 0; y < window->height; y++)
			moments_add(&columns[x], window->vertical[y],
				    clipped(a[y * width + x], window->range),
				    clipped(b[y * width + x], window->range));
	}
}

/* The window is separable: rows first, once for each column of the image. */
static struct moments sum_columns(const struct window *window,
				  const struct moments *columns)
{
	struct moments sum = { 0 };

	for (size_t x = 0; x < window->width; x++) {
		double weight = window->horizontal[x];

		sum.a += weight * columns[x].a;
		sum.b += weight * columns[x].b;
		sum.aa += weight * columns[x].aa;
		sum.bb += weight * columns[x].bb;
		sum.ab += weight * columns[x].ab;
	}
	return sum;
}

static double plane_ssim(const struct window *window, const float *a,
			 const float *b, const struct metrics_planes *planes,
			 struct moments *columns)
{
	double peak = (double)window->range.high - (double)window->range.low;
	size_t rows = planes->height - window->height + 1;
	size_t positions = planes->width - window->width + 1;
	double sum = 0;

	for (size_t y = 0; y < rows; y++) {
		size_t first = y * planes->width;

		sum_rows(window, a + first, b + first, planes->width, columns);
		for (size_t x = 0; x < positions; x++) {
			struct moments m = sum_columns(window, columns + x);

			sum += similarity(&m, peak);
		}
	}
	return sum / (double)(rows * positions);
}

double metrics_ssim(const float *a, const float *b,
		    const struct metrics_planes *planes,
		    struct quantize_range range)
{
	struct window window = {
		.height = planes->height < SSIM_WINDOW ? planes->height :
							 SSIM_WINDOW,
		.width = planes->width < SSIM_WINDOW ? planes->width :
						       SSIM_WINDOW,
		.range = range,
	};
	size_t pixels = planes->height * planes->width;
	struct moments *columns = calloc(planes->width + 1, sizeof(*columns));
	double sum = 0;

	if (!columns)
		return NAN;
	gaussian(window.vertical, window.height);
	gaussian(window.horizontal, window.width);
	for (size_t i = 0; i < planes->planes; i++)
		sum += plane_ssim(&window, a + i * pixels, b + i * pixels,
				  planes, columns);
	free(columns);
	return sum / (double)planes->planes;
}

/* ---- Sketch-RNN ---- */

enum { STROKE_PENS = 3 };

/* ln Σ eˣ, without overflow: the largest term becomes 1. */
static double log_sum_exp(const double *terms, size_t count)
{
	double largest = -INFINITY;
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		largest = fmax(largest, terms[i]);
	for (size_t i = 0; i < count; i++)
		sum += exp(terms[i] - largest);
	return largest + log(sum);
}

/* ln N(dx, dy; μ, σ, ρ) of one component of the mixture. */
static double log_normal(const float *mixture, size_t component,
			 const float *stroke)
{
	const float *p = mixture + METRICS_MIXTURE + component;
	double log_sx = (double)p[2 * METRICS_MIXTURE];
	double log_sy = (double)p[3 * METRICS_MIXTURE];
	double x = ((double)stroke[0] - (double)p[0]) / exp(log_sx);
	double y =
		((double)stroke[1] - (double)p[METRICS_MIXTURE]) / exp(log_sy);
	double rho = tanh((double)p[4 * METRICS_MIXTURE]);
	/* 1 − ρ², which is not 0 where ρ rounds to 1 */
	double rest = pow(cosh((double)p[4 * METRICS_MIXTURE]), -2);

	return -(x * x + y * y - 2 * rho * x * y) / (2 * rest) - log_sx -
	       log_sy - log(2 * M_PI * sqrt(rest));
}

/* −ln Σ π·N. All in logarithms: far from every component the density is 0 in binary64. */
static double mixture_nll(const float *output, const float *next)
{
	const float *mixture = output + STROKE_PENS;
	double weights[METRICS_MIXTURE], joint[METRICS_MIXTURE];

	for (size_t i = 0; i < METRICS_MIXTURE; i++) {
		weights[i] = (double)mixture[i];
		joint[i] = weights[i] + log_normal(mixture, i, next);
	}
	return log_sum_exp(weights, METRICS_MIXTURE) -
	       log_sum_exp(joint, METRICS_MIXTURE);
}

/* Logarithms of the pen's probabilities. */
static void pen_logarithms(const float *output, double *logarithms)
{
	double total;

	for (size_t i = 0; i < STROKE_PENS; i++)
		logarithms[i] = (double)output[i];
	total = log_sum_exp(logarithms, STROKE_PENS);
	for (size_t i = 0; i < STROKE_PENS; i++)
		logarithms[i] -= total;
}

static double step_nll(const float *output, const float *next)
{
	double pens[STROKE_PENS];
	double nll = mixture_nll(output, next);

	pen_logarithms(output, pens);
	for (size_t i = 0; i < STROKE_PENS; i++)
		nll -= (double)next[2 + i] * pens[i];
	return nll;
}

static double step_kl(const float *output, const float *other,
		      const float *next)
{
	double own[STROKE_PENS], others[STROKE_PENS];
	double kl = mixture_nll(other, next) - mixture_nll(output, next);

	pen_logarithms(output, own);
	pen_logarithms(other, others);
	for (size_t i = 0; i < STROKE_PENS; i++)
		kl += exp(own[i]) * (own[i] - others[i]);
	return kl;
}

double metrics_stroke_nll(const float *strokes, const float *outputs,
			  size_t steps, size_t batch)
{
	size_t count = (steps - 1) * batch;
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += step_nll(outputs + i * METRICS_STROKE_OUTPUTS,
				strokes + (i + batch) * METRICS_STROKE_SIZE);
	return sum / (double)count;
}

double metrics_stroke_kl(const float *strokes, const float *outputs,
			 const float *other, size_t steps, size_t batch)
{
	size_t count = (steps - 1) * batch;
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += step_kl(outputs + i * METRICS_STROKE_OUTPUTS,
			       other + i * METRICS_STROKE_OUTPUTS,
			       strokes + (i + batch) * METRICS_STROKE_SIZE);
	return sum / (double)count;
}
