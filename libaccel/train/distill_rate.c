/* SPDX-License-Identifier: MIT */
#include <core/deadline.h>
#include <core/error.h>
#include <train/distill_prune.h>
#include <train/distill_rate.h>
#include <train/distill_trainer.h>

#include <errno.h>
#include <math.h>

/* Where the search begins, and by what it goes up and down. */
#define RATE_FIRST 1e-3
#define RATE_FACTOR 2.0
#define RATE_TRIES 8
#define TRY_STEPS 40
#define TRY_WARMUP 8
/* A rate that is better by less is not worth being nearer to the cliff. */
#define GAIN_MIN 0.05

#define STEPS_MIN 50
/* What checks, calibrations and int8 take beside the steps, as a part of them. */
#define STEPS_OVERHEAD 1.12
#define NANOSECONDS 1e9

/** struct search - rates that were tried */
struct search {
	struct distill_trainer *trainer;
	uint64_t steps;
	uint64_t time;
};

static float warm(double peak, int step)
{
	return (float)(peak * fmin(1, (double)(step + 1) / TRY_WARMUP));
}

/* The quality after some steps at a rate; −infinity if it diverges. */
static int try_rate(struct search *search, double peak, double *quality)
{
	struct distill_trainer *trainer = search->trainer;
	uint64_t start = monotonic_ns();
	int ret = 0;

	*quality = -INFINITY;
	distill_state_copy(&trainer->state, &trainer->good);
	for (int i = 0; i < TRY_STEPS && !ret; i++) {
		ret = distill_trainer_step(trainer, warm(peak, i));
		search->steps++;
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

/* As long as another factor helps. */
static int climb(struct search *search, double factor, double *peak,
		 double *best, int *moves)
{
	double quality = 0;
	int ret = 0;

	for (*moves = 0; *moves < RATE_TRIES; ++*moves) {
		ret = try_rate(search, *peak * factor, &quality);
		if (ret || quality < *best + GAIN_MIN)
			break;
		*best = quality;
		*peak *= factor;
	}
	return ret;
}

static int search_rate(struct search *search, double *peak)
{
	double best;
	int moves, ret;

	*peak = RATE_FIRST;
	ret = try_rate(search, *peak, &best);
	if (!ret)
		ret = climb(search, RATE_FACTOR, peak, &best, &moves);
	if (!ret && !moves)
		ret = climb(search, 1 / RATE_FACTOR, peak, &best, &moves);
	if (!ret && !isfinite(best))
		return accel_error(
			-EDOM,
			"training diverges at every rate from %g down; are the data what the network was made for?",
			RATE_FIRST);
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

/* From the state that trainer->good holds. */
static int find_from(struct distill_trainer *trainer, double *peak)
{
	struct search search = { .trainer = trainer };
	double quality;
	int ret;

	*peak = trainer->options->recipe->rate;
	if (*peak > 0 && trainer->steps)
		return 0;
	ret = *peak > 0 ? try_rate(&search, *peak, &quality) :
			  search_rate(&search, peak);
	if (!ret && !trainer->steps)
		count_steps(&search);
	return ret;
}

int distill_rate_find(struct distill_trainer *trainer)
{
	const struct recipe *recipe = trainer->options->recipe;
	struct distill_state start;
	double peak;
	int ret = distill_state_create(&start, trainer->state.count,
				       trainer->state.range_count,
				       &recipe->optimizer);

	if (ret)
		return ret;
	/* A dense student has nothing to learn: it is tried at its final sparsity. */
	distill_state_copy(&start, &trainer->state);
	ret = distill_prune(&trainer->state, &trainer->student.parameters,
			    trainer->student.graph, &recipe->pruning,
			    trainer->options->sparsity);
	distill_state_copy(&trainer->good, &trainer->state);
	if (!ret)
		ret = find_from(trainer, &peak);
	distill_state_copy(&trainer->state, &start);
	distill_state_release(&start);
	if (!ret)
		trainer->state.numbers.peak = peak;
	return ret;
}
