/* SPDX-License-Identifier: MIT */
/* A student of a small random generator, and all that may happen to its training. */
#include "unit.h"
#include "folder.h"
#include "float_graph.h"

#include <train/distill.h>

#include <errno.h>

#define STEPS 60
#define WEIGHTS (8 * 32 + 32 * 16)

/* z [N, 8] → 32 → 16, with an activation between and a sigmoid behind. */
static struct graph *generator(int64_t outputs)
{
	const struct graph_shape latent = { 2, { -1, 8 } };
	const int64_t shapes[2][2] = { { 32, 8 }, { outputs, 32 } };
	struct graph *graph = graph_create("generator");
	int x = graph_add_tensor(graph, "z", &latent);
	float weights[1024];
	uint64_t seed = 5;

	CHECK(graph_add_input(graph, x));
	for (int layer = 0; layer < 2; layer++) {
		int64_t bias = shapes[layer][0];
		int inputs[3] = { x };

		for (size_t i = 0; i < 1024; i++)
			weights[i] = (float)(2 * random_unit(&seed) - 1);
		inputs[1] = add_constant(graph, 2, shapes[layer], weights);
		inputs[2] = add_constant(graph, 1, &bias, weights);
		x = add_node(graph, GRAPH_GEMM, inputs, 3);
		graph->tensors[x].shape =
			(struct graph_shape){ 2, { -1, shapes[layer][0] } };
		x = add_node(graph, layer ? GRAPH_SIGMOID : GRAPH_TANH, &x, 1);
		graph->tensors[x].shape =
			(struct graph_shape){ 2, { -1, shapes[layer][0] } };
	}
	CHECK(graph_add_output(graph, x));
	return graph;
}

/** struct trial - a training with small numbers, to be changed before run() */
struct trial {
	struct graph *teacher;
	struct graph *student;
	struct recipe recipe;
	struct calibration_data calibration;
	struct distill_data data;
	struct distill_options options;
	struct distill_result result;
};

static void trial_create(struct trial *trial)
{
	const struct distill_source source = { .seed = 1 };

	memset(trial, 0, sizeof(*trial));
	trial->teacher = generator(16);
	trial->student = generator(16);
	recipe_init(&trial->recipe);
	recipe_settle(&trial->recipe, false);
	trial->recipe.rate = 0.005;
	trial->recipe.pruning.interval = 5;
	trial->recipe.ranges_interval = 4;
	CHECK(calibration_data_sample(&trial->calibration, trial->teacher, 64,
				      1));
	CHECK(distill_data_create(&trial->data, trial->teacher, &source));
	trial->options = (struct distill_options){
		.sparsity = 0.5,
		.steps = STEPS,
		.workers = 1,
		.recipe = &trial->recipe,
		.calibration = &trial->calibration,
	};
}

static int trial_run(struct trial *trial)
{
	const struct graph *const teachers[] = { trial->teacher };

	return distill_run(trial->student, teachers, &trial->data,
			   &trial->options, &trial->result);
}

static void trial_release(struct trial *trial)
{
	distill_result_release(&trial->result);
	calibration_data_release(&trial->calibration);
	distill_data_release(&trial->data);
	recipe_release(&trial->recipe);
	graph_destroy(trial->teacher);
	graph_destroy(trial->student);
}

static void assert_same(const struct trial *a, const struct trial *b)
{
	for (int t = 0; t < a->student->tensor_count; t++) {
		const struct graph_tensor *tensor = &a->student->tensors[t];

		if (tensor->data)
			assert_memory_equal(
				tensor->data, b->student->tensors[t].data,
				(size_t)graph_shape_count(&tensor->shape) *
					sizeof(float));
	}
}

static void check_zeros(const struct trial *trial, int64_t kept)
{
	int64_t total;

	assert_int_equal(
		prune_count(trial->student, trial->result.mask, &total), kept);
	assert_int_equal(total, WEIGHTS);
	for (int t = 0; t < trial->student->tensor_count; t++) {
		const struct graph_tensor *tensor = &trial->student->tensors[t];
		const uint8_t *keep = trial->result.mask->keep[t];

		for (int64_t i = 0;
		     keep && i < graph_shape_count(&tensor->shape); i++)
			assert_true(keep[i] || tensor->data[i] == 0);
	}
}

