// SPDX-License-Identifier: GPL-2.0-only
/* drm_sched_init() with a structure; the older one takes its arguments one by one. */
#include <drm/gpu_scheduler.h>

int spmm_probe(struct drm_gpu_scheduler *scheduler);

int spmm_probe(struct drm_gpu_scheduler *scheduler)
{
	const struct drm_sched_init_args arguments = {};

	return drm_sched_init(scheduler, &arguments);
}
