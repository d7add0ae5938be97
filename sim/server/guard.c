/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include <core/error.h>
#include <sim/memory.h>
#include <sim/server/guard.h>

/* Where this thread's copy is left; NULL while there is none. */
static _Thread_local sigjmp_buf *way_out;

static void bus_error(int number)
{
	if (way_out)
		siglongjmp(*way_out, 1);
	/* Not ours: the default is to die of it, at the same instruction. */
	signal(number, SIG_DFL);
}

int guard_install(void)
{
	struct sigaction action = { .sa_handler = bus_error };

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGBUS, &action, NULL))
		return accel_error(-errno, "sigaction: %s", strerror(errno));
	return 0;
}

bool guarded_copy(void *to, const void *from, size_t length)
{
	sigjmp_buf here;
	bool copied = false;

	if (!sigsetjmp(here, 1)) {
		way_out = &here;
		sim_memory_copy(to, from, length);
		copied = true;
	}
	way_out = NULL;
	return copied;
}