static void a_student_gets_its_zeros_and_learns(void **state)
{
	struct trial shorter, longer;

	(void)state;
	trial_create(&shorter);
	trial_create(&longer);
	shorter.options.steps = 10;
	longer.options.steps = 400;
	CHECK(trial_run(&shorter));
	CHECK(trial_run(&longer));
	check_zeros(&shorter, WEIGHTS / 2);
	check_zeros(&longer, WEIGHTS / 2);
	assert_true(longer.result.quantized);
	assert_int_equal(longer.result.step, 400);
	assert_true(longer.result.quality > shorter.result.quality + 3);
	trial_release(&shorter);
	trial_release(&longer);
}

/* Mean squared difference of what two networks give for the same latents. */
static double distance(const struct graph *a, const struct graph *b)
{
	struct graph_shape shape = {
		2, { 64, a->tensors[a->inputs[0]].shape.dims[1] }
	};
	struct executor *executors[2];
	float values[64 * 64];
	const float *input = values;
	uint64_t seed = 77;
	double sum = 0;
	int64_t count;

	for (size_t i = 0; i < 64 * 64; i++)
		values[i] = (float)(4 * random_unit(&seed) - 2);
	CHECK(executor_create(&executors[0], a, &shape, NULL));
	CHECK(executor_create(&executors[1], b, &shape, NULL));
	for (int i = 0; i < 2; i++)
		CHECK(executor_run(executors[i], &input));
	count = graph_shape_count(executor_shape(executors[0], a->outputs[0]));
	for (int64_t i = 0; i < count; i++) {
		double d =
			(double)executor_values(executors[0],
						a->outputs[0])[i] -
			(double)executor_values(executors[1], b->outputs[0])[i];

		sum += d * d / (double)count;
	}
	executor_destroy(executors[0]);
	executor_destroy(executors[1]);
	return sum;
}

/* The second one differs from the first in its last layer's biases. */
static struct graph *second_teacher(void)
{
	struct graph *graph = generator(16);
	struct graph_tensor *bias = &graph->tensors[graph->nodes[2].inputs[2]];

	for (int64_t i = 0; i < bias->shape.dims[0]; i++)
		bias->data[i] += i % 2 ? 2 : -2;
	return graph;
}

static void train_for(struct trial *trial, struct graph *second,
		      double first_weight, double second_weight)
{
	const struct graph *const teachers[] = { trial->teacher, second };

	trial->recipe.teachers[0] = strdup("second");
	trial->recipe.teacher_count = 1;
	trial->recipe.loss_count = 2;
	trial->recipe.losses[0] =
		(struct recipe_loss){ .kind = RECIPE_LOSS_L2,
				      .weight = first_weight };
	trial->recipe.losses[1] = (struct recipe_loss){ .kind = RECIPE_LOSS_L2,
							.weight = second_weight,
							.teacher = 1 };
	trial->options.sparsity = 0;
	trial->options.steps = 400;
	CHECK(distill_run(trial->student, teachers, &trial->data,
			  &trial->options, &trial->result));
}

/* One that is named alone is what the student becomes; of two, what lies between. */
static void several_teachers_are_heard(void **state)
{
	struct graph *second = second_teacher();
	struct trial other, both;
	double apart;

	(void)state;
	trial_create(&other);
	trial_create(&both);
	apart = distance(other.teacher, second);
	train_for(&other, second, 0, 1);
	assert_true(distance(other.student, second) < apart / 20);
	assert_true(other.result.quality > 20);
	train_for(&both, second, 1, 1);
	assert_true(distance(both.student, second) < apart / 2);
	assert_true(distance(both.student, both.teacher) < apart / 2);
	trial_release(&other);
	trial_release(&both);
	graph_destroy(second);
}

static void workers_make_no_difference(void **state)
{
	struct trial one, two;

	(void)state;
	trial_create(&one);
	trial_create(&two);
	two.options.workers = 2;
	CHECK(trial_run(&one));
	CHECK(trial_run(&two));
	assert_same(&one, &two);
	trial_release(&one);
	trial_release(&two);
}

/* Raises a flag after some steps, as a signal would. */
struct stopper {
	volatile sig_atomic_t flag;
	uint64_t step;
};

