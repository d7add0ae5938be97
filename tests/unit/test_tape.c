/* SPDX-License-Identifier: MIT */
/*
 * The tape's gradients against the losses that it computes: along a random direction
 * of all weights, a loss changes as the gradient says. On graphs with all that can
 * go wrong between nodes, and on the published models.
 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <compress/onnx_import.h>
#include <compress/sample.h>
#include <train/loss.h>
#include <train/parameters.h>
#include <train/tape.h>

#include "one_node.h"

/**
 * struct trial - a graph, its weights and one input of each
 * @direction: that the weights are moved along
 * @target: what the outputs shall be
 */
struct trial {
	struct graph *graph;
	struct parameters parameters;
	struct graph_shape shapes[8];
	float *inputs[8];
	float *weights;
	float *direction;
	float *target;
	struct tape *tape;
};

static float *random_floats(struct sample_generator *generator, size_t count)
{
	float *values = malloc((count + 1) * sizeof(*values));

	assert_non_null(values);
	sample_normals(generator, values, count);
	return values;
}

static void trial_begin(struct trial *trial, struct graph *graph,
			const struct graph_shape *inputs,
			tape_transform transform)
{
	size_t tensors = (size_t)graph->tensor_count;
	bool *wanted = calloc(tensors, sizeof(*wanted));
	bool *seeded = calloc(tensors, sizeof(*seeded));
	bool *transformed = calloc(tensors, sizeof(*transformed));
	struct tape_options options = { .wanted = wanted,
					.seeded = seeded,
					.transform = transform,
					.transformed = transformed };
	struct sample_generator generator;
	int output = graph->outputs[0];

	memset(trial, 0, sizeof(*trial));
	sample_seed(&generator, 7);
	trial->graph = graph;
	assert_int_equal(parameters_find(&trial->parameters, graph), 0);
	for (int p = 0; p < trial->parameters.count; p++)
		wanted[trial->parameters.list[p].tensor] = true;
	for (int n = 0; n < graph->node_count; n++)
		transformed[graph->nodes[n].outputs[0]] = true;
	seeded[output] = true;
	if (tape_create(&trial->tape, graph, inputs, &options))
		fail_msg("%s", accel_last_error());
	for (int i = 0; i < graph->input_count; i++)
		trial->inputs[i] = random_floats(
			&generator, (size_t)graph_shape_count(&inputs[i]));
	trial->weights = calloc(trial->parameters.total + 1, sizeof(float));
	trial->direction = random_floats(&generator, trial->parameters.total);
	parameters_load(&trial->parameters, graph, trial->weights);
	trial->target = random_floats(
		&generator,
		(size_t)graph_shape_count(tape_shape(trial->tape, output)));
	free(wanted);
	free(seeded);
	free(transformed);
}

static void trial_end(struct trial *trial)
{
	for (int i = 0; i < trial->graph->input_count; i++)
		free(trial->inputs[i]);
	free(trial->weights);
	free(trial->direction);
	free(trial->target);
	tape_destroy(trial->tape);
	parameters_release(&trial->parameters);
	graph_destroy(trial->graph);
}

/* Loss with the weights moved that far; its slope as the tape sees it. */
static double trial_loss(struct trial *trial, double far, double *slope)
{
	int output = trial->graph->outputs[0];
	size_t total = trial->parameters.total;
	size_t count;
	float *moved = malloc((total + 1) * sizeof(*moved));
	double loss;

	for (size_t i = 0; i < total; i++)
		moved[i] = (float)((double)trial->weights[i] +
				   far * (double)trial->direction[i]);
	parameters_store(&trial->parameters, trial->graph, moved);
	assert_int_equal(tape_forward(trial->tape,
				      (const float *const *)trial->inputs),
			 0);
	count = (size_t)graph_shape_count(tape_shape(trial->tape, output));
	loss = loss_squared(tape_values(trial->tape, output), trial->target,
			    count, 1, tape_seed(trial->tape, output));
	assert_int_equal(tape_backward(trial->tape), 0);
	*slope = 0;
	for (int p = 0; p < trial->parameters.count; p++) {
		const struct parameter *q = &trial->parameters.list[p];
		const float *gradient = tape_gradient(trial->tape, q->tensor);

		for (size_t i = 0; i < q->count; i++)
			*slope += (double)gradient[i] *
				  (double)trial->direction[q->first + i];
	}
	free(moved);
	return loss;
}

/*
 * Steps shrink until rounding takes over: some step between must agree. Kinks of
 * ReLU that a step crosses are its error too.
 */
static double trial_disagreement(struct trial *trial)
{
	double best = INFINITY;

	for (double far = 1e-2; far > 1e-6; far /= 4) {
		double slope, ignored;
		double low = trial_loss(trial, -far, &ignored);
		double high = trial_loss(trial, far, &ignored);
		double difference;

		trial_loss(trial, 0, &slope);
		difference = fabs((high - low) / (2 * far) - slope);
		best = fmin(best, difference / (fabs(slope) + 1e-6));
	}
	return best;
}

