/* SPDX-License-Identifier: MIT */
/*
 * A step: arrivals of this cycle are credited; transfers, class by class, put requests
 * into the channels' queues as far as there is room; the channels go on to the end of
 * the cycle.
 */
#include <sim/engine/memory.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <core/error.h>
#include <core/integer.h>
#include <sim/dram/configured.h>
#include <sim/engine/address_map.h>
#include <sim/engine/memory_channel.h>

/*
 * Requests for each channel that a transfer puts in before the next of its class: so
 * many that the rows that they open are worth it, and other transfers still get on.
 */
#define TURN_REQUESTS 16

struct engine_memory {
	struct memory_channel_shared shared;
	struct address_map map;
	uint32_t channel_count;
	struct memory_channel channels[DRAM_CHANNELS_MAX];
	struct memory_transfer *first; /* not all requested, in order of turns */
	struct memory_transfer *last;
	bool opened; /* a transfer since the last step */
	uint64_t opened_bytes[2]; /* of all transfers: read, written */
	uint32_t turn;
	uint32_t prefetch_reads; /* of a channel under way, until they stop */
	uint64_t reads; /* under way */
	uint64_t next_arrival; /* cycle */
	uint64_t next_clock; /* of the channels */
	uint64_t walk_cycles; /* of one level */
	uint64_t walkers[TLB_WALKERS_MAX]; /* when each is free */
	uint32_t walker_count;
	uint64_t next_walk; /* end of one that a transfer waits for */
	/* Channels whose queue for reads, or writes, had no room for a transfer. */
	uint32_t waited_for[2];
	bool room_came; /* in one of them, since the transfers were served */
	bool look_again; /* one is held by what may change without a word */
	bool busy; /* since the last step */
	uint64_t stepped; /* its cycle */
};

/*
 * A channel serves the oldest first: what is only fetched ahead may fill half of the
 * room for reads, so that who waits does not wait for all of it.
 */
static uint32_t prefetch_reads(const struct sim_config *config)
{
	uint32_t banks = config->dram_ranks * config->dram_bank_groups *
			 config->dram_banks;

	return (config->dram_read_queue + banks * config->dram_bank_queue) / 2;
}

int engine_memory_create(const struct sim_config *config,
			 const struct engine_observer *observer,
			 struct engine_memory **out)
{
	struct engine_memory *memory = calloc(1, sizeof(*memory));
	uint64_t walk_ps = config->tlb_walk_ps;
	int ret = 0;

	if (!memory)
		return accel_error(-ENOMEM, "no memory for device memory");
	dram_standard_configure(config, &memory->shared.standard);
	memory->shared.ratio = dram_clock_ratio(config);
	memory->shared.path_cycles =
		sim_config_cycles(config, config->dram_path_ps);
	memory->shared.observer = observer;
	address_map_init(&memory->map, config);
	memory->turn = TURN_REQUESTS * config->dram_channels;
	memory->prefetch_reads = prefetch_reads(config);
	memory->next_arrival = ENGINE_NEVER;
	memory->next_clock = ENGINE_NEVER;
	memory->next_walk = ENGINE_NEVER;
	memory->walker_count = config->tlb_walkers;
	memory->walk_cycles = sim_config_cycles(
		config, walk_ps ? walk_ps : sim_config_dram_latency_ps(config));
	while (!ret && memory->channel_count < config->dram_channels) {
		uint32_t i = memory->channel_count++;

		ret = memory_channel_init(&memory->channels[i], &memory->shared,
					  i);
	}
	if (ret) {
		engine_memory_destroy(memory);
		return ret;
	}
	*out = memory;
	return 0;
}

void engine_memory_destroy(struct engine_memory *memory)
{
	if (!memory)
		return;
	for (uint32_t i = 0; i < memory->channel_count; i++)
		memory_channel_destroy(&memory->channels[i]);
	free(memory);
}

