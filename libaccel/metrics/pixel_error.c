/* SPDX-License-Identifier: MIT */
#include <metrics/pixel_error.h>

#include <math.h>

static double clipped(float value, struct quantize_range range)
{
	return (double)fminf(fmaxf(value, range.low), range.high);
}

/* Equal arrays divide by zero, which gives the infinity that is meant. */
static double decibels(double peak, double count, double sum)
{
	return 10 * log10(peak * peak * count / sum);
}

double metrics_psnr(const float *a, const float *b, size_t count,
		    struct quantize_range range)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double error = clipped(a[i], range) - clipped(b[i], range);

		sum += error * error;
	}
	return decibels((double)range.high - (double)range.low, (double)count,
			sum);
}

/* Red, green and blue in luminance; black is then at 16/255, which cancels out. */
static const double luminance[3] = { 65.481 / 255, 128.553 / 255,
				     24.966 / 255 };

/* The squared error of one pixel, by the images' weights of channels. */
static double pixel_error(const float *a, const float *b, size_t channels,
			  size_t plane, struct quantize_range range)
{
	double error = 0;

	for (size_t c = 0; c < channels; c++)
		error += (channels == 3 ? luminance[c] : 1) *
			 (clipped(a[c * plane], range) -
			  clipped(b[c * plane], range));
	return error * error;
}

double metrics_psnr_luminance(const float *a, const float *b,
			      const struct metrics_planes *planes,
			      size_t channels, size_t border,
			      struct quantize_range range)
{
	size_t plane = planes->height * planes->width;
	double sum = 0, count = 0;

	if ((channels != 1 && channels != 3) || border > planes->height / 2 ||
	    border > planes->width / 2)
		return NAN;
	for (size_t i = 0; i + channels <= planes->planes; i += channels)
		for (size_t y = border; y < planes->height - border; y++)
			for (size_t x = border; x < planes->width - border;
			     x++) {
				size_t at = i * plane + y * planes->width + x;

				sum += pixel_error(a + at, b + at, channels,
						   plane, range);
				count++;
			}
	return count > 0 ? decibels((double)range.high - (double)range.low,
				    count, sum) :
			   NAN;
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
