// SPDX-License-Identifier: GPL-2.0-only
#include "spmm_blit.h"

#include "spmm_admin.h"
#include "spmm_bo.h"
#include "spmm_device.h"
#include "spmm_hw.h"
#include "spmm_interrupt.h"
#include "spmm_layout.h"
#include "spmm_page_table.h"
#include "spmm_reset.h"
#include "spmm_ring.h"

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <spmm/page_table.h>
#include <spmm/queue.h>
#include <spmm/registers.h>
#include <spmm/status.h>

#define SPMM_BLIT_ENTRIES 64
#define SPMM_BLIT_PRIORITY 3

/*
 * Addresses in the module's context: device memory as it is, then the rings, zeros to
 * copy from (one page, many times), and the window that host pages come and go in.
 */
#define SPMM_BLIT_SQ (SPMM_QUEUE_AREA(0) + SPMM_QUEUE_SQ_OFFSET)
#define SPMM_BLIT_CQ (SPMM_QUEUE_AREA(0) + SPMM_QUEUE_CQ_OFFSET)
#define SPMM_BLIT_ZEROS SPMM_QUEUE_AREA(1)
#define SPMM_BLIT_ZEROS_BYTES SZ_2M
#define SPMM_BLIT_HOST SPMM_QUEUE_AREA(2)
/* As many commands for zeros as a ring takes, and one for host pages. */
#define SPMM_BLIT_STEP (SPMM_BLIT_ZEROS_BYTES * 32ull)

#define SPMM_BLIT_STALL_MS 2000
#define SPMM_BLIT_RESTART_MS 30000
#define SPMM_BLIT_TRIES 3

/**
 * struct spmm_blit_memory - what the device reads and writes for the module
 * @sq: submission ring
 * @cq: completion ring
 * @zeros: a page of them
 */
struct spmm_blit_memory {
	struct spmm_sqe sq[SPMM_BLIT_ENTRIES];
	struct spmm_cqe cq[SPMM_PAGE_SIZE / sizeof(struct spmm_cqe)];
	u8 zeros[SPMM_PAGE_SIZE];
};

static_assert(offsetof(struct spmm_blit_memory, cq) == SPMM_PAGE_SIZE);
static_assert(offsetof(struct spmm_blit_memory, zeros) == 2 * SPMM_PAGE_SIZE);

/**
 * struct spmm_blit - the module's own context
 * @window_lock: one user at a time: of the table, and of the window that it maps; taken
 *	with an object's reservation lock held, and tables are allocated under it
 * @lock: of the rings and what follows; resets take it
 * @spmm: device
 * @memory: rings and zeros
 * @bus: their bus address
 * @table: page table; under @window_lock
 * @ring: state of the rings
 * @pending: commands on the device
 * @failed: enum spmm_status of the first of them that failed
 * @running: the device has slot and queue; cleared without the lock
 * @wait: for completions, and for @running
 * @listener: of the queue's interrupts
 */
struct spmm_blit {
	struct mutex window_lock; /* see spmm_device.h for both */
	struct mutex lock; /* see above */
	struct spmm_device *spmm;
	struct spmm_blit_memory *memory;
	dma_addr_t bus;
	struct spmm_page_table *table;
	struct spmm_ring ring;
	u32 pending;
	u32 failed;
	bool running;
	wait_queue_head_t wait;
	struct spmm_interrupt_listener listener;
};

/**
 * struct spmm_blit_copy - what is to be done
 * @device: offset into device memory
 * @length: bytes
 * @host: whose pages, or NULL to clear
 * @host_offset: into them
 * @to_host: from device memory to the pages
 */
struct spmm_blit_copy {
	u64 device;
	u64 length;
	struct spmm_bo *host;
	u64 host_offset;
	bool to_host;
};

static void spmm_blit_notify(struct spmm_interrupt_listener *listener)
{
	struct spmm_blit *blit =
		container_of(listener, struct spmm_blit, listener);

	wake_up_all(&blit->wait);
}

