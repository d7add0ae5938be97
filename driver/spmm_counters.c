// SPDX-License-Identifier: GPL-2.0-only
/* Performance counters of the device: of a slot, or of all. */
#include "spmm_counters.h"

#include "spmm_device.h"
#include "spmm_hw.h"

#include <drm/drm_managed.h>
#include <linux/spinlock.h>

/**
 * struct spmm_counters - access to the counters
 * @lock: from latching to the last read; also taken by perf, with interrupts off
 */
struct spmm_counters {
	raw_spinlock_t lock;
};

int spmm_counters_init(struct spmm_device *spmm)
{
	spmm->counters =
		drmm_kzalloc(&spmm->drm, sizeof(*spmm->counters), GFP_KERNEL);
	if (!spmm->counters)
		return -ENOMEM;
	raw_spin_lock_init(&spmm->counters->lock);
	return 0;
}

void spmm_counters_add(struct spmm_device *spmm, u32 slot, u64 *sums)
{
	unsigned long flags;
	u64 value;
	u32 i;

	raw_spin_lock_irqsave(&spmm->counters->lock, flags);
	spmm_hw_write32(spmm, SPMM_REG_COUNTER_LATCH, slot);
	for (i = 0; i < SPMM_COUNTER_COUNT; i++) {
		value = spmm_hw_peek64(spmm, SPMM_REG_COUNTER_BASE + 8 * i);
		if (value == U64_MAX)
			break;
		sums[i] += value;
	}
	raw_spin_unlock_irqrestore(&spmm->counters->lock, flags);
}

u64 spmm_counters_read(struct spmm_device *spmm, u32 slot,
		       enum spmm_counter counter)
{
	unsigned long flags;
	u64 value;

	raw_spin_lock_irqsave(&spmm->counters->lock, flags);
	spmm_hw_write32(spmm, SPMM_REG_COUNTER_LATCH, slot);
	value = spmm_hw_peek64(spmm, SPMM_REG_COUNTER_BASE + 8 * counter);
	raw_spin_unlock_irqrestore(&spmm->counters->lock, flags);
	return value == U64_MAX ? 0 : value;
}
