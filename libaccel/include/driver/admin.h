/* SPDX-License-Identifier: MIT */
/* The admin queue: one command at a time, each with a deadline. */
#ifndef DRIVER_ADMIN_H
#define DRIVER_ADMIN_H

#include <pthread.h>
#include <stdint.h>

#include <linux/types.h>
#include <spmm/queue.h>

#include "driver/dma.h"
#include "driver/ring.h"

struct transport;

/**
 * struct admin_queue - the rings
 * @lock: over everything below, from a command to its completion; only the
 *	transport's own locks are taken inside
 * @transport: of the device
 * @memory: the submission ring in the first page, the completion ring in the next
 * @sq: counters of the submission ring
 * @cq: of the completion ring
 * @dead: a command was not answered: no other will be, until admin_attach()
 */
struct admin_queue {
	pthread_mutex_t lock;
	struct transport *transport;
	struct dma_memory memory;
	struct ring sq;
	struct ring cq;
	bool dead;
};

int admin_create(struct transport *transport, struct admin_queue *admin);
void admin_destroy(struct admin_queue *admin);

/*
 * Tell a device that is not enabled, and has rings of so many entries at most, where the
 * rings are, from the start.
 */
void admin_attach(struct admin_queue *admin, uint32_t most);

/* Only admin_attach() brings it back. Thread-safe, as the next. */
bool admin_is_dead(struct admin_queue *admin);

/*
 * Execute a command; result may be NULL. Return: 0, the negative errno value of
 * the device's status, −ETIMEDOUT, −ENODEV, or −EIO for a wrong answer. Thread-safe.
 */
int admin_execute(struct admin_queue *admin,
		  const struct spmm_admin_sqe *command, uint64_t *result);

#endif
