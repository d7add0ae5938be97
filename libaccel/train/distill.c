/* SPDX-License-Identifier: MIT */
#include <core/deadline.h>
#include <core/error.h>
#include <train/distill.h>
#include <train/distill_prune.h>
#include <train/distill_rate.h>
#include <train/distill_resume.h>
#include <train/distill_trainer.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A kill loses at most this and one step; a short training is saved more often. */
#define SAVE_INTERVAL (UINT64_C(16) * 1000000000)
#define SAVE_INTERVAL_FIRST (SAVE_INTERVAL / 16)

/* Checks of a training, and the steps between them. */
#define CHECKS 40
#define CHECK_MIN 10
#define CHECK_MAX 100

/* A mean of the loss that has risen so much since the last check is no noise. */
#define DIVERGENCE_FACTOR 4
#define DIVERGENCE_LOSS 0.5
#define ROLLBACK_FACTOR 0.5
#define ROLLBACKS_MAX 12

/* ---- schedules ---- */

static struct schedule_sparsity
sparsity_schedule(const struct distill_trainer *trainer)
{
	const struct recipe_pruning *pruning =
		&trainer->options->recipe->pruning;

	return (struct schedule_sparsity){
		.initial = fmin(pruning->initial, trainer->options->sparsity),
		.final = trainer->options->sparsity,
		.begin = distill_trainer_at(trainer, pruning->begin),
		.end = distill_trainer_at(trainer, pruning->end),
		.interval = (uint64_t)pruning->interval,
	};
}

static uint64_t quantize_begin(const struct distill_trainer *trainer)
{
	if (trainer->options->mask && trainer->options->recipe->quantize < 1)
		return 0;
	return distill_trainer_at(trainer, trainer->options->recipe->quantize);
}

/* Steps from one return to the initial weights to the next; all, if there is none. */
static uint64_t round_length(const struct distill_trainer *trainer)
{
	uint64_t rounds =
		(uint64_t)trainer->options->recipe->pruning.rewind + 1;

	return trainer->steps < rounds ? 1 : trainer->steps / rounds;
}

/* The number of returns before a step. */
static uint64_t round_of(const struct distill_trainer *trainer, uint64_t step)
{
	uint64_t rewinds = (uint64_t)trainer->options->recipe->pruning.rewind;
	uint64_t round = step / round_length(trainer);

	return round < rewinds ? round : rewinds;
}

static float step_rate(const struct distill_trainer *trainer)
{
	const struct recipe *recipe = trainer->options->recipe;
	const struct distill_numbers *numbers = &trainer->state.numbers;
	uint64_t length = round_length(trainer);
	uint64_t begin = round_of(trainer, numbers->step) * length;
	const struct schedule_rate schedule = {
		.shape = recipe->shape,
		.peak = (float)(numbers->peak * numbers->factor),
		.final = (float)recipe->final_rate,
		.warmup = (uint64_t)(recipe->warmup * (double)length),
		.steps = length,
	};
	float rate = schedule_rate(&schedule, numbers->step - begin);

	return numbers->step >= quantize_begin(trainer) ?
		       rate * (float)recipe->quantize_rate :
		       rate;
}

static uint64_t check_interval(const struct distill_trainer *trainer)
{
	uint64_t interval = trainer->steps / CHECKS;

	return interval < CHECK_MIN ? CHECK_MIN :
	       interval > CHECK_MAX ? CHECK_MAX :
				      interval;
}

/* ---- before a step ---- */

/* What is left of the weights has another try from where it began. */
static void rewind_values(struct distill_trainer *trainer)
{
	struct distill_state *state = &trainer->state;
	struct optimizer *optimizer = &state->optimizer;
	size_t size = state->count * sizeof(float);

	for (size_t i = 0; i < state->count; i++)
		state->values[i] = state->keep[i] ? trainer->initial[i] : 0;
	memset(optimizer->first, 0, size);
	if (optimizer->second)
		memset(optimizer->second, 0, size);
	if (optimizer->average)
		memcpy(optimizer->average, state->values, size);
	optimizer->step = 0;
	state->numbers.average = 0;
}