/*
 * x is read three times, once through a residual; the weight is read twice; one
 * branch ends nowhere.
 */
static struct graph *knot_create(void)
{
	struct graph *graph = graph_create("knot");
	struct graph_shape image = SHAPE(GRAPH_DIM_DYNAMIC, 2, 5, 5);
	struct graph_shape wide = SHAPE(GRAPH_DIM_DYNAMIC, 4, 5, 5);
	struct graph_shape kernel = SHAPE(2, 2, 3, 3);
	float values[36];
	int t[8], weight;

	for (int i = 0; i < 36; i++)
		values[i] = random_value() / 4;
	weight = graph_add_constant(graph, "weight", &kernel, values);
	for (int i = 0; i < 6; i++) {
		char name[8];

		snprintf(name, sizeof(name), "t%d", i);
		t[i] = graph_add_tensor(graph, name, i == 4 ? &wide : &image);
	}
	graph_add_input(graph, t[0]);
	for (int i = 0; i < 2; i++) {
		struct graph_conv conv = { .kernel = { 3, 3 },
					   .stride = { 1, 1 },
					   .dilation = { 1, 1 },
					   .pads = { 1, 1, 1, 1 },
					   .group = 1 };
		int n = graph_add_node(graph, GRAPH_CONV, "conv",
				       (int[]){ t[i], weight }, 2, &t[i + 1],
				       1);

		graph->nodes[n].conv = conv;
	}
	graph_add_node(graph, GRAPH_ADD, "residual", (int[]){ t[2], t[0] }, 2,
		       &t[3], 1);
	graph->nodes[graph_add_node(graph, GRAPH_CONCAT, "concat",
				    (int[]){ t[3], t[1] }, 2, &t[4], 1)]
		.axis = 1;
	graph_add_node(graph, GRAPH_TANH, "nowhere", &t[1], 1, &t[5], 1);
	graph_add_node(graph, GRAPH_MULTIPLY, "square", (int[]){ t[4], t[4] },
		       2, (int[]){ graph_add_tensor(graph, "y", &wide) }, 1);
	graph_add_output(graph, graph_find_tensor(graph, "y"));
	return graph;
}

static void gradients_add_up_over_readers(void **state)
{
	struct graph_shape shape = SHAPE(3, 2, 5, 5);
	struct trial trial;

	(void)state;
	trial_begin(&trial, knot_create(), &shape, NULL);
	assert_true(trial_disagreement(&trial) < 1e-3);
	trial_end(&trial);
}

/* Clips to ±1, as quantization does, and says where. */
static int clip(void *context, int tensor, const struct graph_shape *shape,
		float *values, uint8_t *pass)
{
	int64_t count = graph_shape_count(shape);

	(void)context;
	(void)tensor;
	for (int64_t i = 0; i < count; i++) {
		bool inside = values[i] > -1 && values[i] < 1;

		if (pass)
			pass[i] = inside;
		values[i] = fminf(fmaxf(values[i], -1), 1);
	}
	return 0;
}

static void nothing_passes_where_it_was_clipped(void **state)
{
	struct graph_shape shape = SHAPE(3, 2, 5, 5);
	struct trial trial;

	(void)state;
	trial_begin(&trial, knot_create(), &shape, clip);
	assert_true(trial_disagreement(&trial) < 1e-3);
	trial_end(&trial);
}

static void replaced_constants_are_used_and_keep_their_gradient(void **state)
{
	struct graph_shape shape = SHAPE(1, 2, 5, 5);
	struct trial trial;
	float zeros[36] = { 0 };
	double slope;
	int output, weight;

	(void)state;
	trial_begin(&trial, knot_create(), &shape, NULL);
	output = trial.graph->outputs[0];
	weight = graph_find_tensor(trial.graph, "weight");
	tape_replace_constant(trial.tape, weight, zeros);
	trial_loss(&trial, 0, &slope);
	/* Without weights the first half of y is x² and the other is 0. */
	for (int i = 0; i < 50; i++) {
		float x = trial.inputs[0][i];

		assert_float_equal(tape_values(trial.tape, output)[i], x * x,
				   1e-6);
		assert_float_equal(tape_values(trial.tape, output)[50 + i], 0,
				   0);
	}
	tape_replace_constant(trial.tape, weight, NULL);
	assert_true(trial_disagreement(&trial) < 1e-3);
	trial_end(&trial);
}

/* y = tanh(x·wᵀ), and s = |x|, which no loss depends on. */
static struct graph *fork_create(int *t)
{
	struct graph *graph = graph_create("fork");
	struct graph_shape pair = SHAPE(1, 2);
	struct graph_shape weights = SHAPE(2, 2);
	const char *const names[5] = { "x", "z", "y", "s", "w" };

