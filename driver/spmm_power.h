/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runtime and system power management.
 *
 * The device sleeps (D3) when nobody has held it awake for a second, and loses its memory
 * by that. Whoever needs it awake holds it: a job from its submission to its end, a
 * user queue and an object in device memory while they exist.
 */
#ifndef SPMM_POWER_H
#define SPMM_POWER_H

#include <linux/pm.h>
#include <linux/types.h>

struct spmm_device;

extern const struct dev_pm_ops spmm_power_ops;

/* At the end of probe, and first thing of remove. */
void spmm_power_init(struct spmm_device *spmm);
void spmm_power_fini(struct spmm_device *spmm);

/* Wake the device up and hold it awake. May sleep. Return: 0 or a negative error. */
int spmm_power_get(struct spmm_device *spmm);
/* Hold it awake if it is. Any context. */
bool spmm_power_get_if_awake(struct spmm_device *spmm);
/* Any context. */
void spmm_power_put(struct spmm_device *spmm);

#endif