/* Lottery tickets (Frankle and Carbin, 2019): all the zeros by the last round. */
static int rewind_if_due(struct distill_trainer *trainer)
{
	const struct recipe_pruning *pruning =
		&trainer->options->recipe->pruning;
	uint64_t step = trainer->state.numbers.step;
	uint64_t round = round_of(trainer, step);
	const struct schedule_sparsity schedule = {
		.final = trainer->options->sparsity,
		.end = (uint64_t)pruning->rewind,
		.interval = 1,
	};
	int ret;

	if (!round || step != round * round_length(trainer))
		return 0;
	ret = distill_prune(&trainer->state, &trainer->student.parameters,
			    pruning, schedule_sparsity(&schedule, round));
	if (!ret)
		rewind_values(trainer);
	return ret;
}

static int prune_if_due(struct distill_trainer *trainer)
{
	struct schedule_sparsity schedule = sparsity_schedule(trainer);
	uint64_t step = trainer->state.numbers.step;

	if (!trainer->options->mask && trainer->options->recipe->pruning.rewind)
		return rewind_if_due(trainer);
	if (trainer->options->mask || !schedule_prunes(&schedule, step))
		return 0;
	return distill_prune(&trainer->state, &trainer->student.parameters,
			     &trainer->options->recipe->pruning,
			     schedule_sparsity(&schedule, step));
}

static int quantize_if_due(struct distill_trainer *trainer)
{
	uint64_t step = trainer->state.numbers.step;
	uint64_t begin = quantize_begin(trainer);
	int ret;

	if (step < begin || (step && begin == trainer->steps) ||
	    (step - begin) %
		    (uint64_t)trainer->options->recipe->ranges_interval)
		return 0;
	distill_student_set(&trainer->student, trainer->state.values);
	ret = distill_student_calibrate(&trainer->student,
					trainer->state.ranges);
	return ret ? ret :
		     distill_student_quantize(&trainer->student,
					      trainer->state.ranges);
}

/* After the state has jumped: int8 or float, as it was there. */
static int restore_mode(struct distill_trainer *trainer)
{
	uint64_t begin = quantize_begin(trainer);

	if (begin < trainer->steps &&
	    (trainer->state.numbers.step > begin || trainer->options->mask))
		return distill_student_quantize(&trainer->student,
						trainer->state.ranges);
	return distill_student_unquantize(&trainer->student);
}

/* ---- checks ---- */

/* The parameters that would be the result. */
static const float *candidate(const struct distill_trainer *trainer)
{
	const struct distill_state *state = &trainer->state;

	return state->optimizer.average ? state->optimizer.average :
					  state->values;
}

static int add_point(struct distill_trainer *trainer, float rate)
{
	struct distill_numbers *numbers = &trainer->state.numbers;
	const struct history_point point = {
		.step = numbers->step,
		.loss = numbers->losses ?
				numbers->loss / (double)numbers->losses :
				0,
		.quality = numbers->quality,
		.sparsity = numbers->sparsity,
		.rate = (double)rate,
		.quantized = trainer->student.fake != NULL,
	};

	numbers->loss = 0;
	numbers->losses = 0;
	return history_add(&trainer->history, &point);
}

/* Only what has the sparsity and the arithmetic that were asked for. */
static void keep_best(struct distill_trainer *trainer)
{
	const struct distill_state *state = &trainer->state;
	uint64_t begin = quantize_begin(trainer);
	bool whole = state->numbers.sparsity == trainer->options->sparsity &&
		     (begin == trainer->steps || trainer->student.fake);

	if (!whole || !(state->numbers.quality > trainer->best_quality))
		return;
	trainer->best_quality = state->numbers.quality;
	memcpy(trainer->best, candidate(trainer), state->count * sizeof(float));
	memcpy(trainer->best_ranges, state->ranges,
	       state->range_count * sizeof(*state->ranges));
}

static bool has_diverged(const struct distill_trainer *trainer)
{
	const struct distill_numbers *now = &trainer->state.numbers;
	const struct distill_numbers *good = &trainer->good.numbers;

	return isnan(now->quality) ||
	       (now->average > DIVERGENCE_LOSS && good->average > 0 &&
		now->average > DIVERGENCE_FACTOR * good->average &&
		now->sparsity == good->sparsity);
}

static int check(struct distill_trainer *trainer, float rate)
{
	struct distill_state *state = &trainer->state;
	int ret;

	distill_student_set(&trainer->student, candidate(trainer));
	ret = distill_student_measure(&trainer->student,
				      &state->numbers.quality);
	if (ret)
		return ret;
	if (has_diverged(trainer))
		return accel_error(-EDOM, "the loss has risen to %g",
				   state->numbers.average);
	ret = add_point(trainer, rate);
	if (ret)
		return ret;
	keep_best(trainer);
	distill_state_copy(&trainer->good, state);
	return 0;
}

