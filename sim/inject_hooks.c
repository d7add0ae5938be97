/* SPDX-License-Identifier: MIT */
#include <core/deadline.h>
#include <sim/flight.h>
#include <sim/inject_hooks.h>
#include <sim/queue.h>

#define NS_PER_MS 1000000ull

/* How much a device reads or writes where it should not. */
#define WILD_BYTES 64

/* A status code that no device has. */
#define STATUS_UNKNOWN 0x3ff

static void hold_until(struct sim_hold *hold, enum inject_end end)
{
	hold->hung = true;
	hold->end = end;
}

/* What ends the device: gone, or fatal. Nothing but a reset goes on from there. */
static bool device_faults(struct sim_device *device, struct sim_sq *queue,
			  unsigned int opcode)
{
	const struct inject_rule *rule;

	rule = inject_take(device, INJECT_GONE, queue, opcode);
	if (rule) {
		inject_gone(device, rule);
	} else {
		rule = inject_take(device, INJECT_FATAL, queue, opcode);
		if (!rule)
			return false;
		flights_fail(device);
	}
	hold_until(&queue->hold, INJECT_UNTIL_DEVICE);
	return true;
}

static void wild_access(struct sim_execution *execution,
			const struct inject_rule *rule, bool write)
{
	const struct sim_host *host = &execution->device->host;
	uint8_t bytes[WILD_BYTES] = { 0 };
	int ret;

	if (!rule)
		return;
	ret = write ? host->dma_write(host->opaque, rule->argument, bytes,
				      sizeof(bytes)) :
		      host->dma_read(host->opaque, rule->argument, bytes,
				     sizeof(bytes));
	if (ret)
		execution_fail(execution, SPMM_SC_BUS_ERROR, rule->argument);
}

/* What makes a command wait, or fail. */
static void command_faults(struct sim_execution *execution, unsigned int opcode)
{
	struct sim_device *device = execution->device;
	struct sim_sq *queue = execution->queue;
	const struct inject_rule *rule;

	if (device_faults(device, queue, opcode))
		return;
	rule = inject_take(device, INJECT_HANG, queue, opcode);
	if (rule) {
		hold_until(&queue->hold, rule->end);
		queue->hold.engine = rule->engine;
		return;
	}
	rule = inject_take(device, INJECT_SLOW, queue, opcode);
	if (rule)
		queue->hold.until = deadline_after(rule->argument * NS_PER_MS);
	if (inject_take(device, INJECT_MEMORY_ERROR, queue, opcode))
		execution_fail(execution, SPMM_SC_MEMORY_ERROR,
			       execution->entry->address);
	wild_access(execution,
		    inject_take(device, INJECT_DMA_READ, queue, opcode), false);
	wild_access(execution,
		    inject_take(device, INJECT_DMA_WRITE, queue, opcode), true);
}

/* Once for each entry, of a list too, however often it is tried. */
bool inject_command(struct sim_execution *execution)
{
	struct sim_sq *queue = execution->queue;
	struct sim_hold *hold = &queue->hold;

	if (!execution->device->inject ||
	    hold->asked == queue->list_index + 1ull)
		return true;
	*hold = (struct sim_hold){ .asked = queue->list_index + 1ull };
	if (queue->current.opcode == SPMM_IO_LIST && !queue->list_index)
		command_faults(execution, SPMM_IO_LIST);
	if (!hold->hung && !execution->status)
		command_faults(execution, execution->entry->opcode);
	return !hold->hung && !hold->until && !execution->status;
}

bool inject_hangs(struct sim_device *device, const struct sim_sq *queue)
{
	if (!device->inject)
		return false;
	if (queue->active && queue->hold.hung)
		return true;
	for (unsigned int i = 1; i < SIM_QUEUES; i++)
		if (device->sqs[i].active && device->sqs[i].hold.engine)
			return true;
	return false;
}

static bool hold_lasts(const struct sim_device *device,
		       const struct sim_hold *hold)
{
	return device->inject && hold->until && !deadline_expired(hold->until);
}

bool inject_delays(struct sim_device *device, const struct sim_sq *queue)
{
	return queue->active && hold_lasts(device, &queue->hold);
}

bool inject_delays_admin(struct sim_device *device)
{
	return hold_lasts(device, &device->sqs[0].hold);
}

bool inject_waits_admin(const struct sim_device *device)
{
	const struct sim_hold *hold = &device->sqs[0].hold;

	return device->inject && hold->until && !hold->hung;
}

