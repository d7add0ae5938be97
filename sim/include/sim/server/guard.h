/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from a client's files: the client may cut a file short at any time, and
 * who touches a page that is gone gets SIGBUS.
 */
#ifndef SIM_SERVER_GUARD_H
#define SIM_SERVER_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Once, before the first copy: catches SIGBUS of guarded_copy() and of nobody else. */
int guard_install(void);

/* As sim_memory_copy(); false if a page was gone. From any thread. */
bool guarded_copy(void *to, const void *from, size_t length);

#endif
