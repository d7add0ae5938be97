/* SPDX-License-Identifier: MIT */
#ifndef SIM_LOWER_ELTWISE_H
#define SIM_LOWER_ELTWISE_H

#include <sim/execution.h>

static inline bool eltwise_is_pool(const struct spmm_eltwise_descriptor *d)
{
	return d->operation == SPMM_ELTWISE_POOL_MAX ||
	       d->operation == SPMM_ELTWISE_POOL_AVERAGE;
}

static inline bool eltwise_has_second(const struct spmm_eltwise_descriptor *d)
{
	return d->operation == SPMM_ELTWISE_ADD ||
	       d->operation == SPMM_ELTWISE_MULTIPLY;
}

/* Lowers an ELTWISE and sums up its work; a page fault fails the execution. */
void eltwise_lower(struct sim_execution *execution,
		   const struct spmm_eltwise_descriptor *d);

#endif
