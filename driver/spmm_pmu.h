/* SPDX-License-Identifier: GPL-2.0-only */
/* The device's counters as events of perf(1): `perf stat -a -e spmm_0/macs/`. */
#ifndef SPMM_PMU_H
#define SPMM_PMU_H

struct spmm_device;

int spmm_pmu_init(struct spmm_device *spmm);
/*
 * Before the device is unplugged. Events that are still open count no more; with the last one
 * all that is left goes.
 */
void spmm_pmu_fini(struct spmm_device *spmm);

#endif
