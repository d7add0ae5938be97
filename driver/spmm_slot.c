// SPDX-License-Identifier: GPL-2.0-only
/* Address-space slots and hardware queues: contexts hold them while they have work. */
#include "spmm_slot.h"

#include "spmm_admin.h"
#include "spmm_context.h"
#include "spmm_counters.h"
#include "spmm_device.h"
#include "spmm_interrupt.h"
#include "spmm_layout.h"
#include "spmm_queue.h"
#include "spmm_queue_ring.h"
#include "spmm_recovery.h"
#include "spmm_reset.h"
#include "spmm_user_queue.h"
#include "spmm_vm.h"

#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <drm/spmm_accel.h>
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

/* How long a queue may go on taking jobs while others wait. */
#define SLICE_MS 50
#define DRAIN_LOOK_MS 10

static u32 last_queue(const struct spmm_slots *slots)
{
	return min_t(u32, slots->spmm->capabilities.queues, SPMM_IO_QUEUES_MAX);
}

static u32 last_slot(const struct spmm_slots *slots)
{
	/* The admin queue's, 0, is one of them. */
	return min_t(u32, slots->spmm->capabilities.slots, SPMM_CONTEXTS_MAX) -
	       1;
}

/*
 * An error of an admin command: whatever the device makes of us, only a reset puts it right;
 * all that waits is served after it.
 */
static int admin_failed(struct spmm_slots *slots, int error, const char *what)
{
	if (error == -ENODEV)
		return error;
	/* -ECANCELED: a reset is under way already. */
	if (error != -ECANCELED)
		spmm_reset_schedule(slots->spmm, what);
	return -EAGAIN;
}

static bool is_idle(struct spmm_queue *queue)
{
	bool idle;

	if (queue->user)
		return false;
	spin_lock_irq(&queue->lock);
	idle = !queue->on_device && !queue->is_stopped;
	spin_unlock_irq(&queue->lock);
	return idle;
}

/* From now on nothing is pushed; what is aborted ends as @state. */
static void stop_queue(struct spmm_queue *queue, u32 state)
{
	spin_lock_irq(&queue->lock);
	queue->is_stopped = true;
	queue->is_settling = true;
	queue->abort_state = state;
	spin_unlock_irq(&queue->lock);
}

/* The device has let go of it: what is left on it is lost. */
static void disown_queue(struct spmm_slots *slots, struct spmm_queue *queue,
			 u32 hardware)
{
	spmm_interrupt_ignore(slots->spmm, hardware, &queue->listener);
	/* First, for faults of the doorbell: evicted, then without hardware. */
	if (queue->user)
		spmm_user_queue_evicted(queue);

	spin_lock_irq(&queue->lock);
	if (spmm_device_is_gone(slots->spmm)) {
		queue->abort_state = DRM_SPMM_JOB_GONE;
		/* Nobody is to blame. */
		queue->trouble = SPMM_QUEUE_WELL;
	}
	if (!queue->user)
		spmm_queue_finish(queue);
	WRITE_ONCE(queue->hardware, 0);
	queue->is_stopped = false;
	queue->is_settling = false;
	queue->trouble = SPMM_QUEUE_WELL;
	queue->log = (struct spmm_outcome){};
	spin_unlock_irq(&queue->lock);

	slots->owners[hardware] = NULL;
	if (queue->user) {
		slots->users--;
		__set_bit(hardware, slots->parked);
		queue_work(system_unbound_wq, &slots->unpark);
	}
}

/* Whatever it holds ends with it. */
static int delete_queue(struct spmm_slots *slots, struct spmm_queue *queue)
{
	u32 hardware = queue->hardware;
	int ret;

	ret = spmm_admin_delete_sq(slots->spmm, hardware) ?:
		      spmm_admin_delete_cq(slots->spmm, hardware);
	if (ret)
		return admin_failed(slots, ret, "a queue does not stop");
	disown_queue(slots, queue, hardware);
	return 0;
}

/*
 * What it holds ends at the next tile; or if the device does not answer, by a reset of the
 * context, which the recovery of its other queues follows. Without an answer to either it
 * is for delete_queue() to see.
 */
