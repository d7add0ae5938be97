// SPDX-License-Identifier: GPL-2.0-only
/* Queues of a context: how they come and go. */
#include "spmm_queue.h"

#include "spmm_context.h"
#include "spmm_device.h"
#include "spmm_hw.h"
#include "spmm_job_wait.h"
#include "spmm_layout.h"
#include "spmm_queue_ring.h"
#include "spmm_scheduler.h"
#include "spmm_slot.h"
#include "spmm_user_queue.h"
#include "spmm_validate.h"

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/spmm_accel.h>
#include <linux/capability.h>
#include <linux/dma-fence.h>
#include <linux/eventfd.h>
#include <linux/slab.h>

/* Allowed to CAP_SYS_NICE only, as it can keep all others from working. */
#define HIGHEST_PRIORITY 3

void spmm_queue_get(struct spmm_queue *queue)
{
	kref_get(&queue->reference);
}

/* What there is of it, also of one that could not be created. It has no hardware. */
static void queue_free(struct spmm_queue *queue)
{
	struct spmm_context *context = queue->context;

	if (queue->records)
		spmm_scheduler_destroy(queue);
	spmm_job_records_destroy(queue->records);
	spmm_queue_memory_destroy(queue);
	spmm_user_queue_destroy(queue);
	if (queue->eventfd)
		eventfd_ctx_put(queue->eventfd);
	/* Its number is its place in the address space: free from here on. */
	xa_erase(&context->queues, queue->number);
	kfree(queue);
	spmm_context_put(context);
}

/* No jobs, no file, no mappings. */
static void queue_release_work(struct work_struct *work)
{
	struct spmm_queue *queue =
		container_of(work, struct spmm_queue, release);

	spmm_slot_force_detach(queue, DRM_SPMM_JOB_CANCELED);
	queue_free(queue);
}

static void queue_release(struct kref *reference)
{
	struct spmm_queue *queue =
		container_of(reference, struct spmm_queue, reference);

	spmm_context_queue_release(&queue->release);
}

void spmm_queue_put(struct spmm_queue *queue)
{
	kref_put(&queue->reference, queue_release);
}

struct spmm_queue *spmm_queue_lookup(struct spmm_context *context, u32 number)
{
	struct spmm_queue *queue;

	xa_lock(&context->queues);
	queue = xa_load(&context->queues, number);
	if (queue)
		spmm_queue_get(queue);
	xa_unlock(&context->queues);
	return queue;
}

static void queue_notify(struct spmm_interrupt_listener *listener)
{
	struct spmm_queue *queue =
		container_of(listener, struct spmm_queue, listener);
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	if (queue->user)
		spmm_user_queue_notify(queue);
	else
		spmm_queue_reap(queue);
	spin_unlock_irqrestore(&queue->lock, flags);
}

/* With a number that nobody finds it by yet. */
static struct spmm_queue *queue_alloc(struct spmm_context *context,
				      u32 priority)
{
	struct spmm_queue *queue;
	int ret;

	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		return ERR_PTR(-ENOMEM);
	ret = xa_alloc(&context->queues, &queue->number, NULL,
		       XA_LIMIT(0, SPMM_QUEUES_PER_CONTEXT - 1),
		       GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(queue);
		return ERR_PTR(ret == -EBUSY ? -ENOSPC : ret);
	}
	kref_init(&queue->reference);
	INIT_WORK(&queue->release, queue_release_work);
	spin_lock_init(&queue->lock);
	mutex_init(&queue->submit_lock);
	init_waitqueue_head(&queue->room);
	INIT_LIST_HEAD(&queue->jobs);
	INIT_LIST_HEAD(&queue->waiter);
	INIT_LIST_HEAD(&queue->with_memory);
	queue->listener.notify = queue_notify;
	queue->priority = priority;
	queue->fence_context = dma_fence_context_alloc(1);
	queue->context = context;
	spmm_context_get(context);
	return queue;
}

static int create_for_jobs(struct spmm_queue *queue)
{
	struct spmm_job_records *records =
		spmm_job_records_create(queue->eventfd);
	int ret;

	if (!records)
		return -ENOMEM;
	ret = spmm_scheduler_create(queue);
	if (ret) {
		spmm_job_records_destroy(records);
		return ret;
	}
	queue->records = records;
	return spmm_queue_memory_create(queue);
}

