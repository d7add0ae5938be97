/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SPMM_TEST_H
#define SPMM_TEST_H

struct kunit_suite;

extern struct kunit_suite spmm_pte_suite;
extern struct kunit_suite spmm_ring_suite;
extern struct kunit_suite spmm_validate_suite;

#endif