static int halt_queue(struct spmm_slots *slots, struct spmm_queue *queue)
{
	int ret;

	ret = spmm_admin_abort(slots->spmm, queue->hardware);
	if (ret == -ETIMEDOUT)
		ret = spmm_admin_reset_context(slots->spmm,
					       queue->context->slot);
	if (!ret || ret == -ETIMEDOUT)
		return 0;
	return admin_failed(slots, ret, "a queue cannot be stopped");
}

/* For a context that has no queues any more. */
static int delete_context(struct spmm_slots *slots,
			  struct spmm_context *context)
{
	int ret;

	/* They are the slot's: its next context starts at 0. */
	spmm_counters_add(slots->spmm, context->slot, context->counters);
	ret = spmm_admin_delete_context(slots->spmm, context->slot);
	if (ret)
		return admin_failed(slots, ret, "a context does not go");
	slots->holders[context->slot] = NULL;
	context->slot = 0;
	return 0;
}

/* Did a command of this user queue, which nobody but the log tells of, kill its context? */
static bool has_failed(struct spmm_slots *slots, struct spmm_queue *queue)
{
	if (!queue->user || spmm_recovery_read_log(slots))
		return false;
	return READ_ONCE(queue->trouble) == SPMM_QUEUE_FAULT;
}

/* A dead context is put right with one of its queues; without any it is given back. */
static int revive_context(struct spmm_slots *slots,
			  struct spmm_context *context)
{
	struct spmm_queue *queue;
	u32 i;

	for (i = SPMM_QUEUE_FIRST; i <= last_queue(slots); i++) {
		queue = slots->owners[i];
		if (!queue || queue->context != context)
			continue;
		spin_lock_irq(&queue->lock);
		spmm_recovery_request(queue, SPMM_QUEUE_FAULT);
		spin_unlock_irq(&queue->lock);
		return 0;
	}
	return delete_context(slots, context);
}

int spmm_slot_detach_locked(struct spmm_slots *slots, struct spmm_queue *queue,
			    u32 state)
{
	bool idle = is_idle(queue), failed = false;
	int ret = 0;

	lockdep_assert_held(&slots->lock);
	if (!queue->hardware)
		return 0;
	stop_queue(queue, state);
	if (!idle)
		ret = halt_queue(slots, queue);
	if (!ret)
		failed = has_failed(slots, queue);
	ret = ret ?: delete_queue(slots, queue);
	return ret || !failed ? ret : revive_context(slots, queue->context);
}

int spmm_slot_detach(struct spmm_queue *queue, u32 state)
{
	struct spmm_slots *slots = queue->context->spmm->slots;
	int ret;

	mutex_lock(&slots->lock);
	list_del_init(&queue->waiter);
	ret = spmm_slot_detach_locked(slots, queue, state);
	mutex_unlock(&slots->lock);
	if (!ret && READ_ONCE(slots->is_wanted))
		queue_work(slots->workqueue, &slots->serve);
	return ret;
}

void spmm_slot_force_detach(struct spmm_queue *queue, u32 state)
{
	struct spmm_device *spmm = queue->context->spmm;

	while (spmm_slot_detach(queue, state)) {
		spmm_reset_wait(spmm);
		/* For one that is blocked by suspend or a reset from outside. */
		if (READ_ONCE(queue->hardware))
			msleep(20);
	}
}

static int detach_context(struct spmm_slots *slots,
			  struct spmm_context *context, u32 state)
{
	int ret = 0;
	u32 i;

	if (!context->slot)
		return 0;
	for (i = SPMM_QUEUE_FIRST; !ret && i <= last_queue(slots); i++)
		if (slots->owners[i] && slots->owners[i]->context == context)
			ret = spmm_slot_detach_locked(slots, slots->owners[i],
						      state);
	/* With its last queue it may have been given back. */
	if (ret || !context->slot)
		return ret;
	return delete_context(slots, context);
}

int spmm_slot_renew_locked(struct spmm_slots *slots,
			   struct spmm_context *context)
{
	int ret = 0;
	u32 i;