/* Bytes of the whole requests that a range touches. */
static uint64_t range_bytes(const struct memory_range *range, uint32_t request)
{
	uint64_t begin = range->address & ~(uint64_t)(request - 1);

	return range->length ?
		       align_up(range->address + range->length, request) -
			       begin :
		       0;
}

static void skip_empty(struct memory_transfer *transfer)
{
	while (transfer->range < transfer->count &&
	       !transfer->ranges[transfer->range].length) {
		transfer->range++;
		transfer->walk_end = transfer->ahead_end;
		transfer->ahead_end = ENGINE_NEVER;
	}
}

void memory_open(struct engine_memory *memory, struct memory_transfer *transfer)
{
	uint32_t request = memory->shared.standard.request_bytes;

	transfer->total = 0;
	transfer->done = 0;
	transfer->range = 0;
	transfer->offset = 0;
	transfer->requested = 0;
	transfer->walk_end = ENGINE_NEVER;
	transfer->ahead_end = ENGINE_NEVER;
	transfer->turn = memory->turn;
	transfer->next = NULL;
	for (uint32_t i = 0; i < transfer->count; i++)
		transfer->total += range_bytes(&transfer->ranges[i], request);
	if (!transfer->total)
		return;
	memory->opened_bytes[transfer->write] += transfer->total;
	skip_empty(transfer);
	if (memory->last)
		memory->last->next = transfer;
	else
		memory->first = transfer;
	memory->last = transfer;
	memory->opened = true;
}

/* The end of a walk that begins now; ENGINE_NEVER while no walker is free. */
static uint64_t walk_start(struct engine_memory *memory, uint32_t levels,
			   uint64_t now)
{
	uint64_t earliest = ENGINE_NEVER;

	for (uint32_t i = 0; i < memory->walker_count; i++) {
		if (memory->walkers[i] <= now) {
			memory->walkers[i] = now + levels * memory->walk_cycles;
			memory->shared.counts.walks += levels;
			return memory->walkers[i];
		}
		earliest = min_u64(earliest, memory->walkers[i]);
	}
	memory->next_walk = min_u64(memory->next_walk, earliest);
	return ENGINE_NEVER;
}

/* Starts what walks a transfer needs; true if one began. */
static bool transfer_walk(struct engine_memory *memory,
			  struct memory_transfer *transfer, uint64_t now)
{
	const struct memory_range *range = &transfer->ranges[transfer->range];
	bool began = false;

	if (range->walks && transfer->walk_end == ENGINE_NEVER) {
		transfer->walk_end = walk_start(memory, range->walks, now);
		began = transfer->walk_end != ENGINE_NEVER;
	}
	if (transfer->range + 1 < transfer->count && range[1].length &&
	    range[1].walks && transfer->ahead_end == ENGINE_NEVER) {
		transfer->ahead_end = walk_start(memory, range[1].walks, now);
		began |= transfer->ahead_end != ENGINE_NEVER;
	}
	return began;
}

/* Puts the next request of a transfer into its channel's queue, if it may go. */
static bool request_push(struct engine_memory *memory,
			 struct memory_transfer *transfer, uint64_t clock)
{
	const struct memory_range *range = &transfer->ranges[transfer->range];
	uint32_t request = memory->shared.standard.request_bytes;
	uint64_t address = range->address + transfer->offset;
	uint32_t bytes = request - (uint32_t)(address & (request - 1));
	uint32_t index = address_map_channel(&memory->map, address);
	struct memory_channel *channel = &memory->channels[index];
	struct dram_address place;

	if (bytes > range->length - transfer->offset)
		bytes = range->length - transfer->offset;
	if (transfer->allowed < transfer->requested + bytes ||
	    (transfer->class == MEMORY_PREFETCH && !transfer->write &&
	     channel->reads >= memory->prefetch_reads)) {
		memory->look_again = true;
		return false;
	}
	if (!memory_channel_has_room(channel, transfer->write)) {
		memory->waited_for[transfer->write] |= 1u << index;
		memory->look_again |= channel->reads > channel->arrival_mask;
		return false;
	}
	place = address_map_locate(&memory->map, address);
	memory_channel_accept(channel, &place, transfer, clock);
	transfer->requested += bytes;
	transfer->offset += bytes;
	if (transfer->offset == range->length) {
		transfer->offset = 0;
		transfer->range++;
		transfer->walk_end = transfer->ahead_end;
		transfer->ahead_end = ENGINE_NEVER;
		skip_empty(transfer);
	}
	return true;
}

