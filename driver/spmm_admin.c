// SPDX-License-Identifier: GPL-2.0-only
/* The admin queue: one command at a time, with a deadline. */
#include "spmm_admin.h"

#include "spmm_device.h"
#include "spmm_hw.h"
#include "spmm_reset.h"
#include "spmm_ring.h"

#include <drm/drm_managed.h>
#include <drm/drm_print.h>
#include <linux/dma-mapping.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/wait.h>
#include <spmm/queue.h>
#include <spmm/registers.h>
#include <spmm/status.h>

#define ADMIN_ENTRIES 32
#define ADMIN_LOG_RECORDS 64

/* Looked at this often even if no interrupt comes: one may be lost. */
#define ADMIN_LOOK_MS 100
/*
 * The device serves admin commands at the tiles of what it runs: without progress, and
 * without time passing for other work, there is no hope.
 */
#define ADMIN_STALL_MS 2000
#define ADMIN_LIMIT_MS 10000
/* Commands that are waited for no longer, before the admin queue is given up. */
#define ADMIN_LATE_MAX 8

/**
 * struct spmm_admin_memory - what the device reads and writes, one coherent piece
 * @sq: submission ring
 * @cq: completion ring, likewise in a page of its own
 * @log: what GET_LOG moves there
 */
struct spmm_admin_memory {
	struct spmm_admin_sqe sq[ADMIN_ENTRIES] __aligned(SZ_4K);
	struct spmm_cqe cq[ADMIN_ENTRIES] __aligned(SZ_4K);
	struct spmm_fault_record log[ADMIN_LOG_RECORDS] __aligned(SZ_4K);
};

/**
 * struct spmm_admin - the admin queue
 * @lock: held by whoever has a command under way; protects all that follows but
 *	@stopped and @wait; see spmm_device.h for its place among others
 * @ring: host's view of the rings
 * @next_id: of the next command
 * @late: identifiers of commands that are waited for no longer, but may still be answered
 * @late_count: of them
 * @memory: freed when the driver lets go of the device: not reached when stopped
 * @bus: where @memory is for the device
 * @stopped: 0, or the error for all who come
 * @wait: for completions, and for @stopped
 */
struct spmm_admin {
	struct mutex lock; /* of the rings */
	struct spmm_ring ring;
	u16 next_id;
	u16 late[ADMIN_LATE_MAX];
	u32 late_count;
	struct spmm_admin_memory *memory;
	dma_addr_t bus;
	int stopped;
	wait_queue_head_t wait;
};

int spmm_admin_init(struct spmm_device *spmm)
{
	struct spmm_admin *admin;
	int ret;

	BUILD_BUG_ON(sizeof(struct spmm_admin_sqe) != 64);
	BUILD_BUG_ON(sizeof(struct spmm_cqe) != 16);
	BUILD_BUG_ON(sizeof(struct spmm_fault_record) != 32);

	admin = drmm_kzalloc(&spmm->drm, sizeof(*admin), GFP_KERNEL);
	if (!admin)
		return -ENOMEM;
	ret = drmm_mutex_init(&spmm->drm, &admin->lock);
	if (ret)
		return ret;
	init_waitqueue_head(&admin->wait);
	admin->stopped = -ECANCELED;

	admin->memory = dmam_alloc_coherent(&spmm->pdev->dev,
					    sizeof(*admin->memory), &admin->bus,
					    GFP_KERNEL);
	if (!admin->memory)
		return -ENOMEM;
	spmm->admin = admin;
	return 0;
}

