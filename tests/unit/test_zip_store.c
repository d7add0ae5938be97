/* SPDX-License-Identifier: MIT */
#include "unit.h"
#include "folder.h"

#include <formats/file.h>
#include <formats/zip_store.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Two files, as Info-ZIP would store them; the CRC-32s are of "abc" and "". */
static void archive_has_the_documented_bytes(void **state)
{
	static const uint8_t expected[] =
		"PK\3\4\24\0\0\0\0\0\0\0\x21\0\xc2\x41\x24\x35\3\0\0\0\3\0\0\0"
		"\1\0\0\0aabc"
		"PK\3\4\24\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\2\0\0\0bc"
		"PK\1\2\24\0\24\0\0\0\0\0\0\0\x21\0\xc2\x41\x24\x35\3\0\0\0\3\0\0"
		"\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a"
		"PK\1\2\24\0\24\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\2\0\0\0\0\0\0\0\0\0\0\0\0\0\x22\0\0\0bc"
		"PK\5\6\0\0\0\0\2\0\2\0\x5f\0\0\0\x42\0\0\0\0";
	const char *path = folder_path(*state, "a.zip");
	struct zip_store *zip;
	size_t size;
	void *data;

	assert_int_equal(zip_store_open(&zip, path), 0);
	assert_int_equal(zip_store_add(zip, "a", "abc", 3), 0);
	assert_int_equal(zip_store_add(zip, "bc", NULL, 0), 0);
	assert_int_equal(zip_store_commit(zip), 0);
	assert_int_equal(file_read(path, 1000, &data, &size), 0);
	assert_int_equal(size, sizeof(expected));
	assert_memory_equal(data, expected, size);
	free(data);
}

static void abandoned_archive_leaves_nothing(void **state)
{
	struct zip_store *zip;

	assert_int_equal(zip_store_open(&zip, folder_path(*state, "a.zip")), 0);
	assert_int_equal(zip_store_add(zip, "a", "abc", 3), 0);
	zip_store_abandon(zip);
	assert_int_equal(folder_count(*state), 0);
}

static void too_large_is_an_error(void **state)
{
	struct zip_store *zip;

	assert_int_equal(zip_store_open(&zip, folder_path(*state, "a.zip")), 0);
	assert_int_equal(zip_store_add(zip, "a", "", SIZE_MAX), -EFBIG);
	zip_store_abandon(zip);
}

static void full_device_is_told(void **state)
{
	struct zip_store *zip;

	(void)state;
	if (access("/dev/full", W_OK))
		skip();
	assert_int_equal(zip_store_open(&zip, "/dev/full"), 0);
	assert_int_equal(zip_store_commit(zip), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(archive_has_the_documented_bytes),
		folder_test(abandoned_archive_leaves_nothing),
		folder_test(too_large_is_an_error),
		cmocka_unit_test(full_device_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
