// SPDX-License-Identifier: GPL-2.0-only
/* What happens when a context's work fails, or does not move. */
#include "spmm_recovery.h"

#include "spmm_admin.h"
#include "spmm_context.h"
#include "spmm_counters.h"
#include "spmm_device.h"
#include "spmm_hw.h"
#include "spmm_job.h"
#include "spmm_queue_ring.h"
#include "spmm_reset.h"
#include "spmm_slot.h"
#include "spmm_user_queue.h"

#include <drm/drm_print.h>
#include <drm/spmm_accel.h>
#include <linux/dma-fence.h>
#include <linux/math64.h>
#include <spmm/queue.h>
#include <spmm/registers.h>

/* Records of the device's log that are looked at in one go. */
#define LOG_RECORDS 8
/* So often a job may be found where it was while jobs of others moved. */
#define LOOKS_MAX 5

void spmm_recovery_request(struct spmm_queue *queue,
			   enum spmm_queue_trouble trouble)
{
	struct spmm_slots *slots = queue->context->spmm->slots;

	lockdep_assert_held(&queue->lock);
	if (queue->trouble != SPMM_QUEUE_WELL)
		return;
	queue->trouble = trouble;
	queue_work(slots->workqueue, &slots->recover);
}

/* Jobs fail in their queues; only faults of user queues are looked for. */
void spmm_recovery_notify(struct spmm_interrupt_listener *listener)
{
	struct spmm_slots *slots =
		container_of(listener, struct spmm_slots, faults);

	if (READ_ONCE(slots->users))
		queue_work(slots->workqueue, &slots->look);
}

/*
 * Not by reading the log: that is a command of the admin queue, which raises the same
 * vector.
 */
void spmm_recovery_look_work(struct work_struct *work)
{
	struct spmm_slots *slots = container_of(work, struct spmm_slots, look);
	u64 count = spmm_counters_read(slots->spmm, 0, SPMM_COUNTER_FAULTS);

	if (count == slots->fault_count)
		return;
	slots->fault_count = count;
	queue_work(slots->workqueue, &slots->recover);
}

static void note_record(struct spmm_slots *slots,
			const struct spmm_fault_record *record)
{
	u32 hardware = le16_to_cpu(record->queue);
	struct spmm_queue *queue;

	slots->faults_seen[slots->seen++ % SPMM_FAULTS_SEEN] = *record;
	if (hardware > SPMM_IO_QUEUES_MAX)
		return;
	queue = slots->owners[hardware];
	if (!queue || queue->context->slot != le16_to_cpu(record->context))
		return;
	spin_lock_irq(&queue->lock);
	queue->log = (struct spmm_outcome){
		.state = DRM_SPMM_JOB_FAULT,
		.device_status = le16_to_cpu(record->status),
		.command = le32_to_cpu(record->list_index),
		.address = le64_to_cpu(record->address),
	};
	spmm_recovery_request(queue, SPMM_QUEUE_FAULT);
	spin_unlock_irq(&queue->lock);
}

int spmm_recovery_read_log(struct spmm_slots *slots)
{
	struct spmm_fault_record records[LOG_RECORDS];
	int count, i;

	lockdep_assert_held(&slots->lock);
	do {
		count = spmm_admin_get_log(slots->spmm, 0, records,
					   ARRAY_SIZE(records));
		for (i = 0; i < count; i++)
			note_record(slots, &records[i]);
	} while (count == ARRAY_SIZE(records));
	return min(count, 0);
}

static void stop_queues(struct spmm_slots *slots, struct spmm_context *context)
{
	u32 i;

	for (i = SPMM_QUEUE_FIRST; i <= SPMM_IO_QUEUES_MAX; i++) {
		struct spmm_queue *queue = slots->owners[i];

		if (!queue || queue->context != context)
			continue;
		spin_lock_irq(&queue->lock);
		queue->is_stopped = true;
		spin_unlock_irq(&queue->lock);
	}
}

static void settle_queue(struct spmm_slots *slots, struct spmm_queue *queue)
{
	bool sound;

	spin_lock_irq(&queue->lock);
	if (queue->user)
		sound = spmm_user_queue_fault(queue);
	else
		sound = spmm_queue_finish(queue);
	queue->log = (struct spmm_outcome){};
	queue->trouble = SPMM_QUEUE_WELL;
	if (sound) {
		queue->is_stopped = false;
		spmm_queue_push(queue);
	}
	spin_unlock_irq(&queue->lock);
	if (!sound)
		spmm_slot_detach_locked(slots, queue, DRM_SPMM_JOB_VICTIM);
}

/* The device does not reset it: it gets other queues. */
static void renew_context(struct spmm_slots *slots,
			  struct spmm_context *context)
{
	u32 i;

	for (i = SPMM_QUEUE_FIRST; i <= SPMM_IO_QUEUES_MAX; i++) {
		struct spmm_queue *queue = slots->owners[i];

		if (!queue || queue->context != context || !queue->user)
			continue;
		spin_lock_irq(&queue->lock);
		spmm_user_queue_fault(queue);
		spin_unlock_irq(&queue->lock);
	}
	/* If that is not answered either, the reset of the device is on its way. */
	spmm_slot_renew_locked(slots, context);
}

/* All that it has on the device ends, then it works again. */
static void recover_context(struct spmm_slots *slots,
			    struct spmm_context *context)
{
	struct spmm_device *spmm = slots->spmm;
	int ret;
	u32 i;

