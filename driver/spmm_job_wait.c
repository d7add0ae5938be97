// SPDX-License-Identifier: GPL-2.0-only
/* What a queue remembers of its last jobs, and waiting for one. */
#include "spmm_job_wait.h"

#include "spmm_context.h"
#include "spmm_job.h"
#include "spmm_queue.h"

#include <drm/drm_file.h>
#include <drm/drm_utils.h>
#include <drm/spmm_accel.h>
#include <linux/dma-fence.h>
#include <linux/eventfd.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

/**
 * struct spmm_job_record - what is known of a job
 * @number: 0: of none
 * @fence: that the scheduler signals when it is done, with a reference
 * @signalled: of @fence
 * @eventfd: to tell then, or NULL; the queue's
 * @outcome: meanwhile PENDING
 */
struct spmm_job_record {
	u64 number;
	struct dma_fence *fence;
	struct dma_fence_cb signalled;
	struct eventfd_ctx *eventfd;
	struct spmm_outcome outcome;
};

/**
 * struct spmm_job_records - what a queue remembers
 * @eventfd: of the queue, or NULL
 * @lock: of all that follows; taken inside of queue.lock
 * @records: job n is at n modulo SPMM_JOB_RECORDS
 */
struct spmm_job_records {
	struct eventfd_ctx *eventfd;
	spinlock_t lock; /* innermost */
	struct spmm_job_record records[SPMM_JOB_RECORDS];
};

struct spmm_job_records *spmm_job_records_create(struct eventfd_ctx *eventfd)
{
	struct spmm_job_records *records =
		kvzalloc(sizeof(*records), GFP_KERNEL_ACCOUNT);

	if (!records)
		return NULL;
	records->eventfd = eventfd;
	spin_lock_init(&records->lock);
	return records;
}

/* After this nobody is told of its job any more, nor being told. */
static void untell(struct spmm_job_record *record)
{
	if (record->fence && record->eventfd)
		dma_fence_remove_callback(record->fence, &record->signalled);
}

void spmm_job_records_destroy(struct spmm_job_records *records)
{
	u32 i;

	for (i = 0; records && i < SPMM_JOB_RECORDS; i++) {
		untell(&records->records[i]);
		dma_fence_put(records->records[i].fence);
	}
	kvfree(records);
}

static struct spmm_job_record *record_of(struct spmm_job_records *records,
					 u64 number)
{
	return &records->records[number % SPMM_JOB_RECORDS];
}

/* Not with the device's completion: who is told shall find the job done. */
static void tell(struct dma_fence *fence, struct dma_fence_cb *signalled)
{
	struct spmm_job_record *record =
		container_of(signalled, struct spmm_job_record, signalled);

	eventfd_signal(record->eventfd);
}

/* The only one who replaces a fence: it is found without the lock. */
void spmm_job_records_add(struct spmm_job_records *records, u64 number,
			  struct dma_fence *fence)
{
	struct spmm_job_record *record = record_of(records, number);
	struct dma_fence *forgotten;

	untell(record);
	spin_lock_irq(&records->lock);
	forgotten = record->fence;
	*record = (struct spmm_job_record){
		.number = number,
		.fence = dma_fence_get(fence),
		.eventfd = records->eventfd,
	};
	spin_unlock_irq(&records->lock);
	dma_fence_put(forgotten);
	if (record->eventfd)
		dma_fence_add_callback(fence, &record->signalled, tell);
}

void spmm_job_records_finish(struct spmm_job_records *records, u64 number,
			     const struct spmm_outcome *outcome)
{
	struct spmm_job_record *record = record_of(records, number);
	unsigned long flags;

	spin_lock_irqsave(&records->lock, flags);
	if (record->number == number)
		record->outcome = *outcome;
	spin_unlock_irqrestore(&records->lock, flags);
}

/* With a reference to the fence if it is not done. Return: 0 or -ENOENT. */
static int read_record(struct spmm_job_records *records, u64 number,
		       struct spmm_outcome *outcome, struct dma_fence **fence)
{
	struct spmm_job_record *record = record_of(records, number);
	int ret = -ENOENT;

	*fence = NULL;
	spin_lock_irq(&records->lock);
	if (number && record->number == number) {
		*outcome = record->outcome;
		*fence = dma_fence_get(record->fence);
		ret = 0;
	}
	spin_unlock_irq(&records->lock);
	return ret;
}

/* Return: 0 when signalled, -ETIME, -ERESTARTSYS. */
static int wait_fence(struct dma_fence *fence, s64 timeout_ns)
{
	long left = drm_timeout_abs_to_jiffies(timeout_ns);

	left = dma_fence_wait_timeout(fence, true, left);
	if (left < 0)
		return left;
	/* With a time in the past it reports 0 also for one that is signalled. */
	return left || dma_fence_is_signaled(fence) ? 0 : -ETIME;
}

static int wait_job(struct spmm_job_records *records,
		    const struct drm_spmm_job_wait *arguments,
		    struct spmm_outcome *outcome)
{
	struct spmm_outcome unused;
	struct dma_fence *fence;
	int ret;

	ret = read_record(records, arguments->job, &unused, &fence);
	if (ret)
		return ret;
	ret = wait_fence(fence, arguments->timeout_ns);
	dma_fence_put(fence);
	if (ret)
		return ret;
	/* The outcome was there before the fence was signalled. */
	ret = read_record(records, arguments->job, outcome, &fence);
	dma_fence_put(fence);
	return ret;
}

static void report(struct drm_spmm_job_wait *arguments,
		   const struct spmm_outcome *outcome)
{
	arguments->state = outcome->state;
	arguments->error = outcome->error;
	arguments->device_status = outcome->device_status;
	arguments->command = outcome->command;
	arguments->address = outcome->address;
}

int spmm_job_wait_ioctl(struct drm_device *drm, void *data,
			struct drm_file *file)
{
	struct drm_spmm_job_wait *arguments = data;
	struct spmm_context *context = file->driver_priv;
	struct spmm_outcome outcome = { .state = DRM_SPMM_JOB_PENDING };
	struct spmm_queue *queue;
	int ret;

	if (arguments->flags & ~DRM_SPMM_JOB_WAIT_STATUS)
		return -EINVAL;
	queue = spmm_queue_lookup(context, arguments->queue);
	if (!queue)
		return -ENOENT;
	ret = queue->records ? wait_job(queue->records, arguments, &outcome) :
			       -ENOENT;
	spmm_queue_put(queue);

	report(arguments, &outcome);
	if (ret || arguments->flags & DRM_SPMM_JOB_WAIT_STATUS)
		return ret;
	return outcome.error;
}
