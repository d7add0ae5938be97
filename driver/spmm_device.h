/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device: what probe found, and what the rooms of the module hang onto it.
 *
 * Locks, outermost first; nobody takes one to the left while holding one to the right.
 * Whoever has the first ones may wait for memory:
 *
 *   memory.objects_lock > reservation lock of an object > blit.window_lock
 *   memory.objects_lock > vm.lock
 *
 * Then come those on the way to the completion of fences. Nothing that may wait for memory
 * reclaim happens under them (GFP_NOWAIT, or allocated before):
 *
 *   queue.submit_lock > slots.lock > blit.lock > admin.lock > memory.lock (mutexes)
 *   > vector.lock > queue.lock (spinlocks)
 *
 * The worker that resets, and all others that fences wait for, say so to lockdep with
 * dma_fence_begin_signalling(). No lock is held while pages are pinned.
 */
#ifndef SPMM_DEVICE_H
#define SPMM_DEVICE_H

#include <drm/drm_device.h>
#include <drm/spmm_accel.h>
#include <linux/atomic.h>
#include <linux/types.h>

struct pci_dev;
struct spmm_admin;
struct spmm_blit;
struct spmm_coredump;
struct spmm_counters;
struct spmm_interrupts;
struct spmm_memory;
struct spmm_pmu;
struct spmm_reset;
struct spmm_slots;

/**
 * enum spmm_device_state - how far a device can be used
 * @SPMM_DEVICE_READY: works
 * @SPMM_DEVICE_RESETTING: a reset is under way: work waits for its end
 * @SPMM_DEVICE_ASLEEP: suspended
 * @SPMM_DEVICE_GONE: unplugged, dead or given up; it stays so
 */
enum spmm_device_state {
	SPMM_DEVICE_READY,
	SPMM_DEVICE_RESETTING,
	SPMM_DEVICE_ASLEEP,
	SPMM_DEVICE_GONE,
};

/**
 * struct spmm_capabilities - constants of the device, read once at probe
 * @queue_entries: largest ring
 * @queues: I/O queue pairs
 * @slots: address-space slots, 0 … @slots − 1, the first being the admin queue's
 * @doorbell_stride: bytes
 * @ready_timeout_ms: for enabling, disabling and a reset
 * @job_limit_ms: hard maximum of a command list's time
 * @memory_bytes: device memory
 * @window_bytes: of it, what BAR 2 shows
 * @clock_hz: of the device's cycles
 * @version: major << 16 | minor
 * @omitted: parts that the device lacks, SPMM_OMITTED_*
 */
struct spmm_capabilities {
	u32 queue_entries;
	u32 queues;
	u32 slots;
	u32 doorbell_stride;
	u32 ready_timeout_ms;
	u32 job_limit_ms;
	u64 memory_bytes;
	u64 window_bytes;
	u32 clock_hz;
	u32 version;
	u32 omitted;
};

/**
 * struct spmm_device - one accelerator
 * @drm: embeds this structure's lifetime: it lives until the last file is closed
 * @pdev: of the device; valid until remove
 * @registers: BAR 0; unmapped at remove: reached through spmm_hw.h only
 * @window_start: bus address of BAR 2 as the host's processors see it
 * @capabilities: constant after probe
 * @info: what DRM_SPMM_QUERY_DEVICE says, but for what changes; constant after probe
 * @state: enum spmm_device_state, changed by spmm_reset.c and spmm_power.c only
 * @resets: how often all was reset
 * @reset: resets
 * @admin: the admin queue
 * @interrupts: vectors and who listens to them
 * @slots: which context has which address-space slot and queue
 * @memory: device memory
 * @blit: the module's own context, which clears and moves device memory
 * @coredump: registers and queues before a reset
 * @counters: access to performance counters
 * @pmu: perf events
 */
struct spmm_device {
	struct drm_device drm;
	struct pci_dev *pdev;
	void __iomem *registers;
	phys_addr_t window_start;
	struct spmm_capabilities capabilities;
	struct drm_spmm_device_info info;
	atomic_t state;
	atomic_t resets;

	struct spmm_reset *reset;
	struct spmm_admin *admin;
	struct spmm_interrupts *interrupts;
	struct spmm_slots *slots;
	struct spmm_memory *memory;
	struct spmm_blit *blit;
	struct spmm_coredump *coredump;
	struct spmm_counters *counters;
	struct spmm_pmu *pmu;
};

static inline struct spmm_device *to_spmm(struct drm_device *drm)
{
	return container_of(drm, struct spmm_device, drm);
}

static inline bool spmm_device_is_gone(const struct spmm_device *spmm)
{
	return atomic_read(&spmm->state) == SPMM_DEVICE_GONE;
}

#endif
