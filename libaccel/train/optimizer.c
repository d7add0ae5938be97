/* SPDX-License-Identifier: MIT */
#include <compress/floats.h>
#include <core/error.h>
#include <train/optimizer.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sums of this many squares are made apart, so that long vectors lose nothing. */
#define NORM_BLOCK 4096
#define NORM_LANES 8

static float or_usual(float value, float usual)
{
	return value == 0 ? usual : value < 0 ? 0 : value;
}

static struct optimizer_options
complete(const struct optimizer_options *options)
{
	struct optimizer_options result = *options;

	result.beta1 = or_usual(options->beta1, 0.9F);
	result.beta2 = or_usual(options->beta2, 0.999F);
	result.epsilon = options->epsilon == 0 ? 1e-8F : options->epsilon;
	return result;
}

/* Written so that NaN is refused too. */
static int check(const struct optimizer_options *options)
{
	if (!(options->beta1 < 1) || !(options->beta2 < 1) ||
	    !(options->average >= 0 && options->average < 1))
		return accel_error(
			-EINVAL,
			"beta1, beta2 and the average's decay must be below 1");
	if (!(options->epsilon > 0) || !(options->weight_decay >= 0) ||
	    !(options->clip >= 0))
		return accel_error(
			-EINVAL,
			"epsilon must be above 0, weight decay and clipping not below");
	return 0;
}

static float *zeros(size_t count)
{
	float *values = floats_allocate((int64_t)count);

	if (values)
		memset(values, 0, count * sizeof(*values));
	return values;
}

int optimizer_create(struct optimizer *optimizer,
		     const struct optimizer_options *options, size_t count)
{
	bool adam = options->method == OPTIMIZER_ADAM;
	int ret;

	memset(optimizer, 0, sizeof(*optimizer));
	optimizer->options = complete(options);
	optimizer->count = count;
	ret = check(&optimizer->options);
	if (ret)
		return ret;
	optimizer->first = zeros(count);
	optimizer->second = adam ? zeros(count) : NULL;
	optimizer->average = options->average > 0 ? zeros(count) : NULL;
	if (optimizer->first && (!adam || optimizer->second) &&
	    (options->average <= 0 || optimizer->average))
		return 0;
	optimizer_release(optimizer);
	return accel_error(-ENOMEM, "no memory for an optimizer of %zu weights",
			   count);
}

void optimizer_release(struct optimizer *optimizer)
{
	free(optimizer->first);
	free(optimizer->second);
	free(optimizer->average);
	memset(optimizer, 0, sizeof(*optimizer));
}

static double square(float value)
{
	return (double)value * (double)value;
}

static double norm(const float *values, size_t count)
{
	double total = 0;

	for (size_t first = 0; first < count; first += NORM_BLOCK) {
		size_t end = count - first < NORM_BLOCK ? count :
							  first + NORM_BLOCK;
		double lanes[NORM_LANES] = { 0 };
		double sum = 0;
		size_t i = first;

		for (; i + NORM_LANES <= end; i += NORM_LANES)
			for (size_t lane = 0; lane < NORM_LANES; lane++)
				lanes[lane] += square(values[i + lane]);
		for (; i < end; i++)
			lanes[i % NORM_LANES] += square(values[i]);
		for (int lane = 0; lane < NORM_LANES; lane++)
			sum += lanes[lane];
		total += sum;
	}
	return sqrt(total);
}

/* What stays as it is must not grow moments that would move it later. */
static void mask_gradient(float *gradient, const uint8_t *keep, size_t count)
{
	for (size_t i = 0; keep && i < count; i++)
		gradient[i] = keep[i] ? gradient[i] : 0;
}

static void scale_gradient(float *gradient, size_t count, float factor)
{
	for (size_t i = 0; i < count; i++)
		gradient[i] *= factor;
}

/*
 * beta^step without libm's pow(), whose last bit differs; the number of steps is
 * small enough for a loop by squares.
 */
static double power(double base, uint64_t exponent)
{
	double result = 1;

	for (; exponent; exponent >>= 1) {
		if (exponent & 1)
			result *= base;
		base *= base;
	}
	return result;
}

static void adam(struct optimizer *o, float *restrict values,
		 const float *restrict gradient, float rate)
{
	const float beta1 = o->options.beta1, beta2 = o->options.beta2;
	const float correction2 =
		(float)sqrt(1 - power((double)beta2, o->step));
	const float epsilon = o->options.epsilon * correction2;
	const float step =
		rate * correction2 / (float)(1 - power((double)beta1, o->step));
	float *restrict first = o->first;
	float *restrict second = o->second;

	for (size_t i = 0; i < o->count; i++) {
		float g = gradient[i];

		first[i] = beta1 * first[i] + (1 - beta1) * g;
		second[i] = beta2 * second[i] + (1 - beta2) * g * g;
		values[i] -= step * first[i] / (sqrtf(second[i]) + epsilon);
	}
}

static void descend(struct optimizer *o, float *restrict values,
		    const float *restrict gradient, float rate)
{
	const float momentum = o->options.beta1;
	float *restrict first = o->first;

	for (size_t i = 0; i < o->count; i++) {
		first[i] = momentum * first[i] + gradient[i];
		values[i] -= rate * (gradient[i] + momentum * first[i]);
	}
}

static void decay(const struct optimizer *o, float *values, const uint8_t *keep,
		  float rate)
{
	float part = 1 - rate * o->options.weight_decay;

	if (part == 1)
		return;
	for (size_t i = 0; i < o->count; i++)
		values[i] *= keep && !keep[i] ? 1 : part;
}

/* Moments of a weight that was pruned since would go on moving it. */
static void clear_pruned(struct optimizer *o, const uint8_t *keep)
{
	for (size_t i = 0; keep && i < o->count; i++)
		o->first[i] = keep[i] ? o->first[i] : 0;
	for (size_t i = 0; keep && o->second && i < o->count; i++)
		o->second[i] = keep[i] ? o->second[i] : 0;
}

/* The first steps weigh more, else the average would remember zero. */
static void average(struct optimizer *o, const float *values)
{
	double warm = (1.0 + (double)o->step) / (10.0 + (double)o->step);
	float decay = o->options.average < (float)warm ? o->options.average :
							 (float)warm;

	for (size_t i = 0; o->average && i < o->count; i++)
		o->average[i] = o->step == 1 ? values[i] :
					       decay * o->average[i] +
						       (1 - decay) * values[i];
}

double optimizer_step(struct optimizer *optimizer, float *values,
		      float *gradient, const uint8_t *keep, float rate)
{
	float clip = optimizer->options.clip;
	double length;

	mask_gradient(gradient, keep, optimizer->count);
	length = norm(gradient, optimizer->count);
	if (!isfinite(length))
		return length;
	if (clip > 0 && length > (double)clip)
		scale_gradient(gradient, optimizer->count,
			       (float)((double)clip / length));
	optimizer->step++;
	clear_pruned(optimizer, keep);
	decay(optimizer, values, keep, rate);
	if (optimizer->options.method == OPTIMIZER_ADAM)
		adam(optimizer, values, gradient, rate);
	else
		descend(optimizer, values, gradient, rate);
	average(optimizer, values);
	return length;
}
