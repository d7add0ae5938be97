/* SPDX-License-Identifier: MIT */
/*
 * How long one step of training takes, forth, back and Adam's, on the public
 * networks; how long its matrix products alone take, by OpenBLAS; how much faster
 * two workers are than one. Times are the processor's, medians of rounds that take
 * turns, so that who else uses the machine does little harm.
 *
 * usage: bench_train [--serve NETWORK]: describe the network, then make a step for
 * each line that is read and say what it took; for bench_train_torch.py.
 */
#include "train_bound.h"
#include "workload.h"

#include <accel/error.h>
#include <compress/floats.h>
#include <compress/onnx_import.h>
#include <train/batch.h>
#include <train/loss.h>
#include <train/optimizer.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 9
#define RATE 1e-4f
#define MAX_SHARDS 2

/**
 * struct training - what is measured
 * @name: of the network's file
 * @batch: pictures in a step
 * @size: height and width of an input picture; 0 for latents
 */
struct training {
	const char *name;
	int64_t batch, size;
};

static const struct training trainings[] = {
	{ "esrgan_slim_x2", 16, 24 },
	{ "esrgan_medium_x4", 16, 24 },
	{ "fashion_dcgan", 64, 0 },
	{ "fashion_vae_dec", 64, 0 },
};

#define TRAININGS (sizeof(trainings) / sizeof(trainings[0]))

/**
 * struct session - a network that is being trained
 * @graph: imported
 * @parameters: of it
 * @optimizer: Adam
 * @batch: of @shards
 * @shards: parts of the batch
 * @input: of one shard; they all get the same
 * @target: of one shard
 * @scale: of the loss
 * @values: of the parameters
 * @gradient: of the parameters
 */
struct session {
	struct graph *graph;
	struct parameters parameters;
	struct optimizer optimizer;
	struct batch *batch;
	int shards;
	float *input, *target;
	double scale;
	float *values, *gradient;
};

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* In (−1, 1), the same in every run. */
static float *noise(size_t count)
{
	float *values = floats_allocate((int64_t)count);
	uint32_t state = 1;

	for (size_t i = 0; values && i < count; i++) {
		state = state * 1664525 + 1013904223;
		values[i] = (float)(state >> 8) / 8388608 - 1;
	}
	return values;
}

static size_t elements(const struct graph_shape *shape)
{
	return (size_t)graph_shape_count(shape);
}

static double squared(void *context, int shard, struct tape *tape)
{
	const struct session *session = context;
	int output = session->graph->outputs[0];

	(void)shard;
	return loss_squared(tape_values(tape, output), session->target,
			    elements(tape_shape(tape, output)), session->scale,
			    tape_seed(tape, output));
}

static struct graph_shape input_shape(const struct session *session,
				      const struct training *training,
				      int64_t batch)
{
	int tensor = session->graph->inputs[0];
	struct graph_shape shape = session->graph->tensors[tensor].shape;

	shape.dims[0] = batch;
	for (int axis = 2; axis < shape.rank; axis++)
		shape.dims[axis] = training->size;
	return shape;
}

static struct graph_shape *infer(const struct session *session,
				 const struct graph_shape *input)
{
	struct graph_shape *shapes =
		calloc((size_t)session->graph->tensor_count, sizeof(*shapes));

	if (shapes && graph_infer_shapes(session->graph, input, shapes)) {
		free(shapes);
		return NULL;
	}
	return shapes;
}

static int make_data(struct session *session, const struct graph_shape *input)
{
	struct graph_shape *shapes = infer(session, input);
	const struct graph_shape *output;

	if (!shapes)
		return -1;
	output = &shapes[session->graph->outputs[0]];
	session->input = noise(elements(input));
	session->target = noise(elements(output));
	session->scale = 1 / (double)elements(output) / session->shards;
	free(shapes);
	return session->input && session->target ? 0 : -1;
}

static int make_batch(struct session *session, const struct graph_shape *input,
		      int workers)
{
	size_t tensors = (size_t)session->graph->tensor_count;
	bool *seeded = calloc(tensors, sizeof(*seeded));
	struct batch_options options = {
		.shards = session->shards,
		.workers = workers,
		.loss = squared,
		.loss_context = session,
		.tape.seeded = seeded,
	};
	int ret = -1;

	if (seeded) {
		seeded[session->graph->outputs[0]] = true;
		ret = batch_create(&session->batch, session->graph,
				   &session->parameters, input, &options);
	}
	free(seeded);
	return ret;
}

