/* SPDX-License-Identifier: MIT */
/* A queue with so much work that it can be interrupted. */
#ifndef CONFORMANCE_BUSY_H
#define CONFORMANCE_BUSY_H

#include <accel/accel.h>

/* So many long copies, of which the queue has room for twice as many. */
#define BUSY_COUNT 16

/**
 * struct busy - a queue and what its work moves
 * @queue: of the device
 * @from: host memory
 * @to: device memory
 */
struct busy {
	struct accel_queue *queue;
	struct accel_buffer *from;
	struct accel_buffer *to;
};

struct busy busy_create(struct accel_device *device);
void busy_destroy(struct busy *busy);

/* Submits BUSY_COUNT operations, with the user data 0, 1, 2... */
void busy_start(struct busy *busy);

/*
 * Takes all of them, in order: successes, and behind the first that was cancelled nothing
 * but cancelled ones. Return: how many succeeded.
 */
uint32_t busy_end(struct busy *busy);

#endif
