// SPDX-License-Identifier: GPL-2.0-only
/* Resets of the whole device, and its end. */
#include "spmm_reset.h"

#include "spmm_admin.h"
#include "spmm_coredump.h"
#include "spmm_blit.h"
#include "spmm_device.h"
#include "spmm_device_memory.h"
#include "spmm_hw.h"
#include "spmm_power.h"
#include "spmm_slot.h"
#include "spmm_trace.h"

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/pci.h>
#include <linux/workqueue.h>
#include <spmm/queue.h>

/* The PCI core gives a function a minute to come back from its reset. */
#define ABANDON_MS 75000

/* Of spmm_reset.events: what user space is to be told. */
#define EVENT_RESET 0
#define EVENT_GONE 1

/**
 * struct spmm_reset - resets, and the end of the device; one thread does them all
 * @spmm: its device
 * @workqueue: fences wait for it
 * @work: a reset, or what is left to do for a device that is gone
 * @report: tells user space of what happened: after it, since that waits for memory
 * @events: EVENT_ bits that it has to tell
 * @why: of the reset that is asked for; NULL if none is
 * @prepared: between spmm_reset_prepare() and spmm_reset_done() or @abandon
 * @abandon: gives up when the latter does not come
 */
struct spmm_reset {
	struct spmm_device *spmm;
	struct workqueue_struct *workqueue;
	struct work_struct work;
	struct work_struct report;
	unsigned long events;
	const char *why;
	bool prepared;
	struct delayed_work abandon;
};

int spmm_device_start(struct spmm_device *spmm)
{
	struct spmm_fault_record record;
	int ret;

	spmm_admin_start(spmm);
	ret = spmm_hw_enable(spmm);
	if (ret)
		return ret;
	ret = spmm_admin_get_log(spmm, 0, &record, 1);
	return ret < 0 ? ret : spmm_blit_start(spmm);
}

int spmm_device_stop(struct spmm_device *spmm)
{
	spmm_blit_stop(spmm);
	spmm_admin_stop(spmm);
	return spmm_hw_disable(spmm);
}

static int restart(struct spmm_device *spmm)
{
	int ret;

	ret = spmm_hw_reset(spmm);
	if (ret)
		return ret;
	/* Taken from one that did not stop; it has nothing to write any more. */
	pci_set_master(spmm->pdev);
	return spmm_device_start(spmm);
}

/* What went wrong once may have been put right by the reset that follows it. */
int spmm_device_restart(struct spmm_device *spmm)
{
	int ret;

	ret = restart(spmm);
	if (ret && !spmm_device_is_gone(spmm))
		ret = restart(spmm);
	return ret;
}

static bool change_state(struct spmm_device *spmm, enum spmm_device_state from,
			 enum spmm_device_state to)
{
	return atomic_cmpxchg(&spmm->state, from, to) == from;
}

/* Stop by the mildest means that works. Return: 1 if device memory is lost by it. */
static int stop(struct spmm_device *spmm)
{
	int ret;

	ret = spmm_device_stop(spmm);
	if (!ret)
		return 0;
	drm_warn(&spmm->drm, "no answer to being disabled (%d)\n", ret);
	ret = spmm_hw_reset(spmm);
	return ret ?: 1;
}

/* Return: 1 if device memory is lost by it. */
static int start(struct spmm_device *spmm)
{
	int ret;

	ret = spmm_device_start(spmm);
	if (!ret)
		return 0;
	drm_warn(&spmm->drm, "cannot be enabled (%d)\n", ret);
	spmm_admin_stop(spmm);
	ret = spmm_hw_reset(spmm);
	return ret ?: (spmm_device_start(spmm) ?: 1);
}

/* Nobody holds anything of the device any more; when it is gone, nobody will. */
static void forget(struct spmm_device *spmm)
{
	/* A probe that fails early has none. */
	if (spmm->slots) {
		spmm_slots_forget(spmm);
		if (spmm_device_is_gone(spmm))
			spmm_slots_restart(spmm);
	}
	spmm_memory_release_kept(spmm);
}

/*
 * As of Documentation/gpu/drm-uapi.rst, "Device Wedging". drm_dev_wedged_event() is not for
 * accel devices: it follows drm->primary, which is NULL.
 */
