/* SPDX-License-Identifier: MIT */
/*
 * Random streams of commands for a device: copies, layers, semaphores and faults over
 * several queues and two contexts, half of the entries lists.
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include "sim_host.h"

#define STREAM_QUEUES 3

/*
 * A paused device with a stream; the same seed makes the same. All doorbells are rung
 * while nothing runs, so that time depends on nobody.
 */
struct test_host *stream_prepare(uint64_t seed);

/* The same commands once more; the device is paused. */
void stream_repeat(struct test_host *host);

/*
 * Takes the completions of so many rounds of the stream that are still to come, pauses
 * the device and saves what there is then.
 */
void stream_finish(struct test_host *host, unsigned int rounds,
		   const char *path);

/* How many accesses of host memory a stream makes; leaves a file in the folder. */
unsigned long stream_accesses(const char *folder, uint64_t seed);

/* Are two files the same? */
void stream_expect_equal(const char *a, const char *b);

#endif
