/* SPDX-License-Identifier: MIT */
/* A stretch of the fast path, run in a process of its own. */
#ifndef FASTPATH_SCENE_H
#define FASTPATH_SCENE_H

#include "watch.h"

#include <accel/accel.h>

/* Operations that may be outstanding; rings have twice as many entries. */
#define SCENE_DEPTH 32

/* What a scene does wrong in its middle, to see that it is noticed. */
enum violation {
	VIOLATION_NONE,
	VIOLATION_SYSTEM_CALL,
	VIOLATION_ALLOCATION,
	VIOLATION_LOCK,
	VIOLATION_REGISTER_READ,
	VIOLATION_DOORBELL,
};

/**
 * struct scene - what is run
 * @uri: the device; PLAIN_URI of the tests' own
 * @name: for people
 * @opcode: of all operations
 * @batch: operations of a submission
 * @waits: for completions in accel_queue_wait(), else it reaps until they are there
 * @messages: system calls that send a message are allowed: its doorbells are some
 * @counts_doorbells: they are written through the transport, and counted; what that
 *	needs is not held against the scene
 * @violation: what it does wrong
 */
struct scene {
	const char *uri;
	const char *name;
	enum accel_opcode opcode;
	uint32_t batch;
	bool waits;
	bool messages;
	bool counts_doorbells;
	enum violation violation;
};

/**
 * struct outcome - what came out
 * @status: 0: it came to its end; or −errno
 * @signal: that killed it, or 0
 * @text: why it did not
 * @batches: submissions
 * @operations: completions
 * @watch: what was counted meanwhile
 * @stats: of the queue, the difference: only @doorbells, @batches, @reports are set
 */
struct outcome {
	int status;
	int signal;
	char text[256];
	uint64_t batches;
	uint64_t operations;
	struct watch watch;
	struct accel_queue_stats stats;
};

void scene_run(const struct scene *scene, struct outcome *outcome);

#endif
