/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The admin queue: one command at a time, with a deadline.
 *
 * Return of all commands: 0; -EIO for a status other than success (logged); -ETIMEDOUT
 * when the device does not answer: all others fail then until the reset that is on its way,
 * and memory that the device might still reach stays allocated until it; -ENODEV when gone.
 * Context: may sleep, allocates nothing.
 */
#ifndef SPMM_ADMIN_H
#define SPMM_ADMIN_H

#include <linux/types.h>

struct spmm_device;
struct spmm_fault_record;
struct spmm_ring;

int spmm_admin_init(struct spmm_device *spmm); /* drmm-managed */
/* Set up the rings' registers for spmm_hw_enable(), forget what was under way. */
void spmm_admin_start(struct spmm_device *spmm);
/* Called by the interrupt of vector 0. */
void spmm_admin_interrupt(struct spmm_device *spmm);
/* Wakes and fails whoever waits, and all who come: -ENODEV or -ECANCELED. */
void spmm_admin_stop(struct spmm_device *spmm);
/* To look at, for a dump. */
const struct spmm_ring *spmm_admin_ring(const struct spmm_device *spmm);

int spmm_admin_create_context(struct spmm_device *spmm, u32 slot);
int spmm_admin_delete_context(struct spmm_device *spmm, u32 slot);
int spmm_admin_set_page_table(struct spmm_device *spmm, u32 slot, u64 root);
/* length 0: everything */
int spmm_admin_invalidate(struct spmm_device *spmm, u32 slot, u64 address,
			  u64 length);
/*
 * For these two -ETIMEDOUT means no more than that: the queue can still be asked for other
 * things, and the caller is to escalate.
 */
int spmm_admin_reset_context(struct spmm_device *spmm, u32 slot);
/* All that the queue holds, at the next tile. */
int spmm_admin_abort(struct spmm_device *spmm, u32 queue);
int spmm_admin_create_cq(struct spmm_device *spmm, u32 queue, u32 slot,
			 u64 address, u32 entries, u32 vector);
int spmm_admin_delete_cq(struct spmm_device *spmm, u32 queue);
int spmm_admin_create_sq(struct spmm_device *spmm, u32 queue, u32 slot,
			 u64 address, u32 entries, u32 priority);
int spmm_admin_delete_sq(struct spmm_device *spmm, u32 queue);
/* Oldest records of a slot (0: all), at most @room. Return: their number or an error. */
int spmm_admin_get_log(struct spmm_device *spmm, u32 slot,
		       struct spmm_fault_record *records, u32 room);

#endif
