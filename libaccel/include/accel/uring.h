/* SPDX-License-Identifier: MIT */
/*
 * A program's own io_uring waits for accelerators, files and sockets together. Link with
 * liburing; nothing of this needs it otherwise.
 */
#ifndef ACCEL_URING_H
#define ACCEL_URING_H

#include <accel/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct io_uring;

/**
 * accel_queue_arm() - have a ring tell when there is something to reap
 * @queue: of the calling thread, of any device
 * @ring: likewise
 * @user_data: of the ring's completion
 *
 * Puts one entry into @ring; the program submits it. The ring gets one completion with
 * @user_data, its result not negative, when operations of @queue have completed, those
 * that had before this call included: no wake-up is lost. Then reap until nothing is
 * left, and arm again. A false alarm is possible.
 *
 * Reaping, and accel_queue_wait(), are allowed while the queue is armed; reading the
 * descriptor of accel_queue_fd() is not. A device that hangs completes nothing: the
 * program's loop needs a deadline, and then accel_queue_cancel(). A reset of the device
 * wakes. Disarm a queue before it is destroyed or the ring is left.
 *
 * Return: 0; -EBUSY if @ring has no free entry: submit those that it has;
 * -EALREADY if the queue is armed and nothing has completed since, or its entry is still
 * to be submitted; -EINVAL; as accel_queue_fd().
 */
int accel_queue_arm(struct accel_queue *queue, struct io_uring *ring,
		    uint64_t user_data);

/**
 * accel_queues_arm() - arm several queues in one ring
 * @queues: of the calling thread, of any devices
 * @count: of @queues
 * @ring: likewise
 * @user_data: of each
 *
 * Return: how many of the first of them are armed now, or were: less than @count if the
 * ring is full; if that is none, what accel_queue_arm() says of the first.
 */
int accel_queues_arm(struct accel_queue *const *queues, uint32_t count,
		     struct io_uring *ring, const uint64_t *user_data);

/**
 * accel_queue_disarm() - take accel_queue_arm() back
 * @queue: of the calling thread
 * @ring: in which it was armed
 *
 * Puts one entry into @ring; when the program has submitted it, the ring completes with
 * the armed user_data: the result is -ECANCELED, or, if it had completed already, -ENOENT.
 *
 * Return: 0; -ENOENT if the queue is not armed, and then nothing will come but what came
 * before; -EBUSY if @ring has no free entry; -EINVAL.
 */
int accel_queue_disarm(struct accel_queue *queue, struct io_uring *ring);

#ifdef __cplusplus
}
#endif

#endif
