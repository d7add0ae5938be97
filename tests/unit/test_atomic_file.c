/* SPDX-License-Identifier: MIT */
#include "unit.h"
#include "folder.h"

#include <core/error.h>
#include <formats/atomic_file.h>
#include <formats/file.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void expect_content(const char *path, const char *content)
{
	size_t size;
	void *data;

	assert_int_equal(file_read(path, 1000, &data, &size), 0);
	assert_int_equal(size, strlen(content));
	assert_memory_equal(data, content, size);
	free(data);
}

static int write_text(const char *path, const char *text)
{
	struct atomic_file *file;
	int ret;

	ret = atomic_file_open(&file, path);
	if (ret)
		return ret;
	ret = atomic_file_write(file, text, strlen(text));
	if (ret) {
		atomic_file_abandon(file);
		return ret;
	}
	return atomic_file_commit(file);
}

static void commit_replaces(void **state)
{
	const char *path = folder_path(*state, "a");

	assert_int_equal(write_text(path, "old"), 0);
	expect_content(path, "old");
	assert_int_equal(write_text(path, "newer"), 0);
	expect_content(path, "newer");
	assert_int_equal(folder_count(*state), 1);
}

static void old_file_stays_until_commit(void **state)
{
	const char *path = folder_path(*state, "a");
	struct atomic_file *file;

	assert_int_equal(write_text(path, "old"), 0);
	assert_int_equal(atomic_file_open(&file, path), 0);
	assert_int_equal(atomic_file_write(file, "new", 3), 0);
	expect_content(path, "old");
	atomic_file_abandon(file);
	expect_content(path, "old");
	assert_int_equal(folder_count(*state), 1);
}

/* A file size limit stands in for the full disk; only the errno differs. */
static void full_disk_leaves_the_old_file(void **state)
{
	const char *path = folder_path(*state, "a");
	char big[5000] = { 0 };
	struct atomic_file *file;
	struct rlimit old, small;

	assert_int_equal(write_text(path, "old"), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(atomic_file_open(&file, path), 0);
	assert_int_equal(atomic_file_write(file, big, sizeof(big)), -EFBIG);
	atomic_file_abandon(file);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	expect_content(path, "old");
	assert_int_equal(folder_count(*state), 1);
}

static void full_device_is_told(void **state)
{
	(void)state;
	if (access("/dev/full", W_OK))
		skip();
	assert_int_equal(write_text("/dev/full", "text"), -ENOSPC);
	assert_non_null(strstr(accel_last_error(), "/dev/full"));
}

static void mode_is_kept(void **state)
{
	const char *path = folder_path(*state, "a");
	struct stat status;

	assert_int_equal(write_text(path, "old"), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(write_text(path, "new"), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
}

static void link_stays_a_link(void **state)
{
	char target[FOLDER_PATH];
	const char *link;
	struct stat status;

	strcpy(target, folder_path(*state, "a"));
	link = folder_path(*state, "link");
	assert_int_equal(write_text(target, "old"), 0);
	assert_int_equal(symlink("a", link), 0);
	assert_int_equal(write_text(link, "new"), 0);
	assert_int_equal(lstat(link, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	expect_content(target, "new");
}

static void bad_paths_are_errors(void **state)
{
	assert_int_equal(write_text(folder_path(*state, "no/such"), "x"),
			 -ENOENT);
	assert_true(write_text(*state, "x") < 0);
	assert_int_equal(folder_count(*state), 0);
}

static void reading_keeps_to_its_limit(void **state)
{
	const char *path = folder_path(*state, "a");
	size_t size;
	void *data;

	assert_int_equal(write_text(path, "12345"), 0);
	assert_int_equal(file_read(path, 4, &data, &size), -EFBIG);
	assert_int_equal(file_read(path, 5, &data, &size), 0);
	assert_int_equal((uintptr_t)data % 64, 0);
	free(data);
	assert_int_equal(file_read("/dev/zero", 1 << 20, &data, &size),
			 -EINVAL);
	assert_int_equal(file_read(*state, 10, &data, &size), -EISDIR);
	assert_int_equal(file_read("", 10, &data, &size), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(commit_replaces),
		folder_test(old_file_stays_until_commit),
		folder_test(full_disk_leaves_the_old_file),
		cmocka_unit_test(full_device_is_told),
		folder_test(mode_is_kept),
		folder_test(link_stays_a_link),
		folder_test(bad_paths_are_errors),
		folder_test(reading_keeps_to_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
