/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <core/error.h>
#include <core/integer.h>
#include <sim/deadline.h>
#include <sim/flight.h>
#include <sim/mmu.h>
#include <sim/queue.h>
#include <sim/retire.h>
#include <sim/semaphore.h>
#include <sim/sram.h>
#include <sim/tlb.h>

/* Entries that the device reads at once. */
#define BLOCK_ENTRIES 8

void flight_free(struct sim_device *device, struct sim_flight *flight)
{
	if (flight->next)
		flight->next->previous = flight->previous;
	if (flight->previous)
		flight->previous->next = flight->next;
	else
		device->flights = flight->next;
	lowering_free(flight->lowering);
	free(flight);
}

static void drop_command(void *device, struct engine_command *command)
{
	flight_free(device, command->owner);
}

/* What is known of commands, all of which have retired or are forgotten. */
static void history_clear(struct sim_device *device)
{
	hazard_clear(&device->hazards);
	memset(device->signals, 0, sizeof(device->signals));
	for (unsigned int i = 0; i < SIM_QUEUES; i++)
		device->sqs[i].semaphore = 0;
	tlb_clear(device);
}

static void engine_report(void)
{
	fprintf(stderr,
		"spmm simulator: %s; please report this with the model\n",
		accel_last_error());
}

void flights_forget(struct sim_device *device)
{
	/* Whether every tag and credit returns is seen at rest alone. */
	if (device->engine && !device->flights && engine_rest(device->engine))
		engine_report();
	engine_destroy(device->engine);
	device->engine = NULL;
	while (device->flights)
		flight_free(device, device->flights);
	hazard_clear(&device->hazards);
}

int flights_restart(struct sim_device *device)
{
	const struct engine_options options = {
		.mode = device->options.mode,
		.retired = retire_command,
		.dropped = drop_command,
		.owner = device,
		.observer = device->options.observer,
	};

	flights_forget(device);
	history_clear(device);
	hazard_log_setup(&device->hazards, engine_reach(&device->config));
	atomic_store(&device->cycles, 0);
	return engine_create(&device->config, &options, &device->engine);
}

void flights_drop(struct sim_device *device)
{
	for (uint16_t i = 1; i < SIM_QUEUES; i++)
		if (device->engine && device->sqs[i].valid)
			engine_drop(device->engine, i);
	history_clear(device);
}

void flights_fail(struct sim_device *device)
{
	atomic_fetch_or(&device->status, SPMM_STATUS_FATAL);
	device->enabled = false;
	flights_drop(device);
}

/*
 * An account that does not close, or a command that waits for what never comes: the
 * simulator is wrong, and no time that it tells can be believed.
 */
static void engine_failed(struct sim_device *device)
{
	engine_report();
	flights_fail(device);
}

static void time_pass(struct sim_device *device, bool drain)
{
	if (engine_run(device->engine, drain))
		engine_failed(device);
	atomic_store(&device->cycles, engine_now(device->engine));
}

bool flights_retire(struct sim_device *device)
{
	if (!device->flights)
		return false;
	time_pass(device, true);
	return true;
}

void flights_settle(struct sim_device *device)
{
	if (!device->engine)
		return;
	time_pass(device, true);
	hazard_clear(&device->hazards);
	memset(device->signals, 0, sizeof(device->signals));
	device->next_signal = 0;
	for (unsigned int i = 0; i < SIM_QUEUES; i++)
		device->sqs[i].semaphore = 0;
	if (engine_rest(device->engine))
		engine_failed(device);
}

void flights_wait(struct sim_device *device, uint64_t cycles)
{
	engine_idle(device->engine, cycles);
	atomic_store(&device->cycles, engine_now(device->engine));
}

/* Where an entry or a descriptor is; it was read from there, so it is mapped. */
static bool place_find(const struct sim_execution *execution, uint64_t address,
		       uint64_t *out)
{
	struct sim_translation page = { 0 };

	mmu_translate(execution->device, execution->context, address, SIM_READ,
		      &page);
	*out = page.address | (address & (SPMM_PAGE_SIZE - 1));
	return !page.device;
}

/* Entries from one on that are read with it: up to the end of a page. */
static uint32_t block_entries(uint64_t address, uint64_t left)
{
	uint64_t page = (SPMM_PAGE_SIZE - (address & (SPMM_PAGE_SIZE - 1))) /
			sizeof(struct spmm_sqe);

	return (uint32_t)max_u64(min_u64(min_u64(left, page), BLOCK_ENTRIES),
				 1);
}

/* @left: entries from this one on that are known and follow each other. */
static void entry_fetch(const struct sim_execution *execution, uint64_t address,
			uint64_t left, struct engine_fetch *fetch)
{
	struct sim_sq *queue = execution->queue;

	if (!queue->block_left) {
		queue->block_left = block_entries(address, left);
		fetch->entry = true;
		fetch->entry_bytes =
			queue->block_left * (uint32_t)sizeof(struct spmm_sqe);
		fetch->entry_in_host =
			place_find(execution, address, &fetch->entry_address);
	}
	queue->block_left--;
}

/* The entry that the queue has just taken from its ring. */
static void ring_fetch(const struct sim_execution *execution,
		       struct engine_fetch *fetch)
{
	struct sim_sq *queue = execution->queue;
	uint32_t slot = (queue->head + queue->entries - 1) % queue->entries;
	uint32_t left = queue_pending(execution->device, queue) + 1;

	fetch->doorbell = queue->announced;
	queue->announced = false;
	left = (uint32_t)min_u64(left, queue->entries - slot);
	entry_fetch(execution, queue->address + slot * sizeof(struct spmm_sqe),
		    left, fetch);
}

