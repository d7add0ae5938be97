/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Host memory that the device can reach does not move and is not swapped: it counts
 * against RLIMIT_MEMLOCK of the user who made it.
 */
#ifndef SPMM_MEMLOCK_H
#define SPMM_MEMLOCK_H

#include <linux/types.h>

struct user_struct;

/**
 * struct spmm_memlock - a charge
 * @user: who pays; NULL while there is none
 * @pages: how many
 */
struct spmm_memlock {
	struct user_struct *user;
	unsigned long pages;
};

/*
 * Charge the current user for @bytes, rounded up to pages. The limit is the current
 * task's; CAP_IPC_LOCK lifts it. Return: 0 or -EPERM.
 */
int spmm_memlock_charge(struct spmm_memlock *charge, u64 bytes);
/* Give it back, from any task; without a charge, nothing. */
void spmm_memlock_uncharge(struct spmm_memlock *charge);

#endif
