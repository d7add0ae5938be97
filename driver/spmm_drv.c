// SPDX-License-Identifier: GPL-2.0-only
/* The module, and the driver as DRM and PCI see it. */
#include "spmm_drv.h"

#include "spmm_error.h"
#include "spmm_pci.h"
#include "spmm_power.h"
#include "spmm_query.h"
#include "spmm_sysfs.h"

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/spmm_accel.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <spmm/registers.h>

#define DRIVER_NAME "spmm"

static const struct drm_ioctl_desc ioctls[] = {
	DRM_IOCTL_DEF_DRV(SPMM_QUERY, spmm_query_ioctl, 0),
};

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	DRM_ACCEL_FOPS,
	.show_fdinfo = drm_show_fdinfo,
};

const struct drm_driver spmm_drm_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.ioctls = ioctls,
	.num_ioctls = ARRAY_SIZE(ioctls),
	.fops = &fops,
	.name = DRIVER_NAME,
	.desc = "Accelerator of sparse matrix multiplication",
	.major = 1,
	.minor = 0,
};

static const struct pci_device_id ids[] = { { PCI_DEVICE(SPMM_PCI_VENDOR_ID,
							 SPMM_PCI_DEVICE_ID) },
					    {} };
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver pci_driver = {
	.name = DRIVER_NAME,
	.id_table = ids,
	.probe = spmm_pci_probe,
	.remove = spmm_pci_remove,
	.shutdown = spmm_pci_shutdown,
	.err_handler = &spmm_error_handlers,
	.driver.pm = pm_ptr(&spmm_power_ops),
	.dev_groups = spmm_sysfs_groups,
};
module_pci_driver(pci_driver);

MODULE_DESCRIPTION("Accelerator of sparse matrix multiplication");
MODULE_LICENSE("GPL");
