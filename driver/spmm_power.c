// SPDX-License-Identifier: GPL-2.0-only
/* Runtime and system power management. */
#include "spmm_power.h"

#include "spmm_device.h"
#include "spmm_device_memory.h"
#include "spmm_hw.h"
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

/* What the device holds is lost in D3. Jobs that do not end in time are victims. */
static void fall_asleep(struct spmm_device *spmm)
{
	if (atomic_cmpxchg(&spmm->state, SPMM_DEVICE_READY,
			   SPMM_DEVICE_ASLEEP) != SPMM_DEVICE_READY)
		return;
	spmm_slots_drain(spmm, DRAIN_MS);
	spmm_device_stop(spmm);
	spmm_slots_forget(spmm);
}

static void wake_up_device(struct spmm_device *spmm)
{
	if (atomic_read(&spmm->state) != SPMM_DEVICE_ASLEEP)
		return;
	if (spmm_hw_reset(spmm) || spmm_device_start(spmm)) {
		spmm_device_mark_gone(spmm);
		return;
	}
	atomic_cmpxchg(&spmm->state, SPMM_DEVICE_ASLEEP, SPMM_DEVICE_READY);
	spmm_slots_restart(spmm);
}

static int runtime_suspend(struct device *dev)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);

	spmm_reset_block(spmm);
	fall_asleep(spmm);
	return 0;
}

static int runtime_resume(struct device *dev)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);

	wake_up_device(spmm);
	spmm_reset_unblock(spmm);
	return 0;
}

static int system_suspend(struct device *dev)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);
	int ret = 0;

	spmm_reset_block(spmm);
	if (!spmm_device_is_gone(spmm))
		ret = spmm_memory_save(spmm);
	if (!ret) {
		fall_asleep(spmm);
		return 0;
	}
	drm_err(&spmm->drm, "its memory cannot be saved (%d)\n", ret);
	spmm_reset_unblock(spmm);
	/* Unblocking forgets what was asked for. */
	spmm_reset_schedule(spmm, "no answer before sleep");
	return ret;
}

static int system_resume(struct device *dev)
{
	struct spmm_device *spmm = dev_get_drvdata(dev);
	int ret = 0;

	wake_up_device(spmm);
	if (!spmm_device_is_gone(spmm))
		ret = spmm_memory_restore(spmm);
	spmm_reset_unblock(spmm);
	if (ret) {
		drm_err(&spmm->drm, "its memory is lost (%d)\n", ret);
		spmm_memory_lost(spmm);
		spmm_reset_schedule(spmm, "no answer after sleep");
	}
	return 0;
}

const struct dev_pm_ops spmm_power_ops = {
	SYSTEM_SLEEP_PM_OPS(system_suspend, system_resume)
		RUNTIME_PM_OPS(runtime_suspend, runtime_resume, NULL)
};
