// SPDX-License-Identifier: GPL-2.0-only
/* The DRM scheduler: when a job has waited for its fences it goes to its queue. */
#include "spmm_scheduler.h"

#include "spmm_context.h"
#include "spmm_device.h"
#include "spmm_fence.h"
#include "spmm_job.h"
#include "spmm_layout.h"
#include "spmm_queue.h"
#include "spmm_queue_ring.h"
#include "spmm_recovery.h"
#include "spmm_slot.h"

#include <drm/gpu_scheduler.h>
#include <drm/spmm_accel.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>

/* What is known of a job before it runs. */
static struct spmm_outcome early_outcome(const struct spmm_job *job)
{
	struct spmm_outcome outcome = { .state = DRM_SPMM_JOB_PENDING };
	int error = spmm_job_dependency_error(job);

	if (job->number <= job->queue->canceled)
		return spmm_outcome_of(DRM_SPMM_JOB_CANCELED);
	if (error) {
		outcome.state = DRM_SPMM_JOB_DEPENDENCY;
		outcome.error = error;
	}
	return outcome;
}

/* Return: whether it takes a slot to go on. */
static bool enqueue(struct spmm_queue *queue, struct spmm_job *job)
{
	struct spmm_device *spmm = queue->context->spmm;
	bool waiting;

	spin_lock_irq(&queue->lock);
	list_add_tail(&job->node, &queue->jobs);
	job->outcome = early_outcome(job);
	spmm_queue_settle(queue);
	if (atomic_read(&spmm->state) == SPMM_DEVICE_READY &&
	    !spmm_slot_is_over(spmm, queue))
		spmm_queue_push(queue);
	waiting = spmm_queue_has_waiting(queue);
	spin_unlock_irq(&queue->lock);
	return waiting;
}

/*
 * The job is the queue's from here on, also if it is bound to fail or there is no slot for it:
 * fences of a queue are signalled in order.
 */
static struct dma_fence *run_job(struct drm_sched_job *base)
{
	struct spmm_job *job = to_spmm_job(base);
	struct spmm_queue *queue = job->queue;
	bool cookie = dma_fence_begin_signalling();
	struct dma_fence *fence = job->fence;

	spmm_fence_init(fence, queue->fence_context, job->number);
	/* For the scheduler; the job may be done before this function is. */
	dma_fence_get(fence);
	if (enqueue(queue, job))
		spmm_slot_acquire(queue->context->spmm, queue);
	dma_fence_end_signalling(cookie);
	return fence;
}

/*
 * Whatever is done for a job that hangs ends with its own fence being signalled: for the
 * scheduler it never hangs.
 */
static enum drm_gpu_sched_stat timedout_job(struct drm_sched_job *base)
{
	bool cookie = dma_fence_begin_signalling();

	spmm_recovery_timeout(to_spmm_job(base)->queue);
	dma_fence_end_signalling(cookie);
	return DRM_GPU_SCHED_STAT_NO_HANG;
}

static void free_job(struct drm_sched_job *base)
{
	spmm_job_free(to_spmm_job(base));
}

/*
 * A job holds its queue, so that none should be left when its scheduler goes: one that is
 * must not keep others waiting.
 */
static void cancel_job(struct drm_sched_job *base)
{
	struct dma_fence *fence = to_spmm_job(base)->fence;
	bool cookie = dma_fence_begin_signalling();

	dma_fence_set_error(fence, -ECANCELED);
	dma_fence_signal(fence);
	dma_fence_end_signalling(cookie);
}

static const struct drm_sched_backend_ops scheduler_ops = {
	.run_job = run_job,
	.timedout_job = timedout_job,
	.cancel_job = cancel_job,
	.free_job = free_job,
};

int spmm_scheduler_create(struct spmm_queue *queue)
{
	struct spmm_device *spmm = queue->context->spmm;
	struct drm_gpu_scheduler *scheduler = &queue->scheduler;
	const struct drm_sched_init_args arguments = {
		.ops = &scheduler_ops,
		.submit_wq = spmm->slots->workqueue,
		.num_rqs = DRM_SCHED_PRIORITY_COUNT,
		.credit_limit = spmm_queue_credits(),
		.timeout = msecs_to_jiffies(SPMM_JOB_TIMEOUT_MS),
		.timeout_wq = spmm->slots->timeouts,
		.name = KBUILD_MODNAME,
		.dev = spmm->drm.dev,
	};
	int ret;

	ret = drm_sched_init(scheduler, &arguments);
	if (ret)
		return ret;
	ret = drm_sched_entity_init(&queue->entity, DRM_SCHED_PRIORITY_NORMAL,
				    &scheduler, 1, NULL);
	if (ret)
		drm_sched_fini(scheduler);
	return ret;
}

void spmm_scheduler_destroy(struct spmm_queue *queue)
{
	drm_sched_entity_destroy(&queue->entity);
	drm_sched_fini(&queue->scheduler);
}
