/* SPDX-License-Identifier: MIT */
/*
 * Commands of the admin queue. Each checks all that it depends on before it changes
 * anything, so that a failed one has no effect. The host that owns this queue is
 * trusted with memory (it writes page tables), but not to make sense.
 */
#include <string.h>

#include <sim/access.h>
#include <sim/admin.h>
#include <sim/counters.h>
#include <sim/doorbell.h>
#include <sim/execution.h>
#include <sim/fault.h>
#include <sim/inject_hooks.h>
#include <sim/mmu.h>
#include <sim/queue.h>
#include <sim/flight.h>

#define ADMIN_PRIORITIES 4

static bool queue_number_valid(const struct sim_device *device, uint16_t queue)
{
	return queue >= 1 && queue <= device->config.queues;
}

static bool context_valid(const struct sim_device *device, uint16_t context)
{
	return context >= 1 && context < device->config.contexts &&
	       device->contexts[context].exists;
}

/* What CREATE_CQ and CREATE_SQ have in common. */
static int ring_check(const struct sim_device *device,
		      const struct spmm_admin_sqe *command)
{
	if (!queue_number_valid(device, command->queue))
		return SPMM_SC_INVALID_QUEUE;
	if (!context_valid(device, command->context))
		return SPMM_SC_INVALID_CONTEXT;
	if (command->entries < 1 ||
	    command->entries > device->config.queue_entries - 1)
		return SPMM_SC_INVALID_ENTRIES;
	if (command->address & (SPMM_PAGE_SIZE - 1))
		return SPMM_SC_INVALID_FIELD;
	return 0;
}

/* The doorbell may have any value from before: the ring starts empty. */
static int create_cq(struct sim_device *device,
		     const struct spmm_admin_sqe *command)
{
	struct sim_cq *cq;
	int status = ring_check(device, command);

	if (status)
		return status;
	cq = &device->cqs[command->queue];
	if (cq->valid)
		return SPMM_SC_INVALID_QUEUE;
	if (command->vector >= SPMM_MSIX_VECTORS)
		return SPMM_SC_INVALID_FIELD;
	*cq = (struct sim_cq){
		.valid = true,
		.phase = true,
		.context = command->context,
		.vector = command->vector,
		.entries = command->entries + 1u,
		.address = command->address,
	};
	atomic_store(&device->doorbells[command->queue].cq_head, 0);
	return 0;
}

static int delete_cq(struct sim_device *device,
		     const struct spmm_admin_sqe *command)
{
	struct sim_cq *cq;

	if (!queue_number_valid(device, command->queue))
		return SPMM_SC_INVALID_QUEUE;
	cq = &device->cqs[command->queue];
	if (!cq->valid)
		return SPMM_SC_INVALID_QUEUE;
	if (cq->users)
		return SPMM_SC_BUSY;
	memset(cq, 0, sizeof(*cq));
	return 0;
}

static int create_sq(struct sim_device *device,
		     const struct spmm_admin_sqe *command)
{
	struct sim_sq *sq;
	struct sim_cq *cq;
	int status = ring_check(device, command);

	if (status)
		return status;
	sq = &device->sqs[command->queue];
	if (sq->valid || !queue_number_valid(device, command->cq))
		return SPMM_SC_INVALID_QUEUE;
	cq = &device->cqs[command->cq];
	if (!cq->valid)
		return SPMM_SC_INVALID_QUEUE;
	if (cq->context != command->context)
		return SPMM_SC_INVALID_CONTEXT;
	if (command->priority >= ADMIN_PRIORITIES)
		return SPMM_SC_INVALID_FIELD;
	*sq = (struct sim_sq){
		.valid = true,
		.id = command->queue,
		.context = command->context,
		.cq = command->cq,
		.priority = command->priority,
		.credit = 1u << command->priority,
		.entries = command->entries + 1u,
		.address = command->address,
	};
	cq->users++;
	doorbell_clear(device, command->queue);
	return 0;
}

static struct sim_sq *sq_find(struct sim_device *device, uint16_t queue)
{
	if (!queue_number_valid(device, queue) || !device->sqs[queue].valid)
		return NULL;
	return &device->sqs[queue];
}

/* Its completions come before the one of this command. */
static int delete_sq(struct sim_device *device,
		     const struct spmm_admin_sqe *command)
{
	struct sim_sq *sq = sq_find(device, command->queue);

	if (!sq)
		return SPMM_SC_INVALID_QUEUE;
	queue_drain(device, sq, SPMM_SC_ABORTED);
	device->cqs[sq->cq].users--;
	memset(sq, 0, sizeof(*sq));
	return 0;
}

static int create_context(struct sim_device *device,
			  const struct spmm_admin_sqe *command)
{
	if (command->context < 1 ||
	    command->context >= device->config.contexts ||
	    device->contexts[command->context].exists)
		return SPMM_SC_INVALID_CONTEXT;
	device->contexts[command->context] =
		(struct sim_context){ .exists = true };
	counters_clear(device, command->context);
	return 0;
}

