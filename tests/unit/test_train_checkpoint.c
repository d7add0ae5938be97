/* SPDX-License-Identifier: MIT */
/* A training's checkpoint: what was put comes back, damage is found, nothing is lost. */
#include "unit.h"
#include "folder.h"

#include <accel/error.h>
#include <train/checkpoint.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void save(const char *path, char fill, size_t size)
{
	struct train_checkpoint checkpoint = { 0 };
	char *data = malloc(size);

	memset(data, fill, size);
	train_checkpoint_put(&checkpoint, "number", &size, sizeof(size));
	train_checkpoint_put(&checkpoint, "data", data, size);
	train_checkpoint_put(&checkpoint, "nothing", NULL, 0);
	assert_int_equal(train_checkpoint_save(&checkpoint, path), 0);
	train_checkpoint_release(&checkpoint);
	free(data);
}

static void check(const char *path, char fill, size_t size)
{
	struct train_checkpoint checkpoint;
	char *data = malloc(size);
	size_t number;

	assert_int_equal(train_checkpoint_load(&checkpoint, path), 0);
	assert_int_equal(train_checkpoint_get(&checkpoint, "number", &number,
					      sizeof(number)),
			 0);
	assert_int_equal(number, size);
	assert_int_equal(train_checkpoint_size(&checkpoint, "data"),
			 (int64_t)size);
	assert_int_equal(train_checkpoint_get(&checkpoint, "data", data, size),
			 0);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(data[i], fill);
	assert_int_equal(train_checkpoint_get(&checkpoint, "nothing", NULL, 0),
			 0);
	train_checkpoint_release(&checkpoint);
	free(data);
}

static void what_was_put_comes_back(void **state)
{
	const char *path = folder_path(*state, "c");

	save(path, 7, 100000);
	check(path, 7, 100000);
	save(path, 8, 10);
	check(path, 8, 10);
}

static void pieces_have_names_and_sizes(void **state)
{
	const char *path = folder_path(*state, "c");
	struct train_checkpoint checkpoint;
	char data[8];

	save(path, 1, 8);
	assert_int_equal(train_checkpoint_load(&checkpoint, path), 0);
	assert_int_equal(train_checkpoint_get(&checkpoint, "data", data, 8),
			 -EBADMSG);
	assert_int_equal(train_checkpoint_get(&checkpoint, "number", data, 4),
			 -EBADMSG);
	train_checkpoint_release(&checkpoint);
}

static void any_damage_is_found(void **state)
{
	const char *path = folder_path(*state, "c");
	struct train_checkpoint checkpoint;

	save(path, 1, 50);
	for (long at = 0; at < 50; at += 3) {
		FILE *file = fopen(path, "r+");
		int byte;

		fseek(file, at, SEEK_SET);
		byte = fgetc(file);
		fseek(file, at, SEEK_SET);
		fputc(byte ^ 0x10, file);
		fclose(file);
		assert_int_equal(train_checkpoint_load(&checkpoint, path),
				 -EBADMSG);
		train_checkpoint_release(&checkpoint);
		save(path, 1, 50);
	}
	assert_int_equal(truncate(path, 60), 0);
	assert_int_equal(train_checkpoint_load(&checkpoint, path), -EBADMSG);
	train_checkpoint_release(&checkpoint);
}

/* A limit on the size of files fails writes as a full disk does. */
static void a_full_disk_leaves_the_old_one(void **state)
{
	const struct rlimit small = { 4096, RLIM_INFINITY };
	const char *path = folder_path(*state, "c");
	struct train_checkpoint checkpoint = { 0 };
	static char large[1 << 16];
	struct rlimit old;

	save(path, 5, 20);
	train_checkpoint_put(&checkpoint, "data", large, sizeof(large));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(train_checkpoint_save(&checkpoint, path), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	train_checkpoint_release(&checkpoint);
	check(path, 5, 20);
	assert_int_equal(folder_count(*state), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(what_was_put_comes_back),
		folder_test(pieces_have_names_and_sizes),
		folder_test(any_damage_is_found),
		folder_test(a_full_disk_leaves_the_old_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
