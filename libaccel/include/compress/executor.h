/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_EXECUTOR_H
#define COMPRESS_EXECUTOR_H

#include <stdbool.h>

#include <compress/graph.h>

/**
 * DOC: The float executor
 *
 * Runs a graph in binary32 for inputs of one size. All memory is planned and
 * allocated when the executor is made; a buffer is used again once its tensor has
 * been read for the last time.
 *
 * The same graph, inputs and processor give the same bits, whatever the number of
 * threads of the program: OpenBLAS runs on one. (Another processor may get another
 * of OpenBLAS's kernels, and with it other last bits.)
 *
 * Any number of executors may share a graph; one executor belongs to one thread at
 * a time.
 */

struct executor;

/*
 * Sees each tensor as soon as its values are there, graph inputs first; constants
 * are not shown. The values are gone when it returns. A result other than 0 ends
 * the run with it.
 */
typedef int (*executor_observer)(void *context, int tensor,
				 const struct graph_shape *shape,
				 const float *values);

/*
 * May change a tensor's values as soon as they are there, before anything sees them; graph
 * inputs are shown as a copy. A result other than 0 ends the run with it.
 */
typedef int (*executor_transform)(void *context, int tensor,
				  const struct graph_shape *shape,
				  float *values);

/**
 * struct executor_options - how to run
 * @transform: NULL for none
 * @transform_context: handed to it
 * @observer: NULL for none
 * @observer_context: handed to it
 * @keep: leave every tensor's values in place until the next run, for
 *	executor_values(); costs the memory of all of them together
 */
struct executor_options {
	executor_transform transform;
	void *transform_context;
	executor_observer observer;
	void *observer_context;
	bool keep;
};

/**
 * executor_create() - plan a graph for inputs of given sizes
 * @out: result, for executor_destroy()
 * @graph: must stay as it is while the executor lives; values of constants may
 *	change between runs
 * @inputs: shapes of graph->inputs, all numbers
 * @options: NULL for none of them
 *
 * Return: 0; −EINVAL if the shapes do not fit, −EOVERFLOW, −ENOMEM; −ENOSYS if the
 * BLAS that was linked is not OpenBLAS.
 */
int executor_create(struct executor **out, const struct graph *graph,
		    const struct graph_shape *inputs,
		    const struct executor_options *options);

/**
 * executor_run() - compute all outputs
 * @executor: to run
 * @inputs: values of graph->inputs in row-major order; must stay until the outputs
 *	have been read, since an output may be an input
 *
 * Return: 0, −EOVERFLOW, or what the observer returned.
 */
int executor_run(struct executor *executor, const float *const *inputs);

/**
 * executor_run_from() - compute what the nodes from one on do
 * @executor: to run
 * @first: node
 * @values: of every tensor; those that nodes before @first compute, and graph inputs, are
 *	taken from here, and must stay until the outputs have been read. NULL for what no
 *	node from @first on reads; outputs from before @first are as @values has them
 *
 * The same bits as a whole run, if @values has those of one. Graph inputs are not shown.
 *
 * Return: 0, −EOVERFLOW, or what the observer returned.
 */
int executor_run_from(struct executor *executor, int first,
		      const float *const *values);

/* Shape of any tensor at the executor's input sizes. */
const struct graph_shape *executor_shape(const struct executor *executor,
					 int tensor);

/*
 * Values of a tensor after a run, valid until the next: graph inputs and outputs
 * and constants; with options.keep every tensor; NULL for what is gone.
 */
const float *executor_values(const struct executor *executor, int tensor);

/* NULL is allowed. */
void executor_destroy(struct executor *executor);

#endif
