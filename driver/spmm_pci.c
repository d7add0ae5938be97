// SPDX-License-Identifier: GPL-2.0-only
/* How the device comes and goes. */
#include "spmm_pci.h"

#include "spmm_admin.h"
#include "spmm_counters.h"
#include "spmm_blit.h"
#include "spmm_device.h"
#include "spmm_device_memory.h"
#include "spmm_drv.h"
#include "spmm_hw.h"
#include "spmm_hwmon.h"
#include "spmm_interrupt.h"
#include "spmm_pmu.h"
#include "spmm_power.h"
#include "spmm_query.h"
#include "spmm_queue_ring.h"
#include "spmm_reset.h"
#include "spmm_slot.h"

#include <drm/drm_drv.h>
#include <drm/drm_print.h>
#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <spmm/registers.h>

static int map_registers(struct spmm_device *spmm)
{
	struct pci_dev *pdev = spmm->pdev;

	if (pci_resource_len(pdev, SPMM_BAR_REGISTERS) <
	    SPMM_BAR_REGISTERS_SIZE)
		return dev_err_probe(&pdev->dev, -ENODEV,
				     "BAR 0 is too small\n");
	spmm->registers =
		pcim_iomap_region(pdev, SPMM_BAR_REGISTERS, KBUILD_MODNAME);
	return PTR_ERR_OR_ZERO(spmm->registers);
}

/* A host that has no room for the window leaves it without an address. */
static int request_window(struct spmm_device *spmm)
{
	struct pci_dev *pdev = spmm->pdev;
	struct spmm_capabilities *capabilities = &spmm->capabilities;

	spmm->window_start = pci_resource_start(pdev, SPMM_BAR_MEMORY);
	if (!spmm->window_start)
		return 0;
	capabilities->window_bytes =
		min_t(u64, pci_resource_len(pdev, SPMM_BAR_MEMORY),
		      capabilities->memory_bytes);
	return pcim_request_region(pdev, SPMM_BAR_MEMORY, KBUILD_MODNAME);
}

static int enable_pci(struct spmm_device *spmm)
{
	struct pci_dev *pdev = spmm->pdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	return map_registers(spmm);
}

/* What needs no working device. */
static int init_rooms(struct spmm_device *spmm)
{
	int ret;

	ret = spmm_interrupts_init(spmm) ?: spmm_counters_init(spmm);
	if (ret)
		return ret;
	ret = spmm_memory_init(spmm)	   ?:
		      spmm_blit_init(spmm) ?:
					     spmm_slots_init(spmm);
	if (ret)
		return ret;
	return spmm_query_init(spmm);
}

/*
 * Whatever ran before us may have left the device at work: it is reset before it may
 * reach memory.
 */
static int bring_up(struct spmm_device *spmm)
{
	int ret;

	ret = spmm_hw_read_capabilities(spmm);
	if (ret)
		return ret;
	ret = request_window(spmm);
	if (ret)
		return ret;
	ret = spmm_hw_reset(spmm);
	if (ret)
		return ret;
	ret = init_rooms(spmm);
	if (ret)
		return ret;
	pci_set_master(spmm->pdev);
	ret = spmm_device_start(spmm);
	if (ret)
		return ret;
	/* For slot_reset: everything is as it shall be. */
	return pci_save_state(spmm->pdev);
}

/* The device works without them. */
static void init_observers(struct spmm_device *spmm)
{
	int ret;

	ret = spmm_hwmon_init(spmm);
	if (ret)
		drm_warn(&spmm->drm, "no sensors (%d)\n", ret);
	ret = spmm_pmu_init(spmm);
	if (ret)
		drm_warn(&spmm->drm, "no events for perf (%d)\n", ret);
}

int spmm_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	struct spmm_device *spmm;
	int ret;

	spmm = devm_drm_dev_alloc(dev, &spmm_drm_driver, struct spmm_device,
				  drm);
	if (IS_ERR(spmm))
		return PTR_ERR(spmm);
	spmm->pdev = pdev;
	pci_set_drvdata(pdev, spmm);
	atomic_set(&spmm->state, SPMM_DEVICE_RESETTING);

	ret = enable_pci(spmm);
	if (ret)
		return dev_err_probe(dev, ret, "cannot be reached\n");
	/* First of all: registers may say that the device is gone. */
	ret = spmm_reset_init(spmm) ?: spmm_admin_init(spmm);
	if (ret)
		return ret;

	ret = bring_up(spmm);
	if (ret) {
		dev_err_probe(dev, ret, "does not start\n");
		goto err_stop;
	}
	atomic_cmpxchg(&spmm->state, SPMM_DEVICE_RESETTING, SPMM_DEVICE_READY);
	spmm_hw_debugfs_init(spmm);
	ret = drm_dev_register(&spmm->drm, 0);
	if (ret)
		goto err_stop;
	init_observers(spmm);
	spmm_power_init(spmm);
	return 0;

err_stop:
	spmm_reset_fini(spmm);
	return ret;
}

/*
 * The device is stopped while its registers can still be reached, then it is unplugged: no
 * ioctl is in the middle of anything, mappings are gone. All else lives on until the
 * last file is closed.
 */
void spmm_pci_remove(struct pci_dev *pdev)
{
	struct spmm_device *spmm = pci_get_drvdata(pdev);

	spmm_pmu_fini(spmm);
	spmm_power_fini(spmm);
	spmm_reset_fini(spmm);
	drm_dev_unplug(&spmm->drm);
	spmm_queues_unplug(spmm);
	spmm_memory_unplug(spmm);
}

void spmm_pci_shutdown(struct pci_dev *pdev)
{
	spmm_reset_fini(pci_get_drvdata(pdev));
}
