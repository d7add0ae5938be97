/* SPDX-License-Identifier: MIT */
#include <train/distill_lamp.h>

#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 16, DIGITS = 1 << DIGIT_BITS };

/** struct entry - a weight that is to be put in order */
struct entry {
	uint32_t size; /* bits of |w|, which order as the values do */
	uint32_t index;
};

/* One pass of a radix sort, the smallest first; equal ones stay in order. */
static void sort_digit(const struct entry *from, struct entry *to, size_t count,
		       unsigned int shift, size_t *starts)
{
	memset(starts, 0, (DIGITS + 1) * sizeof(*starts));
	for (size_t i = 0; i < count; i++)
		starts[(from[i].size >> shift & (DIGITS - 1)) + 1]++;
	for (size_t d = 1; d <= DIGITS; d++)
		starts[d] += starts[d - 1];
	for (size_t i = 0; i < count; i++)
		to[starts[from[i].size >> shift & (DIGITS - 1)]++] = from[i];
}

static size_t list_kept(const float *values, const uint8_t *keep, size_t count,
			struct entry *entries)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t bits;

		if (!keep[i])
			continue;
		memcpy(&bits, &values[i], sizeof(bits));
		entries[kept++] =
			(struct entry){ bits & INT32_MAX, (uint32_t)i };
	}
	return kept;
}

/* From the largest down, so that the sum is of what is no smaller. */
static void add_up(const float *values, const struct entry *entries,
		   size_t count, float *scores)
{
	double sum = 0;

	for (size_t i = count; i-- > 0;) {
		double value = (double)values[entries[i].index];

		sum += value * value;
		scores[entries[i].index] =
			sum > 0 ? (float)(value * value / sum) : 0;
	}
}

bool distill_lamp(const float *values, const uint8_t *keep, size_t count,
		  float *scores)
{
	struct entry *entries = calloc(2 * count + 1, sizeof(*entries));
	size_t *starts = malloc((DIGITS + 1) * sizeof(*starts));
	bool done = false;
	size_t kept;

	if (entries && starts && count <= UINT32_MAX) {
		done = true;
		memset(scores, 0, count * sizeof(*scores));
		kept = list_kept(values, keep, count, entries);
		sort_digit(entries, entries + count, kept, 0, starts);
		sort_digit(entries + count, entries, kept, DIGIT_BITS, starts);
		add_up(values, entries, kept, scores);
	}
	free(entries);
	free(starts);
	return done;
}
