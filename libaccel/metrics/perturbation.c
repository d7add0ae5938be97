/* SPDX-License-Identifier: MIT */
#include <metrics/perturbation.h>

#include <compress/sample.h>

void perturbation_add_noise(float *values, size_t count, double deviation,
			    uint64_t seed)
{
	struct sample_generator generator;

	sample_seed(&generator, seed);
	for (size_t i = 0; i < count; i++)
		values[i] = (float)((double)values[i] +
				    deviation * sample_normal(&generator));
}

void perturbation_add(float *values, size_t count, double offset)
{
	for (size_t i = 0; i < count; i++)
		values[i] = (float)((double)values[i] + offset);
}

/* From the last pixel on, so that none is overwritten before it is read. */
static void move_plane(float *values, size_t height, size_t width, size_t right,
		       size_t down)
{
	for (size_t y = height; y-- > 0;)
		for (size_t x = width; x-- > 0;)
			values[y * width + x] =
				values[(y > down ? y - down : 0) * width +
				       (x > right ? x - right : 0)];
}

void perturbation_move(float *values, const struct metrics_planes *planes,
		       size_t right, size_t down)
{
	for (size_t i = 0; i < planes->planes; i++)
		move_plane(values + i * planes->height * planes->width,
			   planes->height, planes->width, right, down);
}
