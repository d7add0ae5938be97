/* SPDX-License-Identifier: MIT */
#include <compress/adaround.h>

#include <compress/blas.h>
#include <compress/parallel.h>
#include <core/error.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows that are learned together: what one thread does at a time. */
enum { PART = 32 };

/* Steps of Adam, and those at the start that only look at the result. */
enum { STEPS = 300, WARM_UP = STEPS / 5 };

/* The sigmoid is stretched from 0 … 1 to LOW … HIGH, and cut off there. */
#define LOW (-0.1F)
#define HIGH 1.1F

/* The regularizer: its weight, and its power at the start and at the end. */
#define WEIGHT 0.1F
#define POWER_START 20.0F
#define POWER_END 2.0F

#define RATE 0.05F
#define MOMENT_DECAY 0.9F
#define SQUARE_DECAY 0.999F
#define ADAM_EPSILON 1e-8F

/**
 * struct task - of all threads
 * @adaround: what is asked for
 * @weights: columns without the bias
 * @gram: [@weights][@weights], H where the bias has followed, over @unit
 * @unit: mean of its diagonal
 */
struct task {
	const struct adaround *adaround;
	size_t weights;
	float *gram;
	double unit;
};

/**
 * struct part - some rows while they are learned; a weight counts in steps of its grid
 * @task: of all
 * @first: row
 * @rows: of them
 * @below: [@rows][weights], the lower code
 * @exact: the weight
 * @slope: of the loss where no weight has moved
 * @number: that is learned
 * @blend: 0 where it is the lower code, 1 where it is the upper one
 * @moved: blend of codes less the weight
 * @gradient: by @moved
 * @moment: of Adam
 * @square: of Adam
 */
struct part {
	const struct task *task;
	size_t first;
	size_t rows;
	float *below;
	float *exact;
	float *slope;
	float *number;
	float *blend;
	float *moved;
	float *gradient;
	float *moment;
	float *square;
};

/* Arrays of a part. */
enum { ARRAYS = 9 };

static bool has_bias(const struct adaround *adaround)
{
	size_t last = adaround->columns - 1;

	return adaround->constant &&
	       adaround->h[last * adaround->columns + last] > 0;
}

/* Of the column of H that belongs to the bias. */
static double bias_share(const struct adaround *adaround, size_t i)
{
	return adaround->h[i * adaround->columns + adaround->columns - 1];
}

/* ---- H where the bias is always the best one ---- */

/* Its Schur complement; the bias is only ever asked for what it can do. */
static double gram_at(const struct adaround *adaround, size_t i, size_t j)
{
	double value = adaround->h[i * adaround->columns + j];
	size_t last = adaround->columns - 1;

	if (has_bias(adaround))
		value -= bias_share(adaround, i) * bias_share(adaround, j) /
			 bias_share(adaround, last);
	return value;
}

static int find_unit(struct task *task)
{
	double sum = 0;
	size_t alive = 0;

	for (size_t i = 0; i < task->weights; i++) {
		double value = gram_at(task->adaround, i, i);

		if (!isfinite(value))
			return accel_error(
				-EINVAL,
				"calibration values that are not finite, or too large");
		alive += value > 0;
		sum += value > 0 ? value : 0;
	}
	task->unit = sum > 0 ? sum / (double)alive : 1;
	return 0;
}

static int make_gram(struct task *task)
{
	size_t d = task->weights;
	int ret = find_unit(task);

	if (ret)
		return ret;
	task->gram = malloc((d * d + 1) * sizeof(*task->gram));
	if (!task->gram)
		return accel_error(-ENOMEM,
				   "no memory for a Hessian of %zu weights", d);
	for (size_t i = 0; i < d; i++)
		for (size_t j = i; j < d; j++) {
			float value = (float)(gram_at(task->adaround, i, j) /
					      task->unit);

			task->gram[i * d + j] = value;
			task->gram[j * d + i] = value;
		}
	return 0;
}

/* ---- the start ---- */

/* H·w − b of one row, half the slope of its loss; H is symmetric, its lower half unset. */
static void residual_of(const struct adaround *adaround, size_t row,
			double *found)
{
	size_t d = adaround->columns;
	const float *weights = adaround->weights + row * d;

	for (size_t i = 0; i < d; i++)
		found[i] = -adaround->b[row * d + i];
	for (size_t i = 0; i < d; i++) {
		const double *h = adaround->h + i * d;
		double sum = h[i] * (double)weights[i];

		for (size_t j = i + 1; j < d; j++) {
			sum += h[j] * (double)weights[j];
			found[j] += h[j] * (double)weights[i];
		}
		found[i] += sum;
	}
}

