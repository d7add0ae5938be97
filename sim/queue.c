/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <sim/access.h>
#include <sim/doorbell.h>
#include <sim/execution.h>
#include <sim/fault.h>
#include <sim/flight.h>
#include <sim/inject_hooks.h>
#include <sim/interrupt.h>
#include <sim/queue.h>
#include <sim/retire.h>

uint32_t queue_pending(struct sim_device *device, const struct sim_sq *queue)
{
	uint32_t tail = atomic_load(&device->doorbells[queue->id].sq_tail);

	if (!queue->valid || tail >= queue->entries)
		return 0;
	return (tail + queue->entries - queue->head) % queue->entries;
}

int queue_peek(struct sim_device *device, const struct sim_sq *queue,
	       uint32_t index, struct spmm_sqe *out, uint64_t *fault)
{
	uint64_t slot = (queue->head + index) % queue->entries;

	return access_read(device, queue->context,
			   queue->address + slot * sizeof(*out), out,
			   sizeof(*out), fault);
}

/* A head outside of the ring, a lie, counts as no room until it is noticed. */
uint32_t queue_room(struct sim_device *device, const struct sim_sq *queue)
{
	const struct sim_cq *cq = &device->cqs[queue->cq];
	uint32_t head = atomic_load(&device->doorbells[queue->cq].cq_head);
	uint32_t used;

	if (head >= cq->entries)
		return 0;
	used = (cq->tail + cq->entries - head) % cq->entries + cq->reserved;
	return used < cq->entries - 1 ? cq->entries - 1 - used : 0;
}

bool queue_has_room(struct sim_device *device, const struct sim_sq *queue)
{
	return queue_room(device, queue);
}

static int cqe_write(struct sim_device *device, const struct sim_cq *cq,
		     const struct spmm_cqe *cqe, uint64_t *fault)
{
	uint64_t address = cq->address + cq->tail * sizeof(*cqe);
	uint32_t last;
	int ret;

	/* The word with the phase bit goes last: it is what the host polls. */
	memcpy(&last, &cqe->id, sizeof(last));
	ret = access_write(device, cq->context, address, cqe, 8, fault);
	if (!ret)
		ret = access_write(device, cq->context, address + 8,
				   &cqe->sq_head, 4, fault);
	if (!ret)
		ret = access_write(device, cq->context, address + 12, &last, 4,
				   fault);
	return ret;
}

/* At the tail, which moves on. */
static int cqe_post(struct sim_device *device, struct sim_cq *cq,
		    const struct spmm_cqe *cqe, uint64_t *fault)
{
	int ret = cqe_write(device, cq, cqe, fault);

	if (ret)
		return ret;
	cq->tail++;
	if (cq->tail == cq->entries) {
		cq->tail = 0;
		cq->phase = !cq->phase;
	}
	return 0;
}

struct sim_completion queue_completion(const struct sim_sq *queue, int status,
				       uint64_t result)
{
	return (struct sim_completion){
		.opcode = queue->current.opcode,
		.id = queue->current.id,
		.list_index = queue->list_index,
		.status = status,
		.result = result,
		.reserved = queue->active,
	};
}

static void write_failed(struct sim_device *device, struct sim_sq *queue,
			 const struct sim_completion *completion, int status,
			 uint64_t address)
{
	struct sim_completion fault = *completion;

	if (!queue->id) {
		atomic_fetch_or(&device->status, SPMM_STATUS_FATAL);
		return;
	}
	fault.status = status;
	fault.result = address;
	fault_raise(device, queue, &fault);
}

