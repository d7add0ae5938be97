/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <core/integer.h>
#include <plan/roof.h>
#include <sim/counters.h>
#include <sim/timing.h>

/* Entries of a list whose descriptor was fetched before: dispatch alone. */
#define DISPATCH_CYCLES 4

static uint64_t lanes_of(const struct sim_device *device)
{
	return (uint64_t)device->config.clusters * device->config.lanes;
}

/* Cycles to move bytes at so many bytes per second, rounded up. */
static uint64_t transfer_cycles(const struct sim_device *device, uint64_t bytes,
				uint64_t bandwidth)
{
	return divide_up_u128(
		(unsigned __int128)bytes * device->config.clock_hz, bandwidth);
}

static uint64_t bytes_in_cycles(const struct sim_device *device,
				uint64_t cycles, uint64_t bandwidth)
{
	return (uint64_t)((unsigned __int128)cycles * bandwidth /
			  device->config.clock_hz);
}

/*
 * Cycles before work starts. A queue's own entry is fetched over the link; the
 * descriptors of a list's further entries come while the entry before runs.
 */
static uint64_t command_cycles(const struct sim_execution *execution)
{
	const struct sim_config *config = &execution->device->config;
	uint64_t hidden = execution->queue->overlap_cycles;
	uint64_t fetch = config->command_cycles;

	if (!hidden)
		return fetch +
		       sim_config_cycles(config, config->pcie_read_latency_ps);
	return DISPATCH_CYCLES + (fetch > hidden ? fetch - hidden : 0);
}

static uint64_t latency_cycles(const struct sim_execution *execution,
			       uint64_t dram_bytes)
{
	const struct sim_config *config = &execution->device->config;
	const struct sim_work *work = &execution->work;
	uint64_t ps = 0;

	if (work->pcie_read_bytes)
		ps = config->pcie_read_latency_ps;
	else if (work->pcie_write_bytes)
		ps = config->pcie_write_latency_ps;
	if (dram_bytes)
		ps += sim_config_dram_latency_ps(config);
	return sim_config_cycles(config, ps);
}

/*
 * What the command waits for, in the order in which the causes are charged: each
 * takes what it adds to the ones before it.
 */
struct demand {
	enum spmm_stall cause;
	uint64_t cycles;
};

/* The last part to finish decides; what it adds to the others is its stall. */
static uint64_t charge(__le64 *stall, const struct demand *demands,
		       unsigned int count, uint64_t lanes, uint64_t elapsed)
{
	for (unsigned int i = 0; i < count; i++) {
		if (demands[i].cycles <= elapsed)
			continue;
		stall[demands[i].cause] +=
			(demands[i].cycles - elapsed) * lanes;
		elapsed = demands[i].cycles;
	}
	return elapsed;
}

/* Weights that came while the entry before left the DRAM idle. */
static uint64_t prefetched_bytes(const struct sim_execution *execution)
{
	return min_u64(execution->queue->prefetch_credit,
		       execution->work.weight_miss_bytes);
}

/* Cycles from start to end; the stall array gets lanes × as many. */
static uint64_t elapse(const struct sim_execution *execution,
		       uint64_t dram_bytes, __le64 *stall)
{
	const struct sim_device *device = execution->device;
	const struct geometry *geometry = &device->geometry;
	const struct sim_work *work = &execution->work;
	uint64_t lanes = lanes_of(device);
	uint64_t link = geometry->link_bandwidth;
	uint64_t pcie =
		max_u64(transfer_cycles(device, work->pcie_read_bytes, link),
			transfer_cycles(device, work->pcie_write_bytes, link));
	uint64_t dram =
		transfer_cycles(device, dram_bytes, geometry->memory_bandwidth);
	const struct demand demands[] = {
		{ SPMM_STALL_EPILOGUE, work->epilogue_cycles },
		{ SPMM_STALL_WEIGHTS, work->weight_cycles },
		{ SPMM_STALL_ACTIVATIONS, work->activation_cycles },
		{ SPMM_STALL_DMA, work->dma_cycles },
		{ SPMM_STALL_DRAM, dram },
		{ SPMM_STALL_PCIE, pcie },
	};
	uint64_t fixed = command_cycles(execution);
	uint64_t latency = latency_cycles(execution, dram_bytes);
	uint64_t busy = work->compute_cycles;

	stall[SPMM_STALL_ISSUE] = work->issue_slots;
	stall[SPMM_STALL_BANK] = work->bank_slots;
	stall[SPMM_STALL_TAIL] =
		busy * lanes - work->issue_slots - work->bank_slots;
	busy = charge(stall, demands, sizeof(demands) / sizeof(demands[0]),
		      lanes, busy);
	stall[SPMM_STALL_ACTIVATIONS] += work->fill_cycles * lanes;
	stall[SPMM_STALL_COMMAND] += fixed * lanes;
	stall[work->pcie_read_bytes + work->pcie_write_bytes ?
		      SPMM_STALL_PCIE :
		      SPMM_STALL_DRAM] += latency * lanes;
	if (work->compute_cycles) {
		stall[SPMM_STALL_TAIL] +=
			device->config.pipeline_cycles * lanes;
		busy += device->config.pipeline_cycles;
	}
	return fixed + latency + busy + work->fill_cycles;
}

/* Results that are still on chip when the command ends. */
static uint64_t kept_bytes(const struct sim_work *work)
{
	return work->kept_bytes > work->evicted_bytes ?
		       work->kept_bytes - work->evicted_bytes :
		       0;
}

