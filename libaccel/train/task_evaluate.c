/* SPDX-License-Identifier: MIT */
#include <train/task_evaluate.h>

#include <compress/executor.h>
#include <core/error.h>
#include <core/integer.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 100

/** struct evaluation - a graph, and room for some samples */
struct evaluation {
	const struct task *task;
	const struct graph *graph;
	struct executor *executor;
	struct feed feed;
	size_t batch;
	size_t *indices;
	const float **outputs;
};

static int create(struct evaluation *evaluation, size_t samples)
{
	const struct graph *graph = evaluation->graph;
	struct graph_shape shapes[GRAPH_MAX_RANK];
	int ret;

	evaluation->batch = samples < BATCH ? samples : BATCH;
	evaluation->indices = calloc(evaluation->batch, sizeof(size_t));
	evaluation->outputs = calloc((size_t)graph->output_count,
				     sizeof(*evaluation->outputs));
	if (!evaluation->indices || !evaluation->outputs)
		return accel_error(-ENOMEM, "no memory for the test");
	feed_shapes(graph, (int64_t)evaluation->batch, shapes);
	ret = feed_create(&evaluation->feed, shapes, graph->input_count, 1);
	if (ret)
		return ret;
	for (int i = 0; i < graph->input_count; i++)
		memset(evaluation->feed.pointers[i], 0,
		       evaluation->feed.size[i] * sizeof(float));
	return executor_create(&evaluation->executor, graph, shapes, NULL);
}

/* Samples first … of so many, spread over the test; the last batch may be short,
 * and runs with some samples twice. */
static int run_batch(struct evaluation *evaluation, size_t first,
		     size_t samples)
{
	const struct task *task = evaluation->task;
	const struct dataset_part *test = &task->dataset->test;
	int ret;

	for (size_t i = 0; i < evaluation->batch; i++)
		evaluation->indices[i] = (size_t)even_share(
			test->count,
			first + i < samples ? first + i : samples - 1, samples);
	task->operations->fill(task, test, evaluation->indices,
			       evaluation->batch, evaluation->feed.pointers);
	ret = executor_run(evaluation->executor,
			   (const float *const *)evaluation->feed.pointers);
	for (int i = 0; i < evaluation->graph->output_count && !ret; i++)
		evaluation->outputs[i] = executor_values(
			evaluation->executor, evaluation->graph->outputs[i]);
	return ret;
}

int task_evaluate(const struct task *task, const struct graph *graph,
		  size_t samples, task_observer observer, void *context)
{
	struct evaluation evaluation = { .task = task, .graph = graph };
	int ret = create(&evaluation, samples);

	for (size_t i = 0; i < samples && !ret; i += evaluation.batch) {
		size_t count = samples - i < evaluation.batch ?
				       samples - i :
				       evaluation.batch;

		ret = run_batch(&evaluation, i, samples);
		if (!ret)
			observer(context,
				 &(struct task_results){
					 .indices = evaluation.indices,
					 .count = count,
					 .batch = evaluation.batch,
					 .inputs = (const float *const *)
							   evaluation.feed
								   .pointers,
					 .outputs = evaluation.outputs,
				 });
	}
	executor_destroy(evaluation.executor);
	feed_release(&evaluation.feed);
	free(evaluation.indices);
	free(evaluation.outputs);
	return ret;
}
