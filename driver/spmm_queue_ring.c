// SPDX-License-Identifier: GPL-2.0-only
/* Rings of a queue that takes jobs: what goes to the device, and what comes back. */
#include "spmm_queue_ring.h"

#include "spmm_context.h"
#include "spmm_device.h"
#include "spmm_hw.h"
#include "spmm_job.h"
#include "spmm_job_wait.h"
#include "spmm_layout.h"
#include "spmm_queue.h"
#include "spmm_recovery.h"
#include "spmm_slot.h"
#include "spmm_trace.h"
#include "spmm_vm.h"

#include <drm/spmm_accel.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <spmm/queue.h>
#include <spmm/status.h>

#define COMMANDS (SPMM_QUEUE_COMMANDS_BYTES / sizeof(struct spmm_sqe))
#define SQ_BYTES (SPMM_QUEUE_RING_ENTRIES * sizeof(struct spmm_sqe))
#define CQ_BYTES (SPMM_QUEUE_RING_ENTRIES * sizeof(struct spmm_cqe))

static_assert(SQ_BYTES <= SPMM_QUEUE_CQ_OFFSET);
static_assert(SPMM_QUEUE_CQ_OFFSET + CQ_BYTES <= SPMM_QUEUE_COMMANDS_OFFSET);
static_assert(SPMM_QUEUE_COMMANDS_OFFSET + 2 * SPMM_QUEUE_COMMANDS_BYTES <=
	      SZ_2M);
static_assert(COMMANDS >= SPMM_JOB_COMMANDS_MAX);

/**
 * struct spmm_queue_memory - what the device reads and writes
 * @sq: submission ring
 * @cq: completion ring
 * @commands: of jobs, as a ring
 * @sq_bus: bus address of @sq
 * @cq_bus: of @cq
 * @commands_bus: of @commands
 */
struct spmm_queue_memory {
	struct spmm_sqe *sq;
	struct spmm_cqe *cq;
	struct spmm_sqe *commands;
	dma_addr_t sq_bus;
	dma_addr_t cq_bus;
	dma_addr_t commands_bus;
};

static struct device *device_of(const struct spmm_queue *queue)
{
	return queue->context->spmm->drm.dev;
}

static u64 area(const struct spmm_queue *queue, u64 offset)
{
	return SPMM_QUEUE_AREA(queue->number) + offset;
}

static void free_memory(struct device *dev, struct spmm_queue_memory *memory)
{
	if (memory->sq)
		dma_free_coherent(dev, SQ_BYTES, memory->sq, memory->sq_bus);
	if (memory->cq)
		dma_free_coherent(dev, CQ_BYTES, memory->cq, memory->cq_bus);
	if (memory->commands)
		dma_free_coherent(dev, SPMM_QUEUE_COMMANDS_BYTES,
				  memory->commands, memory->commands_bus);
	kfree(memory);
}

static struct spmm_queue_memory *alloc_memory(struct device *dev)
{
	struct spmm_queue_memory *memory;

	memory = kzalloc(sizeof(*memory), GFP_KERNEL_ACCOUNT);
	if (!memory)
		return NULL;
	memory->sq = dma_alloc_coherent(dev, SQ_BYTES, &memory->sq_bus,
					GFP_KERNEL_ACCOUNT);
	memory->cq = dma_alloc_coherent(dev, CQ_BYTES, &memory->cq_bus,
					GFP_KERNEL_ACCOUNT);
	memory->commands = dma_alloc_coherent(dev, SPMM_QUEUE_COMMANDS_BYTES,
					      &memory->commands_bus,
					      GFP_KERNEL_ACCOUNT);
	if (memory->sq && memory->cq && memory->commands)
		return memory;
	free_memory(dev, memory);
	return NULL;
}

static int map_memory(struct spmm_queue *queue)
{
	const struct {
		u64 offset;
		dma_addr_t bus;
		u64 length;
		u32 access;
	} parts[] = {
		{ SPMM_QUEUE_SQ_OFFSET, queue->memory->sq_bus,
		  PAGE_ALIGN(SQ_BYTES), DRM_SPMM_VM_BIND_READ },
		{ SPMM_QUEUE_CQ_OFFSET, queue->memory->cq_bus,
		  PAGE_ALIGN(CQ_BYTES),
		  DRM_SPMM_VM_BIND_READ | DRM_SPMM_VM_BIND_WRITE },
		/* Twice in a row: a list that wraps around is contiguous. */
		{ SPMM_QUEUE_COMMANDS_OFFSET, queue->memory->commands_bus,
		  SPMM_QUEUE_COMMANDS_BYTES, DRM_SPMM_VM_BIND_READ },
		{ SPMM_QUEUE_COMMANDS_OFFSET + SPMM_QUEUE_COMMANDS_BYTES,
		  queue->memory->commands_bus, SPMM_QUEUE_COMMANDS_BYTES,
		  DRM_SPMM_VM_BIND_READ },
	};
	int ret = 0;
	u32 i;

	for (i = 0; !ret && i < ARRAY_SIZE(parts); i++)
		ret = spmm_vm_map_bus(&queue->context->vm,
				      area(queue, parts[i].offset),
				      parts[i].bus, parts[i].length,
				      parts[i].access);
	return ret;
}

