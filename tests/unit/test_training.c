/* SPDX-License-Identifier: MIT */
#include "folder.h"
#include "training_data.h"

#include <errno.h>
#include <math.h>

#include <compress/executor.h>

static void a_classifier_learns(void **state)
{
	const struct training_options options = { .steps = 200 };
	struct training_result result;
	struct task_quality before, after;
	struct small_task small;

	(void)state;
	assert_int_equal(small_task_create(&small, CLASSIFIER(""), 1), 0);
	assert_int_equal(task_measure(&small.task, 0, &before), 0);
	small_task_train(&small, &options, &result);
	assert_int_equal(task_measure(&small.task, 0, &after), 0);
	assert_string_equal(after.name, "accuracy");
	assert_true(before.value < 0.9);
	assert_true(after.value == 1);
	assert_int_equal(result.status.step, 200);
	assert_int_equal(result.status.rollbacks, 0);
	assert_int_equal(result.point_count, 20);
	assert_true(result.points[19].loss < result.points[0].loss / 4);
	small_task_release(&small);
}

static void the_bits_do_not_depend_on_the_workers(void **state)
{
	const struct training_options options = { .steps = 30 };
	struct small_task one, two;
	struct training_result result;
	size_t total;

	(void)state;
	assert_int_equal(small_task_create(&one, CLASSIFIER(""), 1), 0);
	assert_int_equal(small_task_create(&two, CLASSIFIER(""), 2), 0);
	small_task_train(&one, &options, &result);
	small_task_train(&two, &options, &result);
	total = one.task.learners[0].parameters.total;
	assert_memory_equal(one.task.learners[0].values,
			    two.task.learners[0].values, total * sizeof(float));
	small_task_release(&one);
	small_task_release(&two);
}

/* At a rate of 10, plain descent explodes; at some part of it, it learns. */
static void divergence_goes_back_and_lowers_the_rate(void **state)
{
	const struct training_options options = { .steps = 300 };
	struct task_quality quality;
	struct training_result result;
	struct small_task small;

	(void)state;
	assert_int_equal(
		small_task_create(&small,
				  CLASSIFIER(", \"rate\": 10, \"optimizer\":"
					     " \"sgd\", \"warmup\": 0"),
				  1),
		0);
	small_task_train(&small, &options, &result);
	assert_true(result.status.rollbacks > 0);
	assert_int_equal(result.status.step, 300);
	assert_int_equal(task_measure(&small.task, 0, &quality), 0);
	assert_true(quality.value > 0.9);
	small_task_release(&small);
}

static void what_never_converges_is_an_error(void **state)
{
	const struct training_options options = { .steps = 50 };
	struct training_result result;
	struct small_task small;

	(void)state;
	assert_int_equal(small_task_create(&small, CLASSIFIER(""), 1), 0);
	small.dataset.train.values[100] = INFINITY;
	for (size_t i = 0; i < small.dataset.train.count; i++)
		small.dataset.train.values[i * PIXELS] = NAN;
	assert_int_equal(training_run(&small.task, &options, &result), -EDOM);
	assert_non_null(strstr(accel_last_error(), "diverged 11 times"));
	small_task_release(&small);
}

static int spoil_at_100(void *context, const struct training_status *status)
{
	struct small_task *small = context;

	for (size_t i = 0;
	     status->step == 100 && i < small->dataset.train.count; i++)
		small->dataset.train.values[i * PIXELS] = NAN;
	return 0;
}

static void who_gives_up_has_the_best_so_far(void **state)
{
	struct small_task small;
	const struct training_options options = { .steps = 200,
						  .observer = spoil_at_100,
						  .context = &small };
	struct task_quality quality;
	struct training_result result;

	(void)state;
	assert_int_equal(small_task_create(&small, CLASSIFIER(""), 1), 0);
	assert_int_equal(training_run(&small.task, &options, &result), 0);
	assert_true(result.gave_up);
	assert_in_range(result.status.step, 1, 199);
	assert_int_equal(task_measure(&small.task, 0, &quality), 0);
	assert_true(quality.value > 0.9);
	small_task_release(&small);
}

static int stop_at_70(void *context, const struct training_status *status)
{
	double *best = context;

	if (status->quality.name)
		*best = fmax(*best, status->quality.value);
	return status->step == 70;
}

static void who_stops_early_has_the_best_so_far(void **state)
{
	double best = 0;
	const struct training_options options = {
		.steps = 100,
		.observer = stop_at_70,
		.context = &best,
	};
	struct task_quality quality;
	struct training_result result;
	struct small_task small;

	(void)state;
	assert_int_equal(small_task_create(&small, CLASSIFIER(""), 1), 0);
	small_task_train(&small, &options, &result);
	assert_true(result.stopped);
	assert_int_equal(result.status.step, 70);
	assert_int_equal(task_measure(&small.task, 0, &quality), 0);
	assert_true(quality.value == best);
	small_task_release(&small);
}

