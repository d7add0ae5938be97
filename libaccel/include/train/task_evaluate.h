/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_TASK_EVALUATE_H
#define TRAIN_TASK_EVALUATE_H

#include <train/task.h>

/**
 * typedef task_observer - see the results of some samples
 * @context: the caller's
 * @indices: of the samples, in the test
 * @count: of them
 * @outputs: of the graph, for these samples
 */
typedef void (*task_observer)(void *context, const size_t *indices,
			      size_t count, const float *const *outputs);

/*
 * Run a task's graph on samples of the test, evenly spread; inputs that the task
 * does not fill are zero.
 */
int task_evaluate(const struct task *task, const struct graph *graph,
		  size_t samples, task_observer observer, void *context);

#endif
