/* SPDX-License-Identifier: MIT */
/* The public networks, with the zeros and the sizes that they are measured at. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <accel/accel.h>

#include <stddef.h>

/**
 * struct workload - a network and the sizes of its run
 * @name: of the file, without .onnx
 * @options: for accel_plan_create()
 */
struct workload {
	const char *name;
	struct accel_plan_options options;
};

/**
 * struct pruning - how many zeros
 * @name: for people
 * @sparsity: part of each matrix's positions that is pruned; 0: none
 * @of_4: kept of each group of 4 columns; 0: no groups
 */
struct pruning {
	const char *name;
	double sparsity;
	uint32_t of_4;
};

extern const struct workload workloads[];
extern const size_t workload_count;

extern const struct pruning prunings[];
extern const size_t pruning_count;

/*
 * The path of a network's file, to be freed: in ACCEL_SHARED_DIR/models, else in
 * ACCEL_TEST_MODELS. NULL if neither has it.
 */
char *workload_path(const char *name);

/**
 * workload_load() - a network with so many zeros
 * @path: of the file
 * @pruning: of the smallest magnitudes of each matrix; zeros that are there stay
 * @model: for accel_model_free(); NULL if the file has as many zeros already
 *
 * Nothing is calibrated: the time that a run takes does not depend on values.
 *
 * Return: 0 or −errno.
 */
int workload_load(const char *path, const struct pruning *pruning,
		  struct accel_model **model);

#endif
