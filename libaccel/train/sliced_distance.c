/* SPDX-License-Identifier: MIT */
#include <train/sliced_distance.h>

#include <compress/sample.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define DIRECTIONS 64
#define SEED 1

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A point on the sphere. */
static void draw_direction(struct sample_generator *generator, double *values,
			   size_t size)
{
	double square = 0;

	for (size_t i = 0; i < size; i++) {
		values[i] = sample_normal(generator);
		square += values[i] * values[i];
	}
	for (size_t i = 0; i < size; i++)
		values[i] /= sqrt(square);
}

static void project(const float *vectors, size_t count, const double *direction,
		    size_t size, double *projections)
{
	for (size_t n = 0; n < count; n++) {
		double sum = 0;

		for (size_t i = 0; i < size; i++)
			sum += direction[i] * (double)vectors[n * size + i];
		projections[n] = sum;
	}
	qsort(projections, count, sizeof(*projections), compare);
}

int sliced_distance(const float *a, const float *b, size_t count, size_t size,
		    double *distance)
{
	double *memory = calloc(size + 2 * count, sizeof(*memory));
	double *first = memory + size, *second = first + count;
	struct sample_generator generator;

	if (!memory)
		return accel_error(-ENOMEM, "no memory for the test");
	*distance = 0;
	sample_seed(&generator, SEED);
	for (int d = 0; d < DIRECTIONS; d++) {
		draw_direction(&generator, memory, size);
		project(a, count, memory, size, first);
		project(b, count, memory, size, second);
		for (size_t n = 0; n < count; n++)
			*distance += fabs(first[n] - second[n]);
	}
	*distance /= (double)DIRECTIONS * (double)count;
	free(memory);
	return 0;
}