static int open_eventfd(struct spmm_queue *queue, int fd)
{
	struct eventfd_ctx *eventfd;

	if (fd < 0)
		return 0;
	eventfd = eventfd_ctx_fdget(fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	queue->eventfd = eventfd;
	return 0;
}

/* It is found under its number from now on. The place is reserved: nothing is allocated. */
static void publish(struct spmm_context *context, struct spmm_queue *queue)
{
	xa_store(&context->queues, queue->number, queue, GFP_KERNEL);
}

static int create_queue(struct spmm_context *context,
			struct drm_spmm_queue_create *arguments)
{
	struct spmm_queue *queue;
	int ret;

	queue = queue_alloc(context, arguments->priority);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	ret = open_eventfd(queue, arguments->eventfd);
	if (!ret && arguments->flags & DRM_SPMM_QUEUE_USER)
		ret = spmm_user_queue_create(queue, arguments);
	else if (!ret)
		ret = create_for_jobs(queue);
	if (ret) {
		spmm_queue_put(queue);
		return ret;
	}
	arguments->queue = queue->number;
	publish(context, queue);
	return 0;
}

int spmm_queue_create_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file)
{
	struct spmm_device *spmm = to_spmm(drm);
	struct drm_spmm_queue_create *arguments = data;
	int ret, index;

	ret = spmm_validate_queue_create(arguments,
					 spmm->capabilities.queue_entries);
	if (ret)
		return ret;
	if (arguments->priority == HIGHEST_PRIORITY && !capable(CAP_SYS_NICE))
		return -EPERM;
	/* The driver does not let go of the device before the queue can be found. */
	if (!drm_dev_enter(drm, &index))
		return -ENODEV;
	ret = create_queue(file->driver_priv, arguments);
	drm_dev_exit(index);
	return ret;
}

/* Jobs that are submitted later are not concerned. */
static void cancel_jobs(struct spmm_queue *queue, bool close)
{
	mutex_lock(&queue->submit_lock);
	queue->is_closed |= close;
	spin_lock_irq(&queue->lock);
	queue->canceled = queue->submitted;
	spmm_queue_fail_waiting(queue, DRM_SPMM_JOB_CANCELED);
	spin_unlock_irq(&queue->lock);
	mutex_unlock(&queue->submit_lock);

	spmm_slot_force_detach(queue, DRM_SPMM_JOB_CANCELED);
}

/* A job that came while the hardware queue was being taken away waits for this. */
static void resume_queue(struct spmm_queue *queue)
{
	bool waiting;

	spin_lock_irq(&queue->lock);
	waiting = spmm_queue_has_waiting(queue);
	spin_unlock_irq(&queue->lock);
	if (waiting)
		spmm_slot_acquire(queue->context->spmm, queue);
}

/* Drops the reference that the context had. */
static void close_queue(struct spmm_queue *queue)
{
	wake_up_all(&queue->room);
	cancel_jobs(queue, true);
	spmm_queue_put(queue);
}

/* Return: the queue, which nobody else finds any more, or NULL. */
static struct spmm_queue *unlink_queue(struct spmm_context *context, u32 number)
{
	struct spmm_queue *queue;

	xa_lock(&context->queues);
	queue = xa_load(&context->queues, number);
	if (queue)
		__xa_store(&context->queues, number, XA_ZERO_ENTRY, 0);
	xa_unlock(&context->queues);
	return queue;
}

int spmm_queue_destroy_ioctl(struct drm_device *drm, void *data,
			     struct drm_file *file)
{
	const struct drm_spmm_queue_destroy *arguments = data;
	struct spmm_queue *queue;

	if (arguments->pad)
		return -EINVAL;
	queue = unlink_queue(file->driver_priv, arguments->queue);
	if (!queue)
		return -ENOENT;
	close_queue(queue);
	return 0;
}

void spmm_queues_close(struct spmm_context *context)
{
	struct spmm_queue *queue;
	u32 i;

	for (i = 0; i < SPMM_QUEUES_PER_CONTEXT; i++) {
		queue = unlink_queue(context, i);
		if (queue)
			close_queue(queue);
	}
}

int spmm_queue_cancel_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file)
{
	const struct drm_spmm_queue_destroy *arguments = data;
	struct spmm_queue *queue;
	int ret = 0;

	if (arguments->pad)
		return -EINVAL;
	queue = spmm_queue_lookup(file->driver_priv, arguments->queue);
	if (!queue)
		return -ENOENT;
	if (queue->user) {
		ret = -EINVAL;
	} else {
		cancel_jobs(queue, false);
		resume_queue(queue);
	}
	spmm_queue_put(queue);
	return ret;
}

/* Stands still while the queue has no hardware. */
static u64 progress_of(const struct spmm_queue *queue)
{
	u32 hardware = READ_ONCE(queue->hardware);

	return hardware ? spmm_hw_progress(queue->context->spmm, hardware) : 0;
}

int spmm_queue_status_ioctl(struct drm_device *drm, void *data,
			    struct drm_file *file)
{
	struct drm_spmm_queue_status *arguments = data;
	struct spmm_queue *queue;

	queue = spmm_queue_lookup(file->driver_priv, arguments->queue);
	if (!queue)
		return -ENOENT;
	mutex_lock(&queue->submit_lock);
	spin_lock_irq(&queue->lock);
	arguments->state = spmm_user_queue_state(queue);
	arguments->device_status = queue->last_fault.device_status;
	arguments->command = queue->last_fault.command;
	arguments->address = queue->last_fault.address;
	arguments->jobs_submitted = queue->submitted;
	arguments->jobs_completed = queue->completed;
	arguments->progress = progress_of(queue);
	spin_unlock_irq(&queue->lock);
	mutex_unlock(&queue->submit_lock);
	spmm_queue_put(queue);
	return 0;
}