static void list_fetch(const struct sim_execution *execution,
		       struct engine_fetch *fetch)
{
	const struct sim_sq *queue = execution->queue;

	entry_fetch(execution,
		    queue->current.address + (uint64_t)queue->list_index *
						     sizeof(struct spmm_sqe),
		    queue->current.length - queue->list_index, fetch);
}

static void descriptor_fetch(const struct sim_execution *execution,
			     struct engine_fetch *fetch)
{
	const struct spmm_sqe *entry = execution->entry;

	if (entry->opcode < SPMM_IO_COPY_STRIDED ||
	    entry->opcode > SPMM_IO_RECURRENT)
		return;
	fetch->descriptor_bytes = (uint32_t)min_u64(
		entry->length,
		SPMM_PAGE_SIZE - (entry->address & (SPMM_PAGE_SIZE - 1)));
	fetch->descriptor_in_host = place_find(execution, entry->address,
					       &fetch->descriptor_address);
	if (!fetch->descriptor_in_host)
		fetch->descriptor_in_sram = sram_holds(
			execution->device->sram, fetch->descriptor_address,
			fetch->descriptor_bytes);
}

/* All tiles wait for all of an earlier command. */
static void command_follow(struct engine_command *command, uint64_t sequence)
{
	for (uint32_t t = 0; sequence && t < command->tile_count; t++)
		if (!tile_wait(&command->tiles[t], sequence, ENGINE_TILE_ALL))
			command->fence = true;
}

static int flight_push(struct sim_device *device, struct sim_flight *flight)
{
	struct lowering *lowering = flight->lowering;
	int ret = engine_push(device->engine, &lowering->command);

	if (ret)
		return ret;
	hazard_log_add(&device->hazards, &lowering->record,
		       lowering->command.sequence);
	if (lowering->command.opcode == SPMM_IO_SEMAPHORE_SIGNAL)
		semaphore_signalled(device, flight->context,
				    flight->entry.address,
				    lowering->command.sequence);
	return 0;
}

/* The next of what the entry was lowered to. */
static struct sim_flight *flight_create(struct sim_execution *execution,
					bool completes)
{
	struct sim_device *device = execution->device;
	const struct sim_sq *queue = execution->queue;
	struct lowering *lowering = execution->lowered;
	bool in_list = queue->current.opcode == SPMM_IO_LIST;
	struct sim_flight *flight = malloc(sizeof(*flight));

	if (!flight) {
		execution_fail(execution, SPMM_SC_INTERNAL, 0);
		return NULL;
	}
	*flight = (struct sim_flight){
		.lowering = lowering,
		.queue = queue->id,
		.context = queue->context,
		.entry = *execution->entry,
		.ticket = queue->ticket,
		.id = queue->current.id,
		.list_index = queue->list_index,
		.in_list = in_list,
		.ends_entry = !lowering->next,
		.completes = completes && !lowering->next,
		.deadline = deadline_cycles(device, &queue->current),
		.list_stats = in_list ? queue->current.stats_address : 0,
		.next = device->flights,
	};
	if (flight->ends_entry)
		flight->work = execution->work;
	if (flight->next)
		flight->next->previous = flight;
	device->flights = flight;
	execution->lowered = lowering->next;
	lowering->next = NULL;
	return flight;
}

/* The host's number of a list's entry; the list itself and other entries have none. */
static uint32_t label_of(const struct sim_execution *execution,
			 const struct engine_command *command)
{
	if (execution->queue->current.opcode != SPMM_IO_LIST ||
	    command->opcode == SPMM_IO_LIST)
		return 0;
	return execution->entry->id;
}

/* After what a semaphore told, and after @previous of the same entry, if any. */
static uint64_t flight_launch(struct sim_execution *execution, bool completes,
			      uint64_t previous)
{
	struct sim_flight *flight = flight_create(execution, completes);
	struct engine_command *command;

	if (!flight)
		return 0;
	command = &flight->lowering->command;
	command->owner = flight;
	command->label = label_of(execution, command);
	command->completes = flight->completes;
	command_follow(command, execution->queue->semaphore);
	command_follow(command, previous);
	if (flight_push(execution->device, flight)) {
		flight_free(execution->device, flight);
		execution_fail(execution, SPMM_SC_INTERNAL, 0);
		return 0;
	}
	return command->sequence;
}

void flight_launch_list(struct sim_execution *execution)
{
	struct lowering *lowering = lower_begin(execution, ENGINE_NOBODY);

	if (!lowering)
		return;
	ring_fetch(execution, &lowering->command.fetch);
	lowering->command.opcode = SPMM_IO_LIST;
	lowering->command.fence = execution->queue->current.flags &
				  SPMM_SQE_FENCE;
	flight_launch(execution, false, 0);
	/* Its entries are elsewhere. */
	execution->queue->block_left = 0;
}

void flights_launch(struct sim_execution *execution, bool completes)
{
	struct engine_command *first = &execution->lowered->command;
	const struct spmm_sqe *entry = execution->entry;
	uint64_t previous = 0;

	if (execution->queue->current.opcode == SPMM_IO_LIST)
		list_fetch(execution, &first->fetch);
	else
		ring_fetch(execution, &first->fetch);
	descriptor_fetch(execution, &first->fetch);
	first->fence |= (entry->flags & SPMM_SQE_FENCE) ||
			entry->opcode == SPMM_IO_FENCE;
	while (execution->lowered && !execution->status)
		previous = flight_launch(execution, completes, previous);
	if (!execution->status)
		time_pass(execution->device, false);
}
