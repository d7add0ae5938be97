/* SPDX-License-Identifier: MIT */
#include <train/reconstruction.h>

#include <compress/graph_shape.h>
#include <core/error.h>
#include <train/task_evaluate.h>
#include <train/loss.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int reconstruction_read(struct reconstruction *reconstruction,
			const struct task *task)
{
	const json_t *json = json_object_get(task->description, "loss");
	const char *word = json ? json_string_value(json) : "binary";
	const struct quantize_range *range = &task->dataset->train.range;

	if (!word || (strcmp(word, "binary") && strcmp(word, "squared")))
		return accel_error(
			-EINVAL,
			"the description's \"loss\" takes binary or squared");
	reconstruction->binary = !strcmp(word, "binary");
	if (reconstruction->binary && (range->low != 0 || range->high != 1))
		return accel_error(
			-EINVAL,
			"a binary loss is for a \"range\" of [0, 1]; else there is squared");
	return 0;
}

static int check_shapes(const struct network *network, int input, int decoded)
{
	const struct graph_shape *wanted = network_shape(network, input);
	const struct graph_shape *shape = network_shape(network, decoded);
	char text[2][GRAPH_SHAPE_TEXT_SIZE];

	if (wanted->rank == shape->rank &&
	    !memcmp(wanted->dims, shape->dims,
		    (size_t)shape->rank * sizeof(*shape->dims)))
		return 0;
	return accel_error(-EINVAL, "the decoder makes %s of an input of %s",
			   graph_shape_text(shape, text[0]),
			   graph_shape_text(wanted, text[1]));
}

int reconstruction_add(struct reconstruction *reconstruction,
		       struct network *network, int input, int decoded)
{
	const struct graph_node sigmoid = { .op = GRAPH_SIGMOID };
	int ret = check_shapes(network, input, decoded);

	if (ret)
		return ret;
	reconstruction->scores = decoded;
	reconstruction->result = decoded;
	if (network->sequence)
		reconstruction->step = network_shape(network, decoded)->dims[2];
	ret = graph_add_output(network->graph, decoded);
	if (ret || !reconstruction->binary)
		return ret;
	decoded = network_add_node(network, &sigmoid, "reconstruction",
				   &decoded, 1);
	if (decoded < 0)
		return decoded;
	reconstruction->result = decoded;
	return graph_add_output(network->graph, decoded);
}

double reconstruction_loss(const struct reconstruction *reconstruction,
			   const struct task *task, const float *target,
			   struct tape *tape)
{
	int tensor = reconstruction->scores;
	const float *scores = tape_values(tape, tensor);
	size_t count = (size_t)graph_shape_count(tape_shape(tape, tensor));
	double scale = 1.0 / (double)task->settings.batch;
	float *gradient = tape_seed(tape, tensor);

	return reconstruction->binary ?
		       loss_binary(scores, target, count, scale, gradient) :
		       loss_squared(scores, target, count, scale, gradient);
}

/* ---- the test ---- */

/** struct error_sum - squared differences so far */
struct error_sum {
	size_t sample;
	size_t inner;
	int output;
	double sum;
};

/* Elements of one sample lie together, or step by step. */
static void add_errors(void *context, const struct task_results *results)
{
	struct error_sum *error = context;
	const float *wanted = results->inputs[0];
	const float *result = results->outputs[error->output];

	for (size_t i = 0; i < results->batch * error->sample; i++) {
		double difference = (double)result[i] - (double)wanted[i];

		if (i / error->inner % results->batch < results->count)
			error->sum += difference * difference;
	}
}

static int find_output(const struct graph *graph, int tensor)
{
	int i = 0;

	while (i < graph->output_count - 1 && graph->outputs[i] != tensor)
		i++;
	return i;
}

int reconstruction_measure(const struct reconstruction *reconstruction,
			   const struct task *task, size_t samples,
			   struct task_quality *quality)
{
	const struct graph *graph = task->graphs[0];
	size_t sample = task->dataset->test.size;
	struct error_sum error = {
		.sample = sample,
		.inner = reconstruction->step ? (size_t)reconstruction->step :
						sample,
		.output = find_output(graph, reconstruction->result),
	};
	int ret = task_evaluate(task, graph, samples, add_errors, &error);

	*quality = (struct task_quality){
		.name = "MSE",
		.value = error.sum / (double)(samples * sample),
	};
	return ret;
}
