/* SPDX-License-Identifier: MIT */
#include <metrics/structural_similarity.h>

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

/** struct similarity - of one window, or their mean */
struct similarity {
	double all;
	double structure;
};

/* Luminance · contrast · structure, equation 13 of the paper, and without luminance. */
static struct similarity similarity(const struct moments *m, double peak)
{
	double c1 = SSIM_K1 * peak * SSIM_K1 * peak;
	double c2 = SSIM_K2 * peak * SSIM_K2 * peak;
	double variance = m->aa - m->a * m->a + m->bb - m->b * m->b;
	double covariance = m->ab - m->a * m->b;

	return (struct similarity){
		.all = (2 * m->a * m->b + c1) * (2 * covariance + c2) /
		       ((m->a * m->a + m->b * m->b + c1) * (variance + c2)),
		.structure = (2 * covariance + c2) / (variance + c2),
	};
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

static struct similarity plane_similarity(const struct window *window,
					  const float *a, const float *b,
					  const struct metrics_planes *planes,
					  struct moments *columns)
{
	double peak = (double)window->range.high - (double)window->range.low;
	size_t rows = planes->height - window->height + 1;
	size_t positions = planes->width - window->width + 1;
	struct similarity sum = { .all = 0 };

	for (size_t y = 0; y < rows; y++) {
		size_t first = y * planes->width;

		sum_rows(window, a + first, b + first, planes->width, columns);
		for (size_t x = 0; x < positions; x++) {
			struct moments m = sum_columns(window, columns + x);
			struct similarity one = similarity(&m, peak);

			sum.all += one.all;
			sum.structure += one.structure;
		}
	}
	sum.all /= (double)(rows * positions);
	sum.structure /= (double)(rows * positions);
	return sum;
}

static struct window window_of(const struct metrics_planes *planes,
			       struct quantize_range range)
{
	struct window window = {
		.height = planes->height < SSIM_WINDOW ? planes->height :
							 SSIM_WINDOW,
		.width = planes->width < SSIM_WINDOW ? planes->width :
						       SSIM_WINDOW,
		.range = range,
	};

	gaussian(window.vertical, window.height);
	gaussian(window.horizontal, window.width);
	return window;
}

double metrics_ssim(const float *a, const float *b,
		    const struct metrics_planes *planes,
		    struct quantize_range range)
{
	struct window window = window_of(planes, range);
	size_t pixels = planes->height * planes->width;
	struct moments *columns = calloc(planes->width + 1, sizeof(*columns));
	double sum = 0;

	if (!columns)
		return NAN;
	for (size_t i = 0; i < planes->planes; i++)
		sum += plane_similarity(&window, a + i * pixels, b + i * pixels,
					planes, columns)
			       .all;
	free(columns);
	return sum / (double)planes->planes;
}

/* ---- over scales ---- */

/* Of the paper, the finest scale first. */
static const double scale_weights[METRICS_SCALES] = { 0.0448, 0.2856, 0.3001,
						      0.2363, 0.1333 };

size_t metrics_scales(const struct metrics_planes *planes)
{
	size_t side = planes->height < planes->width ? planes->height :
						       planes->width;
	size_t scales = 1;

	while (scales < METRICS_SCALES && side / 2 >= SSIM_WINDOW) {
		side /= 2;
		scales++;
	}
	return scales;
}

/** struct pyramid - a plane of both images at one scale; @planes: its size */
struct pyramid {
	struct metrics_planes planes;
	float *a;
	float *b;
	struct moments *columns;
};

/* Means of 2 × 2 pixels; in place, since each lies at or before what it is of. */
static void halve(float *values, const struct metrics_planes *planes)
{
	size_t height = planes->height / 2, width = planes->width / 2;

	for (size_t y = 0; y < height; y++)
		for (size_t x = 0; x < width; x++) {
			const float *from =
				values + 2 * y * planes->width + 2 * x;

			values[y * width + x] =
				(from[0] + from[1] + from[planes->width] +
				 from[planes->width + 1]) /
				4;
		}
}

static void pyramid_halve(struct pyramid *pyramid)
{
	halve(pyramid->a, &pyramid->planes);
	halve(pyramid->b, &pyramid->planes);
	pyramid->planes.height /= 2;
	pyramid->planes.width /= 2;
}

static void pyramid_start(struct pyramid *pyramid, const float *a,
			  const float *b, const struct metrics_planes *planes,
			  struct quantize_range range)
{
	pyramid->planes = *planes;
	for (size_t i = 0; i < planes->height * planes->width; i++) {
		pyramid->a[i] = (float)clipped(a[i], range);
		pyramid->b[i] = (float)clipped(b[i], range);
	}
}

/* A weighted geometric mean; luminance is a matter of the coarsest scale alone. */
static double pyramid_similarity(struct pyramid *pyramid, size_t scales,
				 struct quantize_range range)
{
	double product = 1, total = 0;

	for (size_t i = 0; i < scales; i++)
		total += scale_weights[i];
	for (size_t i = 0; i < scales; i++) {
		struct window window = window_of(&pyramid->planes, range);
		struct similarity mean =
			plane_similarity(&window, pyramid->a, pyramid->b,
					 &pyramid->planes, pyramid->columns);
		double factor = i + 1 < scales ? mean.structure : mean.all;

		product *=
			pow(factor < 0 ? 0 : factor, scale_weights[i] / total);
		if (i + 1 < scales)
			pyramid_halve(pyramid);
	}
	return product;
}

double metrics_ms_ssim(const float *a, const float *b,
		       const struct metrics_planes *planes,
		       struct quantize_range range)
{
	size_t pixels = planes->height * planes->width;
	size_t scales = metrics_scales(planes);
	struct pyramid pyramid = {
		.a = malloc((pixels + 1) * sizeof(float)),
		.b = malloc((pixels + 1) * sizeof(float)),
		.columns = calloc(planes->width + 1, sizeof(struct moments)),
	};
	double sum = NAN;

	if (pyramid.a && pyramid.b && pyramid.columns) {
		sum = 0;
		for (size_t i = 0; i < planes->planes; i++) {
			pyramid_start(&pyramid, a + i * pixels, b + i * pixels,
				      planes, range);
			sum += pyramid_similarity(&pyramid, scales, range);
		}
	}
	free(pyramid.a);
	free(pyramid.b);
	free(pyramid.columns);
	return sum / (double)planes->planes;
}
