/* SPDX-License-Identifier: MIT */
#include "folder.h"
#include "training_data.h"

#include <errno.h>
#include <math.h>

#include <compress/export_graph.h>
#include <compress/prune.h>
#include <train/sliced_distance.h>

#define GENERATOR                                                              \
	"[{\"layer\": \"linear\", \"outputs\": 16}, \"relu\", {\"layer\":"     \
	" \"linear\", \"outputs\": 16}, \"sigmoid\", {\"layer\": \"reshape\"," \
	" \"shape\": [1, 4, 4]}]"
#define DISCRIMINATOR                                             \
	"[\"flatten\", {\"layer\": \"linear\", \"outputs\": 16}," \
	" \"leaky_relu\", {\"layer\": \"linear\", \"outputs\": 1}]"
#define ADVERSARIAL(generator, discriminator, more)                    \
	"{\"task\": \"adversarial\", \"input\": [1, 4, 4], \"range\":" \
	" [0, 1], \"latent\": 4, \"generator\": " generator            \
	", \"discriminator\": " discriminator more                     \
	", \"training\": {\"batch\": 32, \"rate\": 0.002, \"beta1\": 0.5, \"average\": 0.99}}"

static void sets_are_as_far_apart_as_they_were_moved(void **state)
{
	float a[200 * 3], b[200 * 3];
	struct sample_generator generator;
	double same, moved;

	(void)state;
	sample_seed(&generator, 4);
	sample_normals(&generator, a, 600);
	/* the same vectors in another order are the same set */
	for (int i = 0; i < 200; i++)
		memcpy(b + i * 3, a + (199 - i) * 3, 3 * sizeof(float));
	assert_int_equal(sliced_distance(a, b, 200, 3, &same), 0);
	assert_true(same < 1e-6);
	for (int i = 0; i < 200; i++)
		b[i * 3] += 2;
	/* of a move by 2, a direction in space sees half on average */
	assert_int_equal(sliced_distance(a, b, 200, 3, &moved), 0);
	assert_true(fabs(moved - 1) < 0.15);
}

static void a_generator_comes_closer_to_the_data(void **state)
{
	const struct training_options options = { .steps = 1500 };
	struct training_result result;
	struct task_quality before, after;
	struct small_task small;

	(void)state;
	assert_int_equal(
		small_task_create(&small,
				  ADVERSARIAL(GENERATOR, DISCRIMINATOR, ""), 1),
		0);
	assert_int_equal(task_measure(&small.task, 0, &before), 0);
	small_task_train(&small, &options, &result);
	assert_int_equal(task_measure(&small.task, 0, &after), 0);
	if (!(after.value < 0.75 * before.value))
		fail_msg("%g, before %g", after.value, before.value);
	small_task_release(&small);
}

static void the_bits_do_not_depend_on_the_workers(void **state)
{
	const char *text = ADVERSARIAL(GENERATOR, DISCRIMINATOR, "");
	const struct training_options options = { .steps = 20 };
	struct training_result result;
	struct small_task one, two;

	(void)state;
	assert_int_equal(small_task_create(&one, text, 1), 0);
	assert_int_equal(small_task_create(&two, text, 2), 0);
	small_task_train(&one, &options, &result);
	small_task_train(&two, &options, &result);
	for (int i = 0; i < 2; i++)
		assert_memory_equal(one.task.learners[i].values,
				    two.task.learners[i].values,
				    one.task.learners[i].parameters.total *
					    sizeof(float));
	small_task_release(&one);
	small_task_release(&two);
}

/* ---- a pruned generator ---- */

static void save_part(struct small_task *small, const char *name,
		      const char *path, double sparsity)
{
	struct graph *graph;
	struct prune_mask *mask;

	assert_int_equal(task_part(&small->task, name, &graph), 0);
	mask = prune_mask_create(graph);
	assert_int_equal(
		prune_magnitude(graph, sparsity, PRUNE_PER_LAYER, mask), 0);
	prune_apply(graph, mask);
	assert_int_equal(export_graph(graph, path), 0);
	prune_mask_destroy(mask);
	graph_destroy(graph);
}

static size_t count_zeros(const struct learner *learner)
{
	size_t zeros = 0;

	for (int p = 0; p < learner->parameters.count; p++) {
		const struct parameter *parameter =
			&learner->parameters.list[p];

		for (size_t i = 0; i < parameter->count; i++)
			zeros += parameter->prunable &&
				 learner->values[parameter->first + i] == 0;
	}
	return zeros;
}

static void a_pruned_generator_keeps_its_zeros(void **state)
{
	const struct training_options options = { .steps = 20 };
	struct training_result result;
	struct small_task whole, pruned;
	char generator[FOLDER_PATH], discriminator[FOLDER_PATH], text[9000];

	snprintf(generator, sizeof(generator), "%s",
		 folder_path(*state, "generator.onnx"));
	snprintf(discriminator, sizeof(discriminator), "%s",
		 folder_path(*state, "discriminator.onnx"));
	assert_int_equal(
		small_task_create(&whole,
				  ADVERSARIAL(GENERATOR, DISCRIMINATOR, ""), 1),
		0);
	save_part(&whole, "generator", generator, 0.75);
	save_part(&whole, "discriminator", discriminator, 0);
	snprintf(text, sizeof(text),
		 ADVERSARIAL("\"%s\"", "\"%s\"", ", \"keep_zeros\": true"),
		 generator, discriminator);
	assert_int_equal(small_task_create(&pruned, text, 1), 0);
	assert_int_equal(count_zeros(&pruned.task.learners[0]), 240);
	small_task_train(&pruned, &options, &result);
	assert_int_equal(count_zeros(&pruned.task.learners[0]), 240);
	assert_int_equal(count_zeros(&pruned.task.learners[1]), 0);
	small_task_release(&whole);
	small_task_release(&pruned);
}

static void networks_must_fit_each_other(void **state)
{
	struct small_task small;

	(void)state;
	assert_int_equal(
		small_task_create(&small,
				  ADVERSARIAL("[\"relu\"]", DISCRIMINATOR, ""),
				  1),
		-EINVAL);
	assert_non_null(strstr(accel_last_error(),
			       "the generator makes 4 numbers, the "
			       "discriminator takes 16 to 1"));
	small_task_release(&small);
	assert_int_equal(small_task_create(&small,
					   ADVERSARIAL("\"none.onnx\"",
						       DISCRIMINATOR, ""),
					   1),
			 -ENOENT);
	small_task_release(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_as_far_apart_as_they_were_moved),
		cmocka_unit_test(a_generator_comes_closer_to_the_data),
		cmocka_unit_test(the_bits_do_not_depend_on_the_workers),
		folder_test(a_pruned_generator_keeps_its_zeros),
		cmocka_unit_test(networks_must_fit_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
