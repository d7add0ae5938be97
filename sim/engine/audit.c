/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>

#include <core/error.h>
#include <sim/engine/audit.h>

/*
 * Bytes that the DRAM's pins need not move: reads that a pending write answers. A
 * controller's queues hold less in all.
 */
#define FORWARDED_BYTES (1u << 20)

static uint64_t ranges_bytes(const struct memory_range *ranges, uint32_t count)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		bytes += ranges[i].length;
	return bytes;
}

/* Memory moves whole requests, the link what it was asked for. */
static bool memory_complete(const struct memory_transfer *transfer)
{
	return memory_transfer_done(transfer) &&
	       transfer->total >=
		       ranges_bytes(transfer->ranges, transfer->count);
}

static bool link_complete(const struct link_transfer *transfer)
{
	return transfer->done ==
	       ranges_bytes(transfer->ranges, transfer->count);
}

static bool transfers_complete(const struct dispatch_entry *entry)
{
	for (uint32_t t = 0; t < entry->command->tile_count; t++) {
		const struct dispatch_tile *tile = &entry->tiles[t];

		if (!memory_complete(&tile->reads) ||
		    !memory_complete(&tile->writes) ||
		    !link_complete(&tile->host_reads) ||
		    !link_complete(&tile->host_writes))
			return false;
	}
	return memory_complete(&entry->weights) &&
	       link_complete(&entry->weights_from_host);
}

/* All vectors of a tile, on all row groups. */
static void tile_slots(const struct engine_command *command,
		       const struct engine_tile *tile, uint64_t *issue,
		       uint64_t *bank)
{
	for (uint32_t r = 0; tile->vectors && r < command->row_groups; r++) {
		const struct engine_pass *pass =
			&command->passes[tile->passes + r];

		*issue += tile->vectors * pass->issue_slots;
		*bank += tile->vectors * pass->bank_slots;
	}
}

/* Exactly: lane-cycles are charged in parts, and no part may be lost or doubled. */
static int slots_audit(const struct engine_command *command)
{
	uint64_t issue = 0;
	uint64_t bank = 0;

	for (uint32_t t = 0; t < command->tile_count; t++)
		tile_slots(command, &command->tiles[t], &issue, &bank);
	if (issue == command->lane_cycles[SPMM_STALL_ISSUE] &&
	    bank == command->lane_cycles[SPMM_STALL_BANK])
		return 0;
	return accel_error(-EIO,
			   "it issued %" PRIu64 " slots and lost %" PRIu64
			   " to banks; its passes have %" PRIu64
			   " and %" PRIu64,
			   command->lane_cycles[SPMM_STALL_ISSUE],
			   command->lane_cycles[SPMM_STALL_BANK], issue, bank);
}

/* Writes are left out: they are done when the controller has them. */
static uint64_t dram_read_bytes(const struct dispatch_entry *entry)
{
	uint64_t bytes = entry->weights.total;

	for (uint32_t t = 0; t < entry->command->tile_count; t++)
		bytes += entry->tiles[t].reads.total;
	return bytes;
}

/* Can so many bytes have passed the memory's pins in so many cycles? */
static bool memory_allows(const struct sim_config *config, uint64_t bytes,
			  uint64_t cycles)
{
	uint64_t peak = (uint64_t)config->dram_megatransfers * 1000000 *
			config->dram_width_bits / 8;

	if (bytes <= FORWARDED_BYTES)
		return true;
	return (unsigned __int128)(bytes - FORWARDED_BYTES) *
		       config->clock_hz <=
	       (unsigned __int128)cycles * peak;
}

static int roofs_audit(const struct sim_config *config,
		       const struct dispatch_entry *entry)
{
	const struct engine_command *command = entry->command;
	uint64_t elapsed = command->end_cycle - command->start_cycle;
	uint64_t width = (uint64_t)config->clusters * config->lanes *
			 config->vector_width;
	uint64_t bytes = dram_read_bytes(entry);

	if ((unsigned __int128)elapsed * width < command->macs)
		return accel_error(-EIO,
				   "%" PRIu64 " MACs in %" PRIu64
				   " cycles are more than the multipliers can",
				   command->macs, elapsed);
	if (!memory_allows(config, bytes, elapsed))
		return accel_error(-EIO,
				   "%" PRIu64 " bytes in %" PRIu64
				   " cycles are more than the memory can",
				   bytes, elapsed);
	return 0;
}

int audit_command(const struct sim_config *config,
		  const struct dispatch_entry *entry)
{
	const struct engine_command *command = entry->command;
	int ret = 0;

	if (command->unit != ENGINE_ARRAY)
		return 0;
	if (!transfers_complete(entry))
		ret = accel_error(-EIO,
				  "it ended before all that it moves had come");
	if (!ret)
		ret = slots_audit(command);
	if (!ret)
		ret = roofs_audit(config, entry);
	if (!ret)
		return 0;
	return accel_error_prefix(ret,
				  "the account of command %" PRIu64
				  " (opcode %u, queue %u) does not close",
				  command->sequence, command->opcode,
				  command->queue);
}

int audit_memory(const struct sim_config *config,
		 const struct memory_counts *counts, uint64_t now)
{
	uint64_t bytes = counts->read_bytes + counts->write_bytes;

	if (memory_allows(config, bytes, now))
		return 0;
	return accel_error(-EIO,
			   "%" PRIu64 " bytes by cycle %" PRIu64
			   " are more than the memory can",
			   bytes, now);
}