static void a_time_becomes_a_number_of_steps(void **state)
{
	const struct training_options options = { .seconds = 0.5 };
	struct training_result result;
	struct small_task small;

	(void)state;
	assert_int_equal(small_task_create(&small, CLASSIFIER(""), 1), 0);
	small_task_train(&small, &options, &result);
	assert_true(result.status.steps > 1);
	assert_int_equal(result.status.step, result.status.steps);
	small_task_release(&small);
}

/* ---- checkpoints ---- */

static int stop_at_37(void *context, const struct training_status *status)
{
	(void)context;
	return status->step == 37;
}

static void train_until(const char *path, int resume,
			int (*observer)(void *, const struct training_status *),
			struct small_task *small)
{
	/* Who goes on need not say again how far, and may say how long. */
	const struct training_options options = {
		.steps = resume ? 0 : 80,
		.seconds = resume ? 1e-3 : 0,
		.checkpoint = path,
		.resume = resume,
		.observer = observer,
	};
	struct training_result result;

	assert_int_equal(small_task_create(small, CLASSIFIER(""), 1), 0);
	small_task_train(small, &options, &result);
}

static void who_goes_on_gets_the_same_bits(void **state)
{
	const char *path = folder_path(*state, "run.checkpoint");
	char *copy = strdup(path);
	struct small_task whole, begun, resumed;
	const struct learner *a = &whole.task.learners[0];
	const struct learner *b = &resumed.task.learners[0];
	size_t size;

	train_until(NULL, 0, NULL, &whole);
	train_until(copy, 0, stop_at_37, &begun);
	train_until(copy, 1, NULL, &resumed);
	size = a->parameters.total * sizeof(float);
	assert_memory_equal(a->values, b->values, size);
	assert_memory_equal(a->optimizer.second, b->optimizer.second, size);
	small_task_release(&whole);
	small_task_release(&begun);
	small_task_release(&resumed);
	free(copy);
}

static void a_checkpoint_of_something_else_is_refused(void **state)
{
	char *path = strdup(folder_path(*state, "run.checkpoint"));
	struct training_options options = {
		.steps = 80,
		.checkpoint = path,
		.resume = true,
	};
	struct training_result result;
	struct small_task begun, other;

	train_until(path, 0, stop_at_37, &begun);
	assert_int_equal(small_task_create(&other,
					   CLASSIFIER(", \"rate\": 0.02"), 1),
			 0);
	assert_int_equal(training_run(&other.task, &options, &result), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "another description"));
	options.steps = 81;
	assert_int_equal(training_run(&begun.task, &options, &result), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "of 80 steps"));
	options.steps = 80;
	begun.task.seed++;
	assert_int_equal(training_run(&begun.task, &options, &result), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "another seed"));
	small_task_release(&begun);
	small_task_release(&other);
	free(path);
}

static void a_checkpoint_that_fails_stops_nothing(void **state)
{
	const struct training_options options = {
		.steps = 80,
		.checkpoint = folder_path(*state, "missing/run.checkpoint"),
		.observer = stop_at_37,
	};
	struct training_result result;
	struct small_task small;

	assert_int_equal(small_task_create(&small, CLASSIFIER(""), 1), 0);
	small_task_train(&small, &options, &result);
	assert_non_null(strstr(result.status.trouble, "missing"));
	small_task_release(&small);
}

/* ---- autoencoders ---- */

static void run_graph(const struct graph *graph, int rank, const int64_t *dims,
		      const float *input, float *output)
{
	struct graph_shape shape = { .rank = rank };
	struct executor *executor;
	int tensor = graph->outputs[0];

	memcpy(shape.dims, dims, (size_t)rank * sizeof(*dims));
	assert_int_equal(executor_create(&executor, graph, &shape, NULL), 0);
	assert_int_equal(executor_run(executor, &input), 0);
	memcpy(output, executor_values(executor, tensor),
	       (size_t)graph_shape_count(executor_shape(executor, tensor)) *
		       sizeof(float));
	executor_destroy(executor);
}

static void an_autoencoder_reconstructs(const char *text)
{
	const struct training_options options = { .steps = 600 };
	struct training_result result;
	struct task_quality before, after;
	struct small_task small;

	assert_int_equal(small_task_create(&small, text, 1), 0);
	assert_int_equal(task_measure(&small.task, 0, &before), 0);
	small_task_train(&small, &options, &result);
	assert_int_equal(task_measure(&small.task, 0, &after), 0);
	assert_string_equal(after.name, "MSE");
	/* the pictures' variance is about 0.1 */
	if (!(after.value < 0.01 && before.value > 0.05))
		fail_msg("%g, before %g", after.value, before.value);
	small_task_release(&small);
}

static void either_loss_makes_an_autoencoder(void **state)
{
	(void)state;
	an_autoencoder_reconstructs(AUTOENCODER("binary"));
	an_autoencoder_reconstructs(AUTOENCODER("squared"));
}

static void sequences_are_reconstructed(void **state)
{
	(void)state;
	an_autoencoder_reconstructs(SEQUENCES);
}

