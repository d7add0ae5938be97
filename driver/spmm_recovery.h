/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens when a context's work fails: the context is reset, then the queues that
 * this does not put right are made anew, then the device is reset (spmm_reset.h).
 */
#ifndef SPMM_RECOVERY_H
#define SPMM_RECOVERY_H

#include "spmm_queue.h"

struct spmm_device;
struct spmm_slots;
struct work_struct;

/* To be called with queue.lock held. Any context. */
void spmm_recovery_request(struct spmm_queue *queue,
			   enum spmm_queue_trouble trouble);
/* The time of the queue's first job is over: see whether it moves. May sleep. */
void spmm_recovery_timeout(struct spmm_queue *queue);
void spmm_recovery_work(struct work_struct *work);
/* Until nothing that has failed so far is left to be put right. May sleep. */
void spmm_recovery_finish(struct spmm_device *spmm);
/*
 * Each queue learns of its faults. A context that was killed has one record, so each is read
 * before it is needed. With slots.lock held.
 */
int spmm_recovery_read_log(struct spmm_slots *slots);
/* Faults of user queues, of which no completion tells the module. */
void spmm_recovery_notify(struct spmm_interrupt_listener *listener);
void spmm_recovery_look_work(struct work_struct *work);

#endif