/* Where the bias takes what it can. */
static void settle_residual(const struct adaround *adaround, double *residual)
{
	size_t last = adaround->columns - 1;

	if (!has_bias(adaround))
		return;
	for (size_t i = 0; i < last; i++)
		residual[i] -= bias_share(adaround, i) * residual[last] /
			       bias_share(adaround, last);
}

static float logit(float blend)
{
	float part = (blend - LOW) / (HIGH - LOW);

	return logf(part / (1 - part));
}

static void start_weight(const struct part *part, size_t at, float exact)
{
	float most = (float)part->task->adaround->code_max;
	float below = fminf(fmaxf(floorf(exact), -most), most - 1);

	part->below[at] = below;
	part->exact[at] = exact;
	part->number[at] = logit(fminf(fmaxf(exact - below, 0), 1));
}

/* @residual: room for one row */
static void start_row(const struct part *part, size_t row, double *residual)
{
	const struct task *task = part->task;
	const struct adaround *adaround = task->adaround;
	size_t from = part->first + row, to = row * task->weights;
	float scale = adaround->row_scales[from];

	residual_of(adaround, from, residual);
	settle_residual(adaround, residual);
	for (size_t i = 0; i < task->weights; i++) {
		size_t at = from * adaround->columns + i;

		if (!adaround->keep[at] || !(scale > 0))
			continue;
		start_weight(part, to + i, adaround->weights[at] / scale);
		part->slope[to + i] =
			(float)(residual[i] / task->unit / (double)scale);
	}
}

/* ---- learning ---- */

static bool is_kept(const struct part *part, size_t row, size_t column)
{
	const struct adaround *adaround = part->task->adaround;

	return adaround->keep[(part->first + row) * adaround->columns + column];
}

static int find_gradient(const struct part *part)
{
	int64_t d = (int64_t)part->task->weights;
	struct blas_matrix moved = { .values = part->moved, .stride = d };
	struct blas_matrix gram = { .values = part->task->gram, .stride = d };

	memcpy(part->gradient, part->slope,
	       part->rows * (size_t)d * sizeof(*part->gradient));
	return blas_multiply((int64_t)part->rows, d, d, moved, gram, 1,
			     part->gradient, d);
}

/* Of the number that is learned, 0 … 1. */
static float blend_of(float number)
{
	float value = (HIGH - LOW) / (1 + expf(-number)) + LOW;

	return fminf(fmaxf(value, 0), 1);
}

/* By that number; nothing where the sigmoid is cut off. */
static float blend_slope(float blend)
{
	return blend > 0 && blend < 1 ?
		       (blend - LOW) * (HIGH - blend) / (HIGH - LOW) :
		       0;
}

static void move(const struct part *part)
{
	size_t d = part->task->weights;

	for (size_t row = 0; row < part->rows; row++)
		for (size_t i = 0; i < d; i++) {
			size_t at = row * d + i;

			if (!is_kept(part, row, i))
				continue;
			part->blend[at] = blend_of(part->number[at]);
			part->moved[at] = part->below[at] - part->exact[at] +
					  part->blend[at];
		}
}

/* Of 1 − |2·h − 1|^power, by h. */
static float regularizer_slope(float blend, float power)
{
	float side = 2 * blend - 1;

	return -2 * power * copysignf(powf(fabsf(side), power - 1), side);
}

/**
 * struct pace - of a step
 * @power: of the regularizer; 0: there is none yet
 * @moment: what makes up for Adam's start from zero
 * @square: the same
 */
struct pace {
	float power;
	float moment;
	float square;
};

static struct pace pace_of(int step)
{
	float left = (float)(STEPS - step) / (float)(STEPS - WARM_UP);

	return (struct pace){
		.power = step < WARM_UP ?
				 0 :
				 POWER_END + (POWER_START - POWER_END) * left,
		.moment = 1 - powf(MOMENT_DECAY, (float)(step + 1)),
		.square = 1 - powf(SQUARE_DECAY, (float)(step + 1)),
	};
}

static void learn_weight(const struct part *part, size_t at,
			 const struct pace *pace)
{
	float blend = part->blend[at];
	float gradient = 2 * part->gradient[at];

	if (pace->power > 0)
		gradient += WEIGHT * regularizer_slope(blend, pace->power);
	gradient *= blend_slope(blend);
	part->moment[at] =
		MOMENT_DECAY * part->moment[at] + (1 - MOMENT_DECAY) * gradient;
	part->square[at] = SQUARE_DECAY * part->square[at] +
			   (1 - SQUARE_DECAY) * gradient * gradient;
	part->number[at] -=
		RATE * part->moment[at] / pace->moment /
		(sqrtf(part->square[at] / pace->square) + ADAM_EPSILON);
}

