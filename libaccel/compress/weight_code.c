/* SPDX-License-Identifier: MIT */
#include <compress/weight_code.h>
#include <compress/weight_vector.h>

#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Steps of Lloyd's algorithm; it has long come to rest then. */
#define LLOYD_STEPS 50
/* Scales that are tried, each so much smaller than the one before. */
#define SEARCH_STEPS 40
#define SEARCH_RATIO 0.98
/* Largest E4M3 number, its bits behind the point, and its least exponent. */
#define FLOAT8_MAX 448
#define FLOAT8_BITS 3
#define FLOAT8_EXPONENT (-6)
/* The same of binary16. */
#define HALF_MAX 65504
#define HALF_BITS 10
#define HALF_EXPONENT (-14)

static double largest(const float *values, size_t count)
{
	double result = 0;

	for (size_t i = 0; i < count; i++)
		result = fmax(result, fabs((double)values[i]));
	return result;
}

static double levels(const struct weight_format *format)
{
	return (double)weight_format_code_max(format);
}

static double nearest(double value, double scale, double levels)
{
	return scale * fmax(-levels, fmin(levels, rint(value / scale)));
}

static double squared_error(const float *values, size_t count, double scale,
			    double levels)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		double error = (double)values[i] -
			       nearest((double)values[i], scale, levels);

		sum += error * error;
	}
	return sum;
}

/* Clipping the largest may round all others finer. */
double weight_integer_scale(const struct weight_format *format,
			    const float *values, size_t count)
{
	double top = levels(format);
	double scale = quantize_short_scale(largest(values, count) / top);
	double best = scale, least;

	if (scale == 0)
		return 1;
	least = squared_error(values, count, scale, top);
	for (int i = 0; format->search && i < SEARCH_STEPS; i++) {
		double error;

		scale *= SEARCH_RATIO;
		error = squared_error(values, count, scale, top);
		if (error < least) {
			least = error;
			best = scale;
		}
	}
	return quantize_short_scale(best);
}

/* The least power of two that holds them all. */
static double fixed_scale(const struct weight_format *format,
			  const float *values, size_t count)
{
	double most = largest(values, count);
	int exponent;

	if (most == 0)
		return 1;
	frexp(most / levels(format), &exponent);
	/* frexp's fraction is below 1: an exact power would fit one lower */
	if (ldexp(1, exponent - 1) * levels(format) >= most)
		exponent--;
	return ldexp(1, exponent);
}

