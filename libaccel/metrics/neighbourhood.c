/* SPDX-License-Identifier: MIT */
#include <metrics/neighbourhood.h>

#include <compress/blas.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Pictures whose distances to all others are there at once. */
#define TILE 256

/**
 * struct comparison - of all pictures with all others
 * @real: one set
 * @made: the other
 * @nearest: whose distance is a neighbourhood's radius
 * @real_radius: squared, of each neighbourhood of @real
 * @made_radius: of @made
 * @seen: for each picture of @made, by a neighbourhood of @real
 * @distances: of a tile, squared
 * @recalled: real pictures in some neighbourhood of @made
 * @covered: real pictures with some of @made in their neighbourhood
 * @pairs: of a real neighbourhood and who is in it
 */
struct comparison {
	const struct feature_set *real;
	const struct feature_set *made;
	size_t nearest;
	float *real_radius;
	float *made_radius;
	bool *seen;
	float *distances;
	size_t recalled;
	size_t covered;
	size_t pairs;
};

static void comparison_release(struct comparison *comparison)
{
	free(comparison->real_radius);
	free(comparison->made_radius);
	free(comparison->seen);
	free(comparison->distances);
}

static int comparison_create(struct comparison *comparison)
{
	size_t real = comparison->real->count, made = comparison->made->count;
	size_t more = real > made ? real : made;

	comparison->real_radius = calloc(real, sizeof(float));
	comparison->made_radius = calloc(made, sizeof(float));
	comparison->seen = calloc(made, sizeof(bool));
	comparison->distances = calloc(TILE * more, sizeof(float));
	if (comparison->real_radius && comparison->made_radius &&
	    comparison->seen && comparison->distances)
		return 0;
	return accel_error(-ENOMEM, "no memory to compare %zu pictures", more);
}

static double squared_length(const struct feature_set *set, size_t picture)
{
	const float *values = set->values + picture * set->size;
	double sum = 0;

	for (size_t i = 0; i < set->size; i++)
		sum += (double)values[i] * (double)values[i];
	return sum;
}

/* |x − y|² = |x|² + |y|² − 2·x·y, of @count pictures with all of another set. */
static int find_distances(const struct feature_set *from, size_t first,
			  size_t count, const struct feature_set *to,
			  float *distances)
{
	int64_t size = (int64_t)from->size;
	const struct blas_matrix left = { from->values + first * from->size,
					  size, false };
	const struct blas_matrix right = { to->values, size, true };
	int ret = blas_multiply((int64_t)count, (int64_t)to->count, size, left,
				right, 0, distances, (int64_t)to->count);

	for (size_t j = 0; j < to->count; j++) {
		double length = squared_length(to, j);

		for (size_t i = 0; i < count; i++) {
			float *product = &distances[i * to->count + j];

			*product = (float)(length - 2 * (double)*product);
		}
	}
	for (size_t i = 0; i < count; i++) {
		double length = squared_length(from, first + i);

		for (size_t j = 0; j < to->count; j++) {
			float *distance = &distances[i * to->count + j];

			*distance = (float)fmax(0, length + (double)*distance);
		}
	}
	return ret;
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static int find_radii(struct comparison *comparison,
		      const struct feature_set *set, float *radius)
{
	for (size_t first = 0; first < set->count; first += TILE) {
		size_t left = set->count - first;
		size_t count = left < TILE ? left : TILE;
		int ret = find_distances(set, first, count, set,
					 comparison->distances);

		if (ret)
			return ret;
		for (size_t i = 0; i < count; i++) {
			float *own = comparison->distances + i * set->count;

			/* not its own neighbour, however that was rounded */
			own[first + i] = -1;
			qsort(own, set->count, sizeof(*own), by_size);
			radius[first + i] = own[comparison->nearest];
		}
	}
	return 0;
}

static void look_around(struct comparison *comparison, size_t real,
			const float *distances)
{
	bool recalled = false, covered = false;

	for (size_t j = 0; j < comparison->made->count; j++) {
		recalled |= distances[j] <= comparison->made_radius[j];
		if (distances[j] > comparison->real_radius[real])
			continue;
		comparison->seen[j] = true;
		comparison->pairs++;
		covered = true;
	}
	comparison->recalled += recalled;
	comparison->covered += covered;
}

static int look_at_all(struct comparison *comparison)
{
	const struct feature_set *real = comparison->real;

	for (size_t first = 0; first < real->count; first += TILE) {
		size_t left = real->count - first;
		size_t count = left < TILE ? left : TILE;
		int ret = find_distances(real, first, count, comparison->made,
					 comparison->distances);

		if (ret)
			return ret;
		for (size_t i = 0; i < count; i++)
			look_around(comparison, first + i,
				    comparison->distances +
					    i * comparison->made->count);
	}
	return 0;
}

static void find_scores(const struct comparison *comparison,
			struct neighbourhood_scores *scores)
{
	double real = (double)comparison->real->count;
	double made = (double)comparison->made->count;
	size_t precise = 0;

	for (size_t j = 0; j < comparison->made->count; j++)
		precise += comparison->seen[j];
	scores->precision = (double)precise / made;
	scores->recall = (double)comparison->recalled / real;
	scores->density = (double)comparison->pairs /
			  ((double)comparison->nearest * made);
	scores->coverage = (double)comparison->covered / real;
}

int neighbourhood_compare(const struct feature_set *real,
			  const struct feature_set *made, size_t nearest,
			  struct neighbourhood_scores *scores)
{
	struct comparison comparison = { .real = real,
					 .made = made,
					 .nearest = nearest };
	int ret = feature_set_check(real, made, nearest + 1);

	if (!ret)
		ret = blas_init();
	if (!ret)
		ret = comparison_create(&comparison);
	if (!ret)
		ret = find_radii(&comparison, real, comparison.real_radius);
	if (!ret)
		ret = find_radii(&comparison, made, comparison.made_radius);
	if (!ret)
		ret = look_at_all(&comparison);
	if (!ret)
		find_scores(&comparison, scores);
	comparison_release(&comparison);
	return ret;
}
