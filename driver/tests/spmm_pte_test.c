// SPDX-License-Identifier: GPL-2.0-only
/* Entries of page tables are what Documentation/device.rst says. */
#include "spmm_test.h"

#include <kunit/test.h>
#include <linux/sizes.h>
#include <spmm/page_table.h>

/* Compiled in: the module exports nothing. */
#include "../spmm_pte.c"

#define LAST_PAGE ((1ull << SPMM_VIRTUAL_ADDRESS_BITS) - SPMM_PAGE_SIZE)

/* Bits 47–39, 38–30, 29–21 and 20–12. */
static void address_is_cut_into_indices(struct kunit *test)
{
	const u64 address = 1ull << 39 | 2ull << 30 | 3ull << 21 | 4ull << 12;

	KUNIT_EXPECT_EQ(test, spmm_pte_index(address, 3), 1);
	KUNIT_EXPECT_EQ(test, spmm_pte_index(address, 2), 2);
	KUNIT_EXPECT_EQ(test, spmm_pte_index(address, 1), 3);
	KUNIT_EXPECT_EQ(test, spmm_pte_index(address, 0), 4);
	KUNIT_EXPECT_EQ(test, spmm_pte_index(LAST_PAGE, 3), 511);
	KUNIT_EXPECT_EQ(test, spmm_pte_span(0), SZ_4K);
	KUNIT_EXPECT_EQ(test, spmm_pte_span(1), SZ_2M);
	KUNIT_EXPECT_EQ(test, spmm_pte_rest(SZ_2M + SZ_4K, 1), SZ_2M - SZ_4K);
}

static void large_pages_need_alignment_of_both(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, spmm_pte_leaf_level(0, 0, SZ_2M), 1);
	KUNIT_EXPECT_EQ(test, spmm_pte_leaf_level(SZ_2M, SZ_4M, SZ_16M), 1);
	KUNIT_EXPECT_EQ(test, spmm_pte_leaf_level(SZ_4K, 0, SZ_16M), 0);
	KUNIT_EXPECT_EQ(test, spmm_pte_leaf_level(0, SZ_4K, SZ_16M), 0);
	KUNIT_EXPECT_EQ(test, spmm_pte_leaf_level(0, 0, SZ_2M - SZ_4K), 0);
}

static void ranges_do_not_overflow(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, spmm_pte_is_mappable(0, 0, SZ_4K));
	KUNIT_EXPECT_TRUE(test, spmm_pte_is_mappable(LAST_PAGE, 0, SZ_4K));
	KUNIT_EXPECT_FALSE(test, spmm_pte_is_mappable(LAST_PAGE, 0, SZ_8K));
	KUNIT_EXPECT_FALSE(test, spmm_pte_is_mappable(0, 0, 0));
	KUNIT_EXPECT_FALSE(test, spmm_pte_is_mappable(1, 0, SZ_4K));
	KUNIT_EXPECT_FALSE(test, spmm_pte_is_mappable(0, 1, SZ_4K));
	KUNIT_EXPECT_FALSE(test, spmm_pte_is_mappable(0, 0, -SZ_4K));
	KUNIT_EXPECT_FALSE(test, spmm_pte_is_mappable(-SZ_4K, 0, SZ_8K));
	KUNIT_EXPECT_FALSE(test, spmm_pte_is_mappable(0, 1ull << 52, SZ_4K));
}

static void entries_carry_only_what_they_may(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, spmm_pte_leaf(0x5000, SPMM_PTE_READ),
			0x5000 | SPMM_PTE_VALID | SPMM_PTE_LEAF |
				SPMM_PTE_READ);
	KUNIT_EXPECT_EQ(test, spmm_pte_leaf(~0ull, ~0ull),
			SPMM_PTE_ADDRESS_MASK | SPMM_PTE_VALID | SPMM_PTE_LEAF |
				SPMM_PTE_READ | SPMM_PTE_WRITE |
				SPMM_PTE_DEVICE);
	KUNIT_EXPECT_EQ(test, spmm_pte_table(0x7000), 0x7000 | SPMM_PTE_VALID);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(address_is_cut_into_indices),
	KUNIT_CASE(large_pages_need_alignment_of_both),
	KUNIT_CASE(ranges_do_not_overflow),
	KUNIT_CASE(entries_carry_only_what_they_may),
	{},
};

struct kunit_suite spmm_pte_suite = {
	.name = "spmm_pte",
	.test_cases = cases,
};
