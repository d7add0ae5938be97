/* SPDX-License-Identifier: MIT */
/* Pages of counters: who publishes them, who reads them, and what if they lie. */
#include "unit.h"

#include "folder.h"
#include "published.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <stats_list.h>
#include <top_rate.h>

static int stats_setup(void **state)
{
	int ret = folder_setup(state);

	if (!ret)
		setenv("ACCEL_STATS", *state, 1);
	return ret;
}

static int stats_teardown(void **state)
{
	unsetenv("ACCEL_STATS");
	return folder_teardown(state);
}

static struct stats_list list_read(const char *uri)
{
	struct stats_list list;

	assert_int_equal(stats_list_read(&list, uri), 0);
	return list;
}

static struct accel_queue *queue_create(struct accel_device *device)
{
	struct accel_queue *queue;

	assert_int_equal(accel_queue_create(device, NULL, &queue), 0);
	return queue;
}

/* Closing in a child, and counting there, is no matter of the parent's page. */
static void a_child_leaves_the_page_alone(void **state)
{
	struct accel_device *device = device_open("nil:");
	struct accel_queue *queue = queue_create(device);
	struct accel_operation operations[3] = { 0 };
	struct stats_list list;
	int status;
	pid_t child = fork();

	(void)state;
	if (!child) {
		accel_queue_submit(queue, operations, 3);
		accel_queue_destroy(queue);
		accel_device_close(device);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	list = list_read("nil:");
	assert_int_equal(list.count, 1);
	assert_int_equal(list.pages[0].queue_count, 1);
	assert_int_equal(list.pages[0].queues[0].counters.submitted, 0);
	stats_list_free(&list);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void a_device_shows_its_queues(void **state)
{
	struct accel_device *device = device_open("nil:");
	struct accel_queue *first = queue_create(device);
	struct accel_queue *second = queue_create(device);
	struct accel_operation operations[5] = { 0 };
	struct accel_completion completions[3];
	struct stats_list list;

	assert_int_equal(accel_queue_submit(second, operations, 5), 5);
	assert_int_equal(accel_queue_reap(second, completions, 3), 3);
	list = list_read("nil:");
	assert_int_equal(list.count, 1);
	assert_int_equal(list.pages[0].pid, getpid());
	assert_string_equal(list.pages[0].uri, "nil:");
	assert_string_equal(list.pages[0].backend, "nil");
	assert_string_equal(list.pages[0].program, "test_stats");
	assert_int_equal(list.pages[0].queue_count, 2);
	assert_int_equal(list.pages[0].queues[1].counters.submitted, 5);
	assert_int_equal(list.pages[0].queues[1].counters.completed, 3);
	assert_int_equal(stats_queue_outstanding(&list.pages[0].queues[1]), 2);
	stats_list_free(&list);
	list = list_read("cpu:");
	assert_int_equal(list.count, 0);
	stats_list_free(&list);
	accel_queue_destroy(first);
	list = list_read(NULL);
	assert_int_equal(list.pages[0].queue_count, 1);
	assert_int_equal(list.pages[0].queues[0].counters.submitted, 5);
	stats_list_free(&list);
	accel_queue_destroy(second);
	accel_device_close(device);
	assert_int_equal(folder_count(*state), 0);
}

static void queues_beyond_the_slots_are_counted(void **state)
{
	struct accel_device *device = device_open("nil:");
	struct accel_queue *queues[STATS_PAGE_SLOTS + 3];
	struct accel_queue_stats stats = { .size = sizeof(stats) };
	struct accel_operation operation = { 0 };
	struct stats_list list;

	(void)state;
	for (int i = 0; i < STATS_PAGE_SLOTS + 3; i++)
		queues[i] = queue_create(device);
	list = list_read(NULL);
	assert_int_equal(list.pages[0].queue_count, STATS_PAGE_SLOTS);
	assert_int_equal(list.pages[0].unlisted, 3);
	stats_list_free(&list);
	/* One that nobody sees counts all the same. */
	accel_queue_submit(queues[STATS_PAGE_SLOTS], &operation, 1);
	accel_queue_get_stats(queues[STATS_PAGE_SLOTS], &stats);
	assert_int_equal(stats.submitted, 1);
	for (int i = 0; i < STATS_PAGE_SLOTS + 3; i++)
		accel_queue_destroy(queues[i]);
	accel_device_close(device);
}

static void a_dead_process_leaves_nothing(void **state)
{
	struct stats_list list;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		struct accel_device *device;

		_exit(accel_device_open("nil:", NULL, &device) ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(folder_count(*state), 1);
	list = list_read(NULL);
	assert_int_equal(list.count, 0);
	stats_list_free(&list);
	assert_int_equal(folder_count(*state), 0);
}

static void publishing_is_never_an_error(void **state)
{
	static const char *const folders[] = { "off", "/proc/nowhere/at/all",
					       "/dev/null" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		struct accel_device *device;

		setenv("ACCEL_STATS", folders[i], 1);
		device = device_open("nil:");
		accel_queue_destroy(queue_create(device));
		accel_device_close(device);
	}
	assert_int_equal(folder_count(*state), 0);
}

/* A good page, to be spoiled. */
static struct stats_page page_sample(void)
{
	struct stats_page page = {
		.magic = STATS_PAGE_MAGIC,
		.version = STATS_PAGE_VERSION,
		.slots_offset = offsetof(struct stats_page, slots),
		.slot_size = sizeof(struct stats_slot),
		.slot_count = STATS_PAGE_SLOTS,
		.pid = 7,
	};

	page.slots[5].number = 3;
	page.slots[5].counters.completed = 9;
	return page;
}

static void pages_that_lie_are_refused(void **state)
{
	const struct stats_page good = page_sample();
	struct stats_page_read read;
	struct stats_page page = good;

	(void)state;
	assert_int_equal(stats_file_parse(&good, sizeof(good), &read), 0);
	assert_int_equal(read.queue_count, 1);
	/* Not from an end that the sanitizer would not know. */
	for (size_t length = 0; length < sizeof(good); length++) {
		char *cut = malloc(length + 1);

		memcpy(cut, &good, length);
		assert_int_equal(stats_file_parse(cut, length, &read), -EINVAL);
		free(cut);
	}
#define REFUSED(member, value)                                                 \
	do {                                                                   \
		page = good;                                                   \
		page.member = value;                                           \
		assert_int_equal(stats_file_parse(&page, sizeof(page), &read), \
				 -EINVAL);                                     \
	} while (0)
	REFUSED(magic, 0);
	REFUSED(version, 2);
	REFUSED(slots_offset, 0);
	REFUSED(slots_offset, UINT32_MAX);
	REFUSED(slot_size, 0);
	REFUSED(slot_size, sizeof(struct stats_slot) - 1);
	REFUSED(slot_size, UINT32_MAX);
	REFUSED(slot_count, STATS_PAGE_SLOTS + 1);
	REFUSED(slot_count, UINT32_MAX);
	page = good;
	page.slot_size = UINT32_MAX;
	page.slot_count = UINT32_MAX;
	page.slots_offset = UINT32_MAX;
	assert_int_equal(stats_file_parse(&page, sizeof(page), &read), -EINVAL);
}

static void texts_of_a_page_are_cleaned(void **state)
{
	struct stats_page page = page_sample();
	struct stats_page_read read;

	(void)state;
	memset(page.uri, 'x', sizeof(page.uri));
	memcpy(page.program, "\033[2J\n\"\\\xff", 9);
	assert_int_equal(stats_file_parse(&page, sizeof(page), &read), 0);
	assert_int_equal(strlen(read.uri), sizeof(read.uri) - 1);
	assert_string_equal(read.program, "?[2J?\"\\?");
}

/* A later library may add to a slot, and have more of them. */
static void larger_slots_are_read(void **state)
{
	enum { SIZE = 256, COUNT = 100 };
	const size_t offset = offsetof(struct stats_page, slots) + 64;
	char *bytes = calloc(1, offset + SIZE * COUNT);
	struct stats_page page = page_sample();
	struct stats_page_read read;

	(void)state;
	page.slots_offset = (uint32_t)offset;
	page.slot_size = SIZE;
	page.slot_count = COUNT;
	memcpy(bytes, &page, offsetof(struct stats_page, slots));
	for (uint32_t i = 0; i < COUNT; i++) {
		struct stats_slot slot = { .number = i + 1 };

		memcpy(bytes + offset + (size_t)SIZE * i, &slot, sizeof(slot));
	}
	assert_int_equal(stats_file_parse(bytes, offset + SIZE * COUNT, &read),
			 0);
	assert_int_equal(read.queue_count, STATS_PAGE_SLOTS);
	assert_int_equal(read.unlisted, COUNT - STATS_PAGE_SLOTS);
	assert_int_equal(read.queues[63].number, 64);
	free(bytes);
}

/* A file that somebody holds, as long as the descriptor is open. */
static int file_hold(const char *folder, const char *name, const void *bytes,
		     size_t length)
{
	int file = open(folder_path(folder, name), O_RDWR | O_CREAT, 0600);

	assert_true(file >= 0);
	assert_int_equal(write(file, bytes, length), length);
	assert_int_equal(flock(file, LOCK_EX), 0);
	return file;
}

static void files_that_are_no_pages_are_passed_over(void **state)
{
	const struct stats_page good = page_sample();
	const int held[] = {
		file_hold(*state, "7.0", &good, sizeof(good)),
		file_hold(*state, "7.1", &good, sizeof(good) / 2),
		file_hold(*state, "7.2", "", 0),
		file_hold(*state, "7", &good, sizeof(good)),
		file_hold(*state, "7.x", &good, sizeof(good)),
		file_hold(*state, ".7.3", &good, sizeof(good)),
	};
	int huge = file_hold(*state, "7.4", &good, sizeof(good));
	struct stats_list list;

	assert_int_equal(ftruncate(huge, STATS_FILE_MAX + 1), 0);
	assert_int_equal(mkfifo(folder_path(*state, "7.5"), 0600), 0);
	assert_int_equal(symlink("7.0", folder_path(*state, "7.6")), 0);
	close(open(folder_path(*state, "keep"), O_CREAT | O_RDWR, 0600));
	list = list_read(NULL);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.pages[0].queues[0].counters.completed, 9);
	stats_list_free(&list);
	/* Nothing of that was removed. */
	assert_int_equal(folder_count(*state), 10);
	for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++)
		close(held[i]);
	close(huge);
}

static struct stats_page_read moment(uint64_t completed, uint64_t batches,
				     uint64_t spin_ns)
{
	struct stats_page_read page = { .pid = 7, .queue_count = 1 };

	page.queues[0].number = 1;
	page.queues[0].counters = (struct queue_counters){
		.submitted = completed,
		.completed = completed,
		.batches = batches,
		.spin_ns = spin_ns,
	};
	return page;
}

static void rates_are_of_the_time_between(void **state)
{
	struct stats_page_read first = moment(1000, 100, 1000000000);
	struct stats_page_read second = moment(3000, 200, 1500000000);
	struct stats_value busy[2] = { { true, 4000000000 },
				       { true, 5000000000 } };
	struct stats_snapshot before = { .list = { &first, 1 },
					 .busy = &busy[0] };
	struct stats_snapshot now = { .list = { &second, 1 },
				      .busy = &busy[1] };
	struct top_row *rows;
	size_t count;

	(void)state;
	rows = top_rate(&before, &now, 2, &count);
	assert_int_equal(count, 1);
	assert_true(fabs(rows[0].operations - 1000) < 1e-9);
	assert_true(fabs(rows[0].batch - 20) < 1e-9);
	assert_true(fabs(rows[0].spin - 0.25) < 1e-9);
	assert_true(fabs(rows[0].busy - 0.5) < 1e-9);
	free(rows);
	/* Backwards in time: of a page that lies, or of another process's queue. */
	rows = top_rate(&now, &before, 2, &count);
	assert_true(rows[0].operations == 0 && rows[0].batch == 0);
	free(rows);
}

#define STATS_TEST(test) \
	cmocka_unit_test_setup_teardown(test, stats_setup, stats_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATS_TEST(a_device_shows_its_queues),
		STATS_TEST(a_child_leaves_the_page_alone),
		STATS_TEST(queues_beyond_the_slots_are_counted),
		STATS_TEST(a_dead_process_leaves_nothing),
		STATS_TEST(publishing_is_never_an_error),
		cmocka_unit_test(pages_that_lie_are_refused),
		cmocka_unit_test(texts_of_a_page_are_cleaned),
		cmocka_unit_test(larger_slots_are_read),
		STATS_TEST(files_that_are_no_pages_are_passed_over),
		cmocka_unit_test(rates_are_of_the_time_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
