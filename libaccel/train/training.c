/* SPDX-License-Identifier: MIT */
#include <train/training_loop.h>

#include <core/deadline.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The curve has so many points, and quality is measured on so many samples. */
#define INTERVALS 20
#define MEASURE_SAMPLES 1000
/* Each divides the rate by two; what diverges at a thousandth is broken. */
#define MAX_ROLLBACKS 10
/* Worse than a network that knows nothing, by so much: it has diverged. */
#define EXPLOSION 3.0
#define LOSS_DECAY 0.9
/* What a kill may cost, and what a checkpoint may. */
#define SAVE_INTERVAL (20 * SECOND)
#define SECOND 1000000000ull
#define TRIAL_STEPS 20
#define TRIAL_SECONDS 2.0

/* ---- how many steps ---- */

static double seconds_since(uint64_t start)
{
	return (double)(monotonic_ns() - start) / 1e9;
}

/* Some steps whose result is thrown away tell how long one takes. */
static int time_step(struct training *training, double *seconds)
{
	uint64_t start = monotonic_ns();
	double loss;
	int steps = 0, ret = 0;

	while (!ret && steps < TRIAL_STEPS &&
	       seconds_since(start) < TRIAL_SECONDS) {
		ret = task_step(training->task, (uint64_t)steps, 0, &loss);
		if (ret == -ERANGE)
			ret = 0;
		steps++;
	}
	*seconds = seconds_since(start) / steps;
	training_snapshot_restore(&training->good, training->task);
	return ret;
}

static int steps_by_time(struct training *training, uint64_t *steps)
{
	uint64_t start = monotonic_ns();
	struct task_quality quality;
	double step, measuring, left;
	int ret = time_step(training, &step);

	if (ret)
		return ret;
	left = training->options->seconds - seconds_since(start);
	start = monotonic_ns();
	ret = task_measure(training->task, MEASURE_SAMPLES, &quality);
	measuring = seconds_since(start) * (INTERVALS + 1);
	left = (left - measuring) / step;
	*steps = left < 1 ? 1 : (uint64_t)left;
	return ret;
}

/* Of a training that goes on, the number is settled: by options or time, once. */
static int set_steps(struct training *training, bool goes_on)
{
	const struct task_settings *settings = &training->task->settings;
	struct training_status *status = &training->result->status;
	int ret = 0;

	if (!goes_on)
		status->steps = training->options->steps ?
					training->options->steps :
					(uint64_t)settings->steps;
	if (!goes_on && training->options->seconds > 0)
		ret = steps_by_time(training, &status->steps);
	training->rate = settings->rate;
	training->rate.steps = status->steps;
	if (training->rate.warmup == TASK_WARMUP_USUAL)
		training->rate.warmup = status->steps / 20;
	training->interval = status->steps / INTERVALS;
	if (!training->interval)
		training->interval = 1;
	return ret;
}

/* ---- steps ---- */

static bool has_exploded(const struct training *training)
{
	return !training->task->operations->loss_swings &&
	       training->result->status.loss >
		       EXPLOSION * fabs(training->first_loss) + 1e-6;
}

/* Once too often, it ends with the best so far, if there is any. */
static int roll_back(struct training *training)
{
	struct training_status *status = &training->result->status;
	bool too_often = ++status->rollbacks > MAX_ROLLBACKS;

	training->result->gave_up = too_often && training->best_quality.name;
	if (too_often && !training->result->gave_up)
		return accel_error(
			-EDOM,
			"the training diverged %d times, at rates down to %g; the data or the description are at fault",
			status->rollbacks,
			(double)(training->rate.peak * training->rate_factor));
	training_snapshot_restore(&training->good, training->task);
	training->rate_factor /= 2;
	status->step = training->good_step;
	status->loss = training->first_loss;
	return 0;
}

static void add_loss(struct training *training, double loss)
{
	struct training_status *status = &training->result->status;

	if (status->step == 0) {
		training->first_loss = loss;
		status->loss = loss;
	}
	status->loss = LOSS_DECAY * status->loss + (1 - LOSS_DECAY) * loss;
	status->step++;
}

static bool is_better(const struct task_quality *quality,
		      const struct task_quality *best)
{
	if (!best->name || !quality->name)
		return true;
	return quality->larger_is_better ? quality->value > best->value :
					   quality->value < best->value;
}

/* The curve grows by a point; from here on it may go back to here. */
static int add_point(struct training *training)
{
	struct training_result *result = training->result;
	struct training_status *status = &result->status;
	int ret =
		task_measure(training->task, MEASURE_SAMPLES, &status->quality);

	if (ret)
		return ret;
	if (is_better(&status->quality, &training->best_quality)) {
		training->best_quality = status->quality;
		training_snapshot_take(&training->best, training->task);
	}
	training_snapshot_take(&training->good, training->task);
	training->good_step = status->step;
	/* a point that was gone back over has its place taken */
	while (result->point_count &&
	       result->points[result->point_count - 1].step >= status->step)
		result->point_count--;
	if (result->point_count < TRAINING_POINTS)
		result->points[result->point_count++] = (struct training_point){
			status->step, status->loss,
			status->quality.name ? status->quality.value : NAN
		};
	return 0;
}

static int make_step(struct training *training)
{
	struct training_status *status = &training->result->status;
	float rate = schedule_rate(&training->rate, status->step) *
		     training->rate_factor;
	double loss;
	int ret = task_step(training->task, status->step, rate, &loss);

	if (ret == -ERANGE)
		return roll_back(training);
	if (ret)
		return ret;
	add_loss(training, loss);
	if (has_exploded(training))
		return roll_back(training);
	if (status->step % training->interval == 0 ||
	    status->step == status->steps)
		return add_point(training);
	return 0;
}

static int run(struct training *training)
{
	const struct training_options *options = training->options;
	struct training_result *result = training->result;
	int ret = 0;

	while (!ret && !result->stopped && !result->gave_up &&
	       result->status.step < result->status.steps) {
		ret = make_step(training);
		if (!ret && options->observer)
			result->stopped = options->observer(options->context,
							    &result->status);
		if (!ret && options->checkpoint &&
		    (result->stopped ||
		     monotonic_ns() - training->saved > SAVE_INTERVAL))
			training_save(training);
	}
	if (!ret && (result->stopped || result->gave_up) &&
	    training->best_quality.name)
		training_snapshot_restore(&training->best, training->task);
	return ret;
}

int training_run(struct task *task, const struct training_options *options,
		 struct training_result *result)
{
	struct training training = {
		.task = task,
		.options = options,
		.result = result,
		.rate_factor = 1,
		.saved = monotonic_ns(),
	};
	int ret;

	memset(result, 0, sizeof(*result));
	ret = training_snapshot_create(&training.good, task);
	if (!ret)
		ret = training_snapshot_create(&training.best, task);
	if (!ret && options->checkpoint && options->resume)
		ret = training_load(&training);
	if (ret >= 0)
		ret = set_steps(&training, ret > 0);
	if (!ret)
		ret = run(&training);
	training_snapshot_release(&training.good);
	training_snapshot_release(&training.best);
	return ret;
}