static void send_wedged_event(struct spmm_device *spmm, char *event)
{
	char *environment[2] = { event };

	kobject_uevent_env(&spmm->drm.accel->kdev->kobj, KOBJ_CHANGE,
			   environment);
}

static void report_work(struct work_struct *work)
{
	struct spmm_reset *reset =
		container_of(work, struct spmm_reset, report);
	struct spmm_device *spmm = reset->spmm;
	int index;

	if (!drm_dev_enter(&spmm->drm, &index))
		return;
	spmm_coredump_publish(spmm);
	if (test_and_clear_bit(EVENT_RESET, &reset->events))
		send_wedged_event(spmm, "WEDGED=none");
	if (test_and_clear_bit(EVENT_GONE, &reset->events))
		send_wedged_event(spmm, "WEDGED=rebind,bus-reset");
	drm_dev_exit(index);
}

static void report(struct spmm_device *spmm, u32 event)
{
	set_bit(event, &spmm->reset->events);
	queue_work(system_unbound_wq, &spmm->reset->report);
}

static void resume_work(struct spmm_device *spmm, bool memory_lost)
{
	atomic_inc(&spmm->resets);
	/* Again: for who has found out only now that there was no answer. */
	spmm_memory_release_kept(spmm);
	if (memory_lost)
		spmm_memory_lost(spmm);
	/* What was asked for meanwhile is about the time before. */
	xchg(&spmm->reset->why, NULL);
	if (!change_state(spmm, SPMM_DEVICE_RESETTING, SPMM_DEVICE_READY))
		return;
	drm_info(&spmm->drm, "was reset%s\n",
		 memory_lost ? ", its memory is lost" : "");
	spmm_slots_restart(spmm);
	report(spmm, EVENT_RESET);
}

static void execute_reset(struct spmm_device *spmm, const char *why)
{
	int stopped, started;

	/* A device that sleeps starts anew when it wakes up. */
	if (!change_state(spmm, SPMM_DEVICE_READY, SPMM_DEVICE_RESETTING))
		return;
	drm_err(&spmm->drm, "reset: %s\n", why);
	trace_spmm_reset(&spmm->drm, why);
	spmm_coredump_take_registers(spmm, why);

	stopped = stop(spmm);
	spmm_coredump_take_queues(spmm);
	if (stopped >= 0) {
		forget(spmm);
		started = start(spmm);
	}
	if (stopped < 0 || started < 0)
		spmm_device_mark_gone(spmm);
	else
		resume_work(spmm, stopped || started);
}

/* What cannot be done in the context that found the device gone. */
static void finish_gone(struct spmm_device *spmm)
{
	/* Whatever it is now, it does not write to memory that others will have. */
	pci_clear_master(spmm->pdev);
	forget(spmm);
	report(spmm, EVENT_GONE);
}

static void reset_work(struct work_struct *work)
{
	struct spmm_reset *reset = container_of(work, struct spmm_reset, work);
	struct spmm_device *spmm = reset->spmm;
	const char *why = xchg(&reset->why, NULL);
	bool cookie;
	int index;

	if (!drm_dev_enter(&spmm->drm, &index))
		return;
	cookie = dma_fence_begin_signalling();
	if (why && spmm_power_get_if_awake(spmm)) {
		execute_reset(spmm, why);
		spmm_power_put(spmm);
	}
	if (spmm_device_is_gone(spmm))
		finish_gone(spmm);
	dma_fence_end_signalling(cookie);
	drm_dev_exit(index);
}

/* The PCI core does not tell when it cannot bring a link back. */
static void abandon_work(struct work_struct *work)
{
	struct spmm_reset *reset =
		container_of(work, struct spmm_reset, abandon.work);

	if (!xchg(&reset->prepared, false))
		return;
	spmm_device_mark_gone(reset->spmm);
	spmm_reset_unblock(reset->spmm);
}

static void destroy_works(struct drm_device *drm, void *data)
{
	struct spmm_reset *reset = data;

	destroy_workqueue(reset->workqueue);
	cancel_work_sync(&reset->report);
}

