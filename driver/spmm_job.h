/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A job: commands copied from a process, what they wait for, and what became of them.
 */
#ifndef SPMM_JOB_H
#define SPMM_JOB_H

struct drm_device;
struct drm_file;

int spmm_job_submit_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file);
int spmm_job_wait_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file);

#endif