void spmm_admin_start(struct spmm_device *spmm)
{
	struct spmm_admin *admin = spmm->admin;
	dma_addr_t bus = admin->bus;

	mutex_lock(&admin->lock);
	memset(admin->memory, 0, sizeof(*admin->memory));
	spmm_ring_init(&admin->ring, ADMIN_ENTRIES);
	admin->late_count = 0;
	spmm_hw_write32(spmm, SPMM_REG_ADMIN_QUEUE_SIZE,
			(ADMIN_ENTRIES - 1) | (ADMIN_ENTRIES - 1) << 16);
	spmm_hw_write64(spmm, SPMM_REG_ADMIN_SQ_ADDRESS,
			bus + offsetof(struct spmm_admin_memory, sq));
	spmm_hw_write64(spmm, SPMM_REG_ADMIN_CQ_ADDRESS,
			bus + offsetof(struct spmm_admin_memory, cq));
	WRITE_ONCE(admin->stopped, 0);
	mutex_unlock(&admin->lock);

	/* Lost meanwhile: then spmm_admin_stop() may have come before this. */
	if (spmm_device_is_gone(spmm))
		spmm_admin_stop(spmm);
}

void spmm_admin_interrupt(struct spmm_device *spmm)
{
	wake_up(&spmm->admin->wait);
}

void spmm_admin_stop(struct spmm_device *spmm)
{
	int error = spmm_device_is_gone(spmm) ? -ENODEV : -ECANCELED;

	WRITE_ONCE(spmm->admin->stopped, error);
	wake_up(&spmm->admin->wait);
}

const struct spmm_ring *spmm_admin_ring(const struct spmm_device *spmm)
{
	return &spmm->admin->ring;
}

static struct spmm_cqe *next_completion(struct spmm_admin *admin)
{
	return &admin->memory->cq[admin->ring.cq_head];
}

static bool completion_is_new(struct spmm_admin *admin)
{
	u16 status = le16_to_cpu(READ_ONCE(next_completion(admin)->status));

	return spmm_ring_is_new(&admin->ring, status);
}

static u16 submit(struct spmm_device *spmm, const struct spmm_admin_sqe *sqe)
{
	struct spmm_admin *admin = spmm->admin;
	u32 slot = spmm_ring_push(&admin->ring);
	u16 id = admin->next_id++;

	admin->memory->sq[slot] = *sqe;
	admin->memory->sq[slot].id = cpu_to_le16(id);
	spmm_hw_ring_sq(spmm, 0, admin->ring.sq_tail);
	return id;
}

/* Return: whether nobody waits for that command any more. */
static bool take_late(struct spmm_admin *admin, u16 id)
{
	u32 i;

	for (i = 0; i < admin->late_count; i++) {
		if (admin->late[i] != id)
			continue;
		admin->late[i] = admin->late[--admin->late_count];
		return true;
	}
	return false;
}

/*
 * Take the completion that is there. Return: -EAGAIN if it is one that nobody waits for any
 * more; -EPROTO if it is none of command @id.
 */
static int take(struct spmm_device *spmm, u16 id, struct spmm_cqe *cqe)
{
	struct spmm_admin *admin = spmm->admin;
	int ret;

	/* The phase, which was seen, is written last. */
	dma_rmb();
	*cqe = *next_completion(admin);
	ret = spmm_ring_take(&admin->ring, le16_to_cpu(cqe->sq_head));
	if (ret || cqe->sq != 0)
		return -EPROTO;
	if (le16_to_cpu(cqe->id) != id) {
		if (!take_late(admin, le16_to_cpu(cqe->id)))
			return -EPROTO;
		ret = -EAGAIN;
	}
	spmm_hw_ring_cq(spmm, 0, admin->ring.cq_head);
	return ret;
}

/* Return: 0 when there is a completion; -ETIMEDOUT; or why the queue was stopped. */
static int wait_completion(struct spmm_device *spmm)
{
	struct spmm_admin *admin = spmm->admin;
	unsigned long limit = jiffies + msecs_to_jiffies(ADMIN_LIMIT_MS);
	unsigned long stall = jiffies + msecs_to_jiffies(ADMIN_STALL_MS);
	u64 progress = 0;

	for (;;) {
		bool expired = time_after(jiffies, limit) ||
			       time_after(jiffies, stall);
		int stopped;
		u64 now;

		wait_event_timeout(admin->wait,
				   completion_is_new(admin) ||
					   READ_ONCE(admin->stopped),
				   msecs_to_jiffies(ADMIN_LOOK_MS));
		stopped = READ_ONCE(admin->stopped);
		if (stopped)
			return stopped;
		if (completion_is_new(admin))
			return 0;
		if (expired)
			return -ETIMEDOUT;
		now = spmm_hw_progress(spmm, 0) +
		      spmm_hw_read64(spmm, SPMM_REG_CYCLES);
		if (now != progress) {
			progress = now;
			stall = jiffies + msecs_to_jiffies(ADMIN_STALL_MS);
		}
	}
}