int spmm_reset_init(struct spmm_device *spmm)
{
	struct spmm_reset *reset;

	reset = drmm_kzalloc(&spmm->drm, sizeof(*reset), GFP_KERNEL);
	if (!reset)
		return -ENOMEM;
	reset->spmm = spmm;
	INIT_WORK(&reset->work, reset_work);
	INIT_WORK(&reset->report, report_work);
	INIT_DELAYED_WORK(&reset->abandon, abandon_work);
	reset->workqueue =
		alloc_ordered_workqueue("spmm-reset", WQ_MEM_RECLAIM);
	if (!reset->workqueue)
		return -ENOMEM;
	spmm->reset = reset;
	return drmm_add_action_or_reset(&spmm->drm, destroy_works, reset) ?:
		       spmm_coredump_init(spmm);
}

void spmm_reset_schedule(struct spmm_device *spmm, const char *why)
{
	struct spmm_reset *reset = spmm->reset;

	if (spmm_device_is_gone(spmm))
		return;
	/* The first one's reason is what the others follow from. */
	cmpxchg(&reset->why, NULL, why);
	queue_work(reset->workqueue, &reset->work);
}

void spmm_reset_wait(struct spmm_device *spmm)
{
	flush_work(&spmm->reset->work);
}

void spmm_reset_block(struct spmm_device *spmm)
{
	disable_work_sync(&spmm->reset->work);
}

void spmm_reset_unblock(struct spmm_device *spmm)
{
	struct spmm_reset *reset = spmm->reset;

	/* What was asked for meanwhile is done by what happened meanwhile. */
	xchg(&reset->why, NULL);
	enable_work(&reset->work);
	if (spmm_device_is_gone(spmm))
		queue_work(reset->workqueue, &reset->work);
}

/* For somebody else's reset of the function; ends with spmm_reset_unblock(). */
static void quiesce(struct spmm_device *spmm)
{
	spmm_reset_block(spmm);
	if (!change_state(spmm, SPMM_DEVICE_READY, SPMM_DEVICE_RESETTING))
		return;
	/* It may go on until it is reset, but not write to memory that others will have. */
	if (spmm_device_stop(spmm))
		pci_clear_master(spmm->pdev);
	forget(spmm);
}

void spmm_reset_prepare(struct spmm_device *spmm)
{
	struct spmm_reset *reset = spmm->reset;

	/* A second error of the link before its reset: blocked once, unblocked once. */
	if (!xchg(&reset->prepared, true))
		quiesce(spmm);
	cancel_delayed_work(&reset->abandon);
	schedule_delayed_work(&reset->abandon, msecs_to_jiffies(ABANDON_MS));
}

int spmm_reset_done(struct spmm_device *spmm)
{
	int ret = -ENODEV;

	cancel_delayed_work_sync(&spmm->reset->abandon);
	/* Reset for the sake of another function, without a warning; or too late. */
	if (!xchg(&spmm->reset->prepared, false))
		quiesce(spmm);

	if (atomic_read(&spmm->state) == SPMM_DEVICE_RESETTING) {
		ret = spmm_device_restart(spmm);
		if (ret)
			spmm_device_mark_gone(spmm);
		else
			resume_work(spmm, true);
	}
	spmm_reset_unblock(spmm);
	return ret;
}

void spmm_reset_fini(struct spmm_device *spmm)
{
	cancel_delayed_work_sync(&spmm->reset->abandon);
	disable_work_sync(&spmm->reset->work);
	change_state(spmm, SPMM_DEVICE_READY, SPMM_DEVICE_RESETTING);
	spmm_device_stop(spmm);
	pci_clear_master(spmm->pdev);
	atomic_set(&spmm->state, SPMM_DEVICE_GONE);
	/* Again: who waits for a restart looks at the state when he is woken. */
	spmm_blit_stop(spmm);
	spmm_admin_stop(spmm);
	forget(spmm);
	/* While there is a node to tell it of. */
	flush_work(&spmm->reset->report);
}

void spmm_device_mark_gone(struct spmm_device *spmm)
{
	if (atomic_xchg(&spmm->state, SPMM_DEVICE_GONE) == SPMM_DEVICE_GONE)
		return;
	drm_err(&spmm->drm, "device is gone\n");
	spmm_blit_stop(spmm);
	spmm_admin_stop(spmm);
	queue_work(spmm->reset->workqueue, &spmm->reset->work);
}
