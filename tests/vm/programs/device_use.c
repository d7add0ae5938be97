/* SPDX-License-Identifier: MIT */
/*
 * A program that uses a device through the library, for suites.
 * usage: device_use URI DEED [ARGUMENT]
 * The status is 0 if all went as it should; else the last line says what did not.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <accel/accel.h>

#include "backend/driver_io.h"
#include "driver/bare.h"
#include "transport/transport.h"

#define KIB 1024ul
#define MIB (KIB * KIB)
#define PAGE 4096ul
#define TIMEOUT (20 * ACCEL_SECOND)

/* Ends the program where something is not as it should be. */
#define EXPECT(what)                                                    \
	do {                                                            \
		if (!(what)) {                                          \
			printf("line %d: not so: %s; last error: %s\n", \
			       __LINE__, #what, accel_last_error());    \
			exit(1);                                        \
		}                                                       \
	} while (0)

/**
 * struct use - a device in use
 * @device: open
 * @queue: of it
 * @far: device memory, of @length
 * @length: of @far
 */
struct use {
	struct accel_device *device;
	struct accel_queue *queue;
	struct accel_buffer *far;
	uint64_t length;
};

static struct accel_device *device_open(const char *uri)
{
	struct accel_device *device;
	int ret = accel_device_open(uri, NULL, &device);

	if (!ret)
		return device;
	printf("%s (%d)\n", accel_last_error(), ret);
	exit(2);
}

static void use_begin(struct use *use, struct accel_device *device,
		      uint64_t length)
{
	const struct accel_queue_options options = { .size = sizeof(options),
						     .spin_ns = -1 };

	use->device = device;
	use->length = length;
	EXPECT(!accel_buffer_create(device, ACCEL_MEMORY_DEVICE, length,
				    &use->far));
	EXPECT(!accel_queue_create(device, &options, &use->queue));
}

static void use_end(struct use *use)
{
	accel_queue_destroy(use->queue);
	accel_buffer_destroy(use->far);
}

static struct accel_buffer *buffer_create(struct accel_device *device,
					  uint64_t length)
{
	struct accel_buffer *buffer = NULL;

	EXPECT(!accel_buffer_create(device, ACCEL_MEMORY_HOST, length,
				    &buffer));
	return buffer;
}

/* A copy, waited for: 0, or what went wrong with it. */
static int copy(const struct use *use, struct accel_buffer *from,
		uint64_t from_offset, struct accel_buffer *to,
		uint64_t to_offset, uint64_t length)
{
	const struct accel_operation operation = {
		.opcode = ACCEL_OPERATION_COPY,
		.copy = { from, to, from_offset, to_offset, length },
	};
	struct accel_completion done;
	int ret = accel_queue_submit(use->queue, &operation, 1);

	if (ret < 0)
		return ret;
	ret = accel_queue_wait(use->queue, &done, 1, 1, TIMEOUT);
	if (ret < 0)
		return ret;
	return ret ? done.status : -ETIMEDOUT;
}

/* From the first half by the device to the second one. */
static int copy_and_compare(const struct use *use, struct accel_buffer *buffer)
{
	uint64_t half = accel_buffer_length(buffer) / 2;
	void *address;
	uint8_t *bytes;
	int ret;

	EXPECT(half <= use->length);
	EXPECT(!accel_buffer_map(buffer, &address));
	bytes = address;
	for (uint64_t i = 0; i < half; i++)
		bytes[i] = (uint8_t)(i * 7 + i / PAGE);
	ret = copy(use, buffer, 0, use->far, 0, half);
	if (!ret)
		ret = copy(use, use->far, 0, buffer, half, half);
	EXPECT(ret || !memcmp(bytes, bytes + half, half));
	return ret;
}

/* All that a buffer of @length goes through. */
static void round_trip(struct accel_device *device, uint64_t length)
{
	struct accel_buffer *buffer = buffer_create(device, length);
	struct use use;

	use_begin(&use, device, length);
	EXPECT(!copy_and_compare(&use, buffer));
	use_end(&use);
	accel_buffer_destroy(buffer);
}

static void deed_copy(const char *uri, const char *argument)
{
	struct accel_device *device = device_open(uri);

	(void)argument;
	round_trip(device, 256 * KIB);
	accel_device_close(device);
}

static void deed_reset(const char *uri, const char *argument)
{
	struct accel_device *device = device_open(uri);

	(void)argument;
	for (int i = 0; i < 3; i++) {
		round_trip(device, 64 * KIB);
		EXPECT(!accel_device_reset(device));
	}
	round_trip(device, 64 * KIB);
	accel_device_close(device);
}

/* Nothing but an interrupt ends the poll. */
static void deed_sleep(const char *uri, const char *argument)
{
	struct accel_device *device = device_open(uri);
	const struct accel_operation nothing = { .opcode =
							 ACCEL_OPERATION_NOP };
	struct accel_completion done;
	struct accel_queue *queues[2];
	eventfd_t count;

	(void)argument;
	for (int i = 0; i < 2; i++)
		EXPECT(!accel_queue_create(device, NULL, &queues[i]));
	for (int i = 0; i < 20; i++) {
		struct pollfd pollers[] = {
			{ .fd = accel_queue_fd(queues[0]), .events = POLLIN },
			{ .fd = accel_queue_fd(queues[1]), .events = POLLIN },
		};

		EXPECT(!poll(pollers, 2, 0));
		EXPECT(accel_queue_submit(queues[i % 2], &nothing, 1) == 1);
		EXPECT(poll(pollers, 2, 10000) == 1);
		EXPECT(pollers[i % 2].revents == POLLIN);
		EXPECT(!eventfd_read(pollers[i % 2].fd, &count));
		EXPECT(accel_queue_reap(queues[i % 2], &done, 1) == 1);
	}
	for (int i = 0; i < 2; i++)
		accel_queue_destroy(queues[i]);
	accel_device_close(device);
}

static unsigned long proc_read(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	unsigned long value = 0;
	char line[256];

	EXPECT(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = strtoul(line + strlen(name), NULL, 10);
	fclose(file);
	return value;
}

static unsigned long pinned_kib(void)
{
	return proc_read("/proc/self/status", "VmLck:") +
	       proc_read("/proc/self/status", "VmPin:");
}

static void model_run_once(struct accel_device *device, const char *path)
{
	struct accel_model *model;
	struct accel_plan *plan;

	EXPECT(!accel_model_load(path, &model));
	EXPECT(!accel_plan_create(device, model, NULL, &plan));
	accel_plan_destroy(plan);
	accel_model_free(model);
}

/* Bus addresses, pages and device memory come back, whatever was done with them. */
static void deed_reuse(const char *uri, const char *model)
{
	struct accel_device *device = device_open(uri);
	struct accel_device_info before = { .size = sizeof(before) };
	struct accel_device_info after = { .size = sizeof(after) };
	unsigned long pinned = 0;
	uint64_t first = 0;

	for (int i = 0; i < 100; i++) {
		struct accel_buffer *buffers[4];

		for (uint64_t j = 0; j < 4; j++)
			buffers[j] = buffer_create(
				device, PAGE * (1 + (unsigned int)i * j % 7));
		if (i == 10) {
			first = driver_buffer(buffers[0])->memory.host.bus;
			pinned = pinned_kib();
		}
		EXPECT(i <= 10 ||
		       driver_buffer(buffers[0])->memory.host.bus == first);
		for (int j = 0; j < 4; j++)
			accel_buffer_destroy(buffers[j]);
	}
	EXPECT(pinned_kib() <= pinned);
	model_run_once(device, model);
	EXPECT(!accel_device_get_info(device, &before));
	pinned = pinned_kib();
	for (int i = 0; i < 3; i++)
		model_run_once(device, model);
	EXPECT(!accel_device_get_info(device, &after));
	EXPECT(before.memory_used == after.memory_used);
	EXPECT(pinned_kib() == pinned);
	round_trip(device, 64 * KIB);
	accel_device_close(device);
}

static void import_works(const struct use *use,
			 const struct accel_buffer_import *import)
{
	struct accel_buffer *buffer = NULL;

	EXPECT(!accel_buffer_import(use->device, import, &buffer));
	EXPECT(!copy_and_compare(use, buffer));
	accel_buffer_destroy(buffer);
}

static void *pages_map(int protection)
{
	void *pages = mmap(NULL, 16 * PAGE, protection,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(pages != MAP_FAILED);
	return pages;
}

/* Memory in place, part of a memfd, and what cannot be pinned. */
static void deed_import(const char *uri, const char *argument)
{
	struct accel_buffer_import import = {
		.size = sizeof(import),
		.address = pages_map(PROT_READ | PROT_WRITE),
		.length = 16 * PAGE,
	};
	struct accel_buffer *buffer;
	struct use use;
	uint8_t *pages = import.address, byte;

	(void)argument;
	use_begin(&use, device_open(uri), 8 * PAGE);
	import_works(&use, &import);
	EXPECT(pages[8 * PAGE + 1] == 7);
	pages[0] = 1;

	import.address = NULL;
	import.file = memfd_create("import", MFD_CLOEXEC);
	import.offset = 3 * PAGE;
	EXPECT(!ftruncate(import.file, 19 * PAGE));
	import_works(&use, &import);
	EXPECT(pread(import.file, &byte, 1, 11 * PAGE + 1) == 1 && byte == 7);

	import.address = pages_map(PROT_READ);
	EXPECT(accel_buffer_import(use.device, &import, &buffer) == -EFAULT);
	EXPECT(strstr(accel_last_error(), "cannot be pinned"));
	use_end(&use);
	accel_device_close(use.device);
}

/* A dma-buf over a memfd that may be of use to udmabuf. */
static int dma_buf_make(int memfd)
{
	struct udmabuf_create create = { .memfd = (uint32_t)memfd,
					 .size = 16 * PAGE };
	int udmabuf = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int file;

	if (udmabuf < 0) {
		printf("this kernel has no udmabuf\n");
		exit(77);
	}
	EXPECT(!fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	file = ioctl(udmabuf, UDMABUF_CREATE, &create);
	EXPECT(file >= 0);
	close(udmabuf);
	return file;
}

/* Through the module: files alone, and an object may be imported twice. */
static void deed_import_files(const char *uri, const char *argument)
{
	struct accel_buffer_import import = {
		.size = sizeof(import),
		.address = pages_map(PROT_READ | PROT_WRITE),
		.length = 16 * PAGE,
	};
	struct accel_buffer *buffer, *again;
	struct use use;
	int memfd = memfd_create("import", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)argument;
	EXPECT(!ftruncate(memfd, 16 * PAGE));
	use_begin(&use, device_open(uri), 8 * PAGE);
	EXPECT(accel_buffer_import(use.device, &import, &buffer) == -ENOTSUP);
	EXPECT(strstr(accel_last_error(), "a dma-buf or a memfd"));

	import.address = NULL;
	import.file = memfd;
	EXPECT(accel_buffer_import(use.device, &import, &buffer) == -ENOTSUP);
	EXPECT(strstr(accel_last_error(), "F_SEAL_SHRINK"));
	import.file = dma_buf_make(memfd);
	EXPECT(!accel_buffer_import(use.device, &import, &buffer));
	EXPECT(!accel_buffer_import(use.device, &import, &again));
	accel_buffer_destroy(again);
	EXPECT(!copy_and_compare(&use, buffer));
	accel_buffer_destroy(buffer);
	import_works(&use, &import);

	import.file = memfd;
	import.offset = 4 * PAGE;
	import.length = 12 * PAGE;
	import_works(&use, &import);
	use_end(&use);
	accel_device_close(use.device);
}

/* Without IOMMU: buffers of many huge pages, and no memory but such. */
static void deed_bare(const char *uri, const char *argument)
{
	struct accel_buffer_import import = {
		.size = sizeof(import),
		.address = pages_map(PROT_READ | PROT_WRITE),
		.length = 16 * PAGE,
	};
	struct accel_device *device = device_open(uri);
	struct accel_buffer *buffer;

	(void)argument;
	for (int i = 0; i < 3; i++)
		round_trip(device, 7 * MIB);
	EXPECT(accel_buffer_import(device, &import, &buffer) == -ENOTSUP);
	EXPECT(accel_buffer_create(device, ACCEL_MEMORY_HOST, 200 * MIB,
				   &buffer) == -ENOMEM);
	printf("%s\n", accel_last_error());
	EXPECT(strstr(accel_last_error(), "vm.nr_hugepages="));
	round_trip(device, 7 * MIB);
	accel_device_close(device);
}

/* Huge pages, as many as ARGUMENT says that there are. */
static void deed_huge(const char *uri, const char *argument)
{
	struct accel_device *device = device_open(uri);
	unsigned long there = strtoul(argument, NULL, 10);
	struct accel_buffer *buffer = buffer_create(device, 4 * MIB);
	unsigned long left = proc_read("/proc/meminfo", "HugePages_Free:");
	struct use use;

	EXPECT(left == (there >= 2 ? there - 2 : there));
	use_begin(&use, device, 2 * MIB);
	EXPECT(!copy_and_compare(&use, buffer));
	use_end(&use);
	accel_buffer_destroy(buffer);
	EXPECT(proc_read("/proc/meminfo", "HugePages_Free:") == there);
	accel_device_close(device);
}

/* As a user without privileges, who may lock 1 MiB. */
static void deed_memlock(const char *uri, const char *argument)
{
	const struct rlimit limit = { MIB, MIB };
	struct accel_buffer *buffer;
	struct accel_device *device;

	(void)argument;
	EXPECT(!setrlimit(RLIMIT_MEMLOCK, &limit));
	EXPECT(!setuid(65534));
	device = device_open(uri);
	EXPECT(accel_buffer_create(device, ACCEL_MEMORY_HOST, 4 * MIB,
				   &buffer) == -ENOMEM);
	printf("%s\n", accel_last_error());
	EXPECT(strstr(accel_last_error(), "4096 KiB more than"));
	EXPECT(strstr(accel_last_error(), "exceed the 1024 KiB"));
	EXPECT(strstr(accel_last_error(), "ulimit -l"));
	round_trip(device, 64 * KIB);
	accel_device_close(device);
}

/* The IOMMU knows the page no more, but the device's page table does. */
static void deed_fault(const char *uri, const char *argument)
{
	struct accel_device *device = device_open(uri);
	struct transport *transport =
		bare_device(driver_backend(device)->device)->transport;
	struct accel_buffer *buffer = buffer_create(device, 64 * KIB);
	struct driver_memory *memory = &driver_buffer(buffer)->memory;
	struct use use;
	int ret;

	(void)argument;
	use_begin(&use, device, 32 * KIB);
	EXPECT(!copy_and_compare(&use, buffer));
	EXPECT(!transport->operations->unmap_dma(transport, memory->host.bus,
						 memory->host.length));
	ret = copy(&use, buffer, 0, use.far, 0, 32 * KIB);
	printf("%d: %s\n", ret, accel_last_error());
	EXPECT(ret < 0 && ret != -ETIMEDOUT);
	ret = copy(&use, use.far, 0, buffer, 0, 32 * KIB);
	EXPECT(ret < 0 && ret != -ETIMEDOUT);
	accel_buffer_destroy(buffer);
	buffer = buffer_create(device, 64 * KIB);
	EXPECT(!copy_and_compare(&use, buffer));
	accel_buffer_destroy(buffer);
	use_end(&use);
	accel_device_close(device);
}

static void file_touch(const char *folder, const char *name)
{
	char path[256];
	int file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	EXPECT(file >= 0);
	close(file);
}

static void file_await(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (int i = 0; i < 600 && access(path, F_OK); i++)
		usleep(50000);
	EXPECT(!access(path, F_OK));
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/*
 * Works, or sits idle, until the device is taken away; says FOLDER/running first. When
 * FOLDER/back is there, it is reset, and all is well.
 */
static void lose(const char *uri, const char *folder, bool working)
{
	struct accel_device *device = device_open(uri);
	struct accel_buffer *buffer = buffer_create(device, 64 * KIB);
	struct use use;
	double start;
	int ret = 0;

	use_begin(&use, device, 32 * KIB);
	EXPECT(!copy_and_compare(&use, buffer));
	file_touch(folder, "running");
	while (working && !ret)
		ret = copy_and_compare(&use, buffer);
	if (!working)
		file_await(folder, "back");
	/* An idle process finds out with the next that it wants. */
	start = seconds();
	if (!working)
		ret = copy_and_compare(&use, buffer);
	printf("%d after %.1f s: %s\n", ret, seconds() - start,
	       accel_last_error());
	EXPECT(seconds() - start < 2);
	EXPECT(ret == -ENODEV);
	file_await(folder, "back");
	EXPECT(!accel_device_reset(device));
	use_end(&use);
	accel_buffer_destroy(buffer);
	round_trip(device, 64 * KIB);
	accel_device_close(device);
}

static void deed_lose(const char *uri, const char *folder)
{
	lose(uri, folder, true);
}

static void deed_lose_idle(const char *uri, const char *folder)
{
	lose(uri, folder, false);
}

/* Waits by poll() alone, without an end of its own; there is always something outstanding. */
static int poll_until_lost(struct use *use, struct accel_buffer *buffer)
{
	const struct accel_operation operation = {
		.opcode = ACCEL_OPERATION_COPY,
		.copy = { buffer, use->far, 0, 0, use->length },
	};
	struct pollfd poller = { .fd = accel_queue_fd(use->queue),
				 .events = POLLIN };
	struct accel_completion done[64];
	eventfd_t count;
	int ret = 0;

	while (ret >= 0) {
		do
			ret = accel_queue_submit(use->queue, &operation, 1);
		while (ret == 1);
		if (ret != -EAGAIN)
			break;
		EXPECT(poll(&poller, 1, 10000) == 1);
		EXPECT(!eventfd_read(poller.fd, &count));
		ret = accel_queue_reap(use->queue, done, 64);
	}
	return ret;
}

static void deed_lose_polling(const char *uri, const char *folder)
{
	struct accel_device *device = device_open(uri);
	struct accel_buffer *buffer = buffer_create(device, 64 * KIB);
	struct use use;

	use_begin(&use, device, 64 * KIB);
	file_touch(folder, "running");
	EXPECT(poll_until_lost(&use, buffer) == -ENODEV);
	file_await(folder, "back");
	EXPECT(!accel_device_reset(device));
	use_end(&use);
	accel_buffer_destroy(buffer);
	round_trip(device, 64 * KIB);
	accel_device_close(device);
}

/* Works until the link has an error; a reset is all that it takes. */
static void deed_error(const char *uri, const char *folder)
{
	struct accel_device *device = device_open(uri);
	struct accel_buffer *buffer = buffer_create(device, 64 * KIB);
	struct use use;
	int ret;

	use_begin(&use, device, 32 * KIB);
	file_touch(folder, "running");
	file_await(folder, "back");
	ret = copy_and_compare(&use, buffer);
	EXPECT(!ret || ret == -EIO);
	for (int i = 0; i < 100 && !ret; i++) {
		usleep(50000);
		ret = copy_and_compare(&use, buffer);
	}
	printf("%d: %s\n", ret, accel_last_error());
	EXPECT(ret == -EIO);
	EXPECT(strstr(accel_last_error(), "error of the device or its link"));
	EXPECT(!accel_device_reset(device));
	use_end(&use);
	accel_buffer_destroy(buffer);
	round_trip(device, 64 * KIB);
	accel_device_close(device);
}

/* Has it until FOLDER/back is there. */
static void deed_hold(const char *uri, const char *folder)
{
	struct accel_device *device = device_open(uri);

	file_touch(folder, "running");
	file_await(folder, "back");
	accel_device_close(device);
}

static const struct {
	const char *name;
	void (*run)(const char *uri, const char *argument);
} deeds[] = {
	{ "bare", deed_bare },
	{ "copy", deed_copy },
	{ "error", deed_error },
	{ "lose_polling", deed_lose_polling },
	{ "fault", deed_fault },
	{ "hold", deed_hold },
	{ "huge", deed_huge },
	{ "import", deed_import },
	{ "import_files", deed_import_files },
	{ "lose", deed_lose },
	{ "lose_idle", deed_lose_idle },
	{ "memlock", deed_memlock },
	{ "reset", deed_reset },
	{ "reuse", deed_reuse },
	{ "sleep", deed_sleep },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc >= 3 && i < sizeof(deeds) / sizeof(deeds[0]);
	     i++)
		if (!strcmp(argv[2], deeds[i].name)) {
			deeds[i].run(argv[1], argc > 3 ? argv[3] : "");
			return 0;
		}
	fprintf(stderr, "usage: device_use URI DEED [ARGUMENT]\n");
	return 1;
}