static int status_to_error(struct spmm_device *spmm,
			   const struct spmm_admin_sqe *sqe,
			   const struct spmm_cqe *cqe)
{
	u16 status = le16_to_cpu(cqe->status) >> 1;

	if (status == SPMM_SC_SUCCESS)
		return 0;
	drm_err(&spmm->drm,
		"admin command %#x: status %#x (queue %u, context %u)\n",
		sqe->opcode, status, le16_to_cpu(sqe->queue),
		le16_to_cpu(sqe->context));
	return -EIO;
}

/*
 * After a command without an answer nothing of the queue can be trusted, and the device
 * may still write what the command was for: all others fail until the reset.
 */
static void give_up(struct spmm_device *spmm, const struct spmm_admin_sqe *sqe,
		    int error)
{
	drm_err(&spmm->drm, "admin command %#x: no valid answer (%d)\n",
		sqe->opcode, error);
	spmm_admin_stop(spmm);
	spmm_reset_schedule(spmm, "the admin queue does not answer");
}

/* Those that end what hangs, and name no memory: who sends them knows what else to do. */
static bool may_be_late(u8 opcode)
{
	return opcode == SPMM_ADMIN_ABORT || opcode == SPMM_ADMIN_RESET_CONTEXT;
}

static int no_answer(struct spmm_device *spmm, const struct spmm_admin_sqe *sqe,
		     u16 id, int error)
{
	struct spmm_admin *admin = spmm->admin;

	if (error == -EPROTO || !may_be_late(sqe->opcode) ||
	    admin->late_count == ADMIN_LATE_MAX) {
		give_up(spmm, sqe, error);
		return -ETIMEDOUT;
	}
	drm_warn(&spmm->drm, "admin command %#x: no answer in time\n",
		 sqe->opcode);
	admin->late[admin->late_count++] = id;
	return -ETIMEDOUT;
}

static int execute_locked(struct spmm_device *spmm,
			  const struct spmm_admin_sqe *sqe,
			  struct spmm_cqe *cqe)
{
	u16 id;
	int ret;

	ret = READ_ONCE(spmm->admin->stopped);
	if (ret)
		return ret;
	id = submit(spmm, sqe);
	do {
		ret = wait_completion(spmm);
		if (!ret)
			ret = take(spmm, id, cqe);
	} while (ret == -EAGAIN);
	if (ret == -ETIMEDOUT || ret == -EPROTO)
		return no_answer(spmm, sqe, id, ret);
	return ret ?: status_to_error(spmm, sqe, cqe);
}

static int execute(struct spmm_device *spmm, const struct spmm_admin_sqe *sqe)
{
	struct spmm_cqe cqe;
	int ret;

	mutex_lock(&spmm->admin->lock);
	ret = execute_locked(spmm, sqe, &cqe);
	mutex_unlock(&spmm->admin->lock);
	return ret;
}

static int context_command(struct spmm_device *spmm, u8 opcode, u32 slot)
{
	struct spmm_admin_sqe sqe = {
		.opcode = opcode,
		.context = cpu_to_le16(slot),
	};

	return execute(spmm, &sqe);
}

int spmm_admin_create_context(struct spmm_device *spmm, u32 slot)
{
	return context_command(spmm, SPMM_ADMIN_CREATE_CONTEXT, slot);
}

int spmm_admin_delete_context(struct spmm_device *spmm, u32 slot)
{
	return context_command(spmm, SPMM_ADMIN_DELETE_CONTEXT, slot);
}

