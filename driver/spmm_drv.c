// SPDX-License-Identifier: GPL-2.0-only
/* The module, and the driver as DRM and PCI see it. */
#include "spmm_drv.h"

#include "spmm_bo.h"
#include "spmm_context.h"
#include "spmm_error.h"
#include "spmm_fdinfo.h"
#include "spmm_job.h"
#include "spmm_job_wait.h"
#include "spmm_pci.h"
#include "spmm_power.h"
#include "spmm_prime.h"
#include "spmm_query.h"
#include "spmm_queue.h"
#include "spmm_sysfs.h"
#include "spmm_user_queue.h"
#include "spmm_vm.h"

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
	DRM_IOCTL_DEF_DRV(SPMM_BO_CREATE, spmm_bo_create_ioctl, 0),
	DRM_IOCTL_DEF_DRV(SPMM_BO_MMAP_OFFSET, spmm_bo_mmap_offset_ioctl, 0),
	DRM_IOCTL_DEF_DRV(SPMM_VM_BIND, spmm_vm_bind_ioctl, 0),
	DRM_IOCTL_DEF_DRV(SPMM_QUEUE_CREATE, spmm_queue_create_ioctl, 0),
	DRM_IOCTL_DEF_DRV(SPMM_QUEUE_DESTROY, spmm_queue_destroy_ioctl, 0),
	DRM_IOCTL_DEF_DRV(SPMM_QUEUE_CANCEL, spmm_queue_cancel_ioctl, 0),
	DRM_IOCTL_DEF_DRV(SPMM_QUEUE_STATUS, spmm_queue_status_ioctl, 0),
	DRM_IOCTL_DEF_DRV(SPMM_JOB_SUBMIT, spmm_job_submit_ioctl, 0),
	DRM_IOCTL_DEF_DRV(SPMM_JOB_WAIT, spmm_job_wait_ioctl, 0),
	DRM_IOCTL_DEF_DRV(SPMM_CONTEXT_RESTART, spmm_context_restart_ioctl, 0),
};

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = accel_open,
	.release = drm_release,
	.unlocked_ioctl = drm_ioctl,
	.compat_ioctl = drm_compat_ioctl,
	.poll = drm_poll,
	.read = drm_read,
	.llseek = noop_llseek,
	.mmap = spmm_user_queue_mmap,
	.fop_flags = FOP_UNSIGNED_OFFSET,
	.show_fdinfo = drm_show_fdinfo,
};

const struct drm_driver spmm_drm_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM | DRIVER_SYNCOBJ |
			   DRIVER_SYNCOBJ_TIMELINE,
	.open = spmm_context_open,
	.postclose = spmm_context_close,
	.show_fdinfo = spmm_fdinfo_show,
	.gem_prime_import = spmm_prime_import,
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

static int __init spmm_init(void)
{
	int ret;

	ret = spmm_context_module_init();
	if (ret)
		return ret;
	ret = pci_register_driver(&pci_driver);
	if (ret)
		spmm_context_module_exit();
	return ret;
}
module_init(spmm_init);

static void __exit spmm_exit(void)
{
	pci_unregister_driver(&pci_driver);
	spmm_context_module_exit();
}
module_exit(spmm_exit);

MODULE_DESCRIPTION("Accelerator of sparse matrix multiplication");
MODULE_LICENSE("GPL");
/* The library's, in meson.build: accel doctor compares them. */
MODULE_VERSION("0.1.0");