static int delete_context(struct sim_device *device,
			  const struct spmm_admin_sqe *command)
{
	if (!context_valid(device, command->context))
		return SPMM_SC_INVALID_CONTEXT;
	for (unsigned int i = 1; i < SIM_QUEUES; i++)
		if ((device->sqs[i].valid &&
		     device->sqs[i].context == command->context) ||
		    (device->cqs[i].valid &&
		     device->cqs[i].context == command->context))
			return SPMM_SC_BUSY;
	device->contexts[command->context].exists = false;
	/* The number may be used again, with other tables. */
	mmu_invalidate(device, command->context, 0, 0);
	return 0;
}

/*
 * Accesses are translated one by one and nothing is kept over a tile, so that
 * forgetting translations is all that this and INVALIDATE have to do.
 */
static int set_page_table(struct sim_device *device,
			  const struct spmm_admin_sqe *command)
{
	const uint64_t known = SPMM_PTE_VALID | SPMM_PTE_DEVICE |
			       SPMM_PTE_ADDRESS_MASK;

	if (!context_valid(device, command->context))
		return SPMM_SC_INVALID_CONTEXT;
	if (command->address & ~known)
		return SPMM_SC_INVALID_FIELD;
	device->contexts[command->context].root = command->address;
	mmu_invalidate(device, command->context, 0, 0);
	return 0;
}

static int invalidate(struct sim_device *device,
		      const struct spmm_admin_sqe *command)
{
	if (!context_valid(device, command->context))
		return SPMM_SC_INVALID_CONTEXT;
	mmu_invalidate(device, command->context, command->address,
		       command->length);
	return 0;
}

/* Is the id among the entries that wait in the ring? */
static bool sq_holds(struct sim_device *device, struct sim_sq *sq, uint16_t id)
{
	struct spmm_sqe entry;
	uint32_t pending;
	uint64_t fault;

	doorbell_all(device, sq);
	pending = queue_pending(device, sq);
	for (uint32_t i = 0; i < pending; i++)
		if (!queue_peek(device, sq, i, &entry, &fault) &&
		    entry.id == id)
			return true;
	return false;
}

static int abort_command(struct sim_device *device,
			 const struct spmm_admin_sqe *command)
{
	struct sim_sq *sq = sq_find(device, command->queue);

	if (!sq)
		return SPMM_SC_INVALID_QUEUE;
	if (command->command > SPMM_ABORT_ALL)
		return SPMM_SC_INVALID_FIELD;
	if (command->command == SPMM_ABORT_ALL) {
		queue_drain(device, sq, SPMM_SC_ABORTED);
		return 0;
	}
	if (sq->active && sq->current.id == command->command) {
		queue_end(device, sq, SPMM_SC_ABORTED, 0);
		return 0;
	}
	/* One that has completed meanwhile is no error: that race is usual. */
	if (!sq_holds(device, sq, (uint16_t)command->command))
		return 0;
	if (sq->aborts == SIM_ABORTS_MAX)
		return SPMM_SC_BUSY;
	sq->abort_id[sq->aborts++] = (uint16_t)command->command;
	return 0;
}

static int reset_context(struct sim_device *device,
			 const struct spmm_admin_sqe *command)
{
	if (!context_valid(device, command->context))
		return SPMM_SC_INVALID_CONTEXT;
	for (unsigned int i = 1; i < SIM_QUEUES; i++)
		if (device->sqs[i].valid &&
		    device->sqs[i].context == command->context)
			queue_drain(device, &device->sqs[i],
				    SPMM_SC_CONTEXT_RESET);
	/* A drain may fault again, on the completion queue: alive comes last. */
	device->contexts[command->context].dead = false;
	mmu_invalidate(device, command->context, 0, 0);
	return 0;
}

static int get_log(struct sim_device *device,
		   const struct spmm_admin_sqe *command, uint64_t *result)
{
	struct spmm_fault_record records[SIM_FAULT_LOG_ENTRIES];
	uint64_t count = command->length / sizeof(records[0]);
	uint32_t taken;
	uint64_t fault;

	if (command->context >= device->config.contexts)
		return SPMM_SC_INVALID_CONTEXT;
	/* Records that do not fit stay for the next time. */
	if (count > SIM_FAULT_LOG_ENTRIES)
		count = SIM_FAULT_LOG_ENTRIES;
	taken = fault_take(device, command->context, records, (uint32_t)count);
	*result = taken;
	return access_write(device, 0, command->address, records,
			    taken * sizeof(records[0]), &fault);
}