static void unmap_memory(struct spmm_queue *queue)
{
	struct spmm_context *context = queue->context;
	int ret;

	ret = spmm_vm_unmap_bus(&context->vm, area(queue, 0), SZ_2M);
	/*
	 * The device may still reach it, until the context is gone from there. -ENOENT:
	 * nothing was mapped.
	 */
	if (ret && ret != -ENOENT)
		spmm_slot_force_evict(context->spmm, context);
}

int spmm_queue_memory_create(struct spmm_queue *queue)
{
	struct spmm_slots *slots = queue->context->spmm->slots;

	queue->memory = alloc_memory(device_of(queue));
	if (!queue->memory)
		return -ENOMEM;
	mutex_lock(&slots->lock);
	list_add_tail(&queue->with_memory, &slots->with_memory);
	mutex_unlock(&slots->lock);
	/* If it fails, what is mapped is undone when the queue is destroyed. */
	return map_memory(queue);
}

static struct spmm_queue_memory *take_memory(struct spmm_slots *slots,
					     struct spmm_queue *queue)
{
	struct spmm_queue_memory *memory;

	lockdep_assert_held(&slots->lock);
	spin_lock_irq(&queue->lock);
	memory = queue->memory;
	queue->memory = NULL;
	spin_unlock_irq(&queue->lock);
	list_del_init(&queue->with_memory);
	return memory;
}

void spmm_queue_memory_destroy(struct spmm_queue *queue)
{
	struct spmm_slots *slots = queue->context->spmm->slots;
	struct spmm_queue_memory *memory;

	if (!READ_ONCE(queue->memory))
		return;
	unmap_memory(queue);
	mutex_lock(&slots->lock);
	memory = take_memory(slots, queue);
	mutex_unlock(&slots->lock);
	if (memory)
		free_memory(device_of(queue), memory);
}

void spmm_queues_unplug(struct spmm_device *spmm)
{
	struct spmm_slots *slots = spmm->slots;
	struct spmm_queue *queue, *next;

	mutex_lock(&slots->lock);
	list_for_each_entry_safe(queue, next, &slots->with_memory, with_memory)
		free_memory(spmm->drm.dev, take_memory(slots, queue));
	mutex_unlock(&slots->lock);
}

u32 spmm_job_credits(u32 commands)
{
	/* One entry of a ring stays unused. */
	return max_t(u32, commands,
		     DIV_ROUND_UP(COMMANDS, SPMM_QUEUE_RING_ENTRIES - 1));
}

u32 spmm_queue_credits(void)
{
	return COMMANDS;
}

void spmm_queue_ring_start(struct spmm_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	/* The phase of old completions would be that of new ones. */
	memset(queue->memory->cq, 0, CQ_BYTES);
	spmm_ring_init(&queue->ring, SPMM_QUEUE_RING_ENTRIES);
	queue->trouble = SPMM_QUEUE_WELL;
	queue->is_stopped = false;
	queue->is_settling = false;
	queue->abort_state = DRM_SPMM_JOB_VICTIM;
}

static bool is_waiting(const struct spmm_job *job)
{
	return !job->on_device && job->outcome.state == DRM_SPMM_JOB_PENDING;
}

bool spmm_queue_has_waiting(const struct spmm_queue *queue)
{
	const struct spmm_job *job;

	list_for_each_entry(job, &queue->jobs, node)
		if (is_waiting(job))
			return true;
	return false;
}

/* Return: where the job's commands are for the device. Credits say that there is room. */
static u64 copy_commands(struct spmm_queue *queue, const struct spmm_job *job)
{
	struct spmm_sqe *ring = queue->memory->commands;
	u32 tail = queue->command_tail;
	u32 first = min_t(u32, job->count, COMMANDS - tail);

	memcpy(&ring[tail], job->commands, first * sizeof(*ring));
	memcpy(ring, job->commands + first,
	       (job->count - first) * sizeof(*ring));
	queue->command_tail = (tail + job->count) % COMMANDS;
	return area(queue, SPMM_QUEUE_COMMANDS_OFFSET + tail * sizeof(*ring));
}

