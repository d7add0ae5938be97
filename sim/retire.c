/* SPDX-License-Identifier: MIT */
/*
 * A queue's commands retire in order. What an entry was lowered to, and what a LIST
 * consists of, is summed up until the last of it retires.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <core/integer.h>
#include <plan/roof.h>
#include <sim/access.h>
#include <sim/counters.h>
#include <sim/deadline.h>
#include <sim/fault.h>
#include <sim/flight.h>
#include <sim/queue.h>
#include <sim/retire.h>

/**
 * struct retirement - a command that retires
 * @status: of its queue's entry, enum spmm_status
 * @result: of a completion with a failure
 */
struct retirement {
	struct sim_device *device;
	struct sim_flight *flight;
	const struct engine_command *command;
	struct sim_sq *queue;
	int status;
	uint64_t result;
};

static uint64_t lanes_of(const struct sim_device *device)
{
	return (uint64_t)device->config.clusters * device->config.lanes;
}

static void retirement_fail(struct retirement *r, int status, uint64_t result)
{
	if (r->status)
		return;
	r->status = status;
	r->result = result;
}

/* Statistics are the host's wish, not the command's work: they cost nothing. */
static void stats_write(struct retirement *r, uint64_t address,
			const struct spmm_command_stats *stats)
{
	uint64_t fault = 0;
	int status;

	if (!address)
		return;
	status = access_write(r->device, r->flight->context, address, stats,
			      sizeof(*stats), &fault);
	if (status)
		retirement_fail(r, status, fault);
}

/* From the first cycle of any part to the last one's. */
static void span_add(struct spmm_command_stats *sum, bool *begun,
		     uint64_t start, uint64_t end)
{
	if (!*begun || start < sum->start_cycle)
		sum->start_cycle = start;
	if (!*begun || end > sum->end_cycle)
		sum->end_cycle = end;
	*begun = true;
}

/* The earliest of all parts that had work at all. */
static void work_add(struct spmm_command_stats *sum, uint64_t cycle)
{
	if (cycle != ENGINE_NEVER &&
	    (!sum->work_cycle || cycle < sum->work_cycle))
		sum->work_cycle = cycle;
}

/*
 * The fetch of a list's entry is hidden behind the entries before, if somebody else is
 * charged with its time. Then, it begins with its first activity.
 */
static uint64_t command_start(const struct retirement *r)
{
	const struct engine_command *command = r->command;

	if (r->flight->in_list && !command->lane_cycles[SPMM_STALL_COMMAND])
		return command->start_cycle;
	return command->fetch_cycle;
}

static void command_add(struct retirement *r)
{
	struct sim_retirement *sums = &r->queue->retirement;
	const struct engine_command *command = r->command;
	uint64_t end = command->end_cycle;

	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		sums->list.stall[i] += command->lane_cycles[i];
	span_add(&sums->list, &sums->list_begun, command->fetch_cycle, end);
	work_add(&sums->list, command->work_cycle);
	sums->list.dram_activates += command->activates;
	if (command->opcode == SPMM_IO_LIST)
		return;
	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		sums->entry.stall[i] += command->lane_cycles[i];
	sums->entry.resident_bytes += command->early_bytes;
	span_add(&sums->entry, &sums->entry_begun, command_start(r), end);
	work_add(&sums->entry, command->work_cycle);
	sums->entry.dram_activates += command->activates;
}

/* Results that are still on chip when the command ends. */
static uint64_t kept_bytes(const struct sim_work *work)
{
	return work->kept_bytes > work->evicted_bytes ?
		       work->kept_bytes - work->evicted_bytes :
		       0;
}

static void entry_fill(const struct sim_work *work,
		       struct spmm_command_stats *stats)
{
	stats->macs = work->macs;
	stats->padding_macs = work->slot_macs - work->macs;
	stats->nonzeros = work->nonzeros;
	stats->dram_read_bytes = work->dram_read_bytes;
	stats->dram_write_bytes = work->dram_write_bytes;
	stats->sram_bytes = work->sram_bytes;
	stats->pcie_read_bytes = work->pcie_read_bytes;
	stats->pcie_write_bytes = work->pcie_write_bytes;
	stats->compute_cycles = work->compute_cycles;
	stats->resident_bytes += work->hit_bytes + kept_bytes(work) +
				 work->pcie_read_bytes + work->pcie_write_bytes;
}

/* Writes of a command that its end does not wait for: the controllers hold them. */
static uint64_t posted_bytes(const struct sim_config *config,
			     const struct spmm_command_stats *stats)
{
	uint64_t banks = (uint64_t)config->dram_ranks *
			 config->dram_bank_groups * config->dram_banks;
	uint64_t requests =
		config->dram_write_queue + banks * config->dram_bank_queue;

	return min_u64(stats->dram_write_bytes,
		       requests * config->dram_channels *
			       config->dram_burst_bytes);
}

static uint64_t roof_cycles(const struct sim_device *device,
			    const struct spmm_command_stats *stats,
			    uint64_t compulsory)
{
	uint64_t free =
		stats->resident_bytes + posted_bytes(&device->config, stats);
	uint64_t bytes = compulsory > free ? compulsory - free : 0;

	return roof_hard_cycles(&device->geometry, stats->macs, bytes);
}

static void account_open(struct retirement *r, const char *what,
			 uint64_t cycles, uint64_t bound)
{
	fprintf(stderr,
		"spmm simulator: the account of opcode %u does not close: "
		"%" PRIu64 " cycles, %s %" PRIu64
		"; please report this with the model\n",
		r->flight->entry.opcode, cycles, what, bound);
	retirement_fail(r, SPMM_SC_INTERNAL, cycles);
}