/* What turns a latent vector into a state gives what the decoder takes. */
static void a_recurrent_decoder_comes_apart(void **state)
{
	struct small_task small;
	struct graph *start, *decoder;
	const struct graph_shape *state_shape;

	(void)state;
	assert_int_equal(small_task_create(&small, SEQUENCES, 1), 0);
	assert_int_equal(task_part(&small.task, "start", &start), 0);
	assert_int_equal(task_part(&small.task, "decoder", &decoder), 0);
	assert_int_equal(start->input_count, 1);
	assert_int_equal(decoder->input_count, 2);
	state_shape = &decoder->tensors[decoder->inputs[1]].shape;
	assert_int_equal(start->tensors[start->outputs[0]].shape.rank, 2);
	assert_int_equal(start->tensors[start->outputs[0]].shape.dims[1],
			 state_shape->dims[2]);
	assert_int_equal(state_shape->dims[0], 1);
	graph_destroy(start);
	graph_destroy(decoder);
	small_task_release(&small);
}

static void the_parts_of_an_autoencoder_make_the_whole(void **state)
{
	const int64_t pictures[] = { 3, 1, SIDE, SIDE }, latents[] = { 3, 2 };
	struct small_task small;
	struct graph *encoder, *decoder, *whole;
	float latent[6], by_parts[3 * PIXELS], at_once[3 * PIXELS];

	(void)state;
	assert_int_equal(small_task_create(&small, AUTOENCODER("binary"), 1),
			 0);
	assert_int_equal(task_part(&small.task, "encoder", &encoder), 0);
	assert_int_equal(task_part(&small.task, NULL, &decoder), 0);
	assert_int_equal(task_part(&small.task, "autoencoder", &whole), 0);
	assert_int_equal(encoder->input_count, 1);
	assert_int_equal(decoder->input_count, 1);
	assert_int_equal(whole->input_count, 1);
	run_graph(encoder, 4, pictures, small.dataset.test.values, latent);
	run_graph(decoder, 2, latents, latent, by_parts);
	run_graph(whole, 4, pictures, small.dataset.test.values, at_once);
	assert_memory_equal(by_parts, at_once, sizeof(at_once));
	graph_destroy(encoder);
	graph_destroy(decoder);
	graph_destroy(whole);
	small_task_release(&small);
}

/* ---- descriptions ---- */

static void assert_refused(const char *text, const char *why)
{
	struct small_task small;

	assert_int_equal(small_task_create(&small, text, 1), -EINVAL);
	if (!strstr(accel_last_error(), why))
		fail_msg("'%s' does not say '%s'", accel_last_error(), why);
	small_task_release(&small);
}

static void what_a_description_gets_wrong_is_named(void **state)
{
	(void)state;
	assert_refused("{\"task\": \"oracle\", \"input\": [1, 4, 4]}",
		       "none that is known");
	assert_refused("{\"input\": [1, 4, 4]}", "is missing");
	assert_refused("{\"task\": \"classifier\", \"input\": [0]}",
		       "holds no dimensions");
	assert_refused(
		"{\"task\": \"classifier\", \"input\": [1, 4, 4], \"netwrok\": []}",
		"\"netwrok\" means nothing");
	assert_refused("{\"task\": \"classifier\", \"input\": [1, 4, 4]}",
		       "\"network\" is no list");
	assert_refused(CLASSIFIER(", \"bacth\": 4"), "bacth");
	assert_refused(CLASSIFIER(", \"rate\": -1"), "\"rate\" takes");
	assert_refused(CLASSIFIER(", \"shards\": 3"), "does not divide");
	assert_refused(CLASSIFIER(", \"schedule\": \"wave\""), "no \"wave\"");
	assert_refused("{\"task\": \"classifier\", \"input\": [1, 4, 4],"
		       " \"network\": [\"flatten\", {\"layer\": \"linear\","
		       " \"outputs\": 1}]}",
		       "labels up to 1, but the network tells 1 classes");
	assert_refused("{\"task\": \"autoencoder\", \"input\": [1, 4, 4],"
		       " \"latent\": 2, \"encoder\": [\"flatten\"],"
		       " \"decoder\": []}",
		       "the decoder makes [1, 2] of an input of [1, 1, 4, 4]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_classifier_learns),
		cmocka_unit_test(the_bits_do_not_depend_on_the_workers),
		cmocka_unit_test(divergence_goes_back_and_lowers_the_rate),
		cmocka_unit_test(what_never_converges_is_an_error),
		cmocka_unit_test(who_gives_up_has_the_best_so_far),
		cmocka_unit_test(who_stops_early_has_the_best_so_far),
		cmocka_unit_test(a_time_becomes_a_number_of_steps),
		folder_test(who_goes_on_gets_the_same_bits),
		folder_test(a_checkpoint_of_something_else_is_refused),
		folder_test(a_checkpoint_that_fails_stops_nothing),
		cmocka_unit_test(either_loss_makes_an_autoencoder),
		cmocka_unit_test(sequences_are_reconstructed),
		cmocka_unit_test(a_recurrent_decoder_comes_apart),
		cmocka_unit_test(the_parts_of_an_autoencoder_make_the_whole),
		cmocka_unit_test(what_a_description_gets_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
