/* SPDX-License-Identifier: MIT */
/* The rings of a queue: how many entries they have, and their memory. */
#ifndef DRIVER_RING_MEMORY_H
#define DRIVER_RING_MEMORY_H

#include "driver/queue.h"

/* Sets the entries of both rings for so many outstanding commands, or −EINVAL. */
int ring_memory_size(struct driver_queue *queue, uint32_t depth);

/* One piece of host memory, whose length is known then: submission, then completion ring. */
int ring_memory_allocate(struct driver_queue *queue);

/* Where in it the completion ring starts. */
uint64_t ring_memory_completions(const struct driver_queue *queue);

#endif
