/* SPDX-License-Identifier: MIT */
#include <compress/floats.h>
#include <core/error.h>
#include <train/optimizer.h>
#include <train/team.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Sums of this many squares are made apart, so that long vectors lose nothing; so
 * many weights are brought up to date at once, that the caches hold all they need.
 */
#define BLOCK ((size_t)4096)
#define NORM_LANES 8

/**
 * struct step - one step, while the workers make it
 * @optimizer: that makes it
 * @team: whose members take blocks
 * @values: updated
 * @gradient: clipped
 * @keep: 0 for what stays; NULL: nothing does
 * @rate: of the step
 * @clip: factor for the gradient
 * @size: of Adam: how far a gradient of constant sign goes
 * @epsilon: of Adam, for moments without their correction
 * @decay: factor for the values
 * @average: of the average: how much of it stays
 */
struct step {
	struct optimizer *optimizer;
	const struct team *team;
	float *values;
	float *gradient;
	const uint8_t *keep;
	float rate;
	float clip;
	float size;
	float epsilon;
	float decay;
	float average;
};

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
	optimizer->squares = calloc(count / BLOCK + 1, sizeof(double));
	if (optimizer->squares && optimizer->first &&
	    (!adam || optimizer->second) &&
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
	free(optimizer->squares);
	memset(optimizer, 0, sizeof(*optimizer));
}

static double square(float value)
{
	return (double)value * (double)value;
}

static double sum_squares(const float *values, size_t count)
{
	double lanes[NORM_LANES] = { 0 };
	double sum = 0;
	size_t i = 0;

	for (; i + NORM_LANES <= count; i += NORM_LANES)
		for (size_t lane = 0; lane < NORM_LANES; lane++)
			lanes[lane] += square(values[i + lane]);
	for (; i < count; i++)
		lanes[i % NORM_LANES] += square(values[i]);
	for (int lane = 0; lane < NORM_LANES; lane++)
		sum += lanes[lane];
	return sum;
}

/* What stays as it is must not grow moments that would move it later. */
static void mask_gradient(float *gradient, const uint8_t *keep, size_t count)
{
	for (size_t i = 0; keep && i < count; i++)
		gradient[i] = keep[i] ? gradient[i] : 0;
}

static size_t block_end(struct team_span span, size_t first)
{
	return span.end - first < BLOCK ? span.end : first + BLOCK;
}

/* A member's blocks of the gradient, masked, and their squares. */
static void measure(void *context, int member)
{
	const struct step *step = context;
	const struct optimizer *o = step->optimizer;
	struct team_span own = team_part(step->team, member, o->count, BLOCK);

	for (size_t first = own.begin; first < own.end; first += BLOCK) {
		size_t count = block_end(own, first) - first;
		float *gradient = step->gradient + first;

		mask_gradient(gradient, step->keep ? step->keep + first : NULL,
			      count);
		o->squares[first / BLOCK] = sum_squares(gradient, count);
	}
}

static double norm(const struct optimizer *o)
{
	double total = 0;

	for (size_t block = 0; block * BLOCK < o->count; block++)
		total += o->squares[block];
	return sqrt(total);
}

static void scale_gradient(const struct step *step, size_t begin, size_t end)
{
	for (size_t i = begin; i < end && step->clip != 1; i++)
		step->gradient[i] *= step->clip;
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

static void adam(const struct step *step, size_t begin, size_t end)
{
	const struct optimizer *o = step->optimizer;
	const float beta1 = o->options.beta1, beta2 = o->options.beta2;
	const float epsilon = step->epsilon, size = step->size;
	const float *restrict gradient = step->gradient;
	float *restrict values = step->values;
	float *restrict first = o->first;
	float *restrict second = o->second;

	for (size_t i = begin; i < end; i++) {
		float g = gradient[i];

		first[i] = beta1 * first[i] + (1 - beta1) * g;
		second[i] = beta2 * second[i] + (1 - beta2) * g * g;
		values[i] -= size * first[i] / (sqrtf(second[i]) + epsilon);
	}
}

static void descend(const struct step *step, size_t begin, size_t end)
{
	const struct optimizer *o = step->optimizer;
	const float momentum = o->options.beta1, rate = step->rate;
	const float *restrict gradient = step->gradient;
	float *restrict values = step->values;
	float *restrict first = o->first;

	for (size_t i = begin; i < end; i++) {
		first[i] = momentum * first[i] + gradient[i];
		values[i] -= rate * (gradient[i] + momentum * first[i]);
	}
}

static void decay(const struct step *step, size_t begin, size_t end)
{
	const uint8_t *keep = step->keep;

	for (size_t i = begin; i < end && step->decay != 1; i++)
		step->values[i] *= keep && !keep[i] ? 1 : step->decay;
}

/* Moments of a weight that was pruned since would go on moving it. */
static void clear_pruned(const struct step *step, size_t begin, size_t end)
{
	const struct optimizer *o = step->optimizer;
	const uint8_t *keep = step->keep;

	for (size_t i = begin; keep && i < end; i++)
		o->first[i] = keep[i] ? o->first[i] : 0;
	for (size_t i = begin; keep && o->second && i < end; i++)
		o->second[i] = keep[i] ? o->second[i] : 0;
}

static void average(const struct step *step, size_t begin, size_t end)
{
	const struct optimizer *o = step->optimizer;
	const float stays = step->average;
	const float *restrict values = step->values;
	float *restrict mean = o->average;

	if (mean && o->step == 1)
		memcpy(mean + begin, values + begin,
		       (end - begin) * sizeof(*mean));
	else
		for (size_t i = begin; mean && i < end; i++)
			mean[i] = stays * mean[i] + (1 - stays) * values[i];
}

/* A member's blocks, each brought up to date while it is in the cache. */
static void update(void *context, int member)
{
	const struct step *step = context;
	const struct optimizer *o = step->optimizer;
	struct team_span own = team_part(step->team, member, o->count, BLOCK);

	for (size_t begin = own.begin; begin < own.end; begin += BLOCK) {
		size_t end = block_end(own, begin);

		scale_gradient(step, begin, end);
		clear_pruned(step, begin, end);
		decay(step, begin, end);
		if (o->options.method == OPTIMIZER_ADAM)
			adam(step, begin, end);
		else
			descend(step, begin, end);
		average(step, begin, end);
	}
}

/* The first steps weigh more in the average, else it would remember zero. */
static void set_factors(struct step *step, double length)
{
	const struct optimizer *o = step->optimizer;
	const struct optimizer_options *options = &o->options;
	float correction2 =
		(float)sqrt(1 - power((double)options->beta2, o->step));
	double warm = (1.0 + (double)o->step) / (10.0 + (double)o->step);

	step->clip = options->clip > 0 && length > (double)options->clip ?
			     (float)((double)options->clip / length) :
			     1;
	step->epsilon = options->epsilon * correction2;
	step->size = step->rate * correction2 /
		     (float)(1 - power((double)options->beta1, o->step));
	step->decay = 1 - step->rate * options->weight_decay;
	step->average = options->average < (float)warm ? options->average :
							 (float)warm;
}

double optimizer_step(struct optimizer *optimizer, struct team *team,
		      float *values, float *gradient, const uint8_t *keep,
		      float rate)
{
	struct step step = {
		.optimizer = optimizer,
		.team = team,
		.values = values,
		.gradient = gradient,
		.keep = keep,
		.rate = rate,
	};
	double length;

	team_run(team, measure, &step);
	length = norm(optimizer);
	if (!isfinite(length))
		return length;
	optimizer->step++;
	set_factors(&step, length);
	team_run(team, update, &step);
	return length;
}
