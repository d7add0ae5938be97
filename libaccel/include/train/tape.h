/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_TAPE_H
#define TRAIN_TAPE_H

#include <stdbool.h>

#include <compress/graph.h>

/**
 * DOC: The tape: a graph forth and back
 *
 * Runs a graph in binary32 for inputs of one size, keeps what the way back needs,
 * and adds up the gradients of any function of any of its tensors. All memory is
 * planned when the tape is made: values live as long as a node's way back reads
 * them, gradients from the first reader to the producer.
 *
 * The same graph, inputs and type of processor give the same bits. A tape belongs
 * to one thread at a time; any number of them may share a graph.
 */

struct tape;

/**
 * typedef tape_transform - change a computed tensor before anything reads it
 * @context: from the options
 * @tensor: just computed, or a graph input's copy
 * @shape: of it
 * @values: to be changed in place
 * @pass: result: 1 where a gradient goes through, 0 where it stops (a value that
 *	was clipped); NULL: the tape does not ask
 *
 * Quantization in training. What it returns other than 0 ends the run.
 */
typedef int (*tape_transform)(void *context, int tensor,
			      const struct graph_shape *shape, float *values,
			      uint8_t *pass);

/**
 * struct tape_options - what is wanted
 * @wanted: for each tensor of the graph: may tape_gradient() be asked for it?
 *	Constants (weights) and inputs as well as computed tensors
 * @seeded: for each tensor: may tape_seed() be asked for it?
 * @transform: NULL for none
 * @transformed: for each tensor: is it given to @transform? Never a constant; NULL
 *	for none
 * @transform_context: handed to it
 */
struct tape_options {
	const bool *wanted;
	const bool *seeded;
	tape_transform transform;
	const bool *transformed;
	void *transform_context;
};

/**
 * tape_create() - plan a graph for inputs of given sizes
 * @out: result, for tape_destroy()
 * @graph: must stay as it is while the tape lives; values of constants may change
 *	between runs
 * @inputs: shapes of graph->inputs, all numbers
 * @options: copied, arrays too
 *
 * Return: 0; −EINVAL if the shapes do not fit, −EOVERFLOW, −ENOMEM; −ENOSYS if the
 * BLAS that was linked is not OpenBLAS.
 */
int tape_create(struct tape **out, const struct graph *graph,
		const struct graph_shape *inputs,
		const struct tape_options *options);

/*
 * Let a constant have other values from the next run on (weights as they look once
 * quantized); NULL: its own again. They are not copied.
 */
void tape_replace_constant(struct tape *tape, int tensor, const float *values);

/*
 * Let the gradient by a wanted tensor lie elsewhere from the next run on. The caller
 * owns the memory, which has room for all of it.
 */
void tape_place_gradient(struct tape *tape, int tensor, float *gradient);

/*
 * Compute all tensors; gradients of the run before are gone. inputs: values of
 * graph->inputs, which must stay until the way back is done. 0, −EOVERFLOW, or what
 * the transform returned.
 */
int tape_forward(struct tape *tape, const float *const *inputs);

const struct graph_shape *tape_shape(const struct tape *tape, int tensor);

/*
 * Values of a constant, a seeded tensor, a graph input or output after
 * tape_forward(); NULL for others, whose memory serves for something else by then.
 */
const float *tape_values(const struct tape *tape, int tensor);

/*
 * The gradient of the loss by a seeded tensor, zero after tape_forward(), for the
 * caller to add to before tape_backward(). What is never asked for counts as zero.
 */
float *tape_seed(struct tape *tape, int tensor);

/* From all seeds to all wanted tensors. 0 or −EOVERFLOW. */
int tape_backward(struct tape *tape);

/*
 * Gradient by a wanted tensor after tape_backward(), valid until tape_forward();
 * zeros if nothing seeded depends on it.
 */
const float *tape_gradient(const struct tape *tape, int tensor);

/* NULL is allowed. */
void tape_destroy(struct tape *tape);

#endif