	lockdep_assert_held(&slots->lock);
	for (i = SPMM_QUEUE_FIRST; !ret && i <= last_queue(slots); i++)
		if (slots->owners[i] && slots->owners[i]->context == context)
			ret = delete_queue(slots, slots->owners[i]);
	return ret ?: delete_context(slots, context);
}

/* The one that has been idle longest. */
static struct spmm_queue *idle_queue(struct spmm_slots *slots)
{
	struct spmm_queue *oldest = NULL;
	u32 i;

	for (i = SPMM_QUEUE_FIRST; i <= last_queue(slots); i++) {
		struct spmm_queue *queue = slots->owners[i];

		if (queue && is_idle(queue) &&
		    (!oldest ||
		     time_before(queue->last_used, oldest->last_used)))
			oldest = queue;
	}
	return oldest;
}

static bool context_is_idle(struct spmm_slots *slots,
			    const struct spmm_context *context,
			    unsigned long *last_used)
{
	u32 i;

	*last_used = context->last_used;
	for (i = SPMM_QUEUE_FIRST; i <= last_queue(slots); i++) {
		struct spmm_queue *queue = slots->owners[i];

		if (!queue || queue->context != context)
			continue;
		if (!is_idle(queue))
			return false;
		if (time_after(queue->last_used, *last_used))
			*last_used = queue->last_used;
	}
	return true;
}

static struct spmm_context *idle_context(struct spmm_slots *slots)
{
	struct spmm_context *oldest = NULL;
	unsigned long last_used, earliest = 0;
	u32 i;

	for (i = SPMM_SLOT_FIRST; i <= last_slot(slots); i++) {
		struct spmm_context *context = slots->holders[i];

		if (!context || !context_is_idle(slots, context, &last_used))
			continue;
		if (!oldest || time_before(last_used, earliest)) {
			oldest = context;
			earliest = last_used;
		}
	}
	return oldest;
}

/* Return: number, -EAGAIN, or an error. */
static int take_slot(struct spmm_slots *slots)
{
	struct spmm_context *idle;
	u32 i, slot;
	int ret;

	for (i = SPMM_SLOT_FIRST; i <= last_slot(slots); i++)
		if (!slots->holders[i])
			return i;
	idle = idle_context(slots);
	if (!idle)
		return -EAGAIN;
	slot = idle->slot;
	ret = detach_context(slots, idle, DRM_SPMM_JOB_VICTIM);
	return ret ?: slot;
}

static int take_queue(struct spmm_slots *slots)
{
	struct spmm_queue *idle;
	u32 i, hardware;
	int ret;

	for (i = SPMM_QUEUE_FIRST; i <= last_queue(slots); i++)
		if (!slots->owners[i] && !test_bit(i, slots->parked))
			return i;
	idle = idle_queue(slots);
	if (!idle)
		return -EAGAIN;
	hardware = idle->hardware;
	ret = spmm_slot_detach_locked(slots, idle, DRM_SPMM_JOB_VICTIM);
	return ret ?: hardware;
}

static int attach_context(struct spmm_slots *slots,
			  struct spmm_context *context)
{
	struct spmm_device *spmm = slots->spmm;
	int slot, ret;

	context->last_used = jiffies;
	if (context->slot)
		return 0;
	slot = take_slot(slots);
	if (slot < 0)
		return slot;
	ret = spmm_admin_create_context(spmm, slot);
	if (ret)
		return admin_failed(slots, ret, "a context does not come");
	slots->holders[slot] = context;
	context->slot = slot;
	ret = spmm_admin_set_page_table(spmm, slot, spmm_vm_root(&context->vm));
	if (ret)
		return admin_failed(slots, ret, "a page table is refused");
	return 0;
}

static int create_hardware(struct spmm_slots *slots, struct spmm_queue *queue,
			   u32 hardware)
{
	struct spmm_device *spmm = slots->spmm;
	u32 vector = spmm_interrupt_vector(spmm, hardware);
	u32 slot = queue->context->slot;
	u32 entries = SPMM_QUEUE_RING_ENTRIES;
	u64 sq = SPMM_QUEUE_AREA(queue->number) + SPMM_QUEUE_SQ_OFFSET;
	u64 cq = SPMM_QUEUE_AREA(queue->number) + SPMM_QUEUE_CQ_OFFSET;
	int ret;

	if (queue->user)
		spmm_user_queue_rings(queue, &sq, &cq, &entries);
	ret = spmm_admin_create_cq(spmm, hardware, slot, cq, entries, vector) ?:
		      spmm_admin_create_sq(spmm, hardware, slot, sq, entries,
					   queue->priority);
	return ret ? admin_failed(slots, ret, "a queue does not come") : 0;
}

