/* SPDX-License-Identifier: MIT */
/* Reads that go on meanwhile, by io_uring and without. */
#include "folder.h"

#include <core/deadline.h>
#include <formats/async_file.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define SIZE 300000u
#define CHUNK 4999u
#define CHUNKS ((SIZE + CHUNK - 1) / CHUNK)
#define SECOND 1000000000ull

static const unsigned int ways[] = { 0, ASYNC_FILE_PLAIN };

static uint8_t byte_at(uint32_t offset)
{
	return (uint8_t)(offset * 2654435761u >> 13);
}

static const char *file_create(const char *folder)
{
	const char *path = folder_path(folder, "file");
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	for (uint32_t i = 0; i < SIZE; i++)
		fputc(byte_at(i), file);
	assert_int_equal(fclose(file), 0);
	return path;
}

static struct async_file *file_open(const char *path, unsigned int flags)
{
	struct async_file *file = NULL;

	assert_int_equal(async_file_open(path, flags, &file), 0);
	assert_int_equal(async_file_size(file), SIZE);
	return file;
}

static int wait_one(struct async_file *file, uint64_t *id)
{
	return async_file_wait(file, deadline_after(10 * SECOND), id);
}

/* From the last chunk to the first, as many at a time as there is room for. */
static void every_byte_arrives_once(void **state)
{
	const char *path = file_create(*state);
	static uint8_t bytes[SIZE];

	for (int way = 0; way < 2; way++) {
		struct async_file *file = file_open(path, ways[way]);
		bool seen[CHUNKS] = { false };
		uint32_t begun = 0;

		memset(bytes, 0, sizeof(bytes));
		for (uint32_t ended = 0; ended < CHUNKS; ended++) {
			uint64_t id = CHUNKS;

			while (begun < CHUNKS && async_file_has_room(file)) {
				uint32_t chunk = CHUNKS - 1 - begun++;
				uint32_t at = chunk * CHUNK;

				async_file_read(file, bytes + at, at,
						SIZE - at < CHUNK ? SIZE - at :
								    CHUNK,
						chunk);
			}
			assert_int_equal(wait_one(file, &id), 0);
			assert_true(id < CHUNKS && !seen[id]);
			seen[id] = true;
		}
		for (uint32_t i = 0; i < SIZE; i++)
			assert_int_equal(bytes[i], byte_at(i));
		assert_int_equal(async_file_close(file), 0);
	}
}

static void a_file_that_becomes_shorter_is_told(void **state)
{
	for (int way = 0; way < 2; way++) {
		const char *path = file_create(*state);
		struct async_file *file = file_open(path, ways[way]);
		static uint8_t bytes[SIZE];
		uint64_t id;

		assert_int_equal(truncate(path, SIZE / 2), 0);
		async_file_read(file, bytes, 0, SIZE, 5);
		assert_int_equal(wait_one(file, &id), -EBADMSG);
		assert_int_equal(id, 5);
		assert_int_equal(async_file_close(file), 0);
	}
}

static void what_is_outstanding_ends_with_the_file(void **state)
{
	const char *path = file_create(*state);

	for (int way = 0; way < 2; way++) {
		struct async_file *file = file_open(path, ways[way]);
		uint8_t *bytes = malloc(SIZE);
		uint64_t id;

		assert_non_null(bytes);
		for (uint32_t i = 0; i < ASYNC_FILE_DEPTH; i++)
			async_file_read(file, bytes, i, SIZE - i, i);
		assert_false(async_file_has_room(file));
		async_file_flush(file);
		assert_int_equal(async_file_drain(file), 0);
		assert_true(async_file_has_room(file));
		async_file_read(file, bytes, 10, 1, 77);
		assert_int_equal(wait_one(file, &id), 0);
		assert_int_equal(id, 77);
		assert_int_equal(bytes[0], byte_at(10));
		async_file_read(file, bytes, 0, SIZE, 0);
		assert_int_equal(async_file_close(file), 0);
		free(bytes);
	}
}

/* What is late is not lost: it can be waited for again. */
static void a_deadline_ends_a_wait(void **state)
{
	const char *path = file_create(*state);
	struct async_file *file = file_open(path, ASYNC_FILE_PLAIN);
	uint8_t byte = 0;
	uint64_t id = 0;

	async_file_read(file, &byte, 7, 1, 5);
	assert_int_equal(async_file_wait(file, 0, &id), -ETIMEDOUT);
	assert_int_equal(wait_one(file, &id), 0);
	assert_int_equal(id, 5);
	assert_int_equal(byte, byte_at(7));
	assert_int_equal(async_file_close(file), 0);
}

static void only_regular_files_are_opened(void **state)
{
	const char *path = folder_path(*state, "fifo");
	struct async_file *file = NULL;

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(async_file_open(path, 0, &file), -ESPIPE);
	assert_int_equal(async_file_open("/dev/zero", 0, &file), -ESPIPE);
	assert_int_equal(async_file_open(*state, 0, &file), -ESPIPE);
	assert_int_equal(async_file_open("/nowhere/at/all", 0, &file), -ENOENT);
	assert_int_equal(async_file_close(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(every_byte_arrives_once),
		folder_test(a_file_that_becomes_shorter_is_told),
		folder_test(what_is_outstanding_ends_with_the_file),
		folder_test(a_deadline_ends_a_wait),
		folder_test(only_regular_files_are_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
