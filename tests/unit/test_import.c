/* SPDX-License-Identifier: MIT */
/* Commands work in memory that the program had already, and it stays the program's. */
#include "unit.h"

#include "folder.h"
#include "served.h"

#include <accel/accel.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define BYTES (48u * PAGE)

static struct accel_device *device_open(const char *uri)
{
	struct accel_device *device;

	if (accel_device_open(uri, NULL, &device))
		fail_msg("%s: %s", uri, accel_last_error());
	return device;
}

static void assert_said(const char *part)
{
	if (!strstr(accel_last_error(), part))
		fail_msg("\"%s\" is not in: %s", part, accel_last_error());
}

static int import(struct accel_device *device, void *address, int file,
		  uint64_t offset, uint64_t length,
		  struct accel_buffer **buffer)
{
	const struct accel_buffer_import memory = {
		.size = sizeof(memory),
		.address = address,
		.file = file,
		.offset = offset,
		.length = length,
	};

	return accel_buffer_import(device, &memory, buffer);
}

static uint8_t *bytes_of(struct accel_buffer *buffer)
{
	void *address;

	assert_int_equal(accel_buffer_map(buffer, &address), 0);
	return address;
}

static int memfd_make(size_t length)
{
	int file = memfd_create("test", MFD_CLOEXEC);

	assert_true(file >= 0);
	assert_int_equal(ftruncate(file, (off_t)length), 0);
	return file;
}

static void *pages_make(void)
{
	void *pages = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(pages != MAP_FAILED);
	return pages;
}

/* From the first half by device memory to the second one. */
static void copied_through_device(struct accel_device *device,
				  struct accel_buffer *buffer)
{
	const uint64_t half = accel_buffer_length(buffer) / 2;
	struct accel_completion done[2];
	struct accel_buffer *far;
	struct accel_queue *queue;

	assert_int_equal(accel_buffer_create(device, ACCEL_MEMORY_DEVICE, half,
					     &far),
			 0);
	assert_int_equal(accel_queue_create(device, NULL, &queue), 0);
	const struct accel_operation operations[] = {
		{ .opcode = ACCEL_OPERATION_COPY,
		  .copy = { buffer, far, 0, 0, half } },
		{ .opcode = ACCEL_OPERATION_COPY,
		  .copy = { far, buffer, 0, half, half } },
	};

	assert_int_equal(accel_queue_submit(queue, operations, 2), 2);
	assert_int_equal(accel_queue_wait(queue, done, 2, 2, 10 * ACCEL_SECOND),
			 2);
	assert_int_equal(done[0].status | done[1].status, 0);
	accel_queue_destroy(queue);
	accel_buffer_destroy(far);
}

static void fill(uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(i * 13 + i / PAGE);
}

static void memory_in_place(void **state)
{
	struct accel_device *device = device_open("sim:");
	uint8_t *pages = pages_make();
	struct accel_buffer *buffer;

	(void)state;
	fill(pages, BYTES / 2);
	assert_int_equal(import(device, pages, -1, 0, BYTES, &buffer), 0);
	assert_int_equal(accel_buffer_length(buffer), BYTES);
	assert_ptr_equal(bytes_of(buffer), pages);
	copied_through_device(device, buffer);
	assert_memory_equal(pages, pages + BYTES / 2, BYTES / 2);
	accel_buffer_destroy(buffer);
	/* Still the caller's. */
	fill(pages, BYTES);
	munmap(pages, BYTES);
	accel_device_close(device);
}

/* The file may be closed meanwhile; what the device wrote is in it. */
static void file_works_on(const char *uri)
{
	struct accel_device *device = device_open(uri);
	int file = memfd_make(BYTES + 2 * PAGE), copy = dup(file);
	uint8_t read[PAGE], *bytes;
	struct accel_buffer *buffer;

	assert_int_equal(import(device, NULL, file, 2 * PAGE, BYTES, &buffer),
			 0);
	close(file);
	bytes = bytes_of(buffer);
	fill(bytes, BYTES / 2);
	copied_through_device(device, buffer);
	assert_memory_equal(bytes, bytes + BYTES / 2, BYTES / 2);
	accel_buffer_destroy(buffer);
	assert_int_equal(pread(copy, read, PAGE, 2 * PAGE + BYTES / 2), PAGE);
	assert_int_equal(read[1], 13);
	close(copy);
	accel_device_close(device);
}

