// SPDX-License-Identifier: MIT
#include <compress/graph.h>
#include <compress/layer_problem.h>
#include <core/error.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>

int layer_problem_create(struct layer_problem *problem, const char *name,
			 const struct least_squares_options *options)
{
	int ret;

	*problem = (struct layer_problem){
		.name = name,
		.rows = (size_t)options->rows,
		.columns = (size_t)options->unknowns,
		.constant = options->constant,
		.workers = options->workers,
	};
	ret = least_squares_create(&problem->system, options);
	return ret ? accel_error_prefix(ret, "%s", name) : 0;
}

void layer_problem_release(struct layer_problem *problem)
{
	layer_problem_close(problem);
	least_squares_destroy(problem->system);
}

int layer_problem_open(struct layer_problem *problem)
{
	size_t size = problem->rows * problem->columns + 1;

	problem->keep = malloc(size);
	problem->values = malloc(size * sizeof(float));
	if (problem->keep && problem->values)
		return 0;
	layer_problem_close(problem);
	return accel_error(-ENOMEM, "%s: no memory for its weights",
			   problem->name);
}

void layer_problem_close(struct layer_problem *problem)
{
	free(problem->keep);
	free(problem->values);
	problem->keep = NULL;
	problem->values = NULL;
}

const double *layer_problem_hessian(const struct layer_problem *problem)
{
	const double *h, *b;

	least_squares_totals(problem->system, &h, &b);
	return h;
}

const double *layer_problem_moments(const struct layer_problem *problem)
{
	const double *h, *b;

	least_squares_totals(problem->system, &h, &b);
	return b;
}

size_t layer_problem_kept(const struct layer_problem *problem)
{
	size_t count = 0;

	for (size_t i = 0; i < problem->rows * problem->columns; i++)
		count += problem->keep[i];
	return count - (problem->constant ? problem->rows : 0);
}

/* H is semi-definite: what is not finite off its diagonal shows on it. */
static bool is_finite(const struct layer_problem *problem)
{
	const double *h = layer_problem_hessian(problem);
	const double *b = layer_problem_moments(problem);

	for (size_t i = 0; i < problem->columns; i++)
		if (!isfinite(h[i * problem->columns + i]))
			return false;
	for (size_t i = 0; i < problem->rows * problem->columns; i++)
		if (!isfinite(b[i]))
			return false;
	return true;
}

int layer_problem_solve(struct layer_problem *problem,
			const struct layer_solver *solver)
{
	if (!is_finite(problem))
		return accel_error(
			-EINVAL,
			"%s: calibration values that are not finite, or too large to be squared; give data of the range that the network was trained on",
			problem->name);
	return solver->solve(solver->context, problem);
}

int layer_problem_least_squares(void *context, struct layer_problem *problem)
{
	const double *ridge = context;

	return least_squares_solve(problem->system, *ridge, problem->keep,
				   problem->values);
}