static int attach_queue(struct spmm_slots *slots, struct spmm_queue *queue)
{
	int hardware, ret;

	ret = attach_context(slots, queue->context);
	if (ret)
		return ret;
	hardware = take_queue(slots);
	if (hardware < 0)
		return hardware;
	/* The owner from here on: if this fails, the reset will find it. */
	slots->owners[hardware] = queue;
	if (queue->user)
		slots->users++;
	spmm_interrupt_listen(slots->spmm, hardware, &queue->listener);
	spin_lock_irq(&queue->lock);
	if (!queue->user)
		spmm_queue_ring_start(queue);
	queue->is_stopped = true;
	queue->hardware = hardware;
	spin_unlock_irq(&queue->lock);

	ret = create_hardware(slots, queue, hardware);
	if (ret)
		return ret;
	spin_lock_irq(&queue->lock);
	queue->is_stopped = false;
	spin_unlock_irq(&queue->lock);
	return 0;
}

/* Return: 0: it has all that it needs, and a new time slice. */
static int attach(struct spmm_slots *slots, struct spmm_queue *queue)
{
	int ret = 0;

	switch (atomic_read(&slots->spmm->state)) {
	case SPMM_DEVICE_READY:
		break;
	case SPMM_DEVICE_GONE:
		return -ENODEV;
	default:
		return -EAGAIN;
	}
	if (!queue->hardware)
		ret = attach_queue(slots, queue);
	else if (queue->is_stopped)
		ret = -EAGAIN;
	if (!ret)
		queue->slice_end = jiffies + msecs_to_jiffies(SLICE_MS);
	return ret;
}

/* Push what waits, or let it fail. */
static void push_or_fail(struct spmm_queue *queue, int error)
{
	spin_lock_irq(&queue->lock);
	if (!error)
		spmm_queue_push(queue);
	else
		spmm_queue_fail_waiting(queue, DRM_SPMM_JOB_GONE);
	spin_unlock_irq(&queue->lock);
}

static bool has_waiting(struct spmm_queue *queue)
{
	bool waiting;

	spin_lock_irq(&queue->lock);
	waiting = spmm_queue_has_waiting(queue);
	spin_unlock_irq(&queue->lock);
	return waiting;
}

/* Return: whether the first in line has left it. */
static bool serve_first(struct spmm_slots *slots)
{
	struct spmm_queue *queue =
		list_first_entry(&slots->waiters, struct spmm_queue, waiter);
	int ret = 0;

	if (has_waiting(queue))
		ret = attach(slots, queue);
	if (ret == -EAGAIN)
		return false;
	list_del_init(&queue->waiter);
	push_or_fail(queue, ret);
	return true;
}

static void serve(struct spmm_slots *slots)
{
	lockdep_assert_held(&slots->lock);
	while (!list_empty(&slots->waiters) && serve_first(slots))
		;
	WRITE_ONCE(slots->is_wanted, !list_empty(&slots->waiters));
}

static void serve_work(struct work_struct *work)
{
	struct spmm_slots *slots = container_of(work, struct spmm_slots, serve);
	bool cookie = dma_fence_begin_signalling();

	mutex_lock(&slots->lock);
	serve(slots);
	mutex_unlock(&slots->lock);
	dma_fence_end_signalling(cookie);
}

/* How many slots are held by user queues of contexts other than @but. */
static u32 count_user_slots(const struct spmm_slots *slots,
			    const struct spmm_context *but)
{
	DECLARE_BITMAP(held, SPMM_CONTEXTS_MAX + 1) = {};
	u32 i;

	for (i = SPMM_QUEUE_FIRST; i <= last_queue(slots); i++) {
		const struct spmm_queue *queue = slots->owners[i];

		if (queue && queue->user && queue->context != but)
			__set_bit(queue->context->slot, held);
	}
	return bitmap_weight(held, SPMM_CONTEXTS_MAX + 1);
}

