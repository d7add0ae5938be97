/* SPDX-License-Identifier: MIT */
/*
 * What the fast path must not do, counted while it runs. The program defines the C
 * library's allocator and locks itself, so that those that libaccel calls come here,
 * whether it is linked as a static or as a shared library, and puts a transport of its
 * own between the driver and the device's.
 */
#ifndef FASTPATH_WATCH_H
#define FASTPATH_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct transport;

/**
 * struct watch - what one thread did between watch_begin() and watch_end()
 * @allocations: of heap memory, and what was freed
 * @locks: mutexes, rwlocks, spinlocks, condition variables, semaphores
 * @register_reads: of the transport
 * @register_writes: of it, but for doorbells
 * @tails: submission doorbells that were written through the transport
 * @heads: completion doorbells, likewise
 */
struct watch {
	uint64_t allocations;
	uint64_t locks;
	uint64_t register_reads;
	uint64_t register_writes;
	uint64_t tails;
	uint64_t heads;
};

/* Of the thread that is watched, while it is. */
extern _Thread_local bool watch_on;
extern struct watch watch;

void watch_begin(void);
void watch_end(void);

/* From now on devices do not map their doorbells: all of them are counted. */
extern bool watch_doorbells;

/* The transport of the device that was opened last; NULL: it has none. */
extern struct transport *watch_transport;

/*
 * From now on the calling thread may only leave the process, and send messages if it is
 * said: at any other system call the kernel kills the process. 0 or −errno.
 */
int watch_forbid_system_calls(bool messages);

#endif