int spmm_admin_reset_context(struct spmm_device *spmm, u32 slot)
{
	return context_command(spmm, SPMM_ADMIN_RESET_CONTEXT, slot);
}

int spmm_admin_set_page_table(struct spmm_device *spmm, u32 slot, u64 root)
{
	struct spmm_admin_sqe sqe = {
		.opcode = SPMM_ADMIN_SET_PAGE_TABLE,
		.context = cpu_to_le16(slot),
		.address = cpu_to_le64(root),
	};

	return execute(spmm, &sqe);
}

int spmm_admin_invalidate(struct spmm_device *spmm, u32 slot, u64 address,
			  u64 length)
{
	struct spmm_admin_sqe sqe = {
		.opcode = SPMM_ADMIN_INVALIDATE,
		.context = cpu_to_le16(slot),
		.address = cpu_to_le64(address),
		.length = cpu_to_le64(length),
	};

	return execute(spmm, &sqe);
}

int spmm_admin_create_cq(struct spmm_device *spmm, u32 queue, u32 slot,
			 u64 address, u32 entries, u32 vector)
{
	struct spmm_admin_sqe sqe = {
		.opcode = SPMM_ADMIN_CREATE_CQ,
		.queue = cpu_to_le16(queue),
		.context = cpu_to_le16(slot),
		.address = cpu_to_le64(address),
		.entries = cpu_to_le16(entries - 1),
		.vector = cpu_to_le16(vector),
	};

	return execute(spmm, &sqe);
}

int spmm_admin_create_sq(struct spmm_device *spmm, u32 queue, u32 slot,
			 u64 address, u32 entries, u32 priority)
{
	struct spmm_admin_sqe sqe = {
		.opcode = SPMM_ADMIN_CREATE_SQ,
		.queue = cpu_to_le16(queue),
		.context = cpu_to_le16(slot),
		.address = cpu_to_le64(address),
		.entries = cpu_to_le16(entries - 1),
		.cq = cpu_to_le16(queue),
		.priority = cpu_to_le16(priority),
	};

	return execute(spmm, &sqe);
}

static int queue_command(struct spmm_device *spmm, u8 opcode, u32 queue,
			 u32 command)
{
	struct spmm_admin_sqe sqe = {
		.opcode = opcode,
		.queue = cpu_to_le16(queue),
		.command = cpu_to_le32(command),
	};

	return execute(spmm, &sqe);
}

int spmm_admin_abort(struct spmm_device *spmm, u32 queue)
{
	return queue_command(spmm, SPMM_ADMIN_ABORT, queue, SPMM_ABORT_ALL);
}

int spmm_admin_delete_cq(struct spmm_device *spmm, u32 queue)
{
	return queue_command(spmm, SPMM_ADMIN_DELETE_CQ, queue, 0);
}

int spmm_admin_delete_sq(struct spmm_device *spmm, u32 queue)
{
	return queue_command(spmm, SPMM_ADMIN_DELETE_SQ, queue, 0);
}

int spmm_admin_get_log(struct spmm_device *spmm, u32 slot,
		       struct spmm_fault_record *records, u32 room)
{
	struct spmm_admin *admin = spmm->admin;
	u32 count = min_t(u32, room, ADMIN_LOG_RECORDS);
	u64 log = admin->bus + offsetof(struct spmm_admin_memory, log);
	struct spmm_admin_sqe sqe = {
		.opcode = SPMM_ADMIN_GET_LOG,
		.context = cpu_to_le16(slot),
		.address = cpu_to_le64(log),
		.length = cpu_to_le64(count * sizeof(*records)),
	};
	struct spmm_cqe cqe;
	int ret;

	mutex_lock(&admin->lock);
	ret = execute_locked(spmm, &sqe, &cqe);
	if (!ret) {
		ret = min_t(u64, le64_to_cpu(cqe.result), count);
		memcpy(records, admin->memory->log, ret * sizeof(*records));
	}
	mutex_unlock(&admin->lock);
	return ret;
}
