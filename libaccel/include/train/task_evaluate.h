/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_TASK_EVALUATE_H
#define TRAIN_TASK_EVALUATE_H

#include <train/task.h>

/**
 * struct task_results - what a graph makes of some samples of the test
 * @indices: of the samples
 * @count: of those that count
 * @batch: of those that the graph ran on, which may be more
 * @inputs: of the graph, for @batch samples
 * @outputs: of the graph, likewise
 */
struct task_results {
	const size_t *indices;
	size_t count;
	size_t batch;
	const float *const *inputs;
	const float *const *outputs;
};

typedef void (*task_observer)(void *context,
			      const struct task_results *results);

/*
 * Run a task's graph on samples of the test, evenly spread; inputs that the task
 * does not fill are zero.
 */
int task_evaluate(const struct task *task, const struct graph *graph,
		  size_t samples, task_observer observer, void *context);

#endif