static void request_account(struct engine_memory *memory,
			    struct memory_transfer *transfer)
{
	uint32_t bytes = memory->shared.standard.request_bytes;

	/* Writes are posted. */
	if (transfer->write) {
		transfer->done += bytes;
		memory->shared.counts.write_bytes += bytes;
	} else {
		memory->reads++;
		memory->shared.counts.read_bytes += bytes;
	}
}

/* One turn of a transfer. Return: did it do anything? */
static bool transfer_serve(struct engine_memory *memory,
			   struct memory_transfer *transfer, uint64_t now,
			   uint64_t clock)
{
	bool served = false;

	while (transfer->range < transfer->count && transfer->turn) {
		const struct memory_range *range =
			&transfer->ranges[transfer->range];

		served |= transfer_walk(memory, transfer, now);
		if (range->walks && transfer->walk_end > now) {
			memory->next_walk =
				min_u64(memory->next_walk, transfer->walk_end);
			break;
		}
		if (!request_push(memory, transfer, clock))
			break;
		request_account(memory, transfer);
		transfer->turn--;
		served = true;
	}
	return served;
}

/* Takes a transfer out of the list; @before is its predecessor or NULL. */
static void transfer_unlink(struct engine_memory *memory,
			    struct memory_transfer *before,
			    struct memory_transfer *transfer)
{
	if (before)
		before->next = transfer->next;
	else
		memory->first = transfer->next;
	if (memory->last == transfer)
		memory->last = before;
	transfer->next = NULL;
}

static void transfer_append(struct engine_memory *memory,
			    struct memory_transfer *transfer)
{
	if (memory->last)
		memory->last->next = transfer;
	else
		memory->first = transfer;
	memory->last = transfer;
}

/*
 * A turn for each transfer of a class; @served if any did anything. Return: has one's
 * turn ended? Else all of them have gone as far as they can.
 */
static bool class_serve(struct engine_memory *memory, enum memory_class class,
			uint64_t now, uint64_t clock, bool *served)
{
	struct memory_transfer *const end = memory->last;
	struct memory_transfer *before = NULL;
	struct memory_transfer *transfer = memory->first;
	bool ended = false;

	while (transfer) {
		struct memory_transfer *next = transfer == end ? NULL :
								 transfer->next;

		if (transfer->class == class)
			*served |= transfer_serve(memory, transfer, now, clock);
		if (transfer->range == transfer->count) {
			transfer_unlink(memory, before, transfer);
		} else if (!transfer->turn) {
			transfer->turn = memory->turn;
			ended = true;
			transfer_unlink(memory, before, transfer);
			transfer_append(memory, transfer);
		} else {
			before = transfer;
		}
		transfer = next;
	}
	return ended;
}

static bool transfers_serve(struct engine_memory *memory, uint64_t now,
			    uint64_t clock)
{
	bool served = false;
	uint32_t present = 0;

	memory->next_walk = ENGINE_NEVER;
	memory->opened = false;
	memory->look_again = false;
	memory->room_came = false;
	memory->waited_for[false] = 0;
	memory->waited_for[true] = 0;
	for (const struct memory_transfer *t = memory->first; t; t = t->next)
		present |= 1u << t->class;
	for (unsigned int c = 0; c < MEMORY_CLASS_COUNT; c++)
		if (present & 1u << c)
			while (class_serve(memory, (enum memory_class)c, now,
					   clock, &served))
				continue;
	return served;
}

