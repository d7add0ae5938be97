// SPDX-License-Identifier: GPL-2.0-only
/* Runtime and system power management. */
#include "spmm_power.h"

#include "spmm_device.h"
#include "spmm_device_memory.h"
#include "spmm_reset.h"
#include "spmm_slot.h"

#include <drm/drm_print.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#define AUTOSUSPEND_MS 1000
/* What jobs are given to end before the system sleeps. */
#define DRAIN_MS 2000

void spmm_power_init(struct spmm_device *spmm)
{
	struct device *dev = &spmm->pdev->dev;

	pm_runtime_set_autosuspend_delay(dev, AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_allow(dev);
	/* Gives back what the PCI core holds for the time of probe. */
	spmm_power_put(spmm);
}

void spmm_power_fini(struct spmm_device *spmm)
{
	struct device *dev = &spmm->pdev->dev;

	/* Also if it does not wake up any more: the PCI core takes over. */
	pm_runtime_get_sync(dev);
	pm_runtime_forbid(dev);
	pm_runtime_dont_use_autosuspend(dev);
}

int spmm_power_get(struct spmm_device *spmm)
{
	return pm_runtime_resume_and_get(&spmm->pdev->dev);
}

/* An error means that this kernel lets no device sleep. */
bool spmm_power_get_if_awake(struct spmm_device *spmm)
{
	int ret = pm_runtime_get_if_active(&spmm->pdev->dev);

	if (ret < 0)
		pm_runtime_get_noresume(&spmm->pdev->dev);
	return ret != 0;
}

void spmm_power_put(struct spmm_device *spmm)
{
	pm_runtime_mark_last_busy(&spmm->pdev->dev);
	pm_runtime_put_autosuspend(&spmm->pdev->dev);
}

static bool is_asleep(struct spmm_device *spmm)
{
	return atomic_read(&spmm->state) == SPMM_DEVICE_ASLEEP;
}

/* From now on what is new has to wait. Return: whether the device can go to sleep at all. */
static bool close_eyes(struct spmm_device *spmm)
{
	return atomic_cmpxchg(&spmm->state, SPMM_DEVICE_READY,
			      SPMM_DEVICE_ASLEEP) == SPMM_DEVICE_READY;
}

/* And now it goes on; nothing if the device is gone. */
static void open_eyes(struct spmm_device *spmm)
{
	if (atomic_cmpxchg(&spmm->state, SPMM_DEVICE_ASLEEP,
			   SPMM_DEVICE_READY) == SPMM_DEVICE_ASLEEP)
		spmm_slots_restart(spmm);
}

/* What the device holds is lost in D3. */
static void fall_asleep(struct spmm_device *spmm)
{
	/* Whatever does not stop does not write to memory that others will have. */
	if (spmm_device_stop(spmm))
		pci_clear_master(spmm->pdev);
	spmm_slots_forget(spmm);
}

/* Return: 0, or -ENODEV: it has not woken up. */
static int rouse(struct spmm_device *spmm)
{
	if (!spmm_device_restart(spmm))
		return 0;
	spmm_device_mark_gone(spmm);
	return -ENODEV;
}

static int runtime_suspend(struct device *dev)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);

	spmm_reset_block(spmm);
	if (close_eyes(spmm))
		fall_asleep(spmm);
	return 0;
}

static int runtime_resume(struct device *dev)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);

	if (is_asleep(spmm) && !rouse(spmm))
		open_eyes(spmm);
	spmm_reset_unblock(spmm);
	return 0;
}

/* Jobs that do not end in time are victims, and user queues are evicted. */
static int save(struct spmm_device *spmm)
{
	int ret;

	if (spmm_slots_drain(spmm, DRAIN_MS))
		drm_warn(&spmm->drm, "jobs do not end: they are lost\n");
	ret = spmm_slots_evict_all(spmm);
	return ret ?: spmm_memory_save(spmm);
}

static int system_suspend(struct device *dev)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);
	int ret;

	spmm_reset_block(spmm);
	if (!close_eyes(spmm))
		return 0;
	ret = save(spmm);
	if (!ret) {
		fall_asleep(spmm);
		return 0;
	}
	drm_err(&spmm->drm, "cannot be put to sleep (%d)\n", ret);
	open_eyes(spmm);
	spmm_reset_unblock(spmm);
	/* Unblocking forgets what was asked for. */
	spmm_reset_schedule(spmm, "no answer before sleep");
	return ret;
}

static int system_resume(struct device *dev)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);
	int ret = 0;

	if (is_asleep(spmm) && !rouse(spmm)) {
		ret = spmm_memory_restore(spmm);
		if (ret) {
			drm_err(&spmm->drm, "memory is lost (%d)\n", ret);
			spmm_memory_lost(spmm);
		}
		open_eyes(spmm);
	}
	spmm_reset_unblock(spmm);
	if (ret)
		spmm_reset_schedule(spmm, "no answer after sleep");
	return 0;
}

const struct dev_pm_ops spmm_power_ops = {
	SYSTEM_SLEEP_PM_OPS(system_suspend, system_resume)
		RUNTIME_PM_OPS(runtime_suspend, runtime_resume, NULL)
};
