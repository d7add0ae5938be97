/* SPDX-License-Identifier: GPL-2.0-only */
/* Temperature, power and clock, for sensors(1). */
#ifndef SPMM_HWMON_H
#define SPMM_HWMON_H

struct spmm_device;

/* devm-managed; a kernel without hwmon is no error. */
int spmm_hwmon_init(struct spmm_device *spmm);

#endif
