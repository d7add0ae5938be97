/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens when a context's work fails: the context is reset, then the queues that
 * this does not put right are made anew, then the device is reset (spmm_reset.h).
 */
#ifndef SPMM_RECOVERY_H
#define SPMM_RECOVERY_H

#include "spmm_queue.h"

struct work_struct;

/* To be called with queue.lock held. Any context. */
void spmm_recovery_request(struct spmm_queue *queue,
			   enum spmm_queue_trouble trouble);
/* The time of the queue's first job is over: see whether it moves. May sleep. */
void spmm_recovery_timeout(struct spmm_queue *queue);
void spmm_recovery_work(struct work_struct *work);
/* Faults of user queues, of which no completion tells the module. */
void spmm_recovery_notify(struct spmm_interrupt_listener *listener);
void spmm_recovery_look_work(struct work_struct *work);

#endif
