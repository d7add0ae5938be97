/* SPDX-License-Identifier: MIT */
/* Page tables, walked as the specification says and not as the driver does. */
#include "fake_transport.h"

#include <driver/page_table.h>

#include "random.h"

#define PAGE 4096ull
#define LARGE (512 * PAGE)
#define READ_WRITE (SPMM_PTE_READ | SPMM_PTE_WRITE)

static struct fake_transport transport;

/* The translation of an address, or all ones; the leaf's size and flags. */
static uint64_t translate(const struct page_table *table, uint64_t address,
			  uint64_t *size, uint64_t *flags)
{
	uint64_t entry = page_table_root(table);

	for (int shift = 39; shift >= 12; shift -= 9) {
		const uint64_t *entries;

		assert_true(entry & SPMM_PTE_VALID);
		assert_false(entry & SPMM_PTE_LEAF);
		entries = fake_at(&transport, entry & 0x000ffffffffff000ull);
		assert_non_null(entries);
		entry = entries[address >> shift & 511];
		if (!(entry & SPMM_PTE_VALID))
			return UINT64_MAX;
		if (!(entry & SPMM_PTE_LEAF))
			continue;
		assert_true(shift == 21 || shift == 12);
		*size = 1ull << shift;
		*flags = entry & (READ_WRITE | SPMM_PTE_DEVICE);
		return (entry & 0x000ffffffffff000ull) |
		       (address & (*size - 1));
	}
	fail_msg("no leaf at the last level");
	return UINT64_MAX;
}

static void expect(const struct page_table *table, uint64_t virtual_address,
		   uint64_t address, uint64_t length, uint64_t flags)
{
	uint64_t size, got;

	for (uint64_t i = 0; i < length; i += PAGE) {
		assert_int_equal(translate(table, virtual_address + i + 7,
					   &size, &got),
				 address + i + 7);
		assert_int_equal(got, flags);
	}
}

static void expect_nothing(const struct page_table *table,
			   uint64_t virtual_address, uint64_t length)
{
	uint64_t size, flags;

	for (uint64_t i = 0; i < length; i += PAGE)
		assert_int_equal(translate(table, virtual_address + i, &size,
					   &flags),
				 UINT64_MAX);
}

static void large_pages_are_used_where_both_sides_allow(void **state)
{
	const uint64_t flags = READ_WRITE | SPMM_PTE_DEVICE;
	struct page_table *table;
	uint64_t size, got;

	(void)state;
	fake_create(&transport);
	assert_int_equal(page_table_create(&transport.base, &table), 0);
	assert_int_equal(page_table_map(table, 3 * LARGE, 5 * LARGE,
					2 * LARGE + 3 * PAGE, flags),
			 0);
	expect(table, 3 * LARGE, 5 * LARGE, 2 * LARGE + 3 * PAGE, flags);
	translate(table, 4 * LARGE, &size, &got);
	assert_int_equal(size, LARGE);
	translate(table, 5 * LARGE, &size, &got);
	assert_int_equal(size, PAGE);
	expect_nothing(table, 5 * LARGE + 3 * PAGE, 5 * PAGE);
	expect_nothing(table, 3 * LARGE - PAGE, PAGE);
	assert_int_equal(page_table_map(table, 8 * LARGE, 9 * LARGE + PAGE,
					LARGE, READ_WRITE),
			 0);
	expect(table, 8 * LARGE, 9 * LARGE + PAGE, LARGE, READ_WRITE);
	translate(table, 8 * LARGE, &size, &got);
	assert_int_equal(size, PAGE);
	page_table_destroy(table);
	assert_int_equal(transport.region_count, 0);
}

static void unmapping_leaves_the_neighbours(void **state)
{
	struct page_table *table;

	(void)state;
	fake_create(&transport);
	assert_int_equal(page_table_create(&transport.base, &table), 0);
	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(page_table_map(table, LARGE + i * 4 * PAGE,
						64 * LARGE + i * 4 * PAGE,
						4 * PAGE, READ_WRITE),
				 0);
	page_table_unmap(table, LARGE + 8 * PAGE, 4 * PAGE);
	expect(table, LARGE, 64 * LARGE, 8 * PAGE, READ_WRITE);
	expect_nothing(table, LARGE + 8 * PAGE, 4 * PAGE);
	expect(table, LARGE + 12 * PAGE, 64 * LARGE + 12 * PAGE, 20 * PAGE,
	       READ_WRITE);
	page_table_destroy(table);
}

struct mapping {
	uint64_t virtual_address, address, length, flags;
};

static void random_maps_and_unmaps(void **state)
{
	struct mapping maps[32] = { 0 };
	struct page_table *table;
	uint64_t seed = 99;

	(void)state;
	fake_create(&transport);
	assert_int_equal(page_table_create(&transport.base, &table), 0);
	for (int step = 0; step < 600; step++) {
		uint32_t i = random_below(&seed, 32);
		struct mapping *map = &maps[i];

		if (map->length) {
			expect(table, map->virtual_address, map->address,
			       map->length, map->flags);
			page_table_unmap(table, map->virtual_address,
					 map->length);
			expect_nothing(table, map->virtual_address,
				       map->length);
			map->length = 0;
			continue;
		}
		/* Each in its own 16 MiB; now and then far up. */
		map->virtual_address = ((uint64_t)i << 24) +
				       ((uint64_t)(i % 5) << 45) +
				       random_below(&seed, 3) * LARGE +
				       random_below(&seed, 2) * PAGE * 3;
		map->address = random_below(&seed, 1000) * LARGE +
			       random_below(&seed, 2) * PAGE * 5;
		map->length = (1 + random_below(&seed, 1500)) * PAGE;
		map->flags = READ_WRITE |
			     (random_below(&seed, 2) ? SPMM_PTE_DEVICE : 0);
		assert_int_equal(page_table_map(table, map->virtual_address,
						map->address, map->length,
						map->flags),
				 0);
	}
	for (int i = 0; i < 32; i++)
		expect(table, maps[i].virtual_address, maps[i].address,
		       maps[i].length, maps[i].flags);
	page_table_destroy(table);
	assert_int_equal(transport.region_count, 0);
}

static void without_memory_nothing_stays_mapped(void **state)
{
	struct page_table *table;

	(void)state;
	fake_create(&transport);
	assert_int_equal(page_table_create(&transport.base, &table), 0);
	transport.region_count = FAKE_REGIONS_MAX - 3;
	memset(transport.regions + 1, 0,
	       (FAKE_REGIONS_MAX - 1) * sizeof(transport.regions[0]));
	assert_true(page_table_map(table, LARGE, PAGE, 3 * LARGE, READ_WRITE) <
		    0);
	transport.region_count = FAKE_REGIONS_MAX;
	expect_nothing(table, LARGE, 3 * LARGE);
	page_table_destroy(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_pages_are_used_where_both_sides_allow),
		cmocka_unit_test(unmapping_leaves_the_neighbours),
		cmocka_unit_test(random_maps_and_unmaps),
		cmocka_unit_test(without_memory_nothing_stays_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