/* No command is faster than the multipliers and the memory allow. */
static void roof_check(struct retirement *r,
		       const struct spmm_command_stats *stats)
{
	uint64_t elapsed = stats->end_cycle - stats->start_cycle;
	uint64_t roof =
		roof_cycles(r->device, stats, r->flight->work.compulsory_bytes);

	if (elapsed < roof)
		account_open(r, "roof", elapsed, roof);
}

/*
 * Lane-cycles of the queue's entry that none of its commands is charged with were idle,
 * or another queue's.
 */
static void idle_add(struct retirement *r, struct spmm_command_stats *stats)
{
	uint64_t elapsed = stats->end_cycle - stats->start_cycle;
	uint64_t all = elapsed * lanes_of(r->device);
	uint64_t sum = 0;

	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		sum += stats->stall[i];
	if (sum > all)
		account_open(r, "lane-cycles", elapsed, sum);
	else
		stats->stall[SPMM_STALL_IDLE] += all - sum;
}

/* While the commands before it were at work, its time had not come. */
static void deadline_check(struct retirement *r)
{
	const struct sim_retirement *sums = &r->queue->retirement;
	uint64_t end = sums->entry.end_cycle;
	uint64_t begin = max_u64(sums->entry.start_cycle, sums->last_end);
	uint64_t most = deadline_cycles(r->device, &r->flight->entry);

	if (end > begin && end - begin > most)
		retirement_fail(r, SPMM_SC_TIMEOUT, end - begin);
	begin = sums->list.start_cycle;
	if (end - begin > r->flight->deadline)
		retirement_fail(r, SPMM_SC_TIMEOUT, end - begin);
}

static void list_add(struct spmm_command_stats *list,
		     const struct spmm_command_stats *entry)
{
	list->macs += entry->macs;
	list->padding_macs += entry->padding_macs;
	list->nonzeros += entry->nonzeros;
	list->dram_read_bytes += entry->dram_read_bytes;
	list->dram_write_bytes += entry->dram_write_bytes;
	list->sram_bytes += entry->sram_bytes;
	list->pcie_read_bytes += entry->pcie_read_bytes;
	list->pcie_write_bytes += entry->pcie_write_bytes;
	list->compute_cycles += entry->compute_cycles;
	list->resident_bytes += entry->resident_bytes;
}

static void entry_retire(struct retirement *r)
{
	struct sim_flight *flight = r->flight;
	struct sim_retirement *sums = &r->queue->retirement;
	struct spmm_command_stats *stats = &sums->entry;

	entry_fill(&flight->work, stats);
	deadline_check(r);
	roof_check(r, stats);
	if (!flight->in_list)
		idle_add(r, stats);
	if (!r->status) {
		counters_add_command(r->device, flight->context, stats);
		stats_write(r, flight->entry.stats_address, stats);
	}
	list_add(&sums->list, stats);
	sums->last_end = stats->end_cycle;
	memset(stats, 0, sizeof(*stats));
	sums->entry_begun = false;
}

static void list_retire(struct retirement *r)
{
	struct sim_retirement *sums = &r->queue->retirement;

	if (r->flight->in_list)
		idle_add(r, &sums->list);
	if (!r->status)
		stats_write(r, r->flight->list_stats, &sums->list);
}

void retire_abandon(struct sim_sq *queue)
{
	struct sim_retirement *sums = &queue->retirement;

	memset(&sums->list, 0, sizeof(sums->list));
	memset(&sums->entry, 0, sizeof(sums->entry));
	sums->list_begun = false;
	sums->entry_begun = false;
}

/* The queue's entry ends: with its last command, or with the first that fails. */
static void entry_complete(struct retirement *r)
{
	const struct sim_flight *flight = r->flight;
	struct sim_sq *queue = r->queue;
	bool dead = r->device->contexts[flight->context].dead;
	struct sim_completion completion = {
		.opcode = flight->in_list ? SPMM_IO_LIST : flight->entry.opcode,
		.id = flight->id,
		.list_index = flight->list_index,
		.status = r->status,
		.result = r->result,
		.reserved = true,
	};

	if (r->status)
		queue->retirement.failed = flight->ticket;
	if (dead)
		completion.status = SPMM_SC_CONTEXT_RESET;
	else if (r->status)
		fault_raise(r->device, queue, &completion);
	/* The rest of a list is not executed any more. */
	if (queue->active && queue->ticket == flight->ticket)
		queue->active = false;
	retire_abandon(queue);
	queue_complete(r->device, queue, &completion);
}

void retire_command(void *owner, struct engine_command *command)
{
	struct sim_flight *flight = command->owner;
	struct sim_device *device = owner;
	struct retirement r = {
		.device = device,
		.flight = flight,
		.command = command,
		.queue = &device->sqs[flight->queue],
	};

	atomic_store(&device->cycles, engine_now(device->engine));
	counters_add_lanes(device, flight->context, command->lane_cycles);
	if (!flight->completes)
		atomic_fetch_add(&device->progress[flight->queue], 1);
	if (r.queue->retirement.failed != flight->ticket) {
		command_add(&r);
		if (flight->ends_entry && command->opcode != SPMM_IO_LIST)
			entry_retire(&r);
		if (flight->completes && !r.status)
			list_retire(&r);
		if (flight->completes || r.status)
			entry_complete(&r);
	}
	flight_free(device, flight);
}
