// SPDX-License-Identifier: GPL-2.0-only
/* drm_dev_wedged_event() with the task that is to blame. */
#include <drm/drm_device.h>
#include <drm/drm_drv.h>

int spmm_probe(struct drm_device *drm, struct drm_wedge_task_info *task);

int spmm_probe(struct drm_device *drm, struct drm_wedge_task_info *task)
{
	return drm_dev_wedged_event(drm, DRM_WEDGE_RECOVERY_REBIND, task);
}
