/* SPDX-License-Identifier: MIT */
/* The TLB in time: what an access finds of its way through the page tables. */
#include "unit.h"

#include <stdlib.h>

#include <sim/tlb.h>

#define LARGE_PAGES 512 /* small ones in a large one */

static struct sim_device *device_new(uint32_t entries, uint32_t ways)
{
	struct sim_device *device = calloc(1, sizeof(*device));

	assert_non_null(device);
	device->config.tlb_entries = entries;
	device->config.tlb_ways = ways;
	assert_int_equal(tlb_create(device), 0);
	return device;
}

static void device_free(struct sim_device *device)
{
	tlb_destroy(device);
	free(device);
}

static uint32_t small(struct sim_device *device, uint16_t context,
		      uint64_t page)
{
	const struct sim_translation translation = { .page = page,
						     .context = context };

	return tlb_access(device, &translation);
}

static uint32_t large(struct sim_device *device, uint64_t page)
{
	const struct sim_translation translation = { .page = page,
						     .context = 1,
						     .large = true };

	return tlb_access(device, &translation);
}

static void walks_begin_at_what_is_known(void **state)
{
	struct sim_device *device = device_new(64, 8);

	(void)state;
	assert_int_equal(small(device, 1, 5), 4);
	assert_int_equal(small(device, 1, 5), 0);
	assert_int_equal(small(device, 1, 6), 1);
	assert_int_equal(small(device, 1, LARGE_PAGES), 2);
	assert_int_equal(small(device, 1, LARGE_PAGES * LARGE_PAGES), 3);
	assert_int_equal(large(device, LARGE_PAGES * 7), 1);
	assert_int_equal(large(device, LARGE_PAGES * 7 + 100), 0);
	/* Nobody else's tables, nor those that may have changed. */
	assert_int_equal(small(device, 2, 5), 4);
	tlb_invalidate(device, 1);
	assert_int_equal(small(device, 1, 5), 4);
	assert_int_equal(small(device, 2, 5), 0);
	tlb_clear(device);
	assert_int_equal(small(device, 2, 5), 4);
	device_free(device);
}

static void the_least_recently_used_makes_room(void **state)
{
	struct sim_device *device = device_new(8, 8);

	(void)state;
	/* Three tables above and five pages. */
	for (uint64_t page = 0; page < 5; page++)
		small(device, 1, page);
	assert_int_equal(small(device, 1, 0), 0);
	/* The upper two tables go, which the first walk alone has needed. */
	assert_int_equal(small(device, 1, 5), 1);
	assert_int_equal(small(device, 1, 6), 1);
	assert_int_equal(small(device, 1, 0), 0);
	/* Then page 1. */
	assert_int_equal(small(device, 1, 7), 1);
	assert_int_equal(small(device, 1, 0), 0);
	assert_int_equal(small(device, 1, 1), 1);
	device_free(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_begin_at_what_is_known),
		cmocka_unit_test(the_least_recently_used_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