/* ---- code books ---- */

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* Of two that are as near, the lower. */
static int nearest_centroid(const struct weight_coder *coder, double value)
{
	int low = 0, high = coder->centroid_count - 1;

	while (low < high) {
		int middle = (low + high) / 2;

		if (value - coder->centroids[middle] <=
		    coder->centroids[middle + 1] - value)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Each centroid becomes the mean of the values that are nearest to it. */
static bool lloyd_step(struct weight_coder *coder, const float *sorted,
		       size_t count)
{
	bool moved = false;
	size_t at = 0;

	for (int c = 0; c < coder->centroid_count; c++) {
		double sum = 0;
		size_t first = at;

		while (at < count &&
		       (c + 1 == coder->centroid_count ||
			(double)sorted[at] - coder->centroids[c] <=
				coder->centroids[c + 1] - (double)sorted[at]))
			sum += (double)sorted[at++];
		if (at == first)
			continue;
		sum /= (double)(at - first);
		moved |= sum != coder->centroids[c];
		coder->centroids[c] = sum;
	}
	return moved;
}

/*
 * Evenly from the least to the largest: the few large weights, which matter most, keep
 * centroids of their own then (Han et al., 2016, section 3.1).
 */
static void spread_centroids(struct weight_coder *coder, const float *sorted,
			     size_t count)
{
	int wanted = coder->format.centroids;
	double low = count ? (double)sorted[0] : 0;
	double high = count ? (double)sorted[count - 1] : 0;

	coder->centroid_count = low < high ? wanted : 1;
	for (int c = 0; c < coder->centroid_count; c++)
		coder->centroids[c] = low + (high - low) * c / (wanted - 1);
}

static int find_centroids(struct weight_coder *coder, const float *values,
			  size_t count)
{
	float *sorted = malloc((count + 1) * sizeof(*sorted));

	if (!sorted)
		return accel_error(-ENOMEM, "no memory for a code book");
	memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_value);
	spread_centroids(coder, sorted, count);
	for (int i = 0; i < LLOYD_STEPS; i++)
		if (!lloyd_step(coder, sorted, count))
			break;
	free(sorted);
	return 0;
}

int weight_coder_create(struct weight_coder *coder,
			const struct weight_format *format, const float *values,
			size_t count)
{
	*coder = (struct weight_coder){ .format = *format, .scale = 1 };
	if (format->vector)
		return 0; /* weight_vectors_learn() wants the rows */
	if (format->kind == WEIGHT_CODEBOOK)
		return find_centroids(coder, values, count);
	coder->scale = format->kind == WEIGHT_FIXED ?
			       fixed_scale(format, values, count) :
			       weight_integer_scale(format, values, count);
	return 0;
}

/* ---- rows ---- */

/* Small floating-point numbers: so many bits behind the point, to an exponent. */
static double small_float(double value, int bits, int least_exponent,
			  double most)
{
	int exponent;
	double step;

	if (value == 0)
		return 0;
	frexp(value, &exponent);
	exponent = exponent - 1 < least_exponent ? least_exponent :
						   exponent - 1;
	step = ldexp(1, exponent - bits);
	return fmax(-most, fmin(most, rint(value / step) * step));
}

static void round_group(const struct weight_coder *coder,
			const struct quantize_row *row, size_t first,
			size_t count, float *rounded)
{
	const float *values = row->weights + first;
	double scale = weight_integer_scale(&coder->format, values, count);

	for (size_t i = 0; i < count; i++)
		rounded[first + i] = (float)nearest((double)values[i], scale,
						    levels(&coder->format));
}

static void round_groups(const struct weight_coder *coder,
			 const struct quantize_row *row, const int32_t *columns,
			 float *rounded)
{
	size_t first = 0;

	while (first < row->count) {
		int32_t group = columns[first] / coder->format.group;
		size_t end = first;

		while (end < row->count &&
		       columns[end] / coder->format.group == group)
			end++;
		round_group(coder, row, first, end - first, rounded);
		first = end;
	}
}

static double round_alone(const struct weight_coder *coder, double value,
			  double row_scale)
{
	switch (coder->format.kind) {
	case WEIGHT_CODEBOOK:
		return coder->centroids[nearest_centroid(coder, value)];
	case WEIGHT_HALF:
		return small_float(value, HALF_BITS, HALF_EXPONENT, HALF_MAX);
	case WEIGHT_FLOAT8:
		return row_scale * small_float(value / row_scale, FLOAT8_BITS,
					       FLOAT8_EXPONENT, FLOAT8_MAX);
	default:
		return nearest(value, coder->scale, levels(&coder->format));
	}
}

static void round_row(const struct weight_coder *coder,
		      const struct quantize_row *row, const int32_t *columns,
		      float *rounded)
{
	double scale = largest(row->weights, row->count) / FLOAT8_MAX;

	if (coder->format.vector) {
		weight_vectors_round(coder, row->weights, row->count, rounded);
		return;
	}
	if (coder->format.granularity == WEIGHT_PER_GROUP) {
		round_groups(coder, row, columns, rounded);
		return;
	}
	if (coder->format.kind == WEIGHT_INTEGER &&
	    coder->format.granularity == WEIGHT_PER_CHANNEL) {
		round_group(coder, row, 0, row->count, rounded);
		return;
	}
	for (size_t i = 0; i < row->count; i++)
		rounded[i] = (float)round_alone(coder, (double)row->weights[i],
						scale > 0 ? scale : 1);
}

/*
 * The scale in which they are whole, if there is one and int32 allows it; else what
 * quantize_row_scale() says.
 */
static float code_scale(const struct weight_coder *coder,
			const struct quantize_row *row, double exact)
{
	float least = quantize_row_scale(row);
	bool whole = coder->format.kind == WEIGHT_FIXED ||
		     (coder->format.kind == WEIGHT_INTEGER &&
		      coder->format.granularity != WEIGHT_PER_GROUP);

	return whole && row->count && (float)exact >= least ? (float)exact :
							      least;
}

int weight_coder_row(const struct weight_coder *coder,
		     const struct quantize_row *row, const int32_t *columns,
		     int8_t *codes, float *scale)
{
	float *rounded = malloc((row->count + 1) * sizeof(*rounded));
	struct quantize_row result = *row;
	double exact = coder->scale;

	if (!rounded)
		return accel_error(-ENOMEM, "no memory for a row of weights");
	round_row(coder, row, columns, rounded);
	result.weights = rounded;
	if (coder->format.granularity == WEIGHT_PER_CHANNEL &&
	    coder->format.kind == WEIGHT_INTEGER)
		exact = weight_integer_scale(&coder->format, row->weights,
					     row->count);
	*scale = code_scale(coder, &result, exact);
	for (size_t i = 0; i < row->count; i++)
		codes[i] = quantize_weight(rounded[i], *scale);
	free(rounded);
	return 0;
}