/* At least one queue and one slot remain for jobs. */
static int acquire_for_user(struct spmm_slots *slots, struct spmm_queue *queue)
{
	int ret;

	if (slots->users + 1 > last_queue(slots) - SPMM_QUEUE_FIRST)
		return -EBUSY;
	/* The context's own slot counts too, even if only jobs hold it so far. */
	if (count_user_slots(slots, queue->context) + 1 >
	    last_slot(slots) - SPMM_SLOT_FIRST)
		return -EBUSY;
	ret = attach(slots, queue);
	return ret == -EAGAIN ? -EBUSY : ret;
}

int spmm_slot_acquire(struct spmm_device *spmm, struct spmm_queue *queue)
{
	struct spmm_slots *slots = spmm->slots;
	int ret;

	mutex_lock(&slots->lock);
	if (queue->user) {
		ret = acquire_for_user(slots, queue);
	} else {
		/*
		 * Wanted first, then looked for: who becomes idle meanwhile sees that it
		 * is wanted.
		 */
		WRITE_ONCE(slots->is_wanted, true);
		if (list_empty(&queue->waiter))
			list_add_tail(&queue->waiter, &slots->waiters);
		serve(slots);
		ret = list_empty(&queue->waiter) ? 0 : -EAGAIN;
	}
	mutex_unlock(&slots->lock);
	return ret;
}

void spmm_slot_release(struct spmm_device *spmm, struct spmm_queue *queue)
{
	struct spmm_slots *slots = spmm->slots;

	if (READ_ONCE(slots->is_wanted))
		queue_work(slots->workqueue, &slots->serve);
}

bool spmm_slot_is_over(struct spmm_device *spmm, const struct spmm_queue *queue)
{
	return READ_ONCE(spmm->slots->is_wanted) &&
	       time_after(jiffies, queue->slice_end);
}

int spmm_slot_evict(struct spmm_device *spmm, struct spmm_context *context)
{
	struct spmm_slots *slots = spmm->slots;
	int ret;

	mutex_lock(&slots->lock);
	ret = detach_context(slots, context, DRM_SPMM_JOB_VICTIM);
	mutex_unlock(&slots->lock);
	return ret;
}

void spmm_slot_force_evict(struct spmm_device *spmm,
			   struct spmm_context *context)
{
	while (spmm_slot_evict(spmm, context)) {
		spmm_reset_wait(spmm);
		if (READ_ONCE(context->slot))
			msleep(20);
	}
}

static bool is_drained(struct spmm_slots *slots)
{
	bool drained = true;
	u32 i;

	mutex_lock(&slots->lock);
	for (i = SPMM_QUEUE_FIRST; i <= last_queue(slots); i++)
		if (slots->owners[i] && !slots->owners[i]->user &&
		    !is_idle(slots->owners[i]))
			drained = false;
	mutex_unlock(&slots->lock);
	return drained;
}

int spmm_slots_drain(struct spmm_device *spmm, u32 timeout_ms)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(timeout_ms);

	while (!is_drained(spmm->slots)) {
		if (time_after(jiffies, deadline))
			return -ETIMEDOUT;
		msleep(DRAIN_LOOK_MS);
	}
	return 0;
}

int spmm_slots_evict_all(struct spmm_device *spmm)
{
	struct spmm_slots *slots = spmm->slots;
	int ret = 0;
	u32 i;

	mutex_lock(&slots->lock);
	for (i = SPMM_SLOT_FIRST; !ret && i <= last_slot(slots); i++)
		if (slots->holders[i])
			ret = detach_context(slots, slots->holders[i],
					     DRM_SPMM_JOB_VICTIM);
	mutex_unlock(&slots->lock);
	return ret;
}

void spmm_slots_forget(struct spmm_device *spmm)
{
	struct spmm_slots *slots = spmm->slots;
	u32 i;

	mutex_lock(&slots->lock);
	for (i = SPMM_QUEUE_FIRST; i <= SPMM_IO_QUEUES_MAX; i++)
		if (slots->owners[i])
			disown_queue(slots, slots->owners[i], i);
	for (i = SPMM_SLOT_FIRST; i < SPMM_CONTEXTS_MAX; i++) {
		if (slots->holders[i])
			slots->holders[i]->slot = 0;
		slots->holders[i] = NULL;
	}
	mutex_unlock(&slots->lock);
}

