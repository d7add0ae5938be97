// SPDX-License-Identifier: GPL-2.0-only
/* Jobs: from a process to the scheduler. */
#include "spmm_job.h"

#include "spmm_context.h"
#include "spmm_device.h"
#include "spmm_fence.h"
#include "spmm_job_wait.h"
#include "spmm_power.h"
#include "spmm_queue.h"
#include "spmm_queue_ring.h"
#include "spmm_sync.h"
#include "spmm_trace.h"
#include "spmm_validate.h"

#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/spmm_accel.h>
#include <linux/dma-fence.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <spmm/queue.h>

/* How long a process waits for room in a queue before it is told to try again. */
#define ROOM_MS 1000

int spmm_job_dependency_error(const struct spmm_job *job)
{
	int error = 0;
	u32 i;

	for (i = 0; !error && i < job->wait_count; i++)
		error = spmm_fence_error(job->waits[i]);
	return error;
}

/* All but what drm_sched_job_init() made. */
static void job_destroy(struct spmm_job *job)
{
	spmm_fence_put(job->fence);
	spmm_sync_in_put(job->waits, job->wait_count);
	kvfree(job->commands);
	spmm_power_put(job->queue->context->spmm);
	spmm_queue_put(job->queue);
	kfree(job);
}

void spmm_job_free(struct spmm_job *job)
{
	drm_sched_job_cleanup(&job->base);
	job_destroy(job);
}

static int copy_commands(struct spmm_job *job, struct drm_device *drm,
			 const struct drm_spmm_job_submit *arguments)
{
	const void __user *user = u64_to_user_ptr(arguments->commands);
	u32 count = arguments->command_count;
	u32 bad = 0;
	int ret;

	job->commands = kvmalloc_array(count, sizeof(*job->commands),
				       GFP_KERNEL_ACCOUNT);
	if (!job->commands)
		return -ENOMEM;
	job->count = count;
	if (copy_from_user(job->commands, user,
			   array_size(count, sizeof(*job->commands))))
		return -EFAULT;
	ret = spmm_validate_commands(job->commands, count, &bad);
	if (ret)
		drm_dbg(drm, "command %u of a job is refused\n", bad);
	return ret;
}

/* What the process hands in. */
static int read_job(struct spmm_job *job, struct drm_device *drm,
		    struct drm_file *file,
		    const struct drm_spmm_job_submit *arguments)
{
	int ret;

	ret = copy_commands(job, drm, arguments);
	if (ret)
		return ret;
	ret = spmm_sync_in_get(file, arguments->in_syncs,
			       arguments->in_sync_count, &job->waits);
	if (ret)
		return ret;
	job->wait_count = arguments->in_sync_count;
	job->fence = spmm_fence_alloc();
	return job->fence ? 0 : -ENOMEM;
}

static int add_dependencies(struct spmm_job *job)
{
	struct dma_fence *fence;
	int ret = 0;
	u32 i;

	/* It takes a reference, also if it fails. */
	for (i = 0; !ret && i < job->wait_count; i++) {
		fence = dma_fence_get(job->waits[i]);
		ret = drm_sched_job_add_dependency(&job->base, fence);
	}
	return ret;
}

/* Takes over a reference to the queue, also if it fails. */
static struct spmm_job *job_create(struct spmm_queue *queue,
				   struct drm_device *drm,
				   struct drm_file *file,
				   const struct drm_spmm_job_submit *arguments)
{
	struct spmm_job *job;
	int ret;

	ret = spmm_power_get(to_spmm(drm));
	if (ret) {
		spmm_queue_put(queue);
		return ERR_PTR(ret);
	}
	job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);
	if (!job) {
		spmm_power_put(to_spmm(drm));
		spmm_queue_put(queue);
		return ERR_PTR(-ENOMEM);
	}
	job->queue = queue;
	INIT_LIST_HEAD(&job->node);
	ret = read_job(job, drm, file, arguments);
	if (ret)
		goto err_destroy;
	ret = drm_sched_job_init(&job->base, &queue->entity,
				 spmm_job_credits(job->count), NULL,
				 file->client_id);
	if (ret)
		goto err_destroy;
	ret = add_dependencies(job);
	if (ret) {
		spmm_job_free(job);
		return ERR_PTR(ret);
	}
	return job;