static void push_job(struct spmm_queue *queue, struct spmm_job *job)
{
	u64 address = copy_commands(queue, job);

	queue->memory->sq[spmm_ring_push(&queue->ring)] = (struct spmm_sqe){
		.opcode = SPMM_IO_LIST,
		.id = cpu_to_le16((u16)job->number),
		.address = cpu_to_le64(address),
		.length = cpu_to_le64(job->count),
	};
	job->on_device = true;
	queue->on_device++;
	trace_spmm_job_run(&queue->context->spmm->drm, queue->fence_context,
			   job->number, queue->hardware, job->count);
}

void spmm_queue_push(struct spmm_queue *queue)
{
	u32 tail = queue->ring.sq_tail;
	struct spmm_job *job;

	lockdep_assert_held(&queue->lock);
	if (!queue->hardware || queue->is_stopped)
		return;
	list_for_each_entry(job, &queue->jobs, node) {
		if (!is_waiting(job))
			continue;
		/* Only a completion that lies about the head can make this happen. */
		if (!spmm_ring_room(&queue->ring))
			break;
		push_job(queue, job);
	}
	if (queue->ring.sq_tail == tail)
		return;
	queue->last_used = jiffies;
	spmm_hw_ring_sq(queue->context->spmm, queue->hardware,
			queue->ring.sq_tail);
}

struct spmm_outcome spmm_outcome_of(u32 state)
{
	struct spmm_outcome outcome = { .state = state };

	switch (state) {
	case DRM_SPMM_JOB_TIMEOUT:
		outcome.error = -ETIMEDOUT;
		break;
	case DRM_SPMM_JOB_VICTIM:
	case DRM_SPMM_JOB_CANCELED:
		outcome.error = -ECANCELED;
		break;
	case DRM_SPMM_JOB_GONE:
		outcome.error = -ENODEV;
		break;
	}
	return outcome;
}

static struct spmm_outcome fault_outcome(u32 status, u32 command, u64 address)
{
	struct spmm_outcome outcome = {
		.state = DRM_SPMM_JOB_FAULT,
		.error = -EIO,
		.device_status = status,
		.command = command,
		.address = address,
	};

	switch (status) {
	case SPMM_SC_TIMEOUT:
		outcome.state = DRM_SPMM_JOB_TIMEOUT;
		outcome.error = -ETIMEDOUT;
		break;
	case SPMM_SC_PAGE_FAULT_READ:
	case SPMM_SC_PAGE_FAULT_WRITE:
		outcome.error = -EFAULT;
		break;
	case SPMM_SC_DESCRIPTOR_VERSION ... SPMM_SC_DESCRIPTOR_SCALE:
	case SPMM_SC_STREAM_HEADER ... SPMM_SC_STREAM_GEOMETRY:
		outcome.error = -EBADMSG;
		break;
	}
	return outcome;
}

/* What a completion says. The device's log has the whole index, and says more. */
static struct spmm_outcome completion_outcome(const struct spmm_queue *queue,
					      const struct spmm_cqe *cqe)
{
	u32 status = le16_to_cpu(cqe->status) >> 1;

	switch (status) {
	case SPMM_SC_SUCCESS:
		return spmm_outcome_of(DRM_SPMM_JOB_DONE);
	case SPMM_SC_ABORTED:
	case SPMM_SC_CONTEXT_RESET:
		if (queue->trouble == SPMM_QUEUE_HUNG)
			return spmm_outcome_of(DRM_SPMM_JOB_TIMEOUT);
		return spmm_outcome_of(queue->abort_state);
	default:
		if (queue->log.device_status == status)
			return fault_outcome(status, queue->log.command,
					     queue->log.address);
		return fault_outcome(status, cqe->list_index,
				     le64_to_cpu(cqe->result));
	}
}

static void note_outcome(struct spmm_queue *queue, const struct spmm_job *job)
{
	const struct spmm_outcome *outcome = &job->outcome;

	queue->completed++;
	if (outcome->state == DRM_SPMM_JOB_FAULT ||
	    outcome->state == DRM_SPMM_JOB_TIMEOUT) {
		queue->last_fault = *outcome;
		atomic_inc(&queue->context->faults);
	}
	spmm_job_records_finish(queue->records, job->number, outcome);
}