static uint64_t roof_cycles(const struct sim_device *device,
			    const struct spmm_command_stats *stats,
			    uint64_t compulsory)
{
	uint64_t bytes = compulsory > stats->resident_bytes ?
				 compulsory - stats->resident_bytes :
				 0;

	return roof_hard_cycles(&device->geometry, stats->macs, bytes);
}

/*
 * The accounts that must close: no lane-cycle without a cause, no command faster
 * than the multipliers and the memory allow.
 */
static void account_check(struct sim_execution *execution,
			  const struct spmm_command_stats *stats)
{
	const struct sim_device *device = execution->device;
	uint64_t elapsed = stats->end_cycle - stats->start_cycle;
	uint64_t roof =
		roof_cycles(device, stats, execution->work.compulsory_bytes);
	uint64_t sum = 0;

	for (unsigned int i = 0; i < SPMM_STALL_COUNT; i++)
		sum += stats->stall[i];
	if (sum == elapsed * lanes_of(device) && elapsed >= roof &&
	    stats->stall[SPMM_STALL_ISSUE] <= sum)
		return;
	fprintf(stderr,
		"spmm simulator: the account of opcode %u does not close: "
		"%" PRIu64 " cycles, roof %" PRIu64 ", %" PRIu64
		" lane-cycles; please report this with the model\n",
		execution->entry->opcode, elapsed, roof, sum);
	execution_fail(execution, SPMM_SC_INTERNAL, elapsed);
}

static uint64_t deadline_of(const struct sim_device *device,
			    const struct spmm_sqe *entry)
{
	uint64_t most = (uint64_t)device->config.job_timeout_seconds *
			device->config.clock_hz;

	if (entry->deadline_cycles && entry->deadline_cycles < most)
		return entry->deadline_cycles;
	return most;
}

bool timing_hopeless(const struct sim_execution *execution, uint64_t cycles)
{
	const struct sim_device *device = execution->device;
	const struct sim_sq *queue = execution->queue;
	uint64_t since = atomic_load(&device->cycles) - queue->started;

	return cycles > deadline_of(device, execution->entry) ||
	       since + cycles > deadline_of(device, &queue->current);
}

/* Statistics are the host's wish, not the command's work: they cost nothing. */
static void stats_write(struct sim_execution *execution, uint64_t address,
			const struct spmm_command_stats *stats)
{
	if (address)
		execution_write(execution, address, stats, sizeof(*stats));
}

static void list_add(struct sim_sq *queue,
		     const struct spmm_command_stats *stats)
{
	struct spmm_command_stats *sum = &queue->list_stats;
	__le64 *to = (__le64 *)sum;
	const __le64 *from = (const __le64 *)stats;
	uint64_t start = queue->list_index ? sum->start_cycle :
					     stats->start_cycle;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
	sum->start_cycle = start;
	sum->end_cycle = stats->end_cycle;
}

static void stats_fill(const struct sim_execution *execution,
		       struct spmm_command_stats *stats)
{
	const struct sim_work *work = &execution->work;
	uint64_t prefetched = prefetched_bytes(execution);
	uint64_t dram_bytes = work->dram_read_bytes + work->dram_write_bytes;

	stats->macs = work->macs;
	stats->padding_macs = work->slot_macs - work->macs;
	stats->nonzeros = work->nonzeros;
	stats->dram_read_bytes = work->dram_read_bytes;
	stats->dram_write_bytes = work->dram_write_bytes;
	stats->sram_bytes = work->sram_bytes;
	stats->pcie_read_bytes = work->pcie_read_bytes;
	stats->pcie_write_bytes = work->pcie_write_bytes;
	stats->compute_cycles = work->compute_cycles;
	stats->resident_bytes = work->hit_bytes + prefetched +
				kept_bytes(work) + work->pcie_read_bytes +
				work->pcie_write_bytes;
	stats->start_cycle = atomic_load(&execution->device->cycles);
	stats->end_cycle =
		stats->start_cycle +
		elapse(execution, dram_bytes - prefetched, stats->stall);
}

/* What the next entry of a list may do ahead of its time. */
static void overlap_grant(struct sim_execution *execution,
			  const struct spmm_command_stats *stats)
{
	const struct sim_device *device = execution->device;
	uint64_t elapsed = stats->end_cycle - stats->start_cycle;
	uint64_t capacity = bytes_in_cycles(device, elapsed,
					    device->geometry.memory_bandwidth);
	uint64_t used = stats->dram_read_bytes + stats->dram_write_bytes -
			prefetched_bytes(execution);
	uint64_t idle = capacity > used ? capacity - used : 0;

	if (idle > device->config.prefetch_bytes)
		idle = device->config.prefetch_bytes;
	execution->queue->prefetch_credit = idle;
	execution->queue->overlap_cycles = elapsed;
}

void timing_finish(struct sim_execution *execution)
{
	struct sim_device *device = execution->device;
	struct spmm_command_stats stats = { 0 };

	stats_fill(execution, &stats);
	if (timing_hopeless(execution, stats.end_cycle - stats.start_cycle)) {
		execution_fail(execution, SPMM_SC_TIMEOUT,
			       stats.end_cycle - stats.start_cycle);
		return;
	}
	account_check(execution, &stats);
	if (execution->status)
		return;
	atomic_store(&device->cycles, stats.end_cycle);
	overlap_grant(execution, &stats);
	list_add(execution->queue, &stats);
	counters_add_command(device, execution->context, &stats);
	stats_write(execution, execution->entry->stats_address, &stats);
}

int timing_write_list(struct sim_execution *execution)
{
	const struct sim_sq *queue = execution->queue;

	if (queue->current.opcode == SPMM_IO_LIST)
		stats_write(execution, queue->current.stats_address,
			    &queue->list_stats);
	return execution->status;
}
