/* SPDX-License-Identifier: MIT */
/* Workers change nothing but the time; shards add up to the batch. */
#include "unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <compress/sample.h>
#include <core/error.h>
#include <train/batch.h>
#include <train/loss.h>

#include "one_node.h"

#define INPUTS 20
#define OUTPUTS 12
#define BATCH 24

static struct graph *layer_create(void)
{
	struct graph *graph = graph_create("layer");
	struct graph_shape x = SHAPE(GRAPH_DIM_DYNAMIC, INPUTS);
	struct graph_shape y = SHAPE(GRAPH_DIM_DYNAMIC, OUTPUTS);
	struct graph_shape w = SHAPE(OUTPUTS, INPUTS);
	float values[OUTPUTS * INPUTS];
	int t[3];

	for (int i = 0; i < OUTPUTS * INPUTS; i++)
		values[i] = random_value();
	t[0] = graph_add_tensor(graph, "x", &x);
	t[1] = graph_add_tensor(graph, "z", &y);
	t[2] = graph_add_tensor(graph, "y", &y);
	graph_add_input(graph, t[0]);
	graph_add_node(graph, GRAPH_GEMM, "gemm",
		       (int[]){ t[0],
				graph_add_constant(graph, "w", &w, values) },
		       2, &t[1], 1);
	graph_add_node(graph, GRAPH_TANH, "tanh", &t[1], 1, &t[2], 1);
	graph_add_output(graph, t[2]);
	return graph;
}

/**
 * struct trial - what the loss needs to know
 * @target: of the whole batch
 * @rows: of a shard
 * @fail: the shard whose loss is none
 */
struct trial {
	const float *target;
	int rows;
	int output;
	int fail;
};

static double shard_loss(void *context, int shard, struct tape *tape)
{
	const struct trial *trial = context;
	size_t count = (size_t)trial->rows * OUTPUTS;

	if (shard == trial->fail)
		return NAN;
	return loss_squared(tape_values(tape, trial->output),
			    trial->target + (size_t)shard * count, count,
			    1.0 / (BATCH * OUTPUTS),
			    tape_seed(tape, trial->output));
}

/* Gradient and loss of the batch, cut and run in some way. */
static double run(struct graph *graph, int shards, int workers, int fail,
		  float *gradient)
{
	static float x[BATCH * INPUTS], target[BATCH * OUTPUTS];
	struct trial trial = { .target = target,
			       .rows = BATCH / shards,
			       .output = graph->outputs[0],
			       .fail = fail };
	struct graph_shape shape = SHAPE(BATCH / shards, INPUTS);
	bool seeded[8] = { false };
	struct batch_options options = { .shards = shards,
					 .workers = workers,
					 .loss = shard_loss,
					 .loss_context = &trial,
					 .tape.seeded = seeded };
	const float *inputs[BATCH];
	struct sample_generator generator;
	struct parameters parameters;
	struct batch *batch;
	double loss = 0;

	sample_seed(&generator, 3);
	sample_normals(&generator, x, BATCH * INPUTS);
	sample_normals(&generator, target, BATCH * OUTPUTS);
	seeded[trial.output] = true;
	for (int s = 0; s < shards; s++)
		inputs[s] = x + s * trial.rows * INPUTS;
	assert_int_equal(parameters_find(&parameters, graph), 0);
	assert_int_equal(parameters.total, OUTPUTS * INPUTS);
	assert_int_equal(
		batch_create(&batch, graph, &parameters, &shape, &options), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(batch_run(batch, inputs, gradient, &loss), 0);
	batch_destroy(batch);
	parameters_release(&parameters);
	return loss;
}

static void workers_change_no_bit(void **state)
{
	struct graph *graph = layer_create();
	float one[OUTPUTS * INPUTS], more[OUTPUTS * INPUTS];

	(void)state;
	for (int shards = 1; shards <= 8; shards *= 2) {
		double loss = run(graph, shards, 1, -1, one);

		for (int workers = 2; workers <= shards; workers++) {
			double again = run(graph, shards, workers, -1, more);

			assert_memory_equal(&loss, &again, sizeof(loss));
			assert_memory_equal(one, more, sizeof(one));
		}
	}
	graph_destroy(graph);
}

static void shards_add_up_to_the_batch(void **state)
{
	struct graph *graph = layer_create();
	float whole[OUTPUTS * INPUTS], parts[OUTPUTS * INPUTS];
	double loss = run(graph, 1, 1, -1, whole);

	(void)state;
	assert_float_equal(run(graph, 6, 2, -1, parts), loss, 1e-6);
	for (int i = 0; i < OUTPUTS * INPUTS; i++)
		assert_float_equal(parts[i], whole[i], 1e-6);
	graph_destroy(graph);
}

static void a_loss_that_is_none_gives_no_gradient(void **state)
{
	struct graph *graph = layer_create();
	float gradient[OUTPUTS * INPUTS];

	(void)state;
	assert_true(isnan(run(graph, 4, 2, 2, gradient)));
	for (int i = 0; i < OUTPUTS * INPUTS; i++)
		assert_true(gradient[i] == 0);
	graph_destroy(graph);
}

/* Refuses the second shard, by what lies in it. */
static int refuse(void *context, int tensor, const struct graph_shape *shape,
		  float *values, uint8_t *pass)
{
	(void)context;
	(void)tensor;
	(void)shape;
	(void)pass;
	return values[0] > 5 ?
		       accel_error(-EINVAL, "shard of %g", (double)values[0]) :
		       0;
}

static void the_first_shard_that_failed_is_told(void **state)
{
	struct graph *graph = layer_create();
	struct graph_shape shape = SHAPE(1, INPUTS);
	bool flags[8] = { true };
	struct trial trial = { .fail = -1, .output = graph->outputs[0] };
	struct batch_options options = { .shards = 4,
					 .workers = 2,
					 .loss = shard_loss,
					 .loss_context = &trial,
					 .tape.transform = refuse,
					 .tape.seeded = flags,
					 .tape.transformed = flags };
	float x[4][INPUTS] = { { 1 }, { 2 }, { 7 }, { 8 } };
	const float *inputs[4] = { x[0], x[1], x[2], x[3] };
	float none[OUTPUTS] = { 0 };
	struct parameters parameters;
	struct batch *batch;
	double loss;

	(void)state;
	trial.target = none;
	flags[graph->outputs[0]] = true;
	assert_int_equal(parameters_find(&parameters, graph), 0);
	assert_int_equal(
		batch_create(&batch, graph, &parameters, &shape, &options), 0);
	assert_int_equal(batch_run(batch, inputs, NULL, &loss), -EINVAL);
	assert_string_equal(accel_last_error(), "shard of 7");
	x[2][0] = 1;
	x[3][0] = 1;
	assert_int_equal(batch_run(batch, inputs, NULL, &loss), 0);
	batch_destroy(batch);
	parameters_release(&parameters);
	graph_destroy(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_change_no_bit),
		cmocka_unit_test(shards_add_up_to_the_batch),
		cmocka_unit_test(a_loss_that_is_none_gives_no_gradient),
		cmocka_unit_test(the_first_shard_that_failed_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