/* The job may be freed as soon as its fence is signalled. */
static void complete_job(struct spmm_queue *queue, struct spmm_job *job)
{
	struct dma_fence *fence = dma_fence_get(job->fence);
	int error = 0;

	/* Of two that failed, the one that came first is to blame. */
	if (job->outcome.state == DRM_SPMM_JOB_VICTIM)
		error = spmm_job_dependency_error(job);
	if (error)
		job->outcome = (struct spmm_outcome){
			.state = DRM_SPMM_JOB_DEPENDENCY,
			.error = error,
		};

	list_del_init(&job->node);
	if (job->on_device)
		queue->on_device--;
	note_outcome(queue, job);
	trace_spmm_job_done(&queue->context->spmm->drm, queue->fence_context,
			    job->number, job->outcome.state,
			    job->outcome.error);
	if (job->outcome.error)
		dma_fence_set_error(fence, job->outcome.error);
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

void spmm_queue_settle(struct spmm_queue *queue)
{
	struct spmm_job *job, *next;
	bool any = false;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry_safe(job, next, &queue->jobs, node) {
		if (job->outcome.state == DRM_SPMM_JOB_PENDING)
			break;
		complete_job(queue, job);
		any = true;
	}
	if (!any)
		return;
	wake_up_all(&queue->room);
	if (!queue->on_device)
		spmm_slot_release(queue->context->spmm, queue);
}

/* Jobs that are not done, on the device or waiting. */
static void fail_jobs(struct spmm_queue *queue, bool on_device,
		      const struct spmm_outcome *first,
		      const struct spmm_outcome *others)
{
	struct spmm_job *job;

	list_for_each_entry(job, &queue->jobs, node) {
		if (job->on_device != on_device ||
		    job->outcome.state != DRM_SPMM_JOB_PENDING)
			continue;
		job->outcome = *first;
		first = others;
	}
	spmm_queue_settle(queue);
}

void spmm_queue_fail_waiting(struct spmm_queue *queue, u32 state)
{
	struct spmm_outcome outcome = spmm_outcome_of(state);

	lockdep_assert_held(&queue->lock);
	fail_jobs(queue, false, &outcome, &outcome);
}

/* The memory can be written by who has the queue: read once what is looked at. */
static bool read_completion(struct spmm_queue *queue, struct spmm_cqe *copy)
{
	const struct spmm_cqe *cqe = &queue->memory->cq[queue->ring.cq_head];

	copy->status = READ_ONCE(cqe->status);
	if (!spmm_ring_is_new(&queue->ring, le16_to_cpu(copy->status)))
		return false;
	/* The device writes the word with the phase last. */
	dma_rmb();
	copy->result = READ_ONCE(cqe->result);
	copy->sq_head = READ_ONCE(cqe->sq_head);
	copy->sq = READ_ONCE(cqe->sq);
	copy->list_index = READ_ONCE(cqe->list_index);
	copy->id = READ_ONCE(cqe->id);
	return true;
}

/* Jobs complete in order: it can only be the first one's. */
static struct spmm_job *job_of(struct spmm_queue *queue,
			       const struct spmm_cqe *cqe)
{
	struct spmm_job *job =
		list_first_entry_or_null(&queue->jobs, struct spmm_job, node);

	if (!job || !job->on_device || cqe->sq != queue->hardware ||
	    le16_to_cpu(cqe->id) != (u16)job->number)
		return NULL;
	return job;
}

/* Return: whether the completion was taken. */
static bool take_completion(struct spmm_queue *queue,
			    const struct spmm_cqe *cqe)
{
	struct spmm_job *job = job_of(queue, cqe);

	if (job && le16_to_cpu(cqe->status) >> 1 && !queue->is_settling) {
		spmm_recovery_request(queue, SPMM_QUEUE_FAULT);
		return false;
	}
	if (!job || spmm_ring_take(&queue->ring, le16_to_cpu(cqe->sq_head))) {
		spmm_recovery_request(queue, SPMM_QUEUE_CORRUPT);
		return false;
	}
	job->outcome = completion_outcome(queue, cqe);
	/* What follows is not the one that hung. */
	if (queue->trouble == SPMM_QUEUE_HUNG)
		queue->trouble = SPMM_QUEUE_WELL;
	spmm_queue_settle(queue);
	return true;
}

void spmm_queue_reap(struct spmm_queue *queue)
{
	u32 head = queue->ring.cq_head;
	struct spmm_cqe cqe;

	lockdep_assert_held(&queue->lock);
	if (!queue->hardware || queue->trouble == SPMM_QUEUE_CORRUPT)
		return;
	while (read_completion(queue, &cqe))
		if (!take_completion(queue, &cqe))
			break;
	if (queue->ring.cq_head != head)
		spmm_hw_ring_cq(queue->context->spmm, queue->hardware,
				queue->ring.cq_head);
}

bool spmm_queue_finish(struct spmm_queue *queue)
{
	struct spmm_outcome lost = spmm_outcome_of(queue->abort_state);
	struct spmm_outcome first = lost;
	bool sound;

	lockdep_assert_held(&queue->lock);
	queue->is_settling = true;
	spmm_queue_reap(queue);
	queue->is_settling = false;
	sound = !queue->on_device && queue->trouble != SPMM_QUEUE_CORRUPT;
	if (queue->trouble == SPMM_QUEUE_CORRUPT)
		first = fault_outcome(SPMM_SC_INTERNAL, 0, 0);
	else if (queue->trouble == SPMM_QUEUE_HUNG)
		first = spmm_outcome_of(DRM_SPMM_JOB_TIMEOUT);
	fail_jobs(queue, true, &first, &lost);
	return sound;
}
