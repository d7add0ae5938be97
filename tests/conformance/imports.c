/* SPDX-License-Identifier: MIT */
/* Memory that is there already: the device works in it, or the refusal says what it can. */
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES 5
#define LENGTH ((size_t)PAGES * PAGE)

/* As udmabuf wants it: it cannot shrink. */
static int memory_file(void)
{
	int file = memfd_create("conformance", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CHECK(file >= 0);
	CHECK_OK(ftruncate(file, LENGTH));
	CHECK_OK(fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK));
	return file;
}

static void bytes_fill(unsigned char *bytes, unsigned int salt)
{
	for (size_t i = 0; i < LENGTH; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251 + salt);
}

/* From it and to it: what the program sees there is what the device has. */
static void works_in_place(struct accel_device *device,
			   struct accel_buffer *buffer, unsigned char *bytes)
{
	struct accel_buffer *other =
		buffer_create(device, ACCEL_MEMORY_HOST, LENGTH);
	struct accel_queue *queue = queue_create(device, 4);
	struct accel_operation copy = copy_of(buffer, 0, other, 0, LENGTH);

	CHECK_EQUAL((int64_t)accel_buffer_length(buffer), (int64_t)LENGTH);
	bytes_fill(bytes, 1);
	CHECK_OK(queue_finish(queue, &copy));
	CHECK(!memcmp(buffer_bytes(other), bytes, LENGTH));
	bytes_fill(buffer_bytes(other), 2);
	copy = copy_of(other, 3, buffer, 5, LENGTH - 5);
	CHECK_OK(queue_finish(queue, &copy));
	CHECK(!memcmp(buffer_bytes(other) + 3, bytes + 5, LENGTH - 5));
	accel_queue_destroy(queue);
	accel_buffer_destroy(other);
}

static void files_are_worked_in(void)
{
	struct accel_buffer_import import = { .size = sizeof(import),
					      .length = LENGTH };
	struct accel_device *device = device_open();
	struct accel_buffer *buffer = NULL;
	unsigned char *bytes;

	import.file = memory_file();
	bytes = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
		     import.file, 0);
	CHECK(bytes != MAP_FAILED);
	CHECK_OK(accel_buffer_import(device, &import, &buffer));
	/* The caller's file stays the caller's to close. */
	CHECK_OK(close(import.file));
	works_in_place(device, buffer, bytes);
	accel_buffer_destroy(buffer);
	CHECK_OK(munmap(bytes, LENGTH));
	accel_device_close(device);
}

static void addresses_are_worked_in(void)
{
	struct accel_buffer_import import = { .size = sizeof(import),
					      .file = -1,
					      .length = LENGTH };
	struct accel_device *device = device_open();
	struct accel_buffer *buffer = NULL;

	import.address = aligned_alloc(PAGE, LENGTH);
	CHECK(import.address);
	CHECK_OK(accel_buffer_import(device, &import, &buffer));
	CHECK(buffer_bytes(buffer) == import.address);
	works_in_place(device, buffer, import.address);
	accel_buffer_destroy(buffer);
	free(import.address);
	accel_device_close(device);
}

static void impossible_imports_are_refused(void)
{
	static _Alignas(PAGE) char memory[LENGTH + PAGE];
	const struct accel_buffer_import good = { .size = sizeof(good),
						  .file = memory_file(),
						  .length = LENGTH };
	struct accel_device *device = device_open();
	struct accel_buffer *buffer = (void *)device;
	struct accel_buffer_import import = good;

	import.length = LENGTH - 1;
	CHECK_FAILS(accel_buffer_import(device, &import, &buffer), -EINVAL);
	CHECK(!buffer);
	import.length = 0;
	CHECK_FAILS(accel_buffer_import(device, &import, &buffer), -EINVAL);
	import.length = LENGTH + PAGE;
	CHECK_FAILS(accel_buffer_import(device, &import, &buffer), -EINVAL);
	import.length = UINT64_MAX - PAGE + 1;
	CHECK_FAILS(accel_buffer_import(device, &import, &buffer), -EINVAL);
	import = good;
	import.offset = 1;
	CHECK_FAILS(accel_buffer_import(device, &import, &buffer), -EINVAL);
	import.offset = PAGE;
	CHECK_FAILS(accel_buffer_import(device, &import, &buffer), -EINVAL);
	import.offset = UINT64_MAX - PAGE + 1;
	CHECK_FAILS(accel_buffer_import(device, &import, &buffer), -EINVAL);
	import = good;
	import.address = memory + 1;
	CHECK_FAILS(accel_buffer_import(device, &import, &buffer), -EINVAL);
	CHECK_FAILS(accel_buffer_import(device, NULL, &buffer), -EINVAL);
	CHECK_FAILS(accel_buffer_import(NULL, &good, &buffer), -EINVAL);
	CHECK_FAILS(accel_buffer_import(device, &good, NULL), -EINVAL);
	close(good.file);
	accel_device_close(device);
}

static void addresses_that_cannot_be_reached_are_refused(void)
{
	struct accel_buffer_import import = { .size = sizeof(import),
					      .file = -1,
					      .length = LENGTH };
	struct accel_device *device = device_open();
	struct accel_buffer *buffer = NULL;

	import.address = aligned_alloc(PAGE, LENGTH);
	CHECK(import.address);
	CHECK_FAILS(accel_buffer_import(device, &import, &buffer), -ENOTSUP);
	free(import.address);
	accel_device_close(device);
}

const struct test import_tests[] = {
	{ "the device works in a program's file", files_are_worked_in,
	  COMPUTES },
	{ "the device works in a program's memory", addresses_are_worked_in,
	  COMPUTES | REACHES_ADDRESSES },
	{ "memory that cannot be reached is refused",
	  addresses_that_cannot_be_reached_are_refused, NEEDS_FILES },
	{ "impossible imports are refused", impossible_imports_are_refused, 0 },
	{ 0 },
};
