/* SPDX-License-Identifier: MIT */
#include <core/deadline.h>
#include <core/error.h>
#include <train/distill_prune.h>
#include <train/distill_rate.h>
#include <train/distill_trainer.h>

#include <errno.h>
#include <math.h>

/* Where the search begins, and by what it goes up and down. */
#define RATE_FIRST 4e-3
#define RATE_FACTOR 2.0
#define RATE_TRIES 8
/* A rate that is better by less, in decibels, is not worth being nearer to the cliff. */
#define GAIN_MIN 0.1

/*
 * Each try is a whole training in small: masks, then rest, under a rate that rises and
 * falls.
 */
#define TRY_STEPS 48
#define TRY_WARMUP 4
#define TRY_INTERVAL 4
/*
 * Large damage in few steps calls for larger rates than the same damage in many, small
 * damage for smaller ones: a try says half of the truth, what is usual the other half.
 */
#define RATE_USUAL 4e-3

/* What is pruned and repaired already wants little more; its steps are dear, too. */
#define POLISH_RATE_FIRST 2.5e-4
#define POLISH_STEPS 16

#define STEPS_MIN 50
/* What checks, calibrations and int8 take beside the steps, as a part of them. */
#define STEPS_OVERHEAD 1.12
#define NANOSECONDS 1e9

/**
 * struct search - rates that are tried
 * @trainer: whose
 * @gradual: pruning takes a part of the steps
 * @length: steps of a try
 * @steps: made so far
 * @time: that they took, in nanoseconds
 */
struct search {
	struct distill_trainer *trainer;
	bool gradual;
	uint64_t length;
	uint64_t steps;
	uint64_t time;
};

/* No steps yet, but work. */
static void report(const struct distill_trainer *trainer)
{
	const struct distill_numbers *numbers = &trainer->state.numbers;
	const struct distill_progress progress = {
		.loss = numbers->average,
		.quality = numbers->quality,
		.sparsity = numbers->sparsity,
	};

	if (trainer->options->observer)
		trainer->options->observer(trainer->options->observer_context,
					   &progress);
}

/* One step of the small training. */
static int try_step(struct search *search, double peak, uint64_t step)
{
	struct distill_trainer *trainer = search->trainer;
	const struct schedule_rate rate = {
		.peak = (float)peak,
		.warmup = TRY_WARMUP,
		.steps = search->length,
	};
	const struct schedule_sparsity sparsity = {
		.final = trainer->options->sparsity,
		.end = search->gradual ? TRY_STEPS / 2 : 0,
		.interval = TRY_INTERVAL,
	};
	int ret = 0;

	search->steps++;
	if (!trainer->options->mask && schedule_prunes(&sparsity, step))
		ret = distill_prune(&trainer->state,
				    &trainer->student.parameters,
				    &trainer->options->recipe->pruning,
				    schedule_sparsity(&sparsity, step));
	return ret ? ret :
		     distill_trainer_step(trainer, schedule_rate(&rate, step));
}

/* The quality after some steps at a rate; −infinity if it diverges. */
static int try_rate(struct search *search, double peak, double *quality)
{
	struct distill_trainer *trainer = search->trainer;
	uint64_t start = monotonic_ns();
	int ret = 0;

	*quality = -INFINITY;
	distill_state_copy(&trainer->state, &trainer->good);
	for (uint64_t i = 0; i < search->length && !ret; i++) {
		ret = try_step(search, peak, i);
		report(trainer);
		if (trainer->options->stop && *trainer->options->stop)
			return -EINTR;
	}
	search->time += monotonic_ns() - start;
	if (ret == -EDOM)
		return 0;
	if (ret)
		return ret;
	distill_student_set(&trainer->student, trainer->state.values);
	ret = distill_student_measure(&trainer->student, quality);
	if (!ret && !isfinite(*quality))
		*quality = -INFINITY;
	return ret;
}

/*
 * As long as another factor helps. Down from rates that diverge, every step is one
 * nearer to those that do not.
 */
static int climb(struct search *search, double factor, double *peak,
		 double *best, int *moves)
{
	double quality = 0;
	int ret = 0;

	for (*moves = 0; *moves < RATE_TRIES; ++*moves) {
		ret = try_rate(search, *peak * factor, &quality);
		if (ret || quality < *best + GAIN_MIN ||
		    (factor > 1 && !isfinite(quality)))
			break;
		*best = quality;
		*peak *= factor;
	}
	return ret;
}

static int search_rate(struct search *search, double *peak)
{
	double first = search->trainer->options->mask ? POLISH_RATE_FIRST :
							RATE_FIRST;
	double best;
	int moves, ret;

	*peak = first;
	ret = try_rate(search, *peak, &best);
	if (!ret)
		ret = climb(search, RATE_FACTOR, peak, &best, &moves);
	if (!ret && !moves)
		ret = climb(search, 1 / RATE_FACTOR, peak, &best, &moves);
	if (!ret && !isfinite(best))
		return accel_error(
			-EDOM,
			"training diverges at every rate from %g down to %g; are the data what the network was made for?",
			first, *peak);
	return ret;
}

/* So many steps fit into the time, less what the search took. */
static void count_steps(struct search *search)
{
	struct distill_trainer *trainer = search->trainer;
	double minutes = trainer->options->minutes > 0 ?
				 trainer->options->minutes :
				 DISTILL_MINUTES_DEFAULT;
	double left = minutes * 60 - (double)search->time / NANOSECONDS;
	double step = (double)search->time / NANOSECONDS /
		      (double)search->steps * STEPS_OVERHEAD;

	trainer->steps = left > STEPS_MIN * step ? (uint64_t)(left / step) :
						   STEPS_MIN;
}

static int find(struct distill_trainer *trainer, double *peak)
{
	const struct recipe *recipe = trainer->options->recipe;
	struct search search = {
		.trainer = trainer,
		.length = trainer->options->mask ? POLISH_STEPS : TRY_STEPS,
		.gradual = recipe->pruning.end > recipe->pruning.begin &&
			   !trainer->options->mask,
	};
	double quality;
	int ret;

	*peak = recipe->rate;
	if (*peak > 0 && trainer->steps)
		return 0;
	ret = *peak > 0 ? try_rate(&search, *peak, &quality) :
			  search_rate(&search, peak);
	if (!ret && search.gradual && !(recipe->rate > 0))
		*peak = sqrt(*peak * RATE_USUAL);
	if (!ret && !trainer->steps)
		count_steps(&search);
	return ret;
}

int distill_rate_find(struct distill_trainer *trainer)
{
	double peak;
	int ret;

	distill_state_copy(&trainer->good, &trainer->state);
	ret = find(trainer, &peak);
	distill_state_copy(&trainer->state, &trainer->good);
	trainer->state.numbers.peak = ret ? 0 : peak;
	return ret;
}
