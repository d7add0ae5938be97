// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of the module's pure parts, in a module of their own. */
#include "spmm_test.h"

#include <kunit/test.h>
#include <linux/module.h>

kunit_test_suites(&spmm_pte_suite, &spmm_ring_suite, &spmm_validate_suite);

MODULE_DESCRIPTION("Tests of the driver for SpMM accelerators");
MODULE_LICENSE("GPL");
