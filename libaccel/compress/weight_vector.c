// SPDX-License-Identifier: MIT
#include <compress/weight_code.h>
#include <compress/weight_vector.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Steps of Lloyd's algorithm, and vectors that it looks at: every n-th if there are more. */
#define LLOYD_STEPS 20
#define VECTORS_MAX (1 << 14)

/**
 * struct learning - what k-means works on
 * @coder: with the vectors as they are now
 * @vectors: [@count][WEIGHT_VECTOR_MAX]
 * @count: of vectors
 * @sums: of each centroid's vectors
 * @members: how many these are
 * @worst: the vector that is farthest from its centroid, and how far
 */
struct learning {
	struct weight_coder *coder;
	float (*vectors)[WEIGHT_VECTOR_MAX];
	size_t count;
	double sums[WEIGHT_CENTROIDS_MAX][WEIGHT_VECTOR_MAX];
	size_t members[WEIGHT_CENTROIDS_MAX];
	size_t worst;
	double distance;
};

static double distance_to(const float *centroid, const float *vector,
			  size_t length)
{
	double sum = 0;

	for (size_t i = 0; i < length; i++) {
		double apart = (double)centroid[i] - (double)vector[i];

		sum += apart * apart;
	}
	return sum;
}

/* Of those that are as near, the first. */
static int nearest(const struct weight_coder *coder, const float *vector,
		   size_t length, double *distance)
{
	int best = 0;

	*distance = INFINITY;
	for (int c = 0; c < coder->centroid_count; c++) {
		double own = distance_to(coder->vectors[c], vector, length);

		if (own >= *distance)
			continue;
		*distance = own;
		best = c;
	}
	return best;
}

void weight_vectors_round(const struct weight_coder *coder, const float *row,
			  size_t count, float *rounded)
{
	size_t width = (size_t)coder->format.vector;
	double distance;

	for (size_t i = 0; i < count; i += width) {
		size_t length = count - i < width ? count - i : width;
		int c = nearest(coder, row + i, length, &distance);

		memcpy(rounded + i, coder->vectors[c],
		       length * sizeof(*rounded));
	}
}

/* ---- learning ---- */

static double length_of(const float *vector)
{
	double sum = 0;

	for (int i = 0; i < WEIGHT_VECTOR_MAX; i++)
		sum += (double)vector[i] * (double)vector[i];
	return sqrt(sum);
}

/* By length, and those of one length by their values. */
static int by_length(const void *a, const void *b)
{
	const float *x = a, *y = b;
	double first = length_of(x), second = length_of(y);

	if (first != second)
		return first < second ? -1 : 1;
	for (int i = 0; i < WEIGHT_VECTOR_MAX; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

/* Whole vectors only: every row's, and of many every n-th. */
static int load_vectors(struct learning *learning, const float *values,
			const int64_t *row_start, size_t rows)
{
	size_t width = (size_t)learning->coder->format.vector;
	size_t all = 0, skip, at = 0;

	for (size_t r = 0; r < rows; r++)
		all += (size_t)(row_start[r + 1] - row_start[r]) / width;
	skip = all / VECTORS_MAX + 1;
	learning->vectors = calloc(all / skip + 1, sizeof(*learning->vectors));
	if (!learning->vectors)
		return accel_error(-ENOMEM, "no memory for a code book");
	for (size_t r = 0; r < rows; r++) {
		const float *row = values + row_start[r];
		size_t count = (size_t)(row_start[r + 1] - row_start[r]);

		for (size_t i = 0; i + width <= count; i += width, at++)
			if (at % skip == 0)
				memcpy(learning->vectors[learning->count++],
				       row + i, width * sizeof(float));
	}
	return 0;
}

/* Evenly over the sum of the lengths: large ones, which matter most, are near one. */
static void first_vectors(struct learning *learning)
{
	struct weight_coder *coder = learning->coder;
	double all = 0, sum = 0;

	qsort(learning->vectors, learning->count, sizeof(*learning->vectors),
	      by_length);
	for (size_t i = 0; i < learning->count; i++)
		all += length_of(learning->vectors[i]);
	for (size_t i = 0; i < learning->count; i++) {
		sum += length_of(learning->vectors[i]);
		if (coder->centroid_count < coder->format.centroids &&
		    sum * coder->format.centroids >=
			    all * (coder->centroid_count + 0.5))
			memcpy(coder->vectors[coder->centroid_count++],
			       learning->vectors[i], sizeof(coder->vectors[0]));
	}
	if (!coder->centroid_count)
		coder->centroid_count = 1;
}

static void add_member(struct learning *learning, size_t index)
{
	const float *vector = learning->vectors[index];
	size_t width = (size_t)learning->coder->format.vector;
	double distance;
	int c = nearest(learning->coder, vector, width, &distance);

	for (size_t i = 0; i < width; i++)
		learning->sums[c][i] += (double)vector[i];
	learning->members[c]++;
	if (distance <= learning->distance)
		return;
	learning->distance = distance;
	learning->worst = index;
}

/* One without members becomes the vector that was served worst. */
static bool move_centroid(struct learning *learning, int c)
{
	float *centroid = learning->coder->vectors[c];
	float before[WEIGHT_VECTOR_MAX];
	bool moved = false;

	memcpy(before, centroid, sizeof(before));
	if (learning->members[c]) {
		for (int i = 0; i < WEIGHT_VECTOR_MAX; i++)
			centroid[i] = (float)(learning->sums[c][i] /
					      (double)learning->members[c]);
	} else if (learning->distance > 0) {
		memcpy(centroid, learning->vectors[learning->worst],
		       sizeof(before));
		learning->distance = 0;
	}
	for (int i = 0; i < WEIGHT_VECTOR_MAX; i++)
		moved |= before[i] != centroid[i];
	return moved;
}

static bool lloyd_step(struct learning *learning)
{
	bool moved = false;

	memset(learning->sums, 0, sizeof(learning->sums));
	memset(learning->members, 0, sizeof(learning->members));
	learning->distance = 0;
	for (size_t i = 0; i < learning->count; i++)
		add_member(learning, i);
	for (int c = 0; c < learning->coder->centroid_count; c++)
		moved |= move_centroid(learning, c);
	return moved;
}

int weight_vectors_learn(struct weight_coder *coder, const float *values,
			 const int64_t *row_start, size_t rows)
{
	struct learning *learning = calloc(1, sizeof(*learning));
	int ret;

	if (!learning)
		return accel_error(-ENOMEM, "no memory for a code book");
	learning->coder = coder;
	memset(coder->vectors, 0, sizeof(coder->vectors));
	coder->centroid_count = 0;
	ret = load_vectors(learning, values, row_start, rows);
	if (!ret) {
		first_vectors(learning);
		for (int i = 0; i < LLOYD_STEPS && lloyd_step(learning); i++)
			;
	}
	free(learning->vectors);
	free(learning);
	return ret;
}