	for (int i = 0; i < 4; i++)
		t[i] = graph_add_tensor(graph, names[i], &pair);
	t[4] = graph_add_constant(graph, names[4], &weights,
				  (float[]){ 1, 2, 3, 4 });
	graph_add_input(graph, t[0]);
	graph_add_node(graph, GRAPH_GEMM, "product", (int[]){ t[0], t[4] }, 2,
		       &t[1], 1);
	graph_add_node(graph, GRAPH_TANH, "tanh", &t[1], 1, &t[2], 1);
	graph_add_node(graph, GRAPH_ABS, "side", &t[0], 1, &t[3], 1);
	graph_add_output(graph, t[3]);
	return graph;
}

static void seed(struct tape *tape, int tensor, int count, float value)
{
	for (int i = 0; i < count; i++)
		tape_seed(tape, tensor)[i] += value;
}

/* A loss of inputs and weights themselves, and what no loss depends on. */
static void any_tensor_may_be_seeded_or_wanted(void **state)
{
	enum { X, Z, Y, S, W };
	int t[5];
	struct graph *graph = fork_create(t);
	bool wanted[5] = { false }, seeded[5] = { false };
	const struct tape_options options = { .wanted = wanted,
					      .seeded = seeded };
	const float x[2] = { 0.25F, -0.125F };
	const float *inputs[1] = { x };
	struct graph_shape shape = SHAPE(1, 2);
	double slope[2];
	struct tape *tape;

	(void)state;
	wanted[t[X]] = wanted[t[Y]] = wanted[t[S]] = wanted[t[W]] = true;
	seeded[t[X]] = seeded[t[Y]] = seeded[t[W]] = true;
	assert_int_equal(tape_create(&tape, graph, &shape, &options), 0);
	for (int run = 0; run < 2; run++) {
		assert_int_equal(tape_forward(tape, inputs), 0);
		seed(tape, t[X], 2, 3);
		seed(tape, t[Y], 2, 1);
		seed(tape, t[W], 4, 5);
		assert_int_equal(tape_backward(tape), 0);
		slope[0] = 1 - pow(tanh(0.25 - 2 * 0.125), 2);
		slope[1] = 1 - pow(tanh(3 * 0.25 - 4 * 0.125), 2);
		for (int i = 0; i < 2; i++) {
			assert_float_equal(tape_gradient(tape, t[X])[i],
					   3 + slope[0] * (i + 1) +
						   slope[1] * (i + 3),
					   1e-5);
			assert_true(tape_gradient(tape, t[Y])[i] == 1);
			assert_true(tape_gradient(tape, t[S])[i] == 0);
		}
		for (int i = 0; i < 4; i++)
			assert_float_equal(tape_gradient(tape, t[W])[i],
					   5 + slope[i / 2] * (double)x[i % 2],
					   1e-6);
		assert_true(tape_values(tape, t[S])[1] == 0.125F);
	}
	/* Nobody asked for them when the tape was made. */
	assert_null(tape_values(tape, t[Z]));
	assert_null(tape_gradient(tape, t[Z]));
	assert_null(tape_seed(tape, t[S]));
	tape_destroy(tape);
	graph_destroy(graph);
}

static void model_agrees(const char *name, const struct graph_shape *shape)
{
	const char *folder = getenv("ACCEL_SHARED_DIR");
	struct graph *graph = NULL;
	struct trial trial;
	char path[4096];

	if (!folder || !*folder) {
		print_message("no published models here\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/models/%s.onnx", folder, name);
	if (onnx_import(path, &graph))
		fail_msg("%s", accel_last_error());
	trial_begin(&trial, graph, shape, NULL);
	/* A unit of noise on every weight would drown what they are. */
	for (size_t i = 0; i < trial.parameters.total; i++)
		trial.direction[i] *= 0.01F;
	assert_true(trial_disagreement(&trial) < 2e-2);
	trial_end(&trial);
}

static void gradients_of_published_models_agree(void **state)
{
	struct graph_shape dcgan = SHAPE(2, 64);
	struct graph_shape decoder = SHAPE(2, 32);
	struct graph_shape encoder = SHAPE(2, 1, 28, 28);
	struct graph_shape flat = SHAPE(2, 784);
	struct graph_shape image = SHAPE(1, 3, 8, 8);

	(void)state;
	model_agrees("fashion_dcgan", &dcgan);
	model_agrees("fashion_vae_dec", &decoder);
	model_agrees("fashion_vae_enc", &encoder);
	model_agrees("fashion_mlp", &flat);
	model_agrees("esrgan_slim_x2", &image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gradients_add_up_over_readers),
		cmocka_unit_test(nothing_passes_where_it_was_clipped),
		cmocka_unit_test(
			replaced_constants_are_used_and_keep_their_gradient),
		cmocka_unit_test(any_tensor_may_be_seeded_or_wanted),
		cmocka_unit_test(gradients_of_published_models_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