static void stop_at(void *context, const struct distill_progress *progress)
{
	struct stopper *stopper = context;

	if (progress->step == stopper->step)
		stopper->flag = 1;
}

static void stop_after(struct trial *trial, struct stopper *stopper,
		       uint64_t step)
{
	stopper->flag = 0;
	stopper->step = step;
	trial->options.stop = &stopper->flag;
	trial->options.observer = stop_at;
	trial->options.observer_context = stopper;
}

/* In float, between two masks; at a check; while it trains with int8. */
static void it_goes_on_where_it_was_stopped(void **state)
{
	static const uint64_t stops[] = { 7, 20, 55 };
	struct stopper stopper;
	struct trial whole;

	trial_create(&whole);
	CHECK(trial_run(&whole));
	for (size_t i = 0; i < 3; i++) {
		struct trial first, second;

		trial_create(&first);
		trial_create(&second);
		first.options.checkpoint = second.options.checkpoint =
			folder_path(*state, "c");
		second.options.resume = true;
		stop_after(&first, &stopper, stops[i]);
		CHECK(trial_run(&first));
		assert_int_equal(first.result.step, stops[i]);
		check_zeros(&first, WEIGHTS / 2);
		CHECK(trial_run(&second));
		assert_same(&whole, &second);
		assert_int_equal(second.result.history.count,
				 whole.result.history.count);
		trial_release(&first);
		trial_release(&second);
	}
	trial_release(&whole);
}

/* There is a student with its zeros, but no state to go on from. */
static void stopped_while_a_rate_is_sought_it_leaves_no_checkpoint(void **state)
{
	struct stopper stopper;
	struct trial trial;

	trial_create(&trial);
	trial.recipe.rate = 0;
	trial.options.checkpoint = folder_path(*state, "c");
	stop_after(&trial, &stopper, 0);
	CHECK(trial_run(&trial));
	assert_int_equal(trial.result.step, 0);
	check_zeros(&trial, WEIGHTS / 2);
	assert_int_not_equal(access(trial.options.checkpoint, F_OK), 0);
	trial_release(&trial);
}

static void another_trainings_checkpoint_is_refused(void **state)
{
	struct trial first, second;

	trial_create(&first);
	trial_create(&second);
	first.options.checkpoint = second.options.checkpoint =
		folder_path(*state, "c");
	CHECK(trial_run(&first));
	second.options.resume = true;
	second.options.sparsity = 0.6;
	assert_int_equal(trial_run(&second), -EBADMSG);
	second.options.sparsity = 0.5;
	second.options.steps = STEPS + 1;
	assert_int_equal(trial_run(&second), -EBADMSG);
	assert_non_null(strstr(accel_last_error(), "--steps 60"));
	trial_release(&first);
	trial_release(&second);
}

static void divergence_goes_back_and_lowers_the_rate(void **state)
{
	struct trial trial;

	(void)state;
	trial_create(&trial);
	trial.recipe.rate = 30;
	trial.recipe.optimizer.clip = 0;
	trial.options.steps = 200;
	CHECK(trial_run(&trial));
	assert_true(trial.result.rollbacks > 0);
	assert_true(trial.result.quality > 10);
	check_zeros(&trial, WEIGHTS / 2);
	trial_release(&trial);
}

static void a_rate_is_found(void **state)
{
	struct trial trial;

	(void)state;
	trial_create(&trial);
	trial.recipe.rate = 0;
	CHECK(trial_run(&trial));
	assert_true(trial.result.rate > 0);
	check_zeros(&trial, WEIGHTS / 2);
	trial_release(&trial);
}

/* An absurd rate cannot make it worse than it came. */
static void a_sparse_start_is_never_lost(void **state)
{
	static const float rates[] = { 0.002F, 3 };
	double quality[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct prune_mask *mask;
		struct trial trial;

		trial_create(&trial);
		mask = prune_mask_create(trial.student);
		CHECK(prune_magnitude(trial.student, 0.5, PRUNE_PER_LAYER,
				      mask));
		trial.options.mask = mask;
		trial.recipe.rate = (double)rates[i];
		CHECK(trial_run(&trial));
		assert_true(trial.result.quantized);
		check_zeros(&trial, WEIGHTS / 2);
		for (int t = 0; t < mask->tensor_count; t++)
			if (mask->keep[t])
				assert_memory_equal(mask->keep[t],
						    trial.result.mask->keep[t],
						    256);
		quality[i] = trial.result.quality;
		assert_true(quality[i] >=
			    trial.result.history.points[0].quality);
		assert_int_equal(trial.result.history.points[0].step, 0);
		prune_mask_destroy(mask);
		trial_release(&trial);
	}
	assert_true(quality[0] > quality[1]);
}