/* Entries of what stays: device memory, rings and zeros. */
static int spmm_blit_map(struct spmm_blit *blit)
{
	const u64 memory =
		round_down(blit->spmm->capabilities.memory_bytes, PAGE_SIZE);
	const u64 both = SPMM_PTE_READ | SPMM_PTE_WRITE;
	u64 offset;
	int ret = 0;

	if (memory > DRM_SPMM_ADDRESS_LIMIT)
		return -EINVAL;
	if (memory)
		ret = spmm_page_table_map(blit->table, 0, 0, memory,
					  both | SPMM_PTE_DEVICE);
	if (!ret)
		ret = spmm_page_table_map(blit->table, SPMM_BLIT_SQ, blit->bus,
					  SPMM_PAGE_SIZE, SPMM_PTE_READ);
	if (!ret)
		ret = spmm_page_table_map(blit->table, SPMM_BLIT_CQ,
					  blit->bus + SPMM_PAGE_SIZE,
					  SPMM_PAGE_SIZE, SPMM_PTE_WRITE);
	for (offset = 0; !ret && offset < SPMM_BLIT_ZEROS_BYTES;
	     offset += SPMM_PAGE_SIZE)
		ret = spmm_page_table_map(blit->table, SPMM_BLIT_ZEROS + offset,
					  blit->bus + 2 * SPMM_PAGE_SIZE,
					  SPMM_PAGE_SIZE, SPMM_PTE_READ);
	return ret;
}

static void spmm_blit_destroy_table(void *data)
{
	spmm_page_table_destroy(data);
}

/*
 * What the device reaches is managed by the struct device: it ends with the binding, while
 * struct spmm_blit, stopped by then, lives as long as the DRM device.
 */
int spmm_blit_init(struct spmm_device *spmm)
{
	struct device *dev = spmm->drm.dev;
	struct spmm_blit *blit;
	int ret;

	blit = drmm_kzalloc(&spmm->drm, sizeof(*blit), GFP_KERNEL);
	if (!blit)
		return -ENOMEM;
	ret = drmm_mutex_init(&spmm->drm, &blit->window_lock) ?:
		      drmm_mutex_init(&spmm->drm, &blit->lock);
	if (ret)
		return ret;
	blit->spmm = spmm;
	blit->listener.notify = spmm_blit_notify;
	init_waitqueue_head(&blit->wait);
	blit->memory = dmam_alloc_coherent(dev, sizeof(*blit->memory),
					   &blit->bus, GFP_KERNEL);
	if (!blit->memory)
		return -ENOMEM;
	blit->table = spmm_page_table_create(dev);
	if (!blit->table)
		return -ENOMEM;
	ret = devm_add_action_or_reset(dev, spmm_blit_destroy_table,
				       blit->table);
	if (ret)
		return ret;
	ret = spmm_blit_map(blit);
	if (ret)
		return ret;
	spmm->blit = blit;
	spmm_interrupt_listen(spmm, SPMM_BLIT_QUEUE, &blit->listener);
	return 0;
}

static int spmm_blit_create_queue(struct spmm_blit *blit)
{
	struct spmm_device *spmm = blit->spmm;
	u32 vector = spmm_interrupt_vector(spmm, SPMM_BLIT_QUEUE);
	u64 root = spmm_page_table_root(blit->table);
	int ret;

	ret = spmm_admin_create_context(spmm, SPMM_BLIT_SLOT);
	if (!ret)
		ret = spmm_admin_set_page_table(spmm, SPMM_BLIT_SLOT, root);
	if (!ret)
		ret = spmm_admin_create_cq(spmm, SPMM_BLIT_QUEUE,
					   SPMM_BLIT_SLOT, SPMM_BLIT_CQ,
					   SPMM_BLIT_ENTRIES, vector);
	if (!ret)
		ret = spmm_admin_create_sq(spmm, SPMM_BLIT_QUEUE,
					   SPMM_BLIT_SLOT, SPMM_BLIT_SQ,
					   SPMM_BLIT_ENTRIES,
					   SPMM_BLIT_PRIORITY);
	return ret;
}

int spmm_blit_start(struct spmm_device *spmm)
{
	struct spmm_blit *blit = spmm->blit;
	int ret;

	mutex_lock(&blit->lock);
	spmm_ring_init(&blit->ring, SPMM_BLIT_ENTRIES);
	memset(blit->memory->cq, 0, sizeof(blit->memory->cq));
	blit->pending = 0;
	ret = spmm_blit_create_queue(blit);
	if (!ret)
		WRITE_ONCE(blit->running, true);
	mutex_unlock(&blit->lock);
	wake_up_all(&blit->wait);
	return ret;
}

void spmm_blit_stop(struct spmm_device *spmm)
{
	struct spmm_blit *blit = spmm->blit;

	if (!blit)
		return;
	WRITE_ONCE(blit->running, false);
	wake_up_all(&blit->wait);
}

const struct spmm_ring *spmm_blit_ring(const struct spmm_device *spmm)
{
	return &spmm->blit->ring;
}

