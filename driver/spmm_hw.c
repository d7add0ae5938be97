// SPDX-License-Identifier: GPL-2.0-only
/* Registers: the only room that touches BAR 0. */
#include "spmm_hw.h"

#include "spmm_device.h"
#include "spmm_reset.h"
#include "spmm_trace.h"

#include <drm/drm_drv.h>
#include <drm/drm_print.h>
#include <linux/delay.h>
#include <linux/fault-inject.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <spmm/registers.h>

#define POLL_SLEEP_MIN_US 20
#define POLL_SLEEP_MAX_US 5000

/* A poll that it makes fail is as good as one that has waited in vain. */
static DECLARE_FAULT_ATTR(fail_poll);

void spmm_hw_debugfs_init(struct spmm_device *spmm)
{
	fault_create_debugfs_attr("fail_poll", spmm->drm.debugfs_root,
				  &fail_poll);
}

/*
 * No register is reached after drm_dev_unplug(), when the BAR may be unmapped, nor of a
 * device that is gone, nor while the PCI core has cut off its link because of an error:
 * that may end well. Ends with drm_dev_exit().
 */
static bool access_begin(struct spmm_device *spmm, int *index)
{
	if (spmm_device_is_gone(spmm) || pci_channel_offline(spmm->pdev))
		return false;
	return drm_dev_enter(&spmm->drm, index);
}

/* Counters and masks can hold all ones for a moment; the version cannot. */
static void check_presence(struct spmm_device *spmm)
{
	if (readl(spmm->registers + SPMM_REG_VERSION) == U32_MAX)
		spmm_device_mark_gone(spmm);
}

u32 spmm_hw_read32(struct spmm_device *spmm, u32 offset)
{
	u32 value = U32_MAX;
	int index;

	if (!access_begin(spmm, &index))
		return value;
	value = readl(spmm->registers + offset);
	if (value == U32_MAX)
		check_presence(spmm);
	drm_dev_exit(index);
	return value;
}

u64 spmm_hw_read64(struct spmm_device *spmm, u32 offset)
{
	u64 value = U64_MAX;
	int index;

	if (!access_begin(spmm, &index))
		return value;
	value = readq(spmm->registers + offset);
	if (value == U64_MAX)
		check_presence(spmm);
	drm_dev_exit(index);
	return value;
}

u64 spmm_hw_peek64(struct spmm_device *spmm, u32 offset)
{
	u64 value = U64_MAX;
	int index;

	if (!access_begin(spmm, &index))
		return value;
	value = readq(spmm->registers + offset);
	drm_dev_exit(index);
	return value;
}

void spmm_hw_write32(struct spmm_device *spmm, u32 offset, u32 value)
{
	int index;

	if (!access_begin(spmm, &index))
		return;
	writel(value, spmm->registers + offset);
	drm_dev_exit(index);
}

void spmm_hw_write64(struct spmm_device *spmm, u32 offset, u64 value)
{
	int index;

	if (!access_begin(spmm, &index))
		return;
	writeq(value, spmm->registers + offset);
	drm_dev_exit(index);
}

int spmm_hw_poll32(struct spmm_device *spmm, u32 offset, u32 mask, u32 value,
		   u32 timeout_ms)
{
	ktime_t start = ktime_get();
	ktime_t end = ktime_add_ms(start, timeout_ms);
	unsigned long sleep_us = POLL_SLEEP_MIN_US;
	u32 now;
	int ret;

	might_sleep();
	for (;;) {
		/* Before the read: after a long sleep a success still counts. */
		bool expired = ktime_after(ktime_get(), end);

		now = spmm_hw_read32(spmm, offset);
		if (now == U32_MAX)
			ret = -ENODEV;
		else if (should_fail(&fail_poll, 1))
			ret = -ETIMEDOUT;
		else if ((now & mask) == value)
			ret = 0;
		else if (expired)
			ret = -ETIMEDOUT;
		else
			ret = -EAGAIN;
		if (ret != -EAGAIN)
			break;
		usleep_range(sleep_us, 2 * sleep_us);
		sleep_us = min(2 * sleep_us, (unsigned long)POLL_SLEEP_MAX_US);
	}
	trace_spmm_poll(&spmm->drm, offset, mask, value, now,
			ktime_us_delta(ktime_get(), start), ret);
	return ret;
}

static u32 doorbell(const struct spmm_device *spmm, u32 queue)
{
	return SPMM_DOORBELL_BASE + queue * spmm->capabilities.doorbell_stride;
}

/* writel() orders the entries, which are in coherent memory, before the doorbell. */
void spmm_hw_ring_sq(struct spmm_device *spmm, u32 queue, u32 tail)
{
	spmm_hw_write32(spmm, doorbell(spmm, queue) + SPMM_DOORBELL_SQ_TAIL,
			tail);
}

void spmm_hw_ring_cq(struct spmm_device *spmm, u32 queue, u32 head)
{
	spmm_hw_write32(spmm, doorbell(spmm, queue) + SPMM_DOORBELL_CQ_HEAD,
			head);
}

u64 spmm_hw_progress(struct spmm_device *spmm, u32 queue)
{
	return spmm_hw_read64(spmm, SPMM_REG_PROGRESS(queue));
}

bool spmm_hw_is_fatal(struct spmm_device *spmm)
{
	return spmm_hw_read32(spmm, SPMM_REG_STATUS) & SPMM_STATUS_FATAL;
}

