/* SPDX-License-Identifier: MIT */
/* Bus addresses: only what the kernel allows, never twice, and all come back. */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include <core/integer.h>
#include <linux/vfio.h>
#include <spmm/page_table.h>
#include <transport/iova.h>
#include <transport/vfio_type1.h>

#include "random.h"

#define PAGE SPMM_PAGE_SIZE
#define LARGE SPMM_LARGE_PAGE_SIZE
#define HELD 48

/* As an Intel IOMMU of 39 bits has them: interrupts are written in between. */
static const struct vfio_iova_range intel[] = {
	{ 0, 0xfedfffff },
	{ 0xfef00000, 0x7fffffffff },
};

struct held {
	uint64_t iova, length;
};

static void space_fill(struct iova_space *space,
		       const struct vfio_iova_range *ranges, size_t count)
{
	assert_int_equal(iova_space_create(space), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(iova_space_allow(space, ranges[i].start,
						  ranges[i].end),
				 0);
}

static void assert_allowed(const struct vfio_iova_range *ranges, size_t count,
			   const struct held *held)
{
	bool found = false;

	for (size_t i = 0; i < count; i++)
		found |= held->iova >= ranges[i].start &&
			 held->iova + held->length - 1 <= ranges[i].end;
	assert_true(found);
	assert_true(held->iova >= LARGE);
	assert_true(held->iova + held->length - 1 <=
		    (SPMM_PTE_ADDRESS_MASK | (PAGE - 1)));
	assert_int_equal(held->iova % (held->length >= LARGE ? LARGE : PAGE),
			 0);
}

/* Not even the page behind another one's. */
static void assert_apart(const struct held *all, const struct held *one)
{
	for (int i = 0; i < HELD; i++)
		if (all[i].length && &all[i] != one)
			assert_true(one->iova + one->length + PAGE <=
					    all[i].iova ||
				    all[i].iova + all[i].length + PAGE <=
					    one->iova);
}

static uint64_t random_length(uint64_t *seed)
{
	static const uint64_t most[] = { 1, 4, 600, 5000 };

	return PAGE *
	       (1 + random_below(seed, (uint32_t)most[random_below(seed, 4)]));
}

/* Some hundred allocations and releases; how many of the former succeeded. */
static int exercise(struct iova_space *space,
		    const struct vfio_iova_range *ranges, size_t count,
		    uint64_t seed)
{
	struct held all[HELD] = { { 0, 0 } };
	int given = 0;

	for (int step = 0; step < 2000; step++) {
		struct held *held = &all[random_below(&seed, HELD)];

		if (held->length) {
			iova_release(space, held->iova, held->length);
			held->length = 0;
			continue;
		}
		held->length = random_length(&seed);
		if (iova_allocate(space, held->length, &held->iova)) {
			held->length = 0;
			continue;
		}
		given++;
		assert_allowed(ranges, count, held);
		assert_apart(all, held);
	}
	for (int i = 0; i < HELD; i++)
		if (all[i].length)
			iova_release(space, all[i].iova, all[i].length);
	return given;
}

static void random_spaces_hold(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct vfio_iova_range ranges[6];
		uint32_t count = 1 + random_below(&seed, 6);
		struct iova_space space;
		uint64_t at = random_below(&seed, 2) * LARGE, size;
		size_t pieces;

		/* Bounds that are no pages', too. */
		for (uint32_t i = 0; i < count; i++) {
			ranges[i].start = at + random_below(&seed, 9000);
			ranges[i].end = ranges[i].start + PAGE +
					random_below(&seed, 64u << 20);
			at = ranges[i].end + 1 + PAGE +
			     random_below(&seed, 8u << 20);
		}
		space_fill(&space, ranges, count);
		size = space.ranges.size;
		pieces = space.ranges.count;
		exercise(&space, ranges, count, seed + (uint64_t)round);
		assert_int_equal(space.ranges.used, 0);
		assert_int_equal(space.ranges.size, size);
		assert_int_equal(space.ranges.count, pieces);
		iova_space_destroy(&space);
	}
}

static void freed_addresses_are_reused(void **state)
{
	struct iova_space space;
	uint64_t first, again;

	(void)state;
	space_fill(&space, intel, 2);
	assert_int_equal(space.ranges.count, 2);
	assert_int_equal(iova_allocate(&space, 5 * PAGE, &first), 0);
	for (int i = 0; i < 100000; i++) {
		iova_release(&space, first, 5 * PAGE);
		assert_int_equal(iova_allocate(&space, 5 * PAGE, &again), 0);
		assert_int_equal(again, first);
	}
	iova_release(&space, first, 5 * PAGE);
	assert_true(exercise(&space, intel, 2, 3) > 900);
	iova_space_destroy(&space);
}

