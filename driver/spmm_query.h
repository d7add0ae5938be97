/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process may ask. */
#ifndef SPMM_QUERY_H
#define SPMM_QUERY_H

struct drm_device;
struct drm_file;
struct spmm_device;

/* Read what is constant. */
int spmm_query_init(struct spmm_device *spmm);
int spmm_query_ioctl(struct drm_device *drm, void *data, struct drm_file *file);

#endif