static void spmm_blit_push(struct spmm_blit *blit, u64 from, u64 to, u64 length)
{
	u32 omitted = blit->spmm->capabilities.omitted;
	struct spmm_sqe *entry = &blit->memory->sq[spmm_ring_push(&blit->ring)];

	*entry = (struct spmm_sqe){
		.opcode = SPMM_IO_COPY,
		/* Not what its next user will want to find in the SRAM. */
		.flags = omitted & SPMM_OMITTED_STREAM ? 0 : SPMM_SQE_STREAM,
		.address = cpu_to_le64(from),
		.destination = cpu_to_le64(to),
		.length = cpu_to_le64(length),
	};
	blit->pending++;
}

/* Take what has completed. Return: whether nothing is left to wait for. */
static bool spmm_blit_reap(struct spmm_blit *blit)
{
	u32 before = blit->pending;

	while (blit->pending > 0) {
		const struct spmm_cqe *entry =
			&blit->memory->cq[blit->ring.cq_head];
		u16 status = le16_to_cpu(READ_ONCE(entry->status));

		if (!spmm_ring_is_new(&blit->ring, status))
			break;
		/* The rest of the entry is read after the phase. */
		dma_rmb();
		if (spmm_ring_take(&blit->ring, le16_to_cpu(entry->sq_head)))
			blit->failed = SPMM_SC_INTERNAL;
		if (status >> 1 && !blit->failed)
			blit->failed = status >> 1;
		blit->pending--;
	}
	if (blit->pending != before)
		spmm_hw_ring_cq(blit->spmm, SPMM_BLIT_QUEUE,
				blit->ring.cq_head);
	return blit->pending == 0;
}

static bool spmm_blit_is_over(struct spmm_blit *blit)
{
	return !READ_ONCE(blit->running) || spmm_blit_reap(blit);
}

/* As long as the queue's work moves, up to the device's hard limit. */
static int spmm_blit_wait(struct spmm_blit *blit)
{
	struct spmm_device *spmm = blit->spmm;
	unsigned long limit =
		jiffies + msecs_to_jiffies(spmm->capabilities.job_limit_ms);
	u64 before, progress = spmm_hw_progress(spmm, SPMM_BLIT_QUEUE);

	do {
		if (wait_event_timeout(blit->wait, spmm_blit_is_over(blit),
				       msecs_to_jiffies(SPMM_BLIT_STALL_MS)))
			return READ_ONCE(blit->running) ? 0 : -ECANCELED;
		before = progress;
		progress = spmm_hw_progress(spmm, SPMM_BLIT_QUEUE);
	} while (progress != before && time_before(jiffies, limit));

	WRITE_ONCE(blit->running, false);
	spmm_reset_schedule(spmm, "copy queue does not move");
	return -ETIMEDOUT;
}

static int spmm_blit_execute(struct spmm_blit *blit,
			     const struct spmm_blit_copy *copy)
{
	u64 done, step;
	int ret;

	blit->failed = 0;
	for (done = 0; done < copy->length; done += step) {
		u64 device = copy->device + done;
		u64 host = SPMM_BLIT_HOST + done;

		step = copy->length - done;
		if (!copy->host)
			step = min_t(u64, step, SPMM_BLIT_ZEROS_BYTES);
		if (!copy->host)
			spmm_blit_push(blit, SPMM_BLIT_ZEROS, device, step);
		else if (copy->to_host)
			spmm_blit_push(blit, device, host, step);
		else
			spmm_blit_push(blit, host, device, step);
	}
	spmm_hw_ring_sq(blit->spmm, SPMM_BLIT_QUEUE, blit->ring.sq_tail);
	ret = spmm_blit_wait(blit);
	if (ret || !blit->failed)
		return ret;

	drm_err(&blit->spmm->drm, "copy at %#llx failed with status %#x\n",
		copy->device, blit->failed);
	ret = spmm_admin_reset_context(blit->spmm, SPMM_BLIT_SLOT);
	if (ret == -ETIMEDOUT)
		spmm_reset_schedule(blit->spmm, "copy queue is not reset");
	return ret ? ret : -EIO;
}

/* The object's pages in the window. */
static int spmm_blit_map_host(struct spmm_blit *blit,
			      const struct spmm_blit_copy *copy)
{
	u64 flags = copy->to_host ? SPMM_PTE_WRITE : SPMM_PTE_READ;
	struct spmm_bo_cursor cursor;
	u64 done = 0;
	int ret = 0;

	spmm_bo_cursor_init_pages(&cursor, copy->host, copy->host_offset);
	while (!ret && done < copy->length) {
		struct spmm_bo_range range =
			spmm_bo_cursor_next(&cursor, copy->length - done);

		ret = spmm_page_table_map(blit->table, SPMM_BLIT_HOST + done,
					  range.address, range.length, flags);
		done += range.length;
	}
	return ret;
}

