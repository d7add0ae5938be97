/* SPDX-License-Identifier: MIT */
/* Maps of a client's memory, a hundred thousand of them, against a plain array. */
#include "unit.h"

#include "random.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sim/server/guard.h>
#include <sim/server/host_memory.h>

#define PAGE 4096ul
#define PAGES 256
#define MANY 100000

static int file_create(size_t pages)
{
	int file = memfd_create("host", 0);

	assert_true(file >= 0);
	assert_int_equal(ftruncate(file, (off_t)(pages * PAGE)), 0);
	return file;
}

/* Page p of the file, at bus page b. */
static int add(struct host_memory *memory, int file, uint64_t b, uint64_t p,
	       uint64_t pages)
{
	const struct host_memory_map map = {
		.address = b * PAGE,
		.length = pages * PAGE,
		.offset = p * PAGE,
		.descriptor = file,
		.readable = true,
		.writable = true,
	};

	return host_memory_add(memory, &map);
}

static void test_random_maps(void **state)
{
	int file = file_create(PAGES), where[PAGES];
	struct host_memory *memory;
	uint64_t seed = 5;

	(void)state;
	assert_int_equal(host_memory_create(&memory), 0);
	memset(where, 0xff, sizeof(where));
	for (int i = 0; i < 20000; i++) {
		uint32_t b = random_below(&seed, PAGES);
		uint32_t p = random_below(&seed, PAGES);
		uint8_t byte = (uint8_t)i, back = 0;
		size_t done;

		switch (random_below(&seed, 3)) {
		case 0:
			assert_int_equal(add(memory, file, b, p, 1),
					 where[b] < 0 ? 0 : -EEXIST);
			if (where[b] < 0)
				where[b] = (int)p;
			break;
		case 1:
			assert_int_equal(
				host_memory_remove(memory, b * PAGE, PAGE), 0);
			where[b] = -1;
			break;
		default:
			if (host_memory_write(memory, b * PAGE + 7, &byte, 1,
					      &done) == HOST_MEMORY_NONE) {
				assert_int_equal(where[b], -1);
				break;
			}
			assert_int_equal(pread(file, &back, 1,
					       where[b] * (off_t)PAGE + 7),
					 1);
			assert_int_equal(back, byte);
		}
	}
	host_memory_destroy(memory);
	close(file);
}

/* An access across maps is made in pieces. */
static void test_pieces(void **state)
{
	int file = file_create(4);
	struct host_memory *memory;
	uint8_t bytes[3 * PAGE];
	size_t done;

	(void)state;
	assert_int_equal(host_memory_create(&memory), 0);
	assert_int_equal(add(memory, file, 10, 2, 1), 0);
	assert_int_equal(add(memory, file, 11, 0, 1), 0);
	assert_int_equal(host_memory_read(memory, 10 * PAGE + 96, bytes,
					  2 * PAGE, &done),
			 HOST_MEMORY_MAPPED);
	assert_int_equal(done, PAGE - 96);
	assert_int_equal(host_memory_read(memory, 12 * PAGE, bytes, 1, &done),
			 HOST_MEMORY_NONE);
	host_memory_destroy(memory);
	close(file);
}

/* As behind an IOMMU: a page at a time; the limit on mappings is not met. */
static void test_many(void **state)
{
	int file = file_create(MANY);
	struct host_memory *memory;
	uint8_t byte = 1;
	size_t done;

	(void)state;
	assert_int_equal(host_memory_create(&memory), 0);
	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(add(memory, file, 2 * i, i, 1), 0);
	assert_int_equal(host_memory_write(memory, 2 * (MANY - 1) * PAGE, &byte,
					   1, &done),
			 HOST_MEMORY_MAPPED);
	assert_int_equal(pread(file, &byte, 1, (MANY - 1) * (off_t)PAGE), 1);
	assert_int_equal(byte, 1);
	assert_int_equal(host_memory_remove(memory, 0, 1ull << 50), 0);
	assert_int_equal(host_memory_read(memory, 0, &byte, 1, &done),
			 HOST_MEMORY_NONE);
	host_memory_destroy(memory);
	close(file);
}

/* What the device may only read, it cannot write. */
static void test_permissions(void **state)
{
	int file = file_create(1);
	struct host_memory_map map = { .length = PAGE,
				       .descriptor = file,
				       .readable = true };
	struct host_memory *memory;
	uint8_t byte = 1;
	size_t done;

	(void)state;
	assert_int_equal(host_memory_create(&memory), 0);
	assert_int_equal(host_memory_add(memory, &map), 0);
	assert_int_equal(host_memory_write(memory, 0, &byte, 1, &done),
			 HOST_MEMORY_NONE);
	assert_int_equal(host_memory_read(memory, 0, &byte, 1, &done),
			 HOST_MEMORY_MAPPED);
	host_memory_destroy(memory);
	close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_maps),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_permissions),
	};

	assert_int_equal(guard_install(), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
