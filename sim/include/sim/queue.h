/* SPDX-License-Identifier: MIT */
/* Rings, completions, and which queue's command is next. */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <sim/state.h>

enum queue_step {
	QUEUE_IDLE, /* nothing to do */
	QUEUE_WAITING, /* only semaphores are waited for */
	QUEUE_MOVED, /* something was done */
};

/* Executes one entry of the next queue whose turn it is. */
enum queue_step queue_step(struct sim_device *device);

/* Entries that the host has handed over and the device has not read. */
uint32_t queue_pending(struct sim_device *device, const struct sim_sq *queue);

/* Reads the entry at the head without moving it; enum spmm_status. */
int queue_peek(struct sim_device *device, const struct sim_sq *queue,
	       uint32_t index, struct spmm_sqe *out, uint64_t *fault);

/* Completions that its queue has room for, and that no command is promised. */
uint32_t queue_room(struct sim_device *device, const struct sim_sq *queue);

/* Is there room in its completion queue for one more command? */
bool queue_has_room(struct sim_device *device, const struct sim_sq *queue);

/* How the queue's current entry ends. */
struct sim_completion queue_completion(const struct sim_sq *queue, int status,
				       uint64_t result);

/* Writes a completion and raises its vector; with a fault if that fails. */
void queue_complete(struct sim_device *device, struct sim_sq *queue,
		    const struct sim_completion *completion);

/* Ends the current entry without the engine. */
void queue_end(struct sim_device *device, struct sim_sq *queue, int status,
	       uint64_t result);

/*
 * Completes all that the queue holds now and nothing has been made of with a status, as far as its completion
 * queue has room; the rest follows before anything else of the queue.
 */
void queue_drain(struct sim_device *device, struct sim_sq *queue, int status);

#endif
