/* SPDX-License-Identifier: MIT */
#include <compress/calibration_method.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PERCENTILE_DEFAULT 99.99
#define PERCENTILE_MIN 50
#define CODES 256
/* Ends that are tried: so many parts of the whole range. */
#define STEPS 64
/* Of a code that no value has, where clipped ones fall. */
#define LEAST_PROBABILITY 1e-6

int calibration_method_parse(const char *text,
			     struct calibration_method *method)
{
	static const char percentile[] = "percentile";
	size_t length = sizeof(percentile) - 1;
	char *end;

	*method = (struct calibration_method){
		.kind = CALIBRATION_PERCENTILE,
		.percentile = PERCENTILE_DEFAULT,
	};
	if (!strncmp(text, percentile, length)) {
		if (!text[length])
			return 0;
		method->percentile = strtod(text + length + 1, &end);
		if (text[length] == ':' && end != text + length + 1 && !*end &&
		    method->percentile >= PERCENTILE_MIN &&
		    method->percentile <= 100)
			return 0;
	}
	*method = (struct calibration_method){ .kind = CALIBRATION_EXTREMES };
	if (!strcmp(text, "minmax"))
		return 0;
	method->kind = strcmp(text, "kl") ? CALIBRATION_ERROR :
					    CALIBRATION_ENTROPY;
	if (!strcmp(text, "kl") || !strcmp(text, "mse"))
		return 0;
	return accel_error(
		-EINVAL,
		"calibration by %s: it takes minmax, percentile:50 to percentile:100, kl or mse",
		text);
}

/* ---- counting ---- */

static double bin_width(const struct calibration_histogram *histogram)
{
	return ((double)histogram->range.high - (double)histogram->range.low) /
	       CALIBRATION_BINS;
}

static double bin_value(const struct calibration_histogram *histogram, int bin)
{
	return (double)histogram->range.low +
	       (bin + 0.5) * bin_width(histogram);
}

void calibration_histogram_add(struct calibration_histogram *histogram,
			       const float *values, size_t count)
{
	double low = (double)histogram->range.low;
	double width = bin_width(histogram);

	if (!(width > 0))
		return;
	for (size_t i = 0; i < count; i++) {
		double bin = ((double)values[i] - low) / width;

		histogram->counts[(int)fmin(CALIBRATION_BINS - 1,
					    fmax(0, bin))]++;
	}
}

static uint64_t total_of(const struct calibration_histogram *histogram)
{
	uint64_t total = 0;

	for (int i = 0; i < CALIBRATION_BINS; i++)
		total += histogram->counts[i];
	return total;
}

/* ---- choosing ---- */

/* Bins first … last; 0 keeps a code whatever they are. */
static struct quantize_range
range_of_bins(const struct calibration_histogram *histogram, int first,
	      int last)
{
	double low = (double)histogram->range.low;
	double width = bin_width(histogram);

	return (struct quantize_range){
		fminf(0, (float)(low + first * width)),
		fmaxf(0, (float)(low + (last + 1) * width)),
	};
}

static struct quantize_range
find_percentile(const struct calibration_histogram *histogram,
		double percentile)
{
	double cut = (double)total_of(histogram) * (100 - percentile) / 200;
	int first = 0, last = CALIBRATION_BINS - 1;
	double below = 0, above = 0;

	while (first < last && below + (double)histogram->counts[first] <= cut)
		below += (double)histogram->counts[first++];
	while (last > first && above + (double)histogram->counts[last] <= cut)
		above += (double)histogram->counts[last--];
	return range_of_bins(histogram, first, last);
}

/* Of rounding within the range, and of clipping beyond. */
static double squared_error(const struct calibration_histogram *histogram,
			    struct quantize_range range)
{
	double step = ((double)range.high - (double)range.low) / (CODES - 1);
	double sum = 0;

