/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Schedulers that take their arguments one by one, and forget a job of which their driver
 * says that it does not hang.
 */
#ifndef SPMM_COMPAT_SCHEDULER_H
#define SPMM_COMPAT_SCHEDULER_H

#include <drm/gpu_scheduler.h>

struct drm_sched_init_args {
	const struct drm_sched_backend_ops *ops;
	struct workqueue_struct *submit_wq;
	struct workqueue_struct *timeout_wq;
	u32 num_rqs;
	u32 credit_limit;
	unsigned int hang_limit;
	long timeout;
	atomic_t *score;
	const char *name;
	struct device *dev;
};

/* Only passed through from the driver's timedout_job() to the one of compat. */
#define DRM_GPU_SCHED_STAT_NO_HANG (DRM_GPU_SCHED_STAT_ENODEV + 1)

int spmm_compat_sched_init(struct drm_gpu_scheduler *scheduler,
			   const struct drm_sched_init_args *arguments);

#define drm_sched_init spmm_compat_sched_init

#endif
