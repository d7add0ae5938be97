/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver as DRM sees it. */
#ifndef SPMM_DRV_H
#define SPMM_DRV_H

struct drm_driver;

extern const struct drm_driver spmm_drm_driver;

#endif