	for (int i = 0; i < CALIBRATION_BINS; i++) {
		double value = bin_value(histogram, i);
		double beyond = fmax(value - (double)range.high,
				     (double)range.low - value);
		double error = beyond > 0 ? beyond :
					    value - step * rint(value / step);

		sum += error * error * (double)histogram->counts[i];
	}
	return sum;
}

/** struct fold - a histogram as its codes would show it */
struct fold {
	double codes[CODES];
	int used[CODES];
	int first;
	int last;
};

static int bin_of(const struct calibration_histogram *histogram, float value)
{
	double bin = ((double)value - (double)histogram->range.low) /
		     bin_width(histogram);

	return (int)fmin(CALIBRATION_BINS - 1, fmax(0, bin));
}

static int code_of(const struct fold *fold, int bin)
{
	int at = bin < fold->first ? fold->first :
		 bin > fold->last  ? fold->last :
				     bin;

	return (at - fold->first) * CODES / (fold->last - fold->first + 1);
}

/* What is clipped has the codes at the ends. */
static void fold_histogram(const struct calibration_histogram *histogram,
			   struct quantize_range range, struct fold *fold)
{
	memset(fold, 0, sizeof(*fold));
	fold->first = bin_of(histogram, range.low);
	fold->last = bin_of(histogram, range.high);
	for (int i = 0; i < CALIBRATION_BINS; i++) {
		int code = code_of(fold, i);

		fold->codes[code] += (double)histogram->counts[i];
		fold->used[code] += histogram->counts[i] && i >= fold->first &&
				    i <= fold->last;
	}
}

/*
 * From the values' distribution to that of their codes, spread evenly over the bins
 * that had any. Values that are clipped are then where there were none.
 */
static double divergence(const struct calibration_histogram *histogram,
			 struct quantize_range range, struct fold *fold)
{
	double all = (double)total_of(histogram), sum = 0;

	fold_histogram(histogram, range, fold);
	for (int i = 0; i < CALIBRATION_BINS; i++) {
		double p = (double)histogram->counts[i] / all, q = 0;
		int code = code_of(fold, i);

		if (!histogram->counts[i])
			continue;
		if (i >= fold->first && i <= fold->last)
			q = fold->codes[code] / fold->used[code] / all;
		sum += p * log(p / fmax(q, LEAST_PROBABILITY));
	}
	return sum;
}

static double badness(const struct calibration_histogram *histogram,
		      const struct calibration_method *method,
		      struct quantize_range range, struct fold *fold)
{
	return method->kind == CALIBRATION_ENTROPY ?
		       divergence(histogram, range, fold) :
		       squared_error(histogram, range);
}

/* Both ends on their own: half of the values may be negative, or none. */
static struct quantize_range
search(const struct calibration_histogram *histogram,
       const struct calibration_method *method, struct fold *fold)
{
	struct quantize_range best = histogram->range;
	double least = badness(histogram, method, best, fold);

	for (int l = histogram->range.low < 0 ? 1 : STEPS; l <= STEPS; l++)
		for (int h = histogram->range.high > 0 ? 1 : STEPS; h <= STEPS;
		     h++) {
			const struct quantize_range range = {
				histogram->range.low * (float)l / STEPS,
				histogram->range.high * (float)h / STEPS,
			};
			double own = badness(histogram, method, range, fold);

			/* of equal ones the widest, which clips least */
			if (own <= least) {
				least = own;
				best = range;
			}
		}
	return best;
}

struct quantize_range
calibration_histogram_range(const struct calibration_histogram *histogram,
			    const struct calibration_method *method)
{
	struct quantize_range range = histogram->range;
	struct fold fold;

	if (!(bin_width(histogram) > 0) || !total_of(histogram))
		return range;
	switch (method->kind) {
	case CALIBRATION_PERCENTILE:
		return find_percentile(histogram, method->percentile);
	case CALIBRATION_ENTROPY:
	case CALIBRATION_ERROR:
		return search(histogram, method, &fold);
	default:
		return range;
	}
}
