/* SPDX-License-Identifier: MIT */
/* What cmocka wants included before itself. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The exit status by which a test program says that it was skipped. */
#define EXIT_SKIP 77

#endif