err_destroy:
	job_destroy(job);
	return ERR_PTR(ret);
}

/*
 * The point of no return: numbered, armed and pushed in one go, so that fences are in the
 * order of numbers. Nothing is allocated from here on.
 */
static int commit_job(struct spmm_job *job, struct spmm_sync_out *outs,
		      u32 out_count, u64 *number)
{
	struct spmm_queue *queue = job->queue;
	struct dma_fence *finished;

	lockdep_assert_held(&queue->submit_lock);
	if (queue->is_closed)
		return -ENOENT;
	job->number = ++queue->submitted;
	*number = job->number;
	drm_sched_job_arm(&job->base);
	finished = &job->base.s_fence->finished;
	spmm_job_records_add(queue->records, job->number, finished);
	spmm_sync_out_attach(outs, out_count, finished);
	trace_spmm_job_submit(&queue->context->spmm->drm, queue->fence_context,
			      job->number, queue->hardware, job->count);
	drm_sched_entity_push_job(&job->base);
	return 0;
}

static bool has_room(struct spmm_queue *queue)
{
	bool room;

	spin_lock_irq(&queue->lock);
	room = READ_ONCE(queue->submitted) - queue->completed <
	       SPMM_JOB_RECORDS;
	spin_unlock_irq(&queue->lock);
	return room || READ_ONCE(queue->is_closed);
}

/* With submit_lock held if it returns 0. */
static int lock_with_room(struct spmm_queue *queue)
{
	long left = msecs_to_jiffies(ROOM_MS);

	for (;;) {
		mutex_lock(&queue->submit_lock);
		if (has_room(queue))
			return 0;
		mutex_unlock(&queue->submit_lock);
		if (!left)
			return -EAGAIN;
		left = wait_event_interruptible_timeout(queue->room,
							has_room(queue), left);
		if (left < 0)
			return left;
	}
}

static int submit_job(struct spmm_job *job, struct drm_file *file,
		      struct drm_spmm_job_submit *arguments)
{
	struct spmm_queue *queue = job->queue;
	struct spmm_sync_out *outs;
	int ret;

	ret = spmm_sync_out_get(file, arguments->out_syncs,
				arguments->out_sync_count, &outs);
	if (ret)
		return ret;
	ret = lock_with_room(queue);
	if (!ret) {
		/* The job's reference may be gone before the lock is. */
		spmm_queue_get(queue);
		ret = commit_job(job, outs, arguments->out_sync_count,
				 &arguments->job);
		mutex_unlock(&queue->submit_lock);
		spmm_queue_put(queue);
	}
	spmm_sync_out_put(outs, arguments->out_sync_count);
	return ret;
}

int spmm_job_submit_ioctl(struct drm_device *drm, void *data,
			  struct drm_file *file)
{
	struct drm_spmm_job_submit *arguments = data;
	struct spmm_context *context = file->driver_priv;
	struct spmm_queue *queue;
	struct spmm_job *job;
	int ret;

	ret = spmm_validate_job_submit(arguments);
	if (ret)
		return ret;
	if (spmm_device_is_gone(context->spmm))
		return -ENODEV;
	if (atomic_read(&context->memory_lost))
		return -ESTALE;
	queue = spmm_queue_lookup(context, arguments->queue);
	if (!queue)
		return -ENOENT;
	if (queue->user) {
		spmm_queue_put(queue);
		return -EINVAL;
	}
	job = job_create(queue, drm, file, arguments);
	if (IS_ERR(job))
		return PTR_ERR(job);
	ret = submit_job(job, file, arguments);
	if (ret)
		spmm_job_free(job);
	return ret;
}
