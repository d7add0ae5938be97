/* SPDX-License-Identifier: MIT */
/*
 * Many least squares problems that share their observations: rows x that make
 * |A·x − t|² small, each with its own targets t and its own unknowns that are not
 * fixed at zero. Observations come in tiles, and only H = Aᵀ·A and b = Aᵀ·t are
 * kept, added up in binary64 in an order that does not depend on the threads.
 */
#ifndef COMPRESS_LEAST_SQUARES_H
#define COMPRESS_LEAST_SQUARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct least_squares;

/**
 * struct least_squares_options - what problem it is
 * @unknowns: of each row
 * @rows: how many
 * @constant: the last unknown is the bias: its input is always 1
 * @workers: threads
 */
struct least_squares_options {
	int unknowns;
	int rows;
	bool constant;
	int workers;
};

/* 0, −ENOMEM, −EOVERFLOW or −ENOSYS (no OpenBLAS). */
int least_squares_create(struct least_squares **out,
			 const struct least_squares_options *options);

/**
 * struct least_squares_source - observations
 * @counts: of each part; no tile lies in two of them
 * @parts: number of parts
 * @unknowns: indices of those that are not zero in these observations, ascending;
 *	NULL: all
 * @unknown_count: how many
 * @fill: writes observations first … first + count − 1 of a part:
 *	inputs[unknown][observation] for the unknowns in the order of @unknowns, but
 *	not the constant, and targets[row][observation]. Called by several threads;
 *	0 or −ENOMEM
 * @context: handed to it
 */
struct least_squares_source {
	const int64_t *counts;
	int parts;
	const int *unknowns;
	int unknown_count;
	int (*fill)(void *context, int part, int64_t first, int64_t count,
		    float *inputs, float *targets);
	void *context;
};

/* Add observations. 0 or −ENOMEM. */
int least_squares_add(struct least_squares *problem,
		      const struct least_squares_source *source);

/*
 * What all observations come to: h [unknowns][unknowns], its upper triangle, and b
 * [rows][unknowns]; until more of them are added. After this call several threads may
 * ask for them, and solve, at once.
 */
void least_squares_totals(struct least_squares *problem, const double **h,
			  const double **b);

/**
 * least_squares_solve() - the best rows
 * @problem: with all its observations
 * @ridge: pulls each unknown to where it was, as part of the mean of H's diagonal
 * @keep: [rows][unknowns], 0 where an unknown stays 0
 * @rows: [rows][unknowns], 0 where @keep is; the old ones, then the result
 *
 * Where H is singular the ridge grows until it can be solved; without any
 * observation rows stay as they are. Return: 0 or −ENOMEM.
 */
int least_squares_solve(struct least_squares *problem, double ridge,
			const uint8_t *keep, float *rows);

/* NULL is allowed. */
void least_squares_destroy(struct least_squares *problem);

#endif
