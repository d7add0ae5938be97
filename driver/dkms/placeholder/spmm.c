// SPDX-License-Identifier: GPL-2.0-only
/*
 * What DKMS installs on a kernel that the module does not build for. It has no device
 * table, so nothing loads it but a person, who is told what is wrong.
 */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/module.h>

static int __init spmm_placeholder_init(void)
{
	pr_err("spmm: was not built for this kernel: it needs 6.12 or newer with CONFIG_DRM_ACCEL; install a newer version of it, then: dkms autoinstall\n");
	return -EOPNOTSUPP;
}
module_init(spmm_placeholder_init);

MODULE_DESCRIPTION("Placeholder of the driver for SpMM accelerators");
MODULE_LICENSE("GPL");