static void the_edges_are_kept(void **state)
{
	const struct vfio_iova_range all = { 0, UINT64_MAX };
	struct iova_space space;
	uint64_t iova;

	(void)state;
	space_fill(&space, &all, 1);
	assert_int_equal(space.ranges.free[0].start, LARGE);
	assert_int_equal(space.ranges.size,
			 (SPMM_PTE_ADDRESS_MASK | (PAGE - 1)) + 1 - LARGE);
	assert_int_equal(iova_allocate(&space, 0, &iova), -ENOSPC);
	assert_int_equal(iova_allocate(&space, 100, &iova), -ENOSPC);
	assert_int_equal(iova_allocate(&space, UINT64_MAX - PAGE + 1, &iova),
			 -ENOSPC);
	iova_space_destroy(&space);

	/* Nothing that is of use. */
	assert_int_equal(iova_space_create(&space), 0);
	assert_int_equal(iova_space_allow(&space, 0, 0x1fffff), 0);
	assert_int_equal(iova_space_allow(&space, 9, 8), 0);
	assert_int_equal(iova_space_allow(&space, LARGE + 1, LARGE + PAGE), 0);
	assert_int_equal(iova_space_allow(&space, 1ull << 60, UINT64_MAX), 0);
	assert_int_equal(space.ranges.count, 0);
	assert_int_equal(iova_allocate(&space, PAGE, &iova), -ENOSPC);
	iova_space_destroy(&space);
}

/* What the kernel answers: another capability, then the ranges. */
struct answer {
	struct vfio_iommu_type1_info info;
	struct vfio_iommu_type1_info_dma_avail available;
	struct {
		struct vfio_info_cap_header header;
		__u32 nr_iovas;
		__u32 reserved;
		struct vfio_iova_range ranges[2];
	} list;
};

static void answer_write(struct answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->info.argsz = sizeof(*answer);
	answer->info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	answer->info.cap_offset = offsetof(struct answer, available);
	answer->available.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	answer->available.header.next = offsetof(struct answer, list);
	answer->list.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	answer->list.nr_iovas = 2;
	memcpy(answer->list.ranges, intel, sizeof(intel));
}

static int parse(const struct answer *answer, size_t bytes)
{
	struct iova_space space;
	void *exact = malloc(bytes); /* for the address sanitizer */
	int ret;

	memcpy(exact, answer, bytes);
	assert_int_equal(iova_space_create(&space), 0);
	ret = vfio_type1_ranges(exact, bytes, &space);
	if (!ret) {
		assert_int_equal(space.ranges.count, 2);
		assert_int_equal(space.ranges.free[0].start, LARGE);
		assert_int_equal(space.ranges.free[1].start, intel[1].start);
	}
	iova_space_destroy(&space);
	free(exact);
	return ret;
}

static void type1_says_what_may_be_used(void **state)
{
	struct answer answer;

	(void)state;
	answer_write(&answer);
	assert_int_equal(parse(&answer, sizeof(answer)), 0);
	for (size_t bytes = 0; bytes < sizeof(answer); bytes++)
		assert_true(parse(&answer, bytes) < 0);

	answer.list.nr_iovas = UINT32_MAX;
	assert_int_equal(parse(&answer, sizeof(answer)), -EPROTO);
	answer_write(&answer);
	answer.available.header.next = answer.info.cap_offset;
	assert_int_equal(parse(&answer, sizeof(answer)), -EPROTO);
	answer_write(&answer);
	answer.available.header.next = UINT32_MAX;
	assert_int_equal(parse(&answer, sizeof(answer)), -EPROTO);
	answer_write(&answer);
	answer.available.header.next = 0;
	assert_int_equal(parse(&answer, sizeof(answer)), -ENOTSUP);
	answer_write(&answer);
	answer.info.flags = VFIO_IOMMU_INFO_PGSIZES;
	assert_int_equal(parse(&answer, sizeof(answer)), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_spaces_hold),
		cmocka_unit_test(freed_addresses_are_reused),
		cmocka_unit_test(the_edges_are_kept),
		cmocka_unit_test(type1_says_what_may_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
