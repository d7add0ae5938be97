/* SPDX-License-Identifier: MIT */
#ifndef SIM_LOWER_RECURRENT_H
#define SIM_LOWER_RECURRENT_H

#include <sim/execution.h>
#include <sim/matrix.h>

/* Lowers a RECURRENT and sums up its work; a page fault fails the execution. */
void recurrent_lower(struct sim_execution *execution,
		     const struct spmm_recurrent_descriptor *d,
		     const struct sim_matrix *input,
		     const struct sim_matrix *hidden);

#endif