static void decode_cap(struct spmm_capabilities *capabilities, u64 cap)
{
	capabilities->queue_entries = (cap & SPMM_CAP_QUEUE_ENTRIES_MASK) + 1;
	capabilities->doorbell_stride =
		SZ_4K << (cap >> SPMM_CAP_DOORBELL_STRIDE_SHIFT & 0xf);
	capabilities->ready_timeout_ms =
		500 * (cap >> SPMM_CAP_READY_TIMEOUT_SHIFT & 0xff);
	capabilities->job_limit_ms =
		MSEC_PER_SEC * (cap >> SPMM_CAP_JOB_TIMEOUT_SHIFT & 0xff);
	capabilities->queues = cap >> SPMM_CAP_QUEUES_SHIFT & 0xff;
	capabilities->slots = cap >> SPMM_CAP_CONTEXTS_SHIFT & 0xff;
}

/* What the module relies on; a device that says otherwise is none that it can drive. */
static bool is_usable(const struct spmm_capabilities *capabilities)
{
	u64 doorbells_end =
		SPMM_DOORBELL_BASE +
		(u64)(capabilities->queues + 1) * capabilities->doorbell_stride;

	return capabilities->queues >= 2 &&
	       capabilities->queues <= SPMM_IO_QUEUES_MAX &&
	       capabilities->slots >= 2 && capabilities->queue_entries >= 64 &&
	       capabilities->ready_timeout_ms > 0 &&
	       capabilities->job_limit_ms > 0 && capabilities->clock_hz > 0 &&
	       PAGE_ALIGNED(capabilities->memory_bytes) &&
	       doorbells_end <= SPMM_BAR_REGISTERS_SIZE;
}

/*
 * Any minor version of the major one that is known here, and unknown bits of CAP, are fine:
 * what they add is not asked for. What is left out has to be known.
 */
static bool speaks_our_language(struct spmm_device *spmm)
{
	u32 version = spmm->capabilities.version;
	u32 omitted = spmm->capabilities.omitted;

	if (SPMM_VERSION_MAJOR(version) !=
	    SPMM_VERSION_MAJOR(SPMM_VERSION_1_0)) {
		drm_err(&spmm->drm,
			"the device's interface is version %u.%u; this module knows %u.x\n",
			SPMM_VERSION_MAJOR(version),
			SPMM_VERSION_MINOR(version),
			SPMM_VERSION_MAJOR(SPMM_VERSION_1_0));
		return false;
	}
	if (omitted & ~SPMM_OMITTED_KNOWN) {
		drm_err(&spmm->drm,
			"the device lacks parts (%#x) that this module does not know to do without\n",
			omitted & ~SPMM_OMITTED_KNOWN);
		return false;
	}
	return true;
}

int spmm_hw_read_capabilities(struct spmm_device *spmm)
{
	struct spmm_capabilities *capabilities = &spmm->capabilities;
	u64 cap = spmm_hw_read64(spmm, SPMM_REG_CAP);

	if (cap == U64_MAX)
		return -ENODEV;
	decode_cap(capabilities, cap);
	capabilities->version = spmm_hw_read32(spmm, SPMM_REG_VERSION);
	capabilities->omitted = spmm_hw_read32(spmm, SPMM_REG_OMITTED);
	capabilities->clock_hz = spmm_hw_read32(spmm, SPMM_REG_CLOCK_HZ);
	capabilities->memory_bytes =
		spmm_hw_read64(spmm, SPMM_REG_MEMORY_BYTES);
	if (spmm_device_is_gone(spmm))
		return -ENODEV;
	if (!speaks_our_language(spmm))
		return -EOPNOTSUPP;
	if (!is_usable(capabilities)) {
		drm_err(&spmm->drm, "device of version %#x, CAP %#llx\n",
			capabilities->version, cap);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int wait_status(struct spmm_device *spmm, u32 mask, u32 value)
{
	return spmm_hw_poll32(spmm, SPMM_REG_STATUS, mask, value,
			      spmm->capabilities.ready_timeout_ms);
}

int spmm_hw_enable(struct spmm_device *spmm)
{
	int ret;

	spmm_hw_write32(spmm, SPMM_REG_CONTROL, SPMM_CONTROL_ENABLE);
	ret = wait_status(spmm, SPMM_STATUS_BUSY, 0);
	if (ret)
		return ret;
	/* FATAL in place of READY: the rings that spmm_admin_start() wrote are bad. */
	return wait_status(spmm, SPMM_STATUS_READY | SPMM_STATUS_FATAL,
			   SPMM_STATUS_READY);
}

int spmm_hw_disable(struct spmm_device *spmm)
{
	int ret;

	spmm_hw_write32(spmm, SPMM_REG_CONTROL, 0);
	ret = wait_status(spmm, SPMM_STATUS_READY | SPMM_STATUS_BUSY, 0);
	if (ret)
		return ret;
	/* FATAL stays, and nothing but a reset clears it. */
	return spmm_hw_read32(spmm, SPMM_REG_STATUS) ? -EIO : 0;
}

int spmm_hw_reset(struct spmm_device *spmm)
{
	spmm_hw_write32(spmm, SPMM_REG_RESET, SPMM_RESET_MAGIC);
	return wait_status(spmm, U32_MAX, 0);
}
