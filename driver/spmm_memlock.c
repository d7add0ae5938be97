// SPDX-License-Identifier: GPL-2.0-only
#include "spmm_memlock.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>

int spmm_memlock_charge(struct spmm_memlock *charge, u64 bytes)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	unsigned long pages = DIV_ROUND_UP_ULL(bytes, PAGE_SIZE);
	struct user_struct *user = current_user();
	long locked = atomic_long_read(&user->locked_vm);

	do {
		unsigned long sum;

		if (check_add_overflow((unsigned long)locked, pages, &sum))
			return -EPERM;
		if (sum > limit && !capable(CAP_IPC_LOCK))
			return -EPERM;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &locked,
					  locked + pages));

	charge->user = get_uid(user);
	charge->pages = pages;
	return 0;
}

void spmm_memlock_uncharge(struct spmm_memlock *charge)
{
	if (!charge->user)
		return;
	atomic_long_sub(charge->pages, &charge->user->locked_vm);
	free_uid(charge->user);
	charge->user = NULL;
}