/* Put all queues that have work in line. */
static void enlist_waiting(struct spmm_slots *slots,
			   struct spmm_context *context)
{
	struct spmm_queue *queue;
	unsigned long index;

	xa_lock_irq(&context->queues);
	xa_for_each(&context->queues, index, queue) {
		spin_lock(&queue->lock);
		if (spmm_queue_has_waiting(queue) && list_empty(&queue->waiter))
			list_add_tail(&queue->waiter, &slots->waiters);
		spin_unlock(&queue->lock);
	}
	xa_unlock_irq(&context->queues);
}

void spmm_slots_restart(struct spmm_device *spmm)
{
	struct spmm_slots *slots = spmm->slots;
	struct spmm_context *context;

	mutex_lock(&slots->lock);
	list_for_each_entry(context, &slots->contexts, node)
		enlist_waiting(slots, context);
	WRITE_ONCE(slots->is_wanted, true);
	serve(slots);
	mutex_unlock(&slots->lock);
}

int spmm_slot_invalidate(struct spmm_device *spmm, struct spmm_context *context,
			 u64 address, u64 length)
{
	struct spmm_slots *slots = spmm->slots;
	int ret = 0;

	mutex_lock(&slots->lock);
	if (context->slot)
		ret = spmm_admin_invalidate(spmm, context->slot, address,
					    length);
	mutex_unlock(&slots->lock);
	return ret;
}

void spmm_slot_counters(struct spmm_context *context, u64 *counters)
{
	struct spmm_device *spmm = context->spmm;

	mutex_lock(&spmm->slots->lock);
	memcpy(counters, context->counters,
	       array_size(SPMM_COUNTER_COUNT, sizeof(*counters)));
	if (context->slot)
		spmm_counters_add(spmm, context->slot, counters);
	mutex_unlock(&spmm->slots->lock);
}

static void destroy_workqueues(struct drm_device *drm, void *data)
{
	struct spmm_slots *slots = data;

	cancel_work_sync(&slots->unpark);
	cancel_work_sync(&slots->look);
	if (slots->timeouts)
		destroy_workqueue(slots->timeouts);
	if (slots->workqueue)
		destroy_workqueue(slots->workqueue);
}

int spmm_slots_init(struct spmm_device *spmm)
{
	struct spmm_slots *slots;
	int ret;

	if (spmm->capabilities.queues < SPMM_QUEUE_FIRST ||
	    spmm->capabilities.slots <= SPMM_SLOT_FIRST)
		return -ENODEV;
	slots = drmm_kzalloc(&spmm->drm, sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return -ENOMEM;
	ret = drmm_mutex_init(&spmm->drm, &slots->lock);
	if (ret)
		return ret;
	slots->spmm = spmm;
	INIT_LIST_HEAD(&slots->waiters);
	INIT_LIST_HEAD(&slots->contexts);
	INIT_LIST_HEAD(&slots->with_memory);
	init_rwsem(&slots->doorbells);
	INIT_WORK(&slots->serve, serve_work);
	INIT_WORK(&slots->recover, spmm_recovery_work);
	INIT_WORK(&slots->look, spmm_recovery_look_work);
	slots->faults.notify = spmm_recovery_notify;
	INIT_WORK(&slots->unpark, spmm_user_queue_unpark_work);
	slots->workqueue =
		alloc_workqueue("spmm-jobs", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	slots->timeouts =
		alloc_ordered_workqueue("spmm-timeouts", WQ_MEM_RECLAIM);
	spmm->slots = slots;
	ret = drmm_add_action_or_reset(&spmm->drm, destroy_workqueues, slots);
	if (ret)
		return ret;
	if (!slots->workqueue || !slots->timeouts)
		return -ENOMEM;
	/* The vector of the admin queue tells of faults, too. */
	spmm_interrupt_listen(spmm, 0, &slots->faults);
	return 0;
}