static int import(struct session *session, const char *name)
{
	char *path = workload_path(name);
	int ret = -1;

	if (path)
		ret = onnx_import(path, &session->graph);
	else
		printf("%-18s skipped: no such file in ACCEL_SHARED_DIR/models\n",
		       name);
	free(path);
	return ret;
}

static int make_parameters(struct session *session)
{
	struct optimizer_options options = { .method = OPTIMIZER_ADAM };
	int ret = parameters_find(&session->parameters, session->graph);
	size_t total = session->parameters.total;

	if (!ret)
		ret = optimizer_create(&session->optimizer, &options, total);
	session->values = floats_allocate((int64_t)total);
	session->gradient = floats_allocate((int64_t)total);
	if (ret || !session->values || !session->gradient)
		return -1;
	parameters_load(&session->parameters, session->graph, session->values);
	return 0;
}

/* 0, or −1 with a text of the library. */
static int session_create(struct session *session,
			  const struct training *training, int shards,
			  int workers)
{
	struct graph_shape input;

	*session = (struct session){ .shards = shards };
	if (import(session, training->name))
		return -1;
	input = input_shape(session, training, training->batch / shards);
	if (make_parameters(session) || make_data(session, &input))
		return -1;
	return make_batch(session, &input, workers);
}

static void session_destroy(struct session *session)
{
	batch_destroy(session->batch);
	optimizer_release(&session->optimizer);
	parameters_release(&session->parameters);
	graph_destroy(session->graph);
	free(session->input);
	free(session->target);
	free(session->values);
	free(session->gradient);
}

static void run(struct session *session, float *gradient)
{
	const float *inputs[MAX_SHARDS];
	double loss;

	for (int i = 0; i < session->shards; i++)
		inputs[i] = session->input;
	if (batch_run(session->batch, inputs, gradient, &loss)) {
		fprintf(stderr, "bench_train: %s\n", accel_last_error());
		exit(EXIT_FAILURE);
	}
}

