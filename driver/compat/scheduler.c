// SPDX-License-Identifier: GPL-2.0-only
/* Schedulers that cancel no jobs. Nothing on newer kernels. */
#ifndef SPMM_HAVE_SCHED_CANCEL_JOB
#undef drm_sched_backend_ops
#undef drm_sched_init_args
#undef drm_sched_init
#undef drm_sched_fini

/* The driver has one kind of scheduler. */
static const struct spmm_compat_sched_ops *driver_ops;

/*
 * The scheduler took the job off its list, so that nobody frees it meanwhile. Back there, it
 * is looked at again: it may have ended by now.
 */
static void reinsert_job(struct drm_sched_job *job)
{
	struct drm_gpu_scheduler *scheduler = job->sched;

	spin_lock(&scheduler->job_list_lock);
	list_add(&job->list, &scheduler->pending_list);
	/* Under the lock: once the job can be freed, so can the scheduler. */
	drm_sched_wqueue_start(scheduler);
	spin_unlock(&scheduler->job_list_lock);
}

static enum drm_gpu_sched_stat timedout_job(struct drm_sched_job *job)
{
	enum drm_gpu_sched_stat status = driver_ops->timedout_job(job);

	if ((int)status != (int)DRM_GPU_SCHED_STAT_NO_HANG)
		return status;
	reinsert_job(job);
	return DRM_GPU_SCHED_STAT_NOMINAL;
}

static struct dma_fence *run_job(struct drm_sched_job *job)
{
	return driver_ops->run_job(job);
}

static void free_job(struct drm_sched_job *job)
{
	driver_ops->free_job(job);
}

static const struct drm_sched_backend_ops compat_ops = {
	.run_job = run_job,
	.timedout_job = timedout_job,
	.free_job = free_job,
};

#ifdef SPMM_HAVE_SCHED_INIT_ARGS
int spmm_compat_sched_init(struct drm_gpu_scheduler *scheduler,
			   const struct spmm_compat_sched_init_args *arguments)
{
	const struct drm_sched_init_args own = {
		.ops = &compat_ops,
		.submit_wq = arguments->submit_wq,
		.timeout_wq = arguments->timeout_wq,
		.num_rqs = arguments->num_rqs,
		.credit_limit = arguments->credit_limit,
		.hang_limit = arguments->hang_limit,
		.timeout = arguments->timeout,
		.score = arguments->score,
		.name = arguments->name,
		.dev = arguments->dev,
	};

	driver_ops = arguments->ops;
	return drm_sched_init(scheduler, &own);
}
#else
int spmm_compat_sched_init(struct drm_gpu_scheduler *scheduler,
			   const struct spmm_compat_sched_init_args *arguments)
{
	driver_ops = arguments->ops;
	return drm_sched_init(scheduler, &compat_ops, arguments->submit_wq,
			      arguments->num_rqs, arguments->credit_limit,
			      arguments->hang_limit, arguments->timeout,
			      arguments->timeout_wq, arguments->score,
			      arguments->name, arguments->dev);
}
#endif

/* Stopped, nobody else looks at the list. */
void spmm_compat_sched_fini(struct drm_gpu_scheduler *scheduler)
{
	struct drm_sched_job *job, *next;

	drm_sched_wqueue_stop(scheduler);
	list_for_each_entry_safe(job, next, &scheduler->pending_list, list) {
		driver_ops->cancel_job(job);
		list_del(&job->list);
		driver_ops->free_job(job);
	}
	drm_sched_fini(scheduler);
}
#endif
