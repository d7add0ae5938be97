/* SPDX-License-Identifier: MIT */
/*
 * The PCIe link in the engine: TLPs in both directions, with their overhead, MPS and
 * MRRS, tags, posted, non-posted and completion credits, and the host's latency. Reads
 * become requests upstream and completions downstream; writes go upstream.
 */
#ifndef SIM_ENGINE_LINK_H
#define SIM_ENGINE_LINK_H

#include <sim/config.h>
#include <sim/engine/clock.h>
#include <sim/engine/memory.h>
#include <sim/engine/observer.h>

/**
 * struct link_transfer - ranges of host memory that one requester reads or writes
 * @ranges: bus addresses; the owner's, until the transfer is done
 * @count: of @ranges
 * @write: to the host; else from it
 * @allowed: bytes that may be requested so far (a write whose data are still on
 *	their way); the owner may raise it; UINT64_MAX: all
 * @sequence: of the command that it belongs to, for the observer
 * @total: bytes of all ranges, set by link_open()
 * @done: read: arrived; write: seen by the host
 * @requested: of @total, so many are on their way or done
 * @range: cursor, link.c's as all that follows
 */
struct link_transfer {
	const struct memory_range *ranges;
	uint32_t count;
	bool write;
	uint64_t allowed;
	uint64_t sequence;
	uint64_t total;
	uint64_t done;
	uint64_t requested;
	uint32_t range;
	uint32_t offset;
	uint32_t walk_range;
	uint32_t walk_level;
	bool walking;
	bool interrupt;
	uint64_t opened;
	struct link_transfer *next;
};

struct link_counts {
	uint64_t read_bytes; /* payload */
	uint64_t write_bytes;
	uint64_t packets_up;
	uint64_t packets_down;
	uint64_t doorbells;
	uint64_t interrupts;
};

struct engine_link;

int engine_link_create(const struct sim_config *config,
		       const struct engine_observer *observer,
		       struct engine_link **out);
void engine_link_destroy(struct engine_link *link);

void link_open(struct engine_link *link, struct link_transfer *transfer);

static inline bool link_transfer_done(const struct link_transfer *transfer)
{
	return transfer->done == transfer->total;
}

/* A write whose last range is the message that interrupts the host. */
void link_interrupt(struct engine_link *link, struct link_transfer *transfer);

/*
 * A host's store to a doorbell at @now: @transfer, of which only @sequence counts, is
 * done when the device has seen it.
 */
void link_doorbell(struct engine_link *link, struct link_transfer *transfer,
		   uint64_t now);

bool link_step(struct engine_link *link, uint64_t now);
uint64_t link_next(const struct engine_link *link, uint64_t now);

/* Every tag and every credit has returned. */
bool link_idle(const struct engine_link *link);

void link_count(const struct engine_link *link, struct link_counts *out);

/* Attainable payload in one direction, in bytes a second. */
uint64_t link_bandwidth(const struct sim_config *config);

#endif
