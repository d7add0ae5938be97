/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#else
#error "seccomp needs to know the machine"
#endif

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* Skips so many statements if what was loaded is the value. */
#define SKIP_IF(value, statements) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, statements, 0)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)

int watch_forbid_system_calls(bool messages)
{
	struct sock_filter filter[] = {
		LOAD(arch),
		SKIP_IF(MACHINE, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		SKIP_IF(SYS_exit_group, 2),
		SKIP_IF(messages ? SYS_sendmsg : SYS_exit_group, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		RETURN(SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -errno;
	return 0;
}
