/* SPDX-License-Identifier: MIT */
/*
 * One channel of device DRAM in the engine: its controller, in the DRAM's clock, and
 * the data that are on their way back, in the device's.
 *
 * A channel that has nothing to do is not run; the refreshes that it would have done
 * are made up for when the next request comes.
 */
#ifndef SIM_ENGINE_MEMORY_CHANNEL_H
#define SIM_ENGINE_MEMORY_CHANNEL_H

#include <sim/dram/controller.h>
#include <sim/engine/clock_ratio.h>
#include <sim/engine/memory.h>

/* What all channels have in common. */
struct memory_channel_shared {
	struct dram_standard standard;
	struct clock_ratio ratio; /* command clock to device clock */
	uint64_t path_cycles; /* from the pins to who asked */
	const struct engine_observer *observer;
	struct memory_counts counts;
};

struct memory_arrival {
	uint64_t cycle;
	struct memory_transfer *transfer;
};

/**
 * struct memory_burst - data that follow each other, for the time line
 * @transfer: whose; not to be looked into, since it may be done
 * @sequence: of its command; 0 of writes, which are posted
 */
struct memory_burst {
	const struct memory_transfer *transfer;
	uint64_t sequence;
	bool write;
	uint64_t begin; /* command clocks */
	uint64_t end;
	uint64_t requests;
};

struct memory_channel {
	struct memory_channel_shared *shared;
	struct dram_controller *controller;
	uint32_t index;
	uint64_t next; /* command clock of its next event */
	bool active; /* has something to do beside refresh */
	uint32_t reads; /* accepted and not arrived */
	struct memory_arrival *arrivals; /* a ring in order of time */
	uint32_t arrival_head;
	uint32_t arrival_count;
	uint32_t arrival_mask;
	struct memory_burst burst;
	uint32_t shown; /* requests waiting, as the observer knows them */
};

int memory_channel_init(struct memory_channel *channel,
			struct memory_channel_shared *shared, uint32_t index);
void memory_channel_destroy(struct memory_channel *channel);

static inline bool memory_channel_has_room(const struct memory_channel *channel,
					   bool write)
{
	return (write || channel->reads <= channel->arrival_mask) &&
	       dram_controller_has_room(channel->controller, write);
}

/* Takes a request at command clock @clock; there must be room. */
void memory_channel_accept(struct memory_channel *channel,
			   const struct dram_address *address,
			   struct memory_transfer *transfer, uint64_t clock);

/* All command clocks before @end. */
void memory_channel_run(struct memory_channel *channel, uint64_t end);

/* Credits what has arrived by @now to the transfers; how many requests. */
uint32_t memory_channel_deliver(struct memory_channel *channel, uint64_t now);

/* Cycle of the next arrival, or ENGINE_NEVER. */
uint64_t memory_channel_arrival(const struct memory_channel *channel);

/* Shows the observer what is new. */
void memory_channel_show(struct memory_channel *channel, uint64_t now);

#endif
