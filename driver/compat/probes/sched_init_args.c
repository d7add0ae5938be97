// SPDX-License-Identifier: GPL-2.0-only
/* drm_sched_init() with a structure, and jobs that turn out not to hang. */
#include <drm/gpu_scheduler.h>

int spmm_probe(struct drm_gpu_scheduler *scheduler);

int spmm_probe(struct drm_gpu_scheduler *scheduler)
{
	const struct drm_sched_init_args arguments = {};

	return drm_sched_init(scheduler, &arguments) +
	       DRM_GPU_SCHED_STAT_NO_HANG;
}