static void adam(struct session *session)
{
	optimizer_step(&session->optimizer, batch_team(session->batch),
		       session->values, session->gradient, NULL, RATE);
	parameters_store(&session->parameters, session->graph, session->values);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

enum figure { FORWARD, STEP, ADAM, BOUND, FIGURES };

/* What @figure is about, once; the processor's seconds. */
static double measure(struct session *session, struct train_bound *bound,
		      enum figure figure)
{
	double start = seconds(CLOCK_PROCESS_CPUTIME_ID);

	switch (figure) {
	case FORWARD:
		run(session, NULL);
		break;
	case STEP:
		run(session, session->gradient);
		break;
	case ADAM:
		adam(session);
		break;
	default:
		train_bound_run(bound);
	}
	return seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
}

static void measure_step(const struct training *training,
			 struct session *session)
{
	struct graph_shape input =
		input_shape(session, training, training->batch);
	struct graph_shape *shapes = infer(session, &input);
	struct train_bound *bound =
		shapes ? train_bound_create(session->graph, shapes) : NULL;
	double times[FIGURES][ROUNDS], ms[FIGURES];

	if (!bound)
		exit(EXIT_FAILURE);
	for (int round = -1; round < ROUNDS; round++)
		for (int i = 0; i < FIGURES; i++) {
			double time = measure(session, bound, (enum figure)i);

			if (round >= 0)
				times[i][round] = 1e3 * time;
		}
	for (int i = 0; i < FIGURES; i++)
		ms[i] = median(times[i]);
	printf("%-18s %8.2f %8.2f %8.2f %8.2f %8.2f %7.0f%%", training->name,
	       ms[STEP] + ms[ADAM], ms[FORWARD], ms[STEP] - ms[FORWARD],
	       ms[ADAM], ms[BOUND], 100 * ms[BOUND] / (ms[STEP] + ms[ADAM]));
	train_bound_destroy(bound);
	free(shapes);
}

/* On the clock, as two workers' times overlap. */
static void measure_workers(const struct training *training)
{
	struct session sessions[2];
	double times[2][ROUNDS], one, two;

	for (int i = 0; i < 2; i++)
		if (session_create(&sessions[i], training, 2, i + 1))
			exit(EXIT_FAILURE);
	for (int round = -1; round < ROUNDS; round++)
		for (int i = 0; i < 2; i++) {
			double start = seconds(CLOCK_MONOTONIC);

			run(&sessions[i], sessions[i].gradient);
			adam(&sessions[i]);
			if (round >= 0)
				times[i][round] =
					seconds(CLOCK_MONOTONIC) - start;
		}
	one = median(times[0]);
	two = median(times[1]);
	printf(" %8.2fx\n", one / two);
	for (int i = 0; i < 2; i++)
		session_destroy(&sessions[i]);
}

static void bench(const struct training *training)
{
	struct session session;

	if (!session_create(&session, training, 1, 1)) {
		measure_step(training, &session);
		measure_workers(training);
		fflush(stdout);
	} else if (session.graph) {
		fprintf(stderr, "bench_train: %s\n", accel_last_error());
		exit(EXIT_FAILURE);
	}
	session_destroy(&session);
}

/* ---- for bench_train_torch.py ---- */

static void print_numbers(const char *name, const int64_t *values, int count)
{
	printf(", \"%s\": [", name);
	for (int i = 0; i < count; i++)
		printf("%s%" PRId64, i ? ", " : "", values[i]);
	printf("]");
}

static void print_tensors(const char *name, const int *tensors, int count)
{
	printf(", \"%s\": [", name);
	for (int i = 0; i < count; i++)
		printf("%s%d", i ? ", " : "", tensors[i]);
	printf("]");
}

static void print_attributes(const struct graph_node *node,
			     const struct graph_shape *shapes)
{
	const struct graph_shape *x = &shapes[node->inputs[0]];
	int64_t pads[4];

	switch (node->op) {
	case GRAPH_CONV:
	case GRAPH_CONV_TRANSPOSE:
		graph_conv_pads(node, x->dims[2], x->dims[3], pads);
		print_numbers("pads", pads, 4);
		print_numbers("stride", node->conv.stride, 2);
		print_numbers("dilation", node->conv.dilation, 2);
		print_numbers("group", &node->conv.group, 1);
		break;
	case GRAPH_RESIZE_NEAREST:
		print_numbers("scale", node->resize.scale, 2);
		break;
	case GRAPH_CONCAT:
	case GRAPH_AFFINE:
		printf(", \"axis\": %d", node->axis);
		break;
	default:
		break;
	}
}

/* A line of JSON for each tensor, then for each node. */
static void describe(const struct graph *graph,
		     const struct graph_shape *shapes)
{
	for (int i = 0; i < graph->tensor_count; i++) {
		printf("{\"tensor\": %d, \"constant\": %d", i,
		       graph_tensor_is_constant(graph, i));
		print_numbers("shape", shapes[i].dims, shapes[i].rank);
		printf("}\n");
	}
	for (int i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];

		printf("{\"op\": \"%s\"", graph_op_name(node->op));
		print_tensors("inputs", node->inputs, node->input_count);
		print_tensors("outputs", node->outputs, node->output_count);
		print_attributes(node, shapes);
		printf("}\n");
	}
	printf("{\"input\": %d, \"output\": %d}\n", graph->inputs[0],
	       graph->outputs[0]);
	fflush(stdout);
}

static int serve(const struct training *training)
{
	struct session session;
	struct graph_shape input, *shapes;
	char line[16];

	if (session_create(&session, training, 1, 1))
		return EXIT_FAILURE;
	input = input_shape(&session, training, training->batch);
	shapes = infer(&session, &input);
	if (!shapes)
		return EXIT_FAILURE;
	describe(session.graph, shapes);
	while (fgets(line, sizeof(line), stdin)) {
		double time = measure(&session, NULL, STEP) +
			      measure(&session, NULL, ADAM);

		printf("%.9f\n", time);
		fflush(stdout);
	}
	free(shapes);
	session_destroy(&session);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--serve"))
		for (size_t i = 0; i < TRAININGS; i++)
			if (!strcmp(trainings[i].name, argv[2]))
				return serve(&trainings[i]);
	printf("%-18s %8s %8s %8s %8s %8s %8s %9s\n", "ms of one step", "all",
	       "forth", "back", "Adam", "sgemm", "of all", "2 workers");
	for (size_t i = 0; i < TRAININGS; i++)
		bench(&trainings[i]);
	return EXIT_SUCCESS;
}
