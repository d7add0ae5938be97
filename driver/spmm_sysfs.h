/* SPDX-License-Identifier: GPL-2.0-only */
/* Attributes of the device: Documentation/driver.rst lists them. */
#ifndef SPMM_SYSFS_H
#define SPMM_SYSFS_H

#include <linux/sysfs.h>

extern const struct attribute_group *spmm_sysfs_groups[];

#endif
