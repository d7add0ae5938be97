/* SPDX-License-Identifier: MIT */
#include <core/error.h>
#include <train/distill_prune.h>
#include <train/distill_trainer.h>

#include <errno.h>
#include <math.h>

/* How quickly the mean of the loss forgets. */
#define AVERAGE_DECAY 0.9
/* A loss of 1 is that of an output that never changes; a good one may double. */
#define EXPLOSION_LOSS 1.0
#define EXPLOSION_FACTOR 10.0

uint64_t distill_trainer_at(const struct distill_trainer *trainer, double part)
{
	return (uint64_t)llround(part * (double)trainer->steps);
}

static bool has_exploded(const struct distill_state *state, double loss)
{
	double limit =
		fmax(EXPLOSION_LOSS, EXPLOSION_FACTOR * state->numbers.average);

	/* the first loss of a student that knows nothing may be anything */
	return !isfinite(loss) ||
	       (state->numbers.average > 0 && !(loss <= limit));
}

static void note_loss(struct distill_numbers *numbers, double loss)
{
	numbers->average = numbers->average > 0 ?
				   AVERAGE_DECAY * numbers->average +
					   (1 - AVERAGE_DECAY) * loss :
				   loss;
	numbers->loss += loss;
	numbers->losses++;
}

static void penalize(struct distill_trainer *trainer, float rate)
{
	const struct recipe *recipe = trainer->options->recipe;
	uint64_t end = distill_trainer_at(trainer, recipe->pruning.end);

	if (recipe->penalty == RECIPE_PENALTY_NONE ||
	    trainer->state.numbers.step > end)
		return;
	distill_prune_shrink(&trainer->state, &trainer->student.parameters,
			     trainer->student.graph, recipe->penalty,
			     (double)rate * recipe->penalty_weight);
}

int distill_trainer_step(struct distill_trainer *trainer, float rate)
{
	struct distill_student *student = &trainer->student;
	struct distill_state *state = &trainer->state;
	double progress = trainer->steps ? (double)state->numbers.step /
						   (double)trainer->steps :
					   0;
	double loss, norm;
	int ret;

	distill_student_set(student, state->values);
	ret = distill_student_run(student, state->numbers.step, progress,
				  &loss);
	if (ret)
		return ret;
	if (has_exploded(state, loss))
		return accel_error(-EDOM, "the loss has become %g", loss);
	if (trainer->options->recipe->pruning.criterion == RECIPE_MOVEMENT)
		distill_prune_watch(state, student->gradient);
	norm = optimizer_step(&state->optimizer, batch_team(student->batch),
			      state->values, student->gradient, state->keep,
			      rate);
	if (!isfinite(norm))
		return accel_error(-EDOM, "the gradient is not finite");
	penalize(trainer, rate);
	note_loss(&state->numbers, loss);
	state->numbers.step++;
	return 0;
}
