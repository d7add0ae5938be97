/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernels that do not tell anybody of a wedged device. */
#ifndef SPMM_COMPAT_WEDGED_H
#define SPMM_COMPAT_WEDGED_H

#include <drm/drm_device.h>
#include <drm/drm_drv.h>

#ifndef DRM_WEDGE_RECOVERY_NONE
#define DRM_WEDGE_RECOVERY_NONE BIT(0)
#define DRM_WEDGE_RECOVERY_REBIND BIT(1)
#define DRM_WEDGE_RECOVERY_BUS_RESET BIT(2)
#endif

#define drm_dev_wedged_event(drm, method, task) \
	spmm_compat_wedged_event(drm, method, task)

static inline int spmm_compat_wedged_event(struct drm_device *drm,
					   unsigned long method,
					   const void *task)
{
	return 0;
}

#endif
