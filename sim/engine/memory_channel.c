/* SPDX-License-Identifier: MIT */
#include <sim/engine/memory_channel.h>

#include <errno.h>
#include <stdlib.h>

#include <core/error.h>

/* Bursts that are so many clocks apart are shown as one. */
#define BURST_GAP 32

static void burst_show(struct memory_channel *channel)
{
	const struct memory_channel_shared *shared = channel->shared;
	struct memory_burst *burst = &channel->burst;
	struct engine_span span = {
		.track = ENGINE_TRACK_DRAM,
		.unit = channel->index,
		.begin = clock_ratio_cycle(&shared->ratio, burst->begin),
		.end = clock_ratio_after(&shared->ratio, burst->end),
		.name = burst->write ? "write" : "read",
		.sequence = burst->sequence,
		.detail = burst->requests * shared->standard.request_bytes,
	};

	if (burst->requests)
		shared->observer->span(shared->observer->owner, &span);
	burst->requests = 0;
}

/* The transfer of a read, NULL of a write. */
static struct memory_transfer *transfer_of(uint64_t id)
{
	return (struct memory_transfer *)(uintptr_t)id;
}

static void on_issued(void *owner, uint64_t id, uint64_t clock)
{
	struct memory_channel *channel = owner;
	const struct dram_standard *standard = &channel->shared->standard;
	struct memory_burst *burst = &channel->burst;
	const struct memory_transfer *transfer = transfer_of(id);
	uint64_t end = clock + (transfer ? standard->read_done_clocks :
					   standard->write_done_clocks);
	uint64_t begin = end - standard->burst_clocks;

	if (burst->requests &&
	    (burst->transfer != transfer || begin > burst->end + BURST_GAP))
		burst_show(channel);
	if (!burst->requests)
		burst->begin = begin;
	burst->transfer = transfer;
	burst->sequence = transfer ? transfer->sequence : 0;
	burst->write = !transfer;
	burst->end = end;
	burst->requests++;
}

static void ignore_issued(void *owner, uint64_t id, uint64_t clock)
{
	(void)owner;
	(void)id;
	(void)clock;
}

/* Data come in order but for those that a pending write answers. */
static void on_done(void *owner, uint64_t id, uint64_t clock)
{
	struct memory_channel *channel = owner;
	const struct memory_channel_shared *shared = channel->shared;
	uint32_t i = channel->arrival_head + channel->arrival_count;
	uint64_t cycle;

	if (!transfer_of(id))
		return;
	cycle = clock_ratio_after(&shared->ratio, clock) + shared->path_cycles;
	for (; i != channel->arrival_head; i--) {
		const struct memory_arrival *before =
			&channel->arrivals[(i - 1) & channel->arrival_mask];

		if (before->cycle <= cycle)
			break;
		channel->arrivals[i & channel->arrival_mask] = *before;
	}
	channel->arrivals[i & channel->arrival_mask] = (struct memory_arrival){
		.cycle = cycle,
		.transfer = transfer_of(id),
	};
	channel->arrival_count++;
}

static void on_command(void *owner, enum dram_command command,
		       const struct dram_address *address, uint64_t clock)
{
	struct memory_channel *channel = owner;
	struct memory_counts *counts = &channel->shared->counts;

	(void)address;
	(void)clock;
	counts->activates += command == DRAM_ACTIVATE;
	counts->refreshes += command == DRAM_REFRESH;
}

/* Reads that can be under way: queued, or between command and arrival. */
static uint32_t arrivals_for(const struct memory_channel_shared *shared)
{
	const struct dram_standard *standard = &shared->standard;
	uint64_t path = clock_ratio_edge(&shared->ratio, shared->path_cycles) +
			standard->read_done_clocks;
	uint64_t reads = standard->read_queue_entries +
			 (uint64_t)dram_standard_banks(standard) *
				 standard->bank_queue_entries +
			 path / standard->burst_clocks;
	uint32_t entries = 64;

	while (entries < reads && entries < 1u << 20)
		entries *= 2;
	return entries;
}

int memory_channel_init(struct memory_channel *channel,
			struct memory_channel_shared *shared, uint32_t index)
{
	bool spans = shared->observer && shared->observer->span;
	struct dram_observer observer = {
		.issued = spans ? on_issued : ignore_issued,
		.done = on_done,
		.command = on_command,
		.owner = channel,
	};
	uint32_t entries = arrivals_for(shared);

	*channel = (struct memory_channel){
		.shared = shared,
		.index = index,
		.arrivals = calloc(entries, sizeof(*channel->arrivals)),
		.arrival_mask = entries - 1,
	};
	if (!channel->arrivals)
		return accel_error(-ENOMEM, "no memory for a DRAM channel");
	return dram_controller_create(&shared->standard, &observer,
				      &channel->controller);
}

void memory_channel_destroy(struct memory_channel *channel)
{
	if (channel->burst.requests)
		burst_show(channel);
	dram_controller_destroy(channel->controller);
	free(channel->arrivals);
}

void memory_channel_run(struct memory_channel *channel, uint64_t end)
{
	while (channel->next < end)
		channel->next = dram_controller_clock(channel->controller,
						      channel->next);
	channel->active = dram_controller_busy(channel->controller);
}

/* What an idle channel has left out. */
static void refreshes_make_up(struct memory_channel *channel, uint64_t clock)
{
	uint64_t *refreshes = &channel->shared->counts.refreshes;

	while (channel->next < clock) {
		*refreshes += dram_controller_skip(channel->controller,
						   &channel->next, clock);
		channel->next = dram_controller_clock(channel->controller,
						      channel->next);
	}
}

void memory_channel_accept(struct memory_channel *channel,
			   const struct dram_address *address,
			   struct memory_transfer *transfer, uint64_t clock)
{
	struct dram_request request = {
		.address = *address,
		.write = transfer->write,
		.id = transfer->write ? 0 : (uintptr_t)transfer,
	};

	if (!channel->active)
		refreshes_make_up(channel, clock);
	channel->active = true;
	channel->next = clock;
	channel->reads += !transfer->write;
	dram_controller_accept(channel->controller, &request, clock);
}

uint32_t memory_channel_deliver(struct memory_channel *channel, uint64_t now)
{
	uint32_t bytes = channel->shared->standard.request_bytes;
	uint32_t count = 0;

	while (memory_channel_arrival(channel) <= now) {
		uint32_t head = channel->arrival_head & channel->arrival_mask;

		channel->arrivals[head].transfer->done += bytes;
		channel->arrival_head++;
		channel->arrival_count--;
		count++;
	}
	channel->reads -= count;
	return count;
}

uint64_t memory_channel_arrival(const struct memory_channel *channel)
{
	uint32_t head = channel->arrival_head & channel->arrival_mask;

	return channel->arrival_count ? channel->arrivals[head].cycle :
					ENGINE_NEVER;
}

void memory_channel_show(struct memory_channel *channel, uint64_t now)
{
	const struct engine_observer *observer = channel->shared->observer;
	uint32_t waiting = dram_controller_waiting(channel->controller);

	if (!channel->active && !channel->reads && channel->burst.requests)
		burst_show(channel);
	if (waiting == channel->shown || !observer->change)
		return;
	channel->shown = waiting;
	observer->change(observer->owner, ENGINE_SIGNAL_DRAM_QUEUE,
			 channel->index, now, waiting);
}
