/* SPDX-License-Identifier: MIT */
/*
 * Device DRAM in the engine: transfers that are cut into requests, dealt to channels,
 * and served by one controller (sim/dram) for each channel.
 */
#ifndef SIM_ENGINE_MEMORY_H
#define SIM_ENGINE_MEMORY_H

#include <sim/config.h>
#include <sim/engine/clock.h>
#include <sim/engine/observer.h>

/**
 * struct memory_range - contiguous bytes, in device DRAM or on the bus
 * @address: offset in DRAM, or bus address
 * @length: bytes, at most up to the end of its 4 KiB page
 * @walks: page-table levels to be read before, since the TLB misses; 0: none
 */
struct memory_range {
	uint64_t address;
	uint32_t length;
	uint32_t walks;
};

/* In the order in which they are served; writes are posted and drained by the controller. */
enum memory_class {
	MEMORY_FETCH, /* entries and descriptors */
	MEMORY_DEMAND, /* somebody waits */
	MEMORY_PREFETCH, /* of tiles and weights to come */
	MEMORY_WRITE_BACK,
	MEMORY_CLASS_COUNT,
};

/**
 * struct memory_transfer - ranges that one requester reads or writes
 * @ranges: the owner's, until the transfer is done
 * @count: of @ranges
 * @write: else read
 * @class: may be raised by the owner at any time (a prefetch that is waited for)
 * @allowed: bytes of the ranges that may be requested so far; the owner may raise
 *	it, in memory_step()'s absence; UINT64_MAX: all
 * @sequence: of the command that it belongs to, for the observer
 * @total: bytes in whole requests, set by memory_open()
 * @done: of these, read or accepted for writing; ready when equal to @total
 * @range: cursor, memory.c's as all that follows
 * @requested: bytes of the ranges
 * @walk_end: when the walk of the range at the cursor is done, ENGINE_NEVER if it
 *	has not begun
 * @ahead_end: the same of the next range
 * @turn: requests until it is another transfer's turn
 */
struct memory_transfer {
	const struct memory_range *ranges;
	uint32_t count;
	bool write;
	enum memory_class class;
	uint64_t allowed;
	uint64_t sequence;
	uint64_t total;
	uint64_t done;
	uint32_t range;
	uint32_t offset;
	uint64_t requested;
	uint64_t walk_end;
	uint64_t ahead_end;
	uint32_t turn;
	struct memory_transfer *next;
};

/* Since the creation; bytes in whole requests. */
struct memory_counts {
	uint64_t read_bytes;
	uint64_t write_bytes;
	uint64_t walks;
	uint64_t activates;
	uint64_t refreshes;
	uint64_t busy_cycles; /* cycles in which any request was under way */
};

struct engine_memory;

/* @observer may be NULL. −errno with a text. */
int engine_memory_create(const struct sim_config *config,
			 const struct engine_observer *observer,
			 struct engine_memory **out);
void engine_memory_destroy(struct engine_memory *memory);

/* Takes a transfer, which stays where it is until it is done. An empty one is done. */
void memory_open(struct engine_memory *memory,
		 struct memory_transfer *transfer);

static inline bool memory_transfer_done(const struct memory_transfer *transfer)
{
	return transfer->done == transfer->total;
}

bool memory_step(struct engine_memory *memory, uint64_t now);
uint64_t memory_next(const struct engine_memory *memory, uint64_t now);

/* No transfer is open and nothing is under way but writes that may stay. */
bool memory_idle(const struct engine_memory *memory);

/* While idle: −EIO with a text if other bytes were moved than the transfers have. */
int memory_check(const struct engine_memory *memory);

void memory_count(const struct engine_memory *memory,
		  struct memory_counts *out);

/* Attainable: the peak less what refresh takes, in bytes a second. */
uint64_t memory_bandwidth(const struct sim_config *config);

#endif