/* Can a transfer do more than when they were last served? */
static bool serve_is_due(const struct engine_memory *memory, uint64_t now)
{
	return memory->first &&
	       (memory->opened || memory->room_came || memory->look_again ||
		memory->next_walk <= now);
}

static bool arrivals_deliver(struct engine_memory *memory, uint64_t now)
{
	uint32_t count = 0;

	if (memory->next_arrival > now)
		return false;
	for (uint32_t i = 0; i < memory->channel_count; i++)
		count += memory_channel_deliver(&memory->channels[i], now);
	memory->reads -= count;
	return count > 0;
}

/* Has a queue got room that a transfer waits for? */
static bool has_come(const struct engine_memory *memory,
		     const struct memory_channel *channel)
{
	for (unsigned int write = 0; write < 2; write++)
		if (memory->waited_for[write] & 1u << channel->index &&
		    memory_channel_has_room(channel, write))
			return true;
	return false;
}

/* All command clocks of the cycle. */
static bool channels_run(struct engine_memory *memory, uint64_t end)
{
	bool room = false;

	memory->next_arrival = ENGINE_NEVER;
	memory->next_clock = ENGINE_NEVER;
	for (uint32_t i = 0; i < memory->channel_count; i++) {
		struct memory_channel *channel = &memory->channels[i];

		if (channel->active && channel->next < end) {
			memory_channel_run(channel, end);
			room |= has_come(memory, channel);
		}
		if (channel->active)
			memory->next_clock =
				min_u64(memory->next_clock, channel->next);
		memory->next_arrival = min_u64(memory->next_arrival,
					       memory_channel_arrival(channel));
	}
	return room;
}

/* The cycles since the last step; what they were does not change between steps. */
static void busy_account(struct engine_memory *memory, uint64_t now)
{
	if (memory->busy)
		memory->shared.counts.busy_cycles += now - memory->stepped;
	memory->busy = memory->reads || memory->next_clock != ENGINE_NEVER;
	memory->stepped = now;
}

bool memory_step(struct engine_memory *memory, uint64_t now)
{
	const struct clock_ratio *ratio = &memory->shared.ratio;
	uint64_t begin = clock_ratio_edge(ratio, now);
	uint64_t end = clock_ratio_edge(ratio, now + 1);
	bool changed = arrivals_deliver(memory, now);

	if (serve_is_due(memory, now))
		changed |= transfers_serve(memory, now, begin);
	if (channels_run(memory, end)) {
		memory->room_came = true;
		changed = true;
	}
	busy_account(memory, now);
	if (memory->shared.observer)
		for (uint32_t i = 0; i < memory->channel_count; i++)
			memory_channel_show(&memory->channels[i], now);
	return changed;
}

uint64_t memory_next(const struct engine_memory *memory, uint64_t now)
{
	uint64_t next = min_u64(memory->next_arrival, memory->next_walk);

	if (memory->next_clock != ENGINE_NEVER)
		next = min_u64(next, clock_ratio_cycle(&memory->shared.ratio,
						       memory->next_clock));
	if (memory->opened)
		next = 0;
	return max_u64(next, now + 1);
}

bool memory_idle(const struct engine_memory *memory)
{
	return !memory->first && !memory->reads &&
	       memory->next_clock == ENGINE_NEVER;
}

int memory_check(const struct engine_memory *memory)
{
	const struct memory_counts *counts = &memory->shared.counts;

	if (counts->read_bytes == memory->opened_bytes[0] &&
	    counts->write_bytes == memory->opened_bytes[1])
		return 0;
	return accel_error(-EIO,
			   "the memory read %" PRIu64
			   " bytes and wrote %" PRIu64
			   "; its transfers have %" PRIu64 " and %" PRIu64,
			   counts->read_bytes, counts->write_bytes,
			   memory->opened_bytes[0], memory->opened_bytes[1]);
}

void memory_count(const struct engine_memory *memory, struct memory_counts *out)
{
	*out = memory->shared.counts;
}

uint64_t memory_bandwidth(const struct sim_config *config)
{
	return sim_config_dram_bandwidth(config);
}