static int learn(const struct part *part)
{
	size_t d = part->task->weights;
	int ret = 0;

	for (int step = 0; step < STEPS && !ret; step++) {
		struct pace pace = pace_of(step);

		move(part);
		ret = find_gradient(part);
		for (size_t row = 0; row < part->rows && !ret; row++)
			for (size_t i = 0; i < d; i++)
				if (is_kept(part, row, i))
					learn_weight(part, row * d + i, &pace);
	}
	return ret;
}

/* ---- codes ---- */

static float nearest(const struct part *part, size_t at)
{
	float most = (float)part->task->adaround->code_max;

	return fminf(fmaxf(rintf(part->exact[at]), -most), most);
}

static float learned(const struct part *part, size_t at)
{
	return part->below[at] + (blend_of(part->number[at]) >= 0.5F ? 1 : 0);
}

/* Losses of the rows, all of whose weights are codes: less those of the exact ones. */
static int losses_of(const struct part *part,
		     float (*code)(const struct part *part, size_t at),
		     double *losses)
{
	size_t d = part->task->weights;
	int ret;

	for (size_t row = 0; row < part->rows; row++)
		for (size_t i = 0; i < d; i++)
			if (is_kept(part, row, i))
				part->moved[row * d + i] =
					code(part, row * d + i) -
					part->exact[row * d + i];
	ret = find_gradient(part);
	for (size_t row = 0; row < part->rows && !ret; row++) {
		losses[row] = 0;
		for (size_t at = row * d; at < (row + 1) * d; at++)
			losses[row] += (double)part->moved[at] *
				       ((double)part->gradient[at] +
					(double)part->slope[at]);
	}
	return ret;
}

static void settle_bias(const struct adaround *adaround, size_t row,
			double *residual)
{
	size_t last = adaround->columns - 1;

	if (!has_bias(adaround))
		return;
	residual_of(adaround, row, residual);
	adaround->weights[row * adaround->columns + last] -=
		(float)(residual[last] / bias_share(adaround, last));
}

/* @residual: room for one row */
static void write_row(const struct part *part, size_t row, bool is_learned,
		      double *residual)
{
	const struct adaround *adaround = part->task->adaround;
	size_t to = part->first + row, d = part->task->weights;
	float scale = adaround->row_scales[to];

	for (size_t i = 0; i < d; i++)
		if (is_kept(part, row, i))
			adaround->weights[to * adaround->columns + i] =
				scale * (is_learned ?
						 learned(part, row * d + i) :
						 nearest(part, row * d + i));
	settle_bias(adaround, to, residual);
}

/* @residual: room for one row */
static int write_rows(const struct part *part, double *residual)
{
	double losses[2][PART];
	int ret = losses_of(part, nearest, losses[0]);

	if (!ret)
		ret = losses_of(part, learned, losses[1]);
	for (size_t row = 0; row < part->rows && !ret; row++)
		write_row(part, row, losses[1][row] < losses[0][row], residual);
	return ret;
}

/* ---- all rows ---- */

static float *open_part(struct part *part)
{
	size_t size = part->rows * part->task->weights;
	float *room = calloc(size * ARRAYS + 1, sizeof(*room));
	float **arrays[ARRAYS] = {
		&part->below,	 &part->exact,	&part->slope,
		&part->number,	 &part->blend,	&part->moved,
		&part->gradient, &part->moment, &part->square,
	};

	for (size_t i = 0; room && i < ARRAYS; i++)
		*arrays[i] = room + i * size;
	return room;
}

static int solve_part(void *context, int index)
{
	const struct task *task = context;
	const struct adaround *adaround = task->adaround;
	struct part part = { .task = task, .first = (size_t)index * PART };
	double *residual = calloc(adaround->columns + 1, sizeof(*residual));
	float *room;
	int ret = -ENOMEM;

	part.rows = adaround->rows - part.first < PART ?
			    adaround->rows - part.first :
			    PART;
	room = open_part(&part);
	if (room && residual) {
		for (size_t row = 0; row < part.rows; row++)
			start_row(&part, row, residual);
		ret = learn(&part);
		if (!ret)
			ret = write_rows(&part, residual);
	}
	free(room);
	free(residual);
	return ret;
}

int adaround_solve(const struct adaround *adaround)
{
	struct task task = {
		.adaround = adaround,
		.weights = adaround->columns - adaround->constant,
	};
	int ret = blas_init();

	if (ret || !task.weights)
		return ret;
	if (task.weights > SIZE_MAX / (task.weights + 1) / sizeof(float) ||
	    adaround->rows / PART >= INT_MAX)
		return accel_error(-ENOMEM, "%zu weights in a row",
				   task.weights);
	ret = make_gram(&task);
	if (!ret) {
		ret = parallel_run(adaround->workers,
				   (int)((adaround->rows + PART - 1) / PART),
				   solve_part, &task);
		if (ret)
			accel_error(ret, "no memory to learn how to round");
	}
	free(task.gram);
	return ret;
}