void queue_complete(struct sim_device *device, struct sim_sq *queue,
		    const struct sim_completion *completion)
{
	struct sim_cq *cq = &device->cqs[queue->cq];
	int status = completion->status;
	struct spmm_cqe cqe = {
		.result = completion->result,
		.sq_head = (uint16_t)queue->head,
		.sq = (uint8_t)queue->id,
		.list_index = status ? (uint8_t)completion->list_index : 0,
		.id = completion->id,
		.status = (uint16_t)(status << 1 | cq->phase),
	};
	struct inject_effect effect;
	uint64_t fault = 0;
	int ret = 0;

	if (completion->reserved)
		cq->reserved--;
	atomic_fetch_add(&device->progress[queue->id], 1);
	effect = inject_completion(device, queue, completion->opcode, &cqe);
	for (unsigned int i = 0; i < effect.copies && !ret; i++)
		ret = cqe_post(device, cq, &cqe, &fault);
	if (ret) {
		write_failed(device, queue, completion, ret, fault);
		return;
	}
	if (!effect.silent)
		interrupt_raise(device, cq->vector);
	if (effect.spurious)
		interrupt_raise(device, effect.vector);
}

void queue_end(struct sim_device *device, struct sim_sq *queue, int status,
	       uint64_t result)
{
	const struct sim_completion completion =
		queue_completion(queue, status, result);

	queue->active = false;
	queue->waiting = false;
	retire_abandon(queue);
	queue_complete(device, queue, &completion);
}

/* Takes the entry at the head. False: the ring cannot be read. */
static bool queue_fetch(struct sim_device *device, struct sim_sq *queue)
{
	struct sim_completion completion;
	uint64_t fault = 0;
	int ret;

	ret = queue_peek(device, queue, 0, &queue->current, &fault);
	if (ret) {
		memset(&queue->current, 0, sizeof(queue->current));
		queue->broken = true;
		completion = queue_completion(queue, ret, fault);
		fault_raise(device, queue, &completion);
		return false;
	}
	queue->head = (queue->head + 1) % queue->entries;
	queue->list_index = 0;
	queue->hold = (struct sim_hold){ 0 };
	queue->ticket++;
	queue->started = atomic_load(&device->cycles);
	return true;
}

/* Completes one held entry without executing it. */
static bool queue_drain_one(struct sim_device *device, struct sim_sq *queue,
			    int status)
{
	if (!queue_has_room(device, queue) || !queue_fetch(device, queue))
		return false;
	queue_end(device, queue, status, 0);
	return true;
}

/*
 * The ids of a ring that cannot be read are out of reach: what it holds is
 * dropped. Impossible doorbells are forgotten.
 */
static void queue_repair(struct sim_device *device, struct sim_sq *queue)
{
	_Atomic uint32_t *tail = &device->doorbells[queue->id].sq_tail;
	_Atomic uint32_t *head = &device->doorbells[queue->cq].cq_head;
	const struct sim_cq *cq = &device->cqs[queue->cq];

	if (atomic_load(tail) < queue->entries)
		queue->head = atomic_load(tail);
	else
		atomic_store(tail, queue->head);
	if (atomic_load(head) >= cq->entries)
		atomic_store(head, cq->tail);
	queue->drain = 0;
	queue->broken = false;
}

void queue_drain(struct sim_device *device, struct sim_sq *queue, int status)
{
	if (queue->active)
		queue_end(device, queue, status, 0);
	doorbell_all(device, queue);
	queue->aborts = 0;
	queue->drain = queue_pending(device, queue);
	queue->drain_status = status;
	while (queue->drain && queue_drain_one(device, queue, status))
		queue->drain--;
	if (queue->broken)
		queue_repair(device, queue);
}

/* Was the entry named by an ABORT before its turn came? */
static bool abort_take(struct sim_sq *queue, uint16_t id)
{
	for (uint32_t i = 0; i < queue->aborts; i++) {
		if (queue->abort_id[i] != id)
			continue;
		queue->abort_id[i] = queue->abort_id[--queue->aborts];
		return true;
	}
	return false;
}