static int set_priority(struct sim_device *device,
			const struct spmm_admin_sqe *command)
{
	struct sim_sq *sq = sq_find(device, command->queue);

	if (!sq)
		return SPMM_SC_INVALID_QUEUE;
	if (command->priority >= ADMIN_PRIORITIES)
		return SPMM_SC_INVALID_FIELD;
	sq->priority = command->priority;
	return 0;
}

/* A later host's command must not be half understood. */
static bool reserved_clear(const struct spmm_admin_sqe *command)
{
	static const uint32_t zeros[7];

	return !command->flags && !memcmp(command->pad, zeros, sizeof(zeros));
}

/*
 * Those that take queues, contexts or translations away come after what was executed:
 * it completes, and writes its statistics, when it retires.
 */
static bool takes_away(uint8_t opcode)
{
	return opcode == SPMM_ADMIN_DELETE_CQ ||
	       opcode == SPMM_ADMIN_DELETE_SQ ||
	       opcode == SPMM_ADMIN_DELETE_CONTEXT ||
	       opcode == SPMM_ADMIN_SET_PAGE_TABLE ||
	       opcode == SPMM_ADMIN_INVALIDATE || opcode == SPMM_ADMIN_ABORT ||
	       opcode == SPMM_ADMIN_RESET_CONTEXT;
}

static int admin_execute(struct sim_device *device,
			 const struct spmm_admin_sqe *command, uint64_t *result)
{
	if (!reserved_clear(command))
		return SPMM_SC_INVALID_FIELD;
	if (takes_away(command->opcode))
		flights_retire(device);
	switch (command->opcode) {
	case SPMM_ADMIN_CREATE_CQ:
		return create_cq(device, command);
	case SPMM_ADMIN_DELETE_CQ:
		return delete_cq(device, command);
	case SPMM_ADMIN_CREATE_SQ:
		return create_sq(device, command);
	case SPMM_ADMIN_DELETE_SQ:
		return delete_sq(device, command);
	case SPMM_ADMIN_CREATE_CONTEXT:
		return create_context(device, command);
	case SPMM_ADMIN_DELETE_CONTEXT:
		return delete_context(device, command);
	case SPMM_ADMIN_SET_PAGE_TABLE:
		return set_page_table(device, command);
	case SPMM_ADMIN_INVALIDATE:
		return invalidate(device, command);
	case SPMM_ADMIN_ABORT:
		return abort_command(device, command);
	case SPMM_ADMIN_RESET_CONTEXT:
		return reset_context(device, command);
	case SPMM_ADMIN_GET_LOG:
		return get_log(device, command, result);
	case SPMM_ADMIN_SET_PRIORITY:
		return set_priority(device, command);
	}
	return SPMM_SC_INVALID_OPCODE;
}

/* The status with which the running command must end first, or 0. */
static int admin_conflict(const struct sim_execution *running,
			  const struct spmm_admin_sqe *command)
{
	const struct sim_sq *queue = running->queue;

	switch (command->opcode) {
	case SPMM_ADMIN_ABORT:
		if (command->queue == queue->id &&
		    (command->command == SPMM_ABORT_ALL ||
		     command->command == queue->current.id))
			return SPMM_SC_ABORTED;
		return 0;
	case SPMM_ADMIN_DELETE_SQ:
		return command->queue == queue->id ? SPMM_SC_ABORTED : 0;
	case SPMM_ADMIN_RESET_CONTEXT:
		return command->context == queue->context ?
			       SPMM_SC_CONTEXT_RESET :
			       0;
	}
	return 0;
}

bool admin_serve(struct sim_device *device)
{
	struct sim_sq *queue = &device->sqs[0];
	struct sim_completion completion;
	struct spmm_admin_sqe command;
	struct spmm_sqe entry;
	bool moved = false;
	uint64_t fault;

	_Static_assert(sizeof(command) == sizeof(entry), "entries of 64 bytes");
	while (device->enabled && !queue->hold.hung &&
	       queue_pending(device, queue) && queue_has_room(device, queue)) {
		uint64_t result = 0;
		bool unanswered;
		int status;

		/* Without its ring there is no way to tell anybody. */
		if (queue_peek(device, queue, 0, &entry, &fault)) {
			atomic_fetch_or(&device->status, SPMM_STATUS_FATAL);
			break;
		}
		memcpy(&command, &entry, sizeof(command));
		unanswered = inject_admin(device, &command);
		if (queue->hold.hung || inject_delays_admin(device))
			break;
		if (!unanswered && device->running &&
		    (status = admin_conflict(device->running, &command))) {
			device->running->stop_status = status;
			break;
		}
		queue->head = (queue->head + 1) % queue->entries;
		queue->current = entry;
		queue->hold = (struct sim_hold){ 0 };
		moved = true;
		if (unanswered)
			continue;
		status = admin_execute(device, &command, &result);
		completion = queue_completion(queue, status, result);
		queue_complete(device, queue, &completion);
	}
	return moved;
}