/* At no part of such a rate: what it began with is still there. */
static void who_gives_up_has_the_best_so_far(void **state)
{
	struct prune_mask *mask;
	struct trial trial;

	(void)state;
	trial_create(&trial);
	mask = prune_mask_create(trial.student);
	CHECK(prune_magnitude(trial.student, 0.5, PRUNE_PER_LAYER, mask));
	trial.options.mask = mask;
	trial.recipe.rate = 1e30;
	trial.recipe.optimizer.clip = 0;
	CHECK(trial_run(&trial));
	assert_true(trial.result.gave_up);
	assert_true(trial.result.step < trial.result.steps);
	assert_true(trial.result.quality ==
		    trial.result.history.points[0].quality);
	check_zeros(&trial, WEIGHTS / 2);
	prune_mask_destroy(mask);
	trial_release(&trial);
}

static void other_outputs_are_refused(void **state)
{
	struct trial trial;

	(void)state;
	trial_create(&trial);
	graph_destroy(trial.student);
	trial.student = generator(12);
	assert_int_equal(trial_run(&trial), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "output"));
	trial_release(&trial);
}

static void an_empty_layer_is_refused_at_once(void **state)
{
	struct trial trial;

	(void)state;
	trial_create(&trial);
	trial.options.sparsity = 0.9999;
	assert_int_equal(trial_run(&trial), -EINVAL);
	assert_non_null(strstr(accel_last_error(), "pruned"));
	trial_release(&trial);
}

static void run_recipe(const char *text)
{
	struct trial trial;

	trial_create(&trial);
	CHECK(recipe_parse(&trial.recipe, text));
	CHECK(trial_run(&trial));
	check_zeros(&trial, WEIGHTS / 2);
	if (!(trial.result.quality > 10))
		fail_msg("%s: %g dB", text, trial.result.quality);
	trial_release(&trial);
}

static void every_method_reaches_its_sparsity(void **state)
{
	static const char *const recipes[] = {
		"{\"pruning\": {\"criterion\": \"lamp\"}}",
		"{\"pruning\": {\"criterion\": \"movement\"}}",
		"{\"pruning\": {\"criterion\": \"gn\"}}",
		"{\"pruning\": {\"rewind\": 3}}",
		"{\"pruning\": {\"scope\": \"layer\"}}",
		"{\"pruning\": {\"begin\": 0, \"end\": 0}}",
		"{\"pruning\": {\"begin\": 1, \"end\": 1},"
		" \"quantization\": {\"begin\": 1}}",
		"{\"penalty\": {\"kind\": \"l1\", \"weight\": 0.01}}",
		"{\"penalty\": {\"kind\": \"group\", \"weight\": 0.01}}",
		"{\"losses\": [{\"kind\": \"kl\", \"temperature\": 2,"
		"  \"smoothing\": 0.1}, {\"kind\": \"l1\"}]}",
		"{\"optimizer\": {\"method\": \"sgd\"}}",
		"{\"optimizer\": {\"average\": 0.9}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(recipes) / sizeof(*recipes); i++)
		run_recipe(recipes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_student_gets_its_zeros_and_learns),
		cmocka_unit_test(several_teachers_are_heard),
		cmocka_unit_test(workers_make_no_difference),
		folder_test(it_goes_on_where_it_was_stopped),
		folder_test(
			stopped_while_a_rate_is_sought_it_leaves_no_checkpoint),
		folder_test(another_trainings_checkpoint_is_refused),
		cmocka_unit_test(divergence_goes_back_and_lowers_the_rate),
		cmocka_unit_test(a_rate_is_found),
		cmocka_unit_test(a_sparse_start_is_never_lost),
		cmocka_unit_test(who_gives_up_has_the_best_so_far),
		cmocka_unit_test(other_outputs_are_refused),
		cmocka_unit_test(an_empty_layer_is_refused_at_once),
		cmocka_unit_test(every_method_reaches_its_sparsity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
