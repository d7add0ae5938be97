/* SPDX-License-Identifier: MIT */
#include <metrics/kernel_distance.h>

#include <compress/blas.h>
#include <compress/sample.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct parts - memory for one part of each set
 * @count: pictures in it
 * @size: features
 * @order: of the pictures of a set, shuffled as far as needed
 * @a: features of the first part
 * @b: of the second
 * @products: of all pairs
 */
struct parts {
	size_t count;
	size_t size;
	size_t *order;
	float *a;
	float *b;
	float *products;
};

static void parts_release(struct parts *parts)
{
	free(parts->order);
	free(parts->a);
	free(parts->b);
	free(parts->products);
}

static int parts_create(struct parts *parts, const struct feature_set *a,
			const struct feature_set *b)
{
	size_t fewer = a->count < b->count ? a->count : b->count;
	size_t more = a->count < b->count ? b->count : a->count;
	size_t count = fewer < KERNEL_DISTANCE_PART ? fewer :
						      KERNEL_DISTANCE_PART;

	*parts = (struct parts){
		.count = count,
		.size = a->size,
		.order = calloc(more, sizeof(size_t)),
		.a = calloc(count * a->size, sizeof(float)),
		.b = calloc(count * a->size, sizeof(float)),
		.products = calloc(count * count, sizeof(float)),
	};
	if (parts->order && parts->a && parts->b && parts->products)
		return 0;
	return accel_error(-ENOMEM, "no memory to compare %zu pictures", count);
}

/* Without putting any back. */
static void draw(const struct parts *parts, const struct feature_set *set,
		 struct sample_generator *generator, float *values)
{
	for (size_t i = 0; i < set->count; i++)
		parts->order[i] = i;
	for (size_t i = 0; i < parts->count; i++) {
		size_t other =
			i + (size_t)sample_below(generator, set->count - i);
		size_t picture = parts->order[other];

		parts->order[other] = parts->order[i];
		memcpy(values + i * set->size,
		       set->values + picture * set->size,
		       set->size * sizeof(*values));
	}
}

static double kernel(float product, size_t size)
{
	double base = (double)product / (double)size + 1;

	return base * base * base;
}

/* Mean of the kernel over all pairs; of a part with itself, not those of equals. */
static int mean_kernel(const struct parts *parts, const float *a,
		       const float *b, double *mean)
{
	int64_t count = (int64_t)parts->count, size = (int64_t)parts->size;
	const struct blas_matrix left = { a, size, false };
	const struct blas_matrix right = { b, size, true };
	double sum = 0;
	size_t pairs = 0;
	int ret = blas_multiply(count, count, size, left, right, 0,
				parts->products, count);

	for (size_t i = 0; i < parts->count; i++)
		for (size_t j = 0; j < parts->count; j++) {
			if (a == b && i == j)
				continue;
			sum += kernel(parts->products[i * parts->count + j],
				      parts->size);
			pairs++;
		}
	*mean = sum / (double)pairs;
	return ret;
}

static int part_distance(const struct parts *parts, double *distance)
{
	double aa = 0, bb = 0, ab = 0;
	int ret = mean_kernel(parts, parts->a, parts->a, &aa);

	if (!ret)
		ret = mean_kernel(parts, parts->b, parts->b, &bb);
	if (!ret)
		ret = mean_kernel(parts, parts->a, parts->b, &ab);
	*distance = aa + bb - 2 * ab;
	return ret;
}

int kernel_distance(const struct feature_set *a, const struct feature_set *b,
		    uint64_t seed, struct kernel_distance *distance)
{
	struct sample_generator generator;
	struct parts parts = { 0 };
	double sum = 0, squares = 0, one;
	int ret = feature_set_check(a, b, 2);

	if (!ret)
		ret = blas_init();
	if (!ret)
		ret = parts_create(&parts, a, b);
	sample_seed(&generator, seed);
	for (int i = 0; i < KERNEL_DISTANCE_PARTS && !ret; i++) {
		draw(&parts, a, &generator, parts.a);
		draw(&parts, b, &generator, parts.b);
		ret = part_distance(&parts, &one);
		sum += one;
		squares += one * one;
	}
	parts_release(&parts);
	if (ret)
		return ret;
	distance->mean = sum / KERNEL_DISTANCE_PARTS;
	distance->deviation =
		sqrt(fmax(0, squares / KERNEL_DISTANCE_PARTS -
				     distance->mean * distance->mean));
	return 0;
}