/* It hangs, and what comes as @by does not end that. */
static bool hang_survives(const struct sim_sq *queue, enum inject_end by)
{
	return queue->valid && queue->active && queue->hold.hung &&
	       queue->hold.end > by;
}

static bool reset_survived(const struct sim_device *device, uint16_t context)
{
	for (unsigned int i = 1; i < SIM_QUEUES; i++)
		if (device->sqs[i].context == context &&
		    hang_survives(&device->sqs[i], INJECT_UNTIL_CONTEXT))
			return true;
	return false;
}

/* What ought to end a command that does not end. */
static bool command_survives(const struct sim_device *device,
			     const struct spmm_admin_sqe *command)
{
	const struct sim_sq *queue;

	if (command->opcode == SPMM_ADMIN_RESET_CONTEXT)
		return reset_survived(device, command->context);
	if (command->queue >= SIM_QUEUES)
		return false;
	queue = &device->sqs[command->queue];
	if (command->opcode == SPMM_ADMIN_DELETE_SQ)
		return hang_survives(queue, INJECT_UNTIL_QUEUE);
	return command->opcode == SPMM_ADMIN_ABORT &&
	       (command->command == SPMM_ABORT_ALL ||
		command->command == queue->current.id) &&
	       hang_survives(queue, INJECT_UNTIL_ABORT);
}

bool inject_admin(struct sim_device *device,
		  const struct spmm_admin_sqe *command)
{
	struct sim_sq *admin = &device->sqs[0];
	struct sim_hold *hold = &admin->hold;
	const struct inject_rule *rule;

	if (!device->inject)
		return false;
	if (!hold->asked) {
		hold->asked = 1;
		if (!device_faults(device, admin, command->opcode) &&
		    inject_take(device, INJECT_HANG, admin, command->opcode))
			hold_until(hold, INJECT_UNTIL_DEVICE);
		rule = inject_take(device, INJECT_SLOW, admin, command->opcode);
		if (rule)
			hold->until =
				deadline_after(rule->argument * NS_PER_MS);
		hold->ignored = inject_take(device, INJECT_IGNORE, admin,
					    command->opcode);
	}
	return hold->ignored || command_survives(device, command);
}

static void cqe_corrupt(struct spmm_cqe *cqe, enum inject_field field)
{
	switch (field) {
	case INJECT_FIELD_ID:
		cqe->id ^= 0x8000;
		return;
	case INJECT_FIELD_HEAD:
		cqe->sq_head ^= 0xffff;
		return;
	case INJECT_FIELD_QUEUE:
		cqe->sq ^= 0x80;
		return;
	case INJECT_FIELD_STATUS:
		cqe->status = (uint16_t)(STATUS_UNKNOWN << 1 |
					 (cqe->status & SPMM_CQE_PHASE));
		return;
	case INJECT_FIELD_PHASE:
		cqe->status ^= SPMM_CQE_PHASE;
		return;
	case INJECT_FIELD_COUNT:
		return;
	}
}

static void interrupt_faults(struct sim_device *device,
			     const struct sim_sq *queue, unsigned int opcode,
			     struct inject_effect *effect)
{
	const struct inject_rule *rule;

	effect->silent =
		inject_take(device, INJECT_LOSE_INTERRUPT, queue, opcode);
	rule = inject_take(device, INJECT_INTERRUPT, queue, opcode);
	if (!rule)
		return;
	effect->spurious = true;
	effect->vector = rule->argument ? (unsigned int)rule->argument - 1 :
					  device->cqs[queue->cq].vector;
}

struct inject_effect inject_completion(struct sim_device *device,
				       const struct sim_sq *queue,
				       unsigned int opcode,
				       struct spmm_cqe *cqe)
{
	struct inject_effect effect = { .copies = 1 };
	const struct inject_rule *rule;

	if (!device->inject)
		return effect;
	if (inject_take(device, INJECT_DROP, queue, opcode)) {
		effect.copies = 0;
		effect.silent = true;
		return effect;
	}
	/* A ring that overflows would be another fault. */
	if (queue_room(device, queue) > 1 &&
	    inject_take(device, INJECT_REPEAT, queue, opcode))
		effect.copies = 2;
	rule = inject_take(device, INJECT_CORRUPT, queue, opcode);
	if (rule)
		cqe_corrupt(cqe, (enum inject_field)rule->argument);
	interrupt_faults(device, queue, opcode, &effect);
	return effect;
}