	stop_queues(slots, context);
	ret = spmm_admin_reset_context(spmm, context->slot);
	if (ret == -ETIMEDOUT) {
		renew_context(slots, context);
		return;
	}
	if (ret) {
		/* The reset of the device finds all queues as they are. */
		if (ret != -ENODEV && ret != -ECANCELED)
			spmm_reset_schedule(spmm, "a context is not reset");
		return;
	}
	for (i = SPMM_QUEUE_FIRST; i <= SPMM_IO_QUEUES_MAX; i++)
		if (slots->owners[i] && slots->owners[i]->context == context)
			settle_queue(slots, slots->owners[i]);
}

static bool is_in_trouble(struct spmm_slots *slots,
			  const struct spmm_context *context)
{
	u32 i;

	for (i = SPMM_QUEUE_FIRST; i <= SPMM_IO_QUEUES_MAX; i++)
		if (slots->owners[i] && slots->owners[i]->context == context &&
		    READ_ONCE(slots->owners[i]->trouble))
			return true;
	return false;
}

static void recover(struct spmm_slots *slots)
{
	struct spmm_device *spmm = slots->spmm;
	u32 i;

	if (atomic_read(&spmm->state) != SPMM_DEVICE_READY)
		return;
	if (spmm_recovery_read_log(slots)) {
		spmm_reset_schedule(spmm, "the log cannot be read");
		return;
	}
	for (i = SPMM_SLOT_FIRST; i < SPMM_CONTEXTS_MAX; i++)
		if (slots->holders[i] &&
		    is_in_trouble(slots, slots->holders[i]))
			recover_context(slots, slots->holders[i]);
}

void spmm_recovery_work(struct work_struct *work)
{
	struct spmm_slots *slots =
		container_of(work, struct spmm_slots, recover);
	bool cookie = dma_fence_begin_signalling();

	mutex_lock(&slots->lock);
	recover(slots);
	mutex_unlock(&slots->lock);
	/* Queues that were made anew have lost their places. */
	spmm_slots_restart(slots->spmm);
	dma_fence_end_signalling(cookie);
}

void spmm_recovery_finish(struct spmm_device *spmm)
{
	struct spmm_slots *slots = spmm->slots;

	queue_work(slots->workqueue, &slots->recover);
	flush_work(&slots->recover);
}

/* Queues of others that have work, and how far they are. */
static u64 progress_of_others(struct spmm_slots *slots,
			      const struct spmm_queue *queue)
{
	u64 sum = 0;
	u32 i;

	for (i = SPMM_QUEUE_FIRST; i <= SPMM_IO_QUEUES_MAX; i++)
		if (slots->owners[i] && slots->owners[i] != queue)
			sum += spmm_hw_progress(slots->spmm, i);
	return sum;
}

/* Device time: how fast it passes is the host's business if the device is simulated. */
static bool is_over_limit(const struct spmm_device *spmm, u64 cycles)
{
	const struct spmm_capabilities *capabilities = &spmm->capabilities;
	u64 limit = mul_u64_u32_div(capabilities->clock_hz,
				    capabilities->job_limit_ms, MSEC_PER_SEC);

	return cycles > limit;
}

/*
 * A job that moves has time up to the hard limit. One that does not may still be waiting
 * for its turn if others move, but not forever: the device deals its time out.
 */
static bool is_hung(struct spmm_queue *queue,
		    const struct spmm_queue_watch *now)
{
	struct spmm_queue_watch last = queue->watch;

	queue->watch = *now;
	/* What is seen of a new first job is what later looks are compared with. */
	if (last.job != now->job)
		return false;
	queue->watch.start_cycle = last.start_cycle;
	if (is_over_limit(queue->context->spmm,
			  now->start_cycle - last.start_cycle))
		return true;
	if (now->progress != last.progress)
		return false;
	queue->watch.looks = last.looks + 1;
	return now->others == last.others || queue->watch.looks >= LOOKS_MAX;
}

static bool look_at_first(struct spmm_queue *queue,
			  struct spmm_queue_watch *now)
{
	struct spmm_job *job;
	bool hung;

	lockdep_assert_held(&queue->lock);
	/* The interrupt may have been lost. */
	spmm_queue_reap(queue);
	job = list_first_entry_or_null(&queue->jobs, struct spmm_job, node);
	if (!queue->hardware || queue->is_stopped || !job || !job->on_device)
		return false;
	now->job = job->number;
	hung = is_hung(queue, now);
	if (hung)
		spmm_recovery_request(queue, SPMM_QUEUE_HUNG);
	return hung;
}

void spmm_recovery_timeout(struct spmm_queue *queue)
{
	struct spmm_device *spmm = queue->context->spmm;
	struct spmm_slots *slots = spmm->slots;
	struct spmm_queue_watch now = {};
	bool hung = false;

	/* Then no job is to blame for not having been done. */
	if (atomic_read(&spmm->state) == SPMM_DEVICE_READY &&
	    spmm_hw_is_fatal(spmm)) {
		spmm_reset_schedule(spmm, "fatal error");
		return;
	}
	mutex_lock(&slots->lock);
	if (atomic_read(&spmm->state) == SPMM_DEVICE_READY && queue->hardware) {
		now.progress = spmm_hw_progress(spmm, queue->hardware);
		now.others = progress_of_others(slots, queue);
		now.start_cycle = spmm_hw_read64(spmm, SPMM_REG_CYCLES);
		spin_lock_irq(&queue->lock);
		hung = look_at_first(queue, &now);
		spin_unlock_irq(&queue->lock);
	}
	mutex_unlock(&slots->lock);
	if (hung)
		drm_warn(&spmm->drm, "a job does not end\n");
}
