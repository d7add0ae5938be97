/* SPDX-License-Identifier: MIT */
/*
 * A layer as a system of equations: what the walk of reconstruct.c hands to whoever
 * chooses or changes its weights. Rows x make |A·x − t|² small, A being the layer's
 * inputs in the compressed network and t its outputs, before the activation, in the
 * dense one. A layer may be several problems: groups of a convolution, directions
 * and gates of a recurrent one.
 */
#ifndef COMPRESS_LAYER_PROBLEM_H
#define COMPRESS_LAYER_PROBLEM_H

#include <compress/column_grid.h>
#include <compress/least_squares.h>

struct compress_progress;

/**
 * struct layer_part - columns of a problem that are of one weight
 * @tensor: the weight
 * @first_row: of the problem's rows among those of @tensor
 * @end: column behind them
 */
struct layer_part {
	int tensor;
	size_t first_row;
	size_t end;
};

/**
 * struct layer_problem - rows of one layer
 * @name: of the node, for messages
 * @parts: of its columns, without the bias; of recurrent layers two
 * @part_count: of them
 * @system: H = Aᵀ·A and b = Aᵀ·t
 * @rows: outputs
 * @columns: unknowns of a row, the bias included
 * @constant: the last column is the bias: it is never pruned
 * @keep: [@rows][@columns], from the mask and back to it
 * @values: [@rows][@columns], from the weights and back to them; what is not kept
 *	becomes zero there
 * @workers: threads
 */
struct layer_problem {
	const char *name;
	struct layer_part parts[COLUMN_GRIDS_MAX];
	int part_count;
	struct least_squares *system;
	size_t rows;
	size_t columns;
	bool constant;
	uint8_t *keep;
	float *values;
	int workers;
};

/**
 * struct layer_solver - what is done to each layer
 * @solve: changes a problem's keep and values; 0, −EINVAL with a text, or −ENOMEM.
 *	Problems come one after the other, in the order of execution
 * @tensors: of each tensor of the graph: is it one for the solver? NULL: all
 * @context: handed to it
 * @progress: told of layers, or NULL
 */
struct layer_solver {
	int (*solve)(void *context, struct layer_problem *problem);
	const bool *tensors;
	void *context;
	const struct compress_progress *progress;
};

/* Empty: no observations, no rows. 0, −ENOMEM or −ENOSYS, with a text. */
int layer_problem_create(struct layer_problem *problem, const char *name,
			 const struct least_squares_options *options);

/* All zero is allowed. */
void layer_problem_release(struct layer_problem *problem);

/* Make room for keep and values. 0 or −ENOMEM with a text. */
int layer_problem_open(struct layer_problem *problem);

/* Free keep and values: the system stays. */
void layer_problem_close(struct layer_problem *problem);

/* H, [columns][columns], its upper triangle; b, [rows][columns]. */
const double *layer_problem_hessian(const struct layer_problem *problem);
const double *layer_problem_moments(const struct layer_problem *problem);

/* Weights that the problem's keep has: without the bias. */
size_t layer_problem_kept(const struct layer_problem *problem);

/*
 * Let the solver solve it, if the sums of its observations are finite numbers: products of
 * values that are not, or are too large, choose and solve nothing. 0, or −errno with a text.
 */
int layer_problem_solve(struct layer_problem *problem,
			const struct layer_solver *solver);

/* A solver that keeps the mask; its context is a double: the ridge. */
int layer_problem_least_squares(void *context, struct layer_problem *problem);

#endif
