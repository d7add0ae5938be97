/* SPDX-License-Identifier: MIT */
#include "histogram.h"

#include <inttypes.h>
#include <math.h>

#define BAR_WIDTH 50

uint64_t histogram_low(uint32_t bucket)
{
	uint32_t shift;

	if (bucket < 2 * HISTOGRAM_STEPS)
		return bucket;
	shift = bucket / HISTOGRAM_STEPS - 1;
	return (uint64_t)(bucket - shift * HISTOGRAM_STEPS) << shift;
}

uint64_t histogram_high(uint32_t bucket)
{
	return bucket == HISTOGRAM_BUCKETS - 1 ? UINT64_MAX :
						 histogram_low(bucket + 1) - 1;
}

uint64_t histogram_percentile(const struct histogram *histogram,
			      double fraction)
{
	uint64_t wanted = (uint64_t)ceil(fraction * (double)histogram->count);
	uint64_t seen = 0;

	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t high;

		seen += histogram->buckets[i];
		if (!seen || seen < wanted)
			continue;
		high = histogram_high(i);
		return high < histogram->most ? high : histogram->most;
	}
	return histogram->most;
}

double histogram_mean(const struct histogram *histogram)
{
	if (!histogram->count)
		return 0;
	return (double)histogram->sum / (double)histogram->count;
}

static uint64_t buckets_count(const struct histogram *histogram, uint32_t first,
			      uint32_t end)
{
	uint64_t count = 0;

	for (uint32_t i = first; i < end; i++)
		count += histogram->buckets[i];
	return count;
}

/* Rows are 0, 1, 2–3, 4–7 … : the first bucket of a row. */
static uint32_t row_first(unsigned int row)
{
	return row ? histogram_bucket(1ull << (row - 1)) : 0;
}

static uint32_t row_end(unsigned int row)
{
	return row == 64 ? HISTOGRAM_BUCKETS : row_first(row + 1);
}

static void print_row(const struct histogram *histogram, unsigned int row,
		      uint64_t largest, FILE *stream)
{
	uint64_t count = buckets_count(histogram, row_first(row), row_end(row));
	/* One that was seen at all is shown. */
	int width = (int)ceil((double)count * BAR_WIDTH / (double)largest);

	fprintf(stream, "  %10" PRIu64 " .. %-10" PRIu64 " ns %10" PRIu64,
		histogram_low(row_first(row)), histogram_high(row_end(row) - 1),
		count);
	for (int i = 0; i < width; i++)
		fputs(i ? "#" : " #", stream);
	fputc('\n', stream);
}

void histogram_print(const struct histogram *histogram, FILE *stream)
{
	unsigned int first = 65, last = 0;
	uint64_t largest = 1;

	for (unsigned int row = 0; row <= 64; row++) {
		uint64_t count =
			buckets_count(histogram, row_first(row), row_end(row));

		if (!count)
			continue;
		if (first == 65)
			first = row;
		last = row;
		if (count > largest)
			largest = count;
	}
	for (unsigned int row = first; row <= last; row++)
		print_row(histogram, row, largest, stream);
}

static json_t *buckets_json(const struct histogram *histogram)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (histogram->buckets[i])
			json_array_append_new(
				array,
				json_pack("[I, I, I]",
					  (json_int_t)histogram_low(i),
					  (json_int_t)histogram_high(i),
					  (json_int_t)histogram->buckets[i]));
	return array;
}

json_t *histogram_json(const struct histogram *histogram)
{
	return json_pack(
		"{s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:o}", "count",
		(json_int_t)histogram->count, "min",
		(json_int_t)histogram->least, "mean", histogram_mean(histogram),
		"p50", (json_int_t)histogram_percentile(histogram, 0.5), "p90",
		(json_int_t)histogram_percentile(histogram, 0.9), "p99",
		(json_int_t)histogram_percentile(histogram, 0.99), "p99.9",
		(json_int_t)histogram_percentile(histogram, 0.999), "max",
		(json_int_t)histogram->most, "buckets",
		buckets_json(histogram));
}