/* Once too often, it ends with the best so far, if there is any. */
static int roll_back(struct distill_trainer *trainer)
{
	trainer->gave_up = ++trainer->rollbacks > ROLLBACKS_MAX;
	if (trainer->gave_up && !(trainer->best_quality > -INFINITY))
		return accel_error_prefix(
			-EDOM, "training diverges, also at %g of its rate",
			trainer->good.numbers.factor);
	trainer->good.numbers.factor *= ROLLBACK_FACTOR;
	distill_state_copy(&trainer->state, &trainer->good);
	return restore_mode(trainer);
}

/* ---- the training ---- */

static int one_step(struct distill_trainer *trainer)
{
	uint64_t interval = check_interval(trainer);
	float rate = step_rate(trainer);
	int ret = prune_if_due(trainer);

	if (!ret)
		ret = quantize_if_due(trainer);
	if (!ret)
		ret = distill_trainer_step(trainer, rate);
	if (!ret && (trainer->state.numbers.step % interval == 0 ||
		     trainer->state.numbers.step == trainer->steps))
		ret = check(trainer, rate);
	return ret == -EDOM ? roll_back(trainer) : ret;
}

static void report(const struct distill_trainer *trainer)
{
	const struct distill_numbers *numbers = &trainer->state.numbers;
	const struct distill_progress progress = {
		.step = numbers->step,
		.steps = trainer->steps,
		.loss = numbers->average,
		.quality = numbers->quality,
		.sparsity = numbers->sparsity,
	};

	if (trainer->options->observer)
		trainer->options->observer(trainer->options->observer_context,
					   &progress);
}

static int save_if_due(struct distill_trainer *trainer, uint32_t fingerprint)
{
	uint64_t now = monotonic_ns();
	int ret;

	if (!trainer->options->checkpoint ||
	    now - trainer->saved < trainer->save_interval)
		return 0;
	ret = distill_save(trainer, fingerprint);
	trainer->saved = monotonic_ns();
	if (trainer->save_interval < SAVE_INTERVAL)
		trainer->save_interval *= 2;
	return ret;
}

static bool is_stopped(const struct distill_trainer *trainer)
{
	return trainer->options->stop && *trainer->options->stop;
}

/*
 * Stopped while the rate was looked for, there is nothing to go on from. After the
 * last step only the result counts, which is not lost for want of a checkpoint.
 */
static int save_last(struct distill_trainer *trainer, uint32_t fingerprint)
{
	int ret;

	if (!trainer->options->checkpoint || !trainer->steps ||
	    !(trainer->state.numbers.peak > 0))
		return 0;
	ret = distill_save(trainer, fingerprint);
	return trainer->state.numbers.step == trainer->steps ? 0 : ret;
}

static int train(struct distill_trainer *trainer, uint32_t fingerprint)
{
	int ret = 0;

	while (trainer->state.numbers.step < trainer->steps && !ret &&
	       !trainer->gave_up && !is_stopped(trainer)) {
		ret = one_step(trainer);
		report(trainer);
		if (!ret)
			ret = save_if_due(trainer, fingerprint);
	}
	return ret ? ret : save_last(trainer, fingerprint);
}

static void take_mask(struct distill_trainer *trainer)
{
	const struct parameters *parameters = &trainer->student.parameters;
	struct distill_state *state = &trainer->state;

	for (int p = 0; p < parameters->count; p++) {
		const struct parameter *parameter = &parameters->list[p];
		const uint8_t *keep =
			trainer->options->mask->keep[parameter->tensor];

		if (keep)
			memcpy(state->keep + parameter->first, keep,
			       parameter->count);
	}
	parameters_mask(parameters, trainer->options->mask, state->values);
	state->numbers.sparsity = trainer->options->sparsity;
}

/* A student that comes pruned is a result already. */
static int begin_sparse(struct distill_trainer *trainer)
{
	int ret;

	take_mask(trainer);
	ret = quantize_if_due(trainer);
	return ret ? ret : check(trainer, 0);
}

