/* SPDX-License-Identifier: MIT */
/*
 * The stats page: a file in which a process shows what the queues of one open device
 * count, for `accel stats` and `accel top`. Host byte order: it never leaves the machine.
 *
 * The owner holds a lock on the file, flock(), for as long as it lives. Who gets the lock
 * knows that the owner is dead, and may remove the file.
 *
 * A reader believes nothing in it: sizes are checked, texts are cut and cleaned. A page of
 * the same version may have larger slots, and more of them, than the reader knows.
 */
#ifndef RUNTIME_STATS_PAGE_H
#define RUNTIME_STATS_PAGE_H

#include "runtime/counters.h"

#define STATS_PAGE_MAGIC 0x6163636573746174ull
#define STATS_PAGE_VERSION 1
#define STATS_PAGE_SLOTS 64

/**
 * struct stats_slot - one queue
 * @counters: of it
 * @number: of the queue, in its process; 0: the slot is free
 * @depth: of it
 * @priority: of it
 */
struct stats_slot {
	struct queue_counters counters;
	uint32_t number;
	uint32_t depth;
	uint32_t priority;
	uint32_t reserved[13];
};

_Static_assert(sizeof(struct stats_slot) == 192, "a page's slots");

/**
 * struct stats_page - the file
 * @magic: STATS_PAGE_MAGIC
 * @version: STATS_PAGE_VERSION
 * @slots_offset: from the beginning
 * @slot_size: from slot to slot
 * @slot_count: of them
 * @pid: of the owner, as it sees itself
 * @unlisted: queues that found no slot
 * @backend: "sim", "dev", …
 * @program: of the owner, as ps shows it
 * @uri: of the device
 */
struct stats_page {
	uint64_t magic;
	uint32_t version;
	uint32_t slots_offset;
	uint32_t slot_size;
	uint32_t slot_count;
	uint32_t pid;
	uint32_t unlisted;
	char backend[16];
	char program[16];
	char uri[256];
	uint32_t reserved[48];
	struct stats_slot slots[STATS_PAGE_SLOTS];
};

_Static_assert(sizeof(struct stats_page) ==
		       512 + STATS_PAGE_SLOTS * sizeof(struct stats_slot),
	       "a page's header");

#endif