static void files_of_all_kinds(void **state)
{
	(void)state;
	file_works_on("sim:");
}

static void files_for_another_process(void **state)
{
	const char *path = folder_path(*state, "socket");
	struct accel_buffer *buffer;
	struct accel_device *device;
	struct served served;
	char uri[300];
	void *pages = pages_make();

	snprintf(uri, sizeof(uri), "vfio-user:%s", path);
	served_start(&served, uri + strlen("vfio-user:"));
	file_works_on(uri);
	device = device_open(uri);
	assert_int_equal(import(device, pages, -1, 0, BYTES, &buffer),
			 -ENOTSUP);
	assert_said("give a memfd");
	assert_null(buffer);
	accel_device_close(device);
	served_stop(&served, uri + strlen("vfio-user:"));
	munmap(pages, BYTES);
}

/* Where nothing computes, it is a buffer like any other. */
static void devices_without_dma(void **state)
{
	static const char *const uris[] = { "cpu:", "nil:" };
	void *pages = pages_make();
	int file = memfd_make(BYTES);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct accel_device *device = device_open(uris[i]);
		struct accel_buffer *buffer;

		assert_int_equal(import(device, pages, -1, 0, BYTES, &buffer),
				 0);
		assert_ptr_equal(bytes_of(buffer), pages);
		accel_buffer_destroy(buffer);
		assert_int_equal(
			import(device, NULL, file, PAGE, PAGE, &buffer), 0);
		bytes_of(buffer)[0] = 7;
		accel_buffer_destroy(buffer);
		accel_device_close(device);
	}
	close(file);
	munmap(pages, BYTES);
}

static void refused(struct accel_device *device, void *address, int file,
		    uint64_t offset, uint64_t length, const char *part)
{
	struct accel_buffer *buffer;

	assert_int_equal(import(device, address, file, offset, length, &buffer),
			 -EINVAL);
	assert_said(part);
	assert_null(buffer);
}

static void what_is_not_there_is_refused(void **state)
{
	struct accel_device *device = device_open("sim:");
	struct accel_buffer_import memory = { .size = 3 };
	struct accel_buffer *buffer;
	char *pages = pages_make();
	int file = memfd_make(BYTES);
	int pipes[2];

	(void)state;
	refused(device, pages, -1, 0, 0, "length of 0");
	refused(device, pages, -1, 0, PAGE + 1, "no multiple of 4096");
	refused(device, pages + 1, -1, 0, PAGE, "no multiple of 4096");
	refused(device, pages, -1, 0, UINT64_MAX - PAGE + 1, "length of");
	refused(device, NULL, file, 1, PAGE, "offset of 1");
	refused(device, NULL, file, PAGE, BYTES, "of a file of");
	refused(device, NULL, file, UINT64_MAX - PAGE + 1, PAGE,
		"of a file of");
	assert_int_equal(import(device, NULL, -1, 0, PAGE, &buffer), -EBADF);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(import(device, NULL, pipes[0], 0, PAGE, &buffer),
			 -ENOTSUP);
	assert_said("no memfd, file or dma-buf");
	assert_int_equal(accel_buffer_import(device, &memory, &buffer),
			 -EINVAL);
	assert_int_equal(accel_buffer_import(device, NULL, &buffer), -EINVAL);
	close(pipes[0]);
	close(pipes[1]);
	close(file);
	munmap(pages, BYTES);
	accel_device_close(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_in_place),
		cmocka_unit_test(files_of_all_kinds),
		folder_test(files_for_another_process),
		cmocka_unit_test(devices_without_dma),
		cmocka_unit_test(what_is_not_there_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