static int begin(struct distill_trainer *trainer)
{
	struct distill_student *student = &trainer->student;
	int ret;

	trainer->steps = trainer->options->steps;
	trainer->best_quality = -INFINITY;
	memcpy(trainer->state.values, trainer->initial,
	       trainer->state.count * sizeof(float));
	ret = trainer->options->mask ?
		      begin_sparse(trainer) :
		      distill_prune_check(&student->parameters, student->graph,
					  &trainer->options->recipe->pruning,
					  trainer->options->sparsity);
	if (ret)
		return ret;
	ret = distill_rate_find(trainer);
	distill_state_copy(&trainer->good, &trainer->state);
	return ret == -EINTR ? 0 : ret;
}

static int begin_or_resume(struct distill_trainer *trainer,
			   uint32_t fingerprint)
{
	int ret;

	trainer->saved = monotonic_ns();
	trainer->save_interval = SAVE_INTERVAL_FIRST;
	if (!trainer->options->resume)
		return begin(trainer);
	ret = distill_load(trainer, fingerprint);
	return ret ? ret : restore_mode(trainer);
}

/* The best, or what there is, with all zeros that were asked for. */
static int finish(struct distill_trainer *trainer,
		  struct distill_result *result)
{
	struct distill_state *state = &trainer->state;
	bool best = trainer->best_quality > -INFINITY;
	int ret = 0;

	memmove(state->values, best ? trainer->best : candidate(trainer),
		state->count * sizeof(float));
	if (state->numbers.sparsity != trainer->options->sparsity)
		ret = distill_prune(state, &trainer->student.parameters,
				    &trainer->options->recipe->pruning,
				    trainer->options->sparsity);
	if (ret)
		return ret;
	distill_student_set(&trainer->student, state->values);
	*result = (struct distill_result){
		.mask = distill_prune_mask(state, &trainer->student.parameters,
					   trainer->student.graph),
		.history = trainer->history,
		.step = state->numbers.step,
		.steps = trainer->steps,
		.rate = state->numbers.peak,
		.rollbacks = trainer->rollbacks,
		.gave_up = trainer->gave_up,
		.quality = best ? trainer->best_quality :
				  state->numbers.quality,
		.quantized = trainer->student.fake != NULL,
	};
	trainer->history = (struct history){ 0 };
	return result->mask ? 0 : accel_error(-ENOMEM, "no memory for a mask");
}

static int create(struct distill_trainer *trainer, struct graph *student,
		  const struct graph *const *teachers,
		  const struct distill_data *data)
{
	const struct optimizer_options *optimizer =
		&trainer->options->recipe->optimizer;
	size_t tensors = (size_t)student->tensor_count;
	size_t count;
	int ret = distill_student_create(&trainer->student, student, teachers,
					 data, trainer->options);

	if (ret)
		return ret;
	count = trainer->student.parameters.total;
	ret = distill_state_create(&trainer->state, count, tensors, optimizer);
	if (!ret)
		ret = distill_state_create(&trainer->good, count, tensors,
					   optimizer);
	trainer->best = calloc(count + 1, sizeof(float));
	trainer->initial = calloc(count + 1, sizeof(float));
	trainer->best_ranges =
		calloc(tensors + 1, sizeof(*trainer->best_ranges));
	if (!ret &&
	    (!trainer->best || !trainer->initial || !trainer->best_ranges))
		ret = accel_error(-ENOMEM, "no memory for a training");
	if (!ret)
		parameters_load(&trainer->student.parameters, student,
				trainer->initial);
	return ret;
}

static void release(struct distill_trainer *trainer)
{
	distill_student_release(&trainer->student);
	distill_state_release(&trainer->state);
	distill_state_release(&trainer->good);
	history_release(&trainer->history);
	free(trainer->best);
	free(trainer->initial);
	free(trainer->best_ranges);
}

int distill_run(struct graph *student, const struct graph *const *teachers,
		const struct distill_data *data,
		const struct distill_options *options,
		struct distill_result *result)
{
	struct distill_trainer trainer = { .options = options };
	uint32_t fingerprint;
	int ret = create(&trainer, student, teachers, data);

	if (!ret) {
		fingerprint = distill_fingerprint(&trainer);
		ret = begin_or_resume(&trainer, fingerprint);
	}
	if (!ret)
		ret = train(&trainer, fingerprint);
	if (!ret)
		ret = finish(&trainer, result);
	release(&trainer);
	return ret;
}

void distill_result_release(struct distill_result *result)
{
	prune_mask_destroy(result->mask);
	history_release(&result->history);
	*result = (struct distill_result){ 0 };
}
