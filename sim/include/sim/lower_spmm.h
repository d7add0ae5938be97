/* SPDX-License-Identifier: MIT */
#ifndef SIM_LOWER_SPMM_H
#define SIM_LOWER_SPMM_H

#include <sim/execution.h>
#include <sim/matrix.h>

/* Lowers an SPMM and sums up its work; a page fault fails the execution. */
void spmm_lower(struct sim_execution *execution,
		const struct spmm_descriptor *d,
		const struct sim_matrix *matrix);

#endif
