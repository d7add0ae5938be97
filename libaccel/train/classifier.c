/* SPDX-License-Identifier: MIT */
/* Which class a sample is of: cross-entropy, measured by accuracy. */
#include <train/task.h>

#include <core/error.h>
#include <train/task_evaluate.h>
#include <train/loss.h>

#include <errno.h>
#include <stdlib.h>

/** struct classifier - private part of the task */
struct classifier {
	int64_t classes;
	float smoothing;
};

static double loss(void *context, int shard, struct tape *tape)
{
	const struct task *task = context;
	const struct classifier *classifier = task->private;
	const int64_t *labels = task->dataset->train.labels;
	int tensor = task->learners[0].graph->outputs[0];
	size_t rows = (size_t)task_shard_samples(task);
	const size_t *indices = task->indices + (size_t)shard * rows;
	const float *scores = tape_values(tape, tensor);
	float *gradient = tape_seed(tape, tensor);
	size_t classes = (size_t)classifier->classes;
	double sum = 0;

	for (size_t i = 0; i < rows; i++)
		sum += loss_cross_entropy(scores + i * classes,
					  &labels[indices[i]], 1, classes,
					  classifier->smoothing,
					  1.0 / (double)task->settings.batch,
					  gradient + i * classes);
	return sum;
}

static int check_labels(const struct task *task, int64_t classes)
{
	const struct dataset *dataset = task->dataset;

	if (!dataset->train.labels || !dataset->test.labels)
		return accel_error(
			-EINVAL,
			"a classifier needs labels, and the data have none");
	if (dataset->classes > classes)
		return accel_error(
			-EINVAL,
			"labels up to %lld, but the network tells %lld classes apart",
			(long long)dataset->classes - 1, (long long)classes);
	return 0;
}

static int build_network(struct task *task, struct network *network)
{
	const struct graph_shape *shape;
	int tensor = network_add_input(network, "input", &task->sample, false);

	if (tensor >= 0)
		tensor = network_add_layers(network, "network", tensor,
					    json_object_get(task->description,
							    "network"));
	if (tensor < 0)
		return tensor;
	shape = network_shape(network, tensor);
	if (shape->rank != 2 || network->sequence)
		return accel_error(
			-EINVAL,
			"a classifier's network ends with one score for each class");
	((struct classifier *)task->private)->classes = shape->dims[1];
	return graph_add_output(network->graph, tensor);
}

static int build(struct task *task)
{
	struct classifier *classifier = calloc(1, sizeof(*classifier));
	struct network network;
	struct graph *graph;
	int ret;

	if (!classifier)
		return accel_error(-ENOMEM, "no memory");
	task->private = classifier;
	classifier->smoothing = (float)task_number(task, "smoothing", 0);
	if (!(classifier->smoothing >= 0 && classifier->smoothing < 1))
		return accel_error(-EINVAL, "\"smoothing\" takes 0 to below 1");
	ret = network_begin(&network, "classifier", task->seed);
	if (!ret)
		ret = build_network(task, &network);
	if (!ret)
		ret = check_labels(task, classifier->classes);
	graph = network.graph;
	if (!ret)
		network.graph = NULL;
	network_release(&network);
	return ret ? ret :
		     task_add_learner(task, graph, (int)task->settings.shards,
				      task_shard_samples(task), "", loss);
}

/* ---- accuracy ---- */

struct count {
	const struct task *task;
	size_t right;
};

static void count_right(void *context, const struct task_results *results)
{
	struct count *seen = context;
	const struct classifier *classifier = seen->task->private;
	const int64_t *labels = seen->task->dataset->test.labels;

	for (size_t i = 0; i < results->count; i++) {
		const float *scores =
			results->outputs[0] + i * (size_t)classifier->classes;
		int64_t best = 0;

		for (int64_t c = 1; c < classifier->classes; c++)
			if (scores[c] > scores[best])
				best = c;
		seen->right += best == labels[results->indices[i]];
	}
}

static int measure(const struct task *task, size_t samples,
		   struct task_quality *quality)
{
	struct count count = { .task = task };
	int ret = task_evaluate(task, task->graphs[0], samples, count_right,
				&count);

	*quality = (struct task_quality){
		.name = "accuracy",
		.value = (double)count.right / (double)samples,
		.larger_is_better = true,
	};
	return ret;
}

static int part(const struct task *task, const char *name,
		struct graph **result)
{
	const struct graph *graph = task->graphs[0];

	return network_part(graph, graph->inputs, 1, graph->outputs, 1, name,
			    result);
}

static void release(struct task *task)
{
	free(task->private);
}

static const char *const keys[] = { "network", "smoothing", NULL };
static const char *const parts[] = { "classifier", NULL };

const struct task_operations classifier_operations = {
	.name = "classifier",
	.keys = keys,
	.noise_learner = -1,
	.parts = parts,
	.build = build,
	.fill = task_fill_plain,
	.measure = measure,
	.part = part,
	.release = release,
};
