/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Schedulers that cancel no jobs, and forget one of which their driver says that it does
 * not hang. Some of them take their arguments one by one, others have got the structure
 * since, in an update of the same release.
 */
#ifndef SPMM_COMPAT_SCHEDULER_H
#define SPMM_COMPAT_SCHEDULER_H

#include <drm/gpu_scheduler.h>

/* Those of newer kernels, where a scheduler that goes cancels what it still has. */
struct spmm_compat_sched_ops {
	struct dma_fence *(*run_job)(struct drm_sched_job *job);
	enum drm_gpu_sched_stat (*timedout_job)(struct drm_sched_job *job);
	void (*cancel_job)(struct drm_sched_job *job);
	void (*free_job)(struct drm_sched_job *job);
};

struct spmm_compat_sched_init_args {
	const struct spmm_compat_sched_ops *ops;
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
			   const struct spmm_compat_sched_init_args *arguments);

void spmm_compat_sched_fini(struct drm_gpu_scheduler *scheduler);

#define drm_sched_backend_ops spmm_compat_sched_ops
#define drm_sched_init_args spmm_compat_sched_init_args
#define drm_sched_init spmm_compat_sched_init
#define drm_sched_fini spmm_compat_sched_fini

#endif