/* It failed while it was executed: what came before it has its time first. */
static void entry_fail(struct sim_device *device, struct sim_sq *queue,
		       const struct sim_execution *execution)
{
	int status = execution->status;
	struct sim_completion completion;

	/* The reset of its context made it end: the drain completes it. */
	if (status == SPMM_SC_CONTEXT_RESET)
		return;
	flights_retire(device);
	/* Something before it failed then, or the engine: it is a victim. */
	if (!queue->active || device->contexts[queue->context].dead)
		return;
	completion = queue_completion(queue, status, execution->result);
	if (status != SPMM_SC_ABORTED)
		fault_raise(device, queue, &completion);
	queue_end(device, queue, status, execution->result);
}

/* The entry of a LIST whose turn it is, or the entry itself. */
static bool entry_select(struct sim_execution *execution,
			 struct spmm_sqe *entry)
{
	struct sim_sq *queue = execution->queue;
	const struct spmm_sqe *list = &queue->current;
	uint64_t address, fault;
	int ret;

	if (list->opcode != SPMM_IO_LIST) {
		*entry = *list;
		return true;
	}
	if (list->length - 1 > UINT32_MAX - 1) {
		execution_fail(execution, SPMM_SC_INVALID_FIELD, list->length);
		return false;
	}
	if (list->reserved || list->pad || (list->flags & ~SPMM_SQE_FENCE) ||
	    (list->address & 7)) {
		execution_fail(execution, SPMM_SC_INVALID_FIELD, 0);
		return false;
	}
	address = list->address + (uint64_t)queue->list_index * sizeof(*entry);
	ret = access_read(execution->device, execution->context, address, entry,
			  sizeof(*entry), &fault);
	if (ret)
		execution_fail(execution, ret, fault);
	else if (entry->opcode == SPMM_IO_LIST)
		execution_fail(execution, SPMM_SC_INVALID_OPCODE,
			       queue->list_index);
	return !execution->status;
}

/* It was executed: the engine completes it. */
static void entry_launch(struct sim_execution *execution)
{
	struct sim_sq *queue = execution->queue;
	bool list = queue->current.opcode == SPMM_IO_LIST;
	bool last = !list || queue->list_index + 1ull == queue->current.length;

	/* One before it may have failed while it was executed. */
	if (!queue->active) {
		lower_drop(execution);
		return;
	}
	flights_launch(execution, last);
	if (execution->status)
		return;
	if (last)
		queue->active = false;
	else
		queue->list_index++;
}

/* One entry; true unless it only waits. */
static bool entry_step(struct sim_device *device, struct sim_sq *queue)
{
	struct spmm_sqe entry;
	struct sim_execution execution = {
		.device = device,
		.queue = queue,
		.entry = &entry,
		.context = queue->context,
	};
	bool allowed;

	device->running = &execution;
	allowed = entry_select(&execution, &entry) &&
		  inject_command(&execution);
	if (allowed) {
		if (queue->current.opcode == SPMM_IO_LIST &&
		    !queue->list_index && !queue->waiting)
			flight_launch_list(&execution);
		execution_run(&execution);
	}
	device->running = NULL;
	queue->waiting = !execution.status && execution.waits;
	if (queue->waiting)
		return false;
	if (!execution.status && allowed)
		entry_launch(&execution);
	if (execution.status)
		entry_fail(device, queue, &execution);
	return true;
}

/* Not before there is room for its completion: a command cannot be undone. */
static bool queue_start(struct sim_device *device, struct sim_sq *queue)
{
	if (!queue_pending(device, queue) || !queue_has_room(device, queue) ||
	    !queue_fetch(device, queue))
		return false;
	if (abort_take(queue, queue->current.id)) {
		queue_end(device, queue, SPMM_SC_ABORTED, 0);
		return true;
	}
	queue->active = true;
	device->cqs[queue->cq].reserved++;
	return true;
}

static bool doorbells_valid(struct sim_device *device,
			    const struct sim_sq *queue)
{
	return atomic_load(&device->doorbells[queue->id].sq_tail) <
		       queue->entries &&
	       atomic_load(&device->doorbells[queue->cq].cq_head) <
		       device->cqs[queue->cq].entries;
}

