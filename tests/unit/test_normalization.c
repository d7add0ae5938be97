/* SPDX-License-Identifier: MIT */
#include "training_data.h"

#include <math.h>

#include <compress/executor.h>
#include <train/normalization.h>

#define SAMPLES 6

static const struct graph_shape picture = { .rank = 3,
					    .dims = { 1, SIDE, SIDE } };

static void fill(void *context, int batch, float *const *inputs)
{
	struct sample_generator generator;

	(void)context;
	(void)batch;
	sample_seed(&generator, 3);
	sample_normals(&generator, inputs[0], SAMPLES * PIXELS);
	for (int i = 0; i < SAMPLES * PIXELS; i++)
		inputs[0][i] = 3 + 2 * inputs[0][i];
}

static struct executor *run(const struct graph *graph, const float *input)
{
	const struct graph_shape shape = { .rank = 4,
					   .dims = { SAMPLES, 1, SIDE, SIDE } };
	struct executor *executor;

	assert_int_equal(executor_create(&executor, graph, &shape, NULL), 0);
	assert_int_equal(executor_run(executor, &input), 0);
	return executor;
}

/* Measured on one batch, a fixed scale and shift do to it what the batch did. */
static void what_is_settled_computes_the_same_on_what_it_saw(void **state)
{
	json_t *layers = json_loads(
		"[{\"layer\": \"conv\", \"outputs\": 3, \"kernel\": 3},"
		" \"batch_norm\", \"relu\", \"flatten\","
		" {\"layer\": \"linear\", \"outputs\": 4}, \"batch_norm\"]",
		0, NULL);
	struct executor *before, *after;
	struct network network;
	struct graph *settled;
	float input[SAMPLES * PIXELS], *const inputs = input;
	int tensor;

	(void)state;
	assert_int_equal(network_begin(&network, "test", 1), 0);
	tensor = network_add_input(&network, "x", &picture, false);
	tensor = network_add_layers(&network, "network", tensor, layers);
	assert_true(tensor >= 0);
	assert_int_equal(graph_add_output(network.graph, tensor), 0);
	assert_true(normalization_is_in(network.graph));
	assert_int_equal(normalization_settle(network.graph, SAMPLES, 2, fill,
					      NULL, &settled),
			 0);
	assert_false(normalization_is_in(settled));
	assert_int_equal(graph_validate(settled), 0);
	fill(NULL, 0, &inputs);
	before = run(network.graph, input);
	after = run(settled, input);
	for (int i = 0; i < SAMPLES * 4; i++)
		assert_true(fabsf(executor_values(before, tensor)[i] -
				  executor_values(after, tensor)[i]) < 1e-4f);
	executor_destroy(before);
	executor_destroy(after);
	graph_destroy(settled);
	network_release(&network);
	json_decref(layers);
}

/* And what comes out of a training has none left, not even beside a layer. */
static void a_normalized_classifier_learns(void **state)
{
	const char *text =
		"{\"task\": \"classifier\", \"input\": [1, 4, 4], \"network\":"
		" [{\"layer\": \"conv\", \"outputs\": 4, \"kernel\": 3},"
		" \"batch_norm\", \"relu\", \"flatten\", {\"layer\": \"linear\","
		" \"outputs\": 2}], \"training\": {\"batch\": 16}}";
	const struct training_options options = { .steps = 200 };
	struct training_result result;
	struct task_quality quality;
	struct small_task small;
	struct graph *part;

	(void)state;
	assert_int_equal(small_task_create(&small, text, 1), 0);
	small_task_train(&small, &options, &result);
	assert_int_equal(task_measure(&small.task, 0, &quality), 0);
	assert_true(quality.value > 0.95);
	assert_int_equal(task_part(&small.task, NULL, &part), 0);
	for (int n = 0; n < part->node_count; n++) {
		assert_int_not_equal(part->nodes[n].op, GRAPH_BATCH_NORM);
		assert_int_not_equal(part->nodes[n].op, GRAPH_AFFINE);
	}
	graph_destroy(part);
	small_task_release(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_is_settled_computes_the_same_on_what_it_saw),
		cmocka_unit_test(a_normalized_classifier_learns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
