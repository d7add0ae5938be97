// SPDX-License-Identifier: GPL-2.0-only
/* Rings never overflow, never go back, and believe no completion that lies. */
#include "spmm_test.h"

#include <kunit/test.h>
#include <linux/errno.h>
#include <spmm/queue.h>

/* Compiled in: the module exports nothing. */
#include "../spmm_ring.c"

#define ENTRIES 5

static void ring_has_one_entry_less(struct kunit *test)
{
	struct spmm_ring ring;
	u32 i;

	spmm_ring_init(&ring, ENTRIES);
	for (i = 0; i < ENTRIES - 1; i++) {
		KUNIT_EXPECT_EQ(test, spmm_ring_room(&ring), ENTRIES - 1 - i);
		KUNIT_EXPECT_EQ(test, spmm_ring_push(&ring), i);
	}
	KUNIT_EXPECT_EQ(test, spmm_ring_room(&ring), 0);
}

/* The phase that a device writes: 1 on the first pass, then 0, and so on. */
static void ring_phase_follows_the_passes(struct kunit *test)
{
	struct spmm_ring ring;
	u32 i, phase;

	spmm_ring_init(&ring, ENTRIES);
	for (i = 0; i < 7 * ENTRIES; i++) {
		phase = (i / ENTRIES + 1) % 2;
		KUNIT_EXPECT_TRUE(test, spmm_ring_is_new(&ring, 0x42 | phase));
		KUNIT_EXPECT_FALSE(test,
				   spmm_ring_is_new(&ring, 0x42 | !phase));
		spmm_ring_push(&ring);
		KUNIT_EXPECT_EQ(test, spmm_ring_take(&ring, ring.sq_tail), 0);
		KUNIT_EXPECT_EQ(test, spmm_ring_room(&ring), ENTRIES - 1);
	}
}

static void ring_refuses_impossible_heads(struct kunit *test)
{
	struct spmm_ring ring;

	spmm_ring_init(&ring, ENTRIES);
	KUNIT_EXPECT_EQ(test, spmm_ring_take(&ring, 1), -EPROTO);
	spmm_ring_push(&ring);
	spmm_ring_push(&ring);
	KUNIT_EXPECT_EQ(test, spmm_ring_take(&ring, ENTRIES), -EPROTO);
	KUNIT_EXPECT_EQ(test, spmm_ring_take(&ring, U16_MAX), -EPROTO);
	KUNIT_EXPECT_EQ(test, spmm_ring_take(&ring, 3), -EPROTO);
	KUNIT_EXPECT_EQ(test, spmm_ring_take(&ring, 2), 0);
	/* Back. */
	KUNIT_EXPECT_EQ(test, spmm_ring_take(&ring, 1), -EPROTO);
	KUNIT_EXPECT_EQ(test, ring.cq_head, 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(ring_has_one_entry_less),
	KUNIT_CASE(ring_phase_follows_the_passes),
	KUNIT_CASE(ring_refuses_impossible_heads),
	{},
};

struct kunit_suite spmm_ring_suite = {
	.name = "spmm_ring",
	.test_cases = cases,
};