/* A doorbell outside its ring: the host lost its mind, its context dies. */
static void doorbells_check(struct sim_device *device, struct sim_sq *queue)
{
	uint32_t tail = atomic_load(&device->doorbells[queue->id].sq_tail);
	uint32_t head = atomic_load(&device->doorbells[queue->cq].cq_head);
	struct sim_completion completion;

	if (doorbells_valid(device, queue))
		return;
	queue->broken = true;
	completion = queue_completion(queue, SPMM_SC_INVALID_ENTRIES,
				      tail < queue->entries ? head : tail);
	fault_raise(device, queue, &completion);
}

static enum queue_step queue_turn(struct sim_device *device,
				  struct sim_sq *queue)
{
	if (inject_hangs(device, queue))
		return QUEUE_IDLE;
	if (inject_delays(device, queue))
		return QUEUE_WAITING;
	if (!queue->active)
		doorbell_next(device, queue);
	if (!queue->broken)
		doorbells_check(device, queue);
	if (queue->broken)
		return QUEUE_IDLE;
	if (device->contexts[queue->context].dead) {
		doorbell_all(device, queue);
		if (!queue->active && !queue_pending(device, queue))
			return QUEUE_IDLE;
		if (!queue->active && !queue_has_room(device, queue))
			return QUEUE_IDLE;
		queue_drain(device, queue, SPMM_SC_CONTEXT_RESET);
		return QUEUE_MOVED;
	}
	if (queue->drain) {
		if (!queue_drain_one(device, queue, queue->drain_status))
			return QUEUE_IDLE;
		queue->drain--;
		return QUEUE_MOVED;
	}
	if (!queue->active) {
		if (!queue_start(device, queue))
			return QUEUE_IDLE;
		if (!queue->active)
			return QUEUE_MOVED;
	}
	return entry_step(device, queue) ? QUEUE_MOVED : QUEUE_WAITING;
}

/* One pass over the queues that still have credit. */
static enum queue_step queue_pass(struct sim_device *device)
{
	enum queue_step best = QUEUE_IDLE;

	for (uint32_t i = 0; i < SPMM_IO_QUEUES_MAX; i++) {
		uint32_t id = 1 + (device->next_queue + i) % SPMM_IO_QUEUES_MAX;
		struct sim_sq *queue = &device->sqs[id];
		enum queue_step step;

		if (!queue->valid || !queue->credit)
			continue;
		step = queue_turn(device, queue);
		if (step == QUEUE_MOVED) {
			queue->credit--;
			/* It stays first until its credit is used up. */
			device->next_queue = queue->credit ? id - 1 : id;
			return QUEUE_MOVED;
		}
		if (step > best)
			best = step;
	}
	return best;
}

/*
 * Only work starts a round: where the arbiter stands then depends on the order of
 * commands alone, and not on how often an idle device was looked at.
 */
static bool round_is_over(struct sim_device *device)
{
	for (uint32_t id = 1; id < SIM_QUEUES; id++) {
		const struct sim_sq *queue = &device->sqs[id];

		if (!queue->valid || queue->credit || queue->broken)
			continue;
		if (queue->active || queue->drain ||
		    queue_pending(device, queue) ||
		    doorbell_waits(device, queue) ||
		    !doorbells_valid(device, queue))
			return true;
	}
	return false;
}

enum queue_step queue_step(struct sim_device *device)
{
	enum queue_step step = queue_pass(device);

	if (step == QUEUE_MOVED || !round_is_over(device))
		return step;
	/* Nobody with credit has work: a new round, weights 1, 2, 4 and 8. */
	for (uint32_t id = 1; id < SIM_QUEUES; id++)
		device->sqs[id].credit = 1u << device->sqs[id].priority;
	return queue_pass(device);
}