/* @is_idle: it was mapped, but the device never looked at it. */
static void spmm_blit_unmap_host(struct spmm_blit *blit,
				 const struct spmm_blit_copy *copy,
				 bool is_idle)
{
	int resets;

	spmm_page_table_unmap(blit->table, SPMM_BLIT_HOST, copy->length);
	resets = atomic_read(&blit->spmm->resets);
	if (is_idle ||
	    !spmm_admin_invalidate(blit->spmm, SPMM_BLIT_SLOT, 0, 0)) {
		spmm_page_table_reap(blit->table);
		return;
	}
	/* The device may still be at it, until it is reset. */
	drm_gem_object_get(&copy->host->base);
	copy->host->pins++;
	spmm_bo_keep(&copy->host->base, resets);
}

/* Return: -EAGAIN if the device is being reset, and nothing was done. */
static int spmm_blit_try(struct spmm_blit *blit,
			 const struct spmm_blit_copy *copy)
{
	int ret = -EAGAIN;

	mutex_lock(&blit->lock);
	if (READ_ONCE(blit->running))
		ret = spmm_blit_execute(blit, copy);
	mutex_unlock(&blit->lock);
	return ret;
}

static int spmm_blit_step(struct spmm_blit *blit,
			  const struct spmm_blit_copy *copy)
{
	int ret;

	if (!copy->host)
		return spmm_blit_try(blit, copy);
	mutex_lock(&blit->window_lock);
	ret = spmm_blit_map_host(blit, copy);
	if (ret) {
		spmm_blit_unmap_host(blit, copy, true);
	} else {
		ret = spmm_blit_try(blit, copy);
		spmm_blit_unmap_host(blit, copy, ret == -EAGAIN);
	}
	mutex_unlock(&blit->window_lock);
	return ret;
}

static int spmm_blit_wait_running(struct spmm_blit *blit)
{
	wait_event_timeout(blit->wait,
			   READ_ONCE(blit->running) ||
				   spmm_device_is_gone(blit->spmm),
			   msecs_to_jiffies(SPMM_BLIT_RESTART_MS));
	if (spmm_device_is_gone(blit->spmm))
		return -ENODEV;
	return READ_ONCE(blit->running) ? 0 : -ETIMEDOUT;
}

/* A step that a reset of the device has cut short is made again. */
static int spmm_blit_step_surely(struct spmm_blit *blit,
				 const struct spmm_blit_copy *copy)
{
	int i, ret;

	for (i = 0; i < SPMM_BLIT_TRIES; i++) {
		ret = spmm_blit_wait_running(blit);
		if (!ret)
			ret = spmm_blit_step(blit, copy);
		if (ret != -EAGAIN && ret != -ECANCELED)
			return ret;
	}
	return -EIO;
}

static int spmm_blit_run(struct spmm_device *spmm, struct spmm_blit_copy *copy)
{
	u64 left = copy->length;
	int ret = 0;
	int index;

	if (!drm_dev_enter(&spmm->drm, &index))
		return -ENODEV;
	while (!ret && left > 0) {
		copy->length = min(left, SPMM_BLIT_STEP);
		ret = spmm_blit_step_surely(spmm->blit, copy);
		left -= copy->length;
		copy->device += copy->length;
		copy->host_offset += copy->length;
	}
	drm_dev_exit(index);
	return ret;
}

int spmm_blit_clear(struct spmm_device *spmm, u64 offset, u64 length)
{
	struct spmm_blit_copy copy = { .device = offset, .length = length };

	return spmm_blit_run(spmm, &copy);
}

int spmm_blit_save(struct spmm_device *spmm, u64 offset, struct spmm_bo *to,
		   u64 length)
{
	struct spmm_blit_copy copy = {
		.device = offset,
		.length = length,
		.host = to,
		.to_host = true,
	};

	return spmm_blit_run(spmm, &copy);
}

int spmm_blit_restore(struct spmm_device *spmm, struct spmm_bo *from,
		      u64 offset, u64 length)
{
	struct spmm_blit_copy copy = {
		.device = offset,
		.length = length,
		.host = from,
	};

	return spmm_blit_run(spmm, &copy);
}
