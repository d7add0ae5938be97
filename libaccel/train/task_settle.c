/* SPDX-License-Identifier: MIT */
/* A task's graphs as they are outside of training. */
#include <train/task.h>

#include <core/error.h>
#include <train/normalization.h>

#include <errno.h>
#include <stdlib.h>

/* Enough for the statistics of channels; batches are a stride apart in the data, which
 * may lie sorted by class. */
#define BATCHES 16
#define STRIDE 7919
#define PURPOSE_SETTLE 10

/** struct settling - a learner's graph on its way */
struct settling {
	const struct task *task;
	int learner;
	size_t *indices;
	size_t count;
};

static void fill_noise(const struct task *task, uint64_t number,
		       const struct graph *graph, size_t samples, float *values)
{
	struct graph_shape shapes[GRAPH_MAX_RANK];
	struct sample_generator generator;

	feed_shapes(graph, (int64_t)samples, shapes);
	task_generator(task, PURPOSE_SETTLE, number, &generator);
	sample_normals(
		&generator, values,
		(size_t)graph_shape_count(&shapes[graph->input_count - 1]));
}

static void fill(void *context, int batch, float *const *inputs)
{
	const struct settling *settling = context;
	const struct task *task = settling->task;
	const struct task_operations *operations = task->operations;
	const struct dataset_part *train = &task->dataset->train;
	const struct graph *graph = task->learners[settling->learner].graph;
	int last = graph->input_count - 1;

	for (size_t i = 0; i < settling->count; i++)
		settling->indices[i] = ((size_t)batch * settling->count + i) *
				       STRIDE % train->count;
	if (last > 0 || settling->learner == operations->noise_learner)
		fill_noise(task, (uint64_t)batch, graph, settling->count,
			   inputs[last]);
	if (settling->learner != operations->noise_learner)
		operations->fill(task, train, settling->indices,
				 settling->count, inputs);
}

static int settle_learner(struct task *task, int learner)
{
	struct settling settling = {
		.task = task,
		.learner = learner,
		.count = (size_t)task_shard_samples(task),
	};
	int ret;

	settling.indices = calloc(settling.count, sizeof(size_t));
	if (!settling.indices)
		return accel_error(-ENOMEM, "no memory");
	ret = normalization_settle(task->learners[learner].graph,
				   task_shard_samples(task), BATCHES, fill,
				   &settling, &task->graphs[learner]);
	free(settling.indices);
	return ret;
}

int task_settle(struct task *task)
{
	int ret = 0;

	for (int i = 0; i < task->learner_count && !ret; i++) {
		struct graph *graph = task->learners[i].graph;

		if (normalization_is_in(graph))
			ret = settle_learner(task, i);
		else
			task->graphs[i] = graph;
	}
	return ret;
}

void task_unsettle(struct task *task)
{
	for (int i = 0; i < task->learner_count; i++) {
		if (task->graphs[i] != task->learners[i].graph)
			graph_destroy(task->graphs[i]);
		task->graphs[i] = NULL;
	}
}
