// SPDX-License-Identifier: MIT
/* What is left of memory when the device is taken away under it. */
#include "binding.h"
#include "memory.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

#include <linux/udmabuf.h>

#include <kselftest_harness.h>

#define AT 0x40000000ull
#define LENGTH (1 * MIB)

static sigjmp_buf after_fault;

static void on_fault(int signal_number)
{
	siglongjmp(after_fault, signal_number);
}

/* The signal that a read ends with, or 0. */
static int read_faults(volatile const char *address)
{
	struct sigaction action = { .sa_handler = on_fault };
	int caught;

	sigaction(SIGBUS, &action, NULL);
	caught = sigsetjmp(after_fault, 1);
	if (!caught)
		(void)*address;
	signal(SIGBUS, SIG_DFL);
	return caught;
}

static int node_comes(void)
{
	int i, fd = -1;

	for (i = 0; i < 100 && fd < 0; i++) {
		fd = node_open();
		if (fd < 0)
			usleep(100000);
	}
	return fd;
}

FIXTURE(unplug)
{
	char device[32];
	int fd;
	uint32_t host;
	uint32_t window;
	char *host_memory;
	char *window_memory;
};

FIXTURE_SETUP(unplug)
{
	ASSERT_EQ(0, driver_device(self->device, sizeof(self->device)));
	self->fd = node_open();
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0,
		  bo_create(self->fd, LENGTH, DRM_SPMM_BO_HOST, &self->host));
	ASSERT_EQ(0,
		  bo_create(self->fd, LENGTH, DEVICE_VISIBLE, &self->window));
	self->host_memory = bo_map(self->fd, self->host, LENGTH);
	self->window_memory = bo_map(self->fd, self->window, LENGTH);
	ASSERT_NE(NULL, self->host_memory);
	ASSERT_NE(NULL, self->window_memory);
	self->host_memory[0] = 1;
	self->window_memory[0] = 2;
	ASSERT_EQ(0, vm_bind(self->fd, self->host, READ_WRITE, AT, 0, LENGTH));
	ASSERT_EQ(0, vm_bind(self->fd, self->window, READ_WRITE, AT + LENGTH, 0,
			     LENGTH));
}

FIXTURE_TEARDOWN(unplug)
{
	int fd;

	close(self->fd);
	munmap(self->host_memory, LENGTH);
	munmap(self->window_memory, LENGTH);
	fd = node_comes();
	EXPECT_GE(fd, 0);
	close(fd);
}

TEST_F(unplug, mappings)
{
	ASSERT_EQ(0, driver_tell("unbind", self->device));
	EXPECT_EQ(SIGBUS, read_faults(self->window_memory));
	EXPECT_EQ(SIGBUS, read_faults(self->window_memory + LENGTH - 1));
	EXPECT_EQ(0, read_faults(self->host_memory));
	EXPECT_EQ(0, read_faults(self->host_memory + LENGTH - 1));
	EXPECT_EQ(1, self->host_memory[0]);
	ASSERT_EQ(0, driver_tell("bind", self->device));
}

TEST_F(unplug, calls)
{
	uint32_t handle;
	uint64_t offset;
	int dma_buf;

	ASSERT_EQ(0, bo_export(self->fd, self->host, &dma_buf));
	ASSERT_EQ(0, driver_tell("unbind", self->device));
	EXPECT_EQ(-ENODEV,
		  bo_create(self->fd, PAGE, DRM_SPMM_BO_HOST, &handle));
	EXPECT_EQ(-ENODEV, bo_offset(self->fd, self->host, &offset));
	EXPECT_EQ(-ENODEV, vm_unbind(self->fd, AT, LENGTH));
	EXPECT_EQ(-ENODEV,
		  vm_bind(self->fd, self->host, READ_WRITE, 0, 0, PAGE));
	ASSERT_EQ(0, driver_tell("bind", self->device));
	/* What was shared before stays, and takes nobody new. */
	close(self->fd);
	self->fd = node_comes();
	ASSERT_GE(self->fd, 0);
	EXPECT_EQ(-ENODEV, bo_import(self->fd, dma_buf, &handle));
	close(dma_buf);
}

/* A buffer of user memory, or a negative errno value. */
static int user_buffer(void)
{
	struct udmabuf_create create = { .size = LENGTH };
	int node = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int memory = memfd_create("spmm", MFD_ALLOW_SEALING);
	int buffer = -ENOENT;

	create.memfd = (uint32_t)memory;
	if (node >= 0 && !ftruncate(memory, LENGTH) &&
	    !fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK))
		buffer = ioctl(node, UDMABUF_CREATE, &create);
	close(memory);
	close(node);
	return buffer;
}

/* Imported memory is mapped for a device that is no more. */
TEST_F(unplug, imports)
{
	int dma_buf = user_buffer();
	uint32_t handle;

	if (dma_buf == -ENOENT)
		SKIP(return, "no udmabuf");
	ASSERT_GE(dma_buf, 0);
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &handle));
	ASSERT_EQ(0, vm_bind(self->fd, handle, READ_WRITE, 0, 0, LENGTH));
	ASSERT_EQ(0, driver_tell("unbind", self->device));
	ASSERT_EQ(0, driver_tell("bind", self->device));
	close(dma_buf);
}

struct sharing {
	int fd;
	uint32_t handle;
	uint64_t count;
	int error;
};

/* Until the device is gone. */
static void *share_again(void *data)
{
	struct sharing *sharing = data;
	int dma_buf;

	for (;;) {
		sharing->error =
			bo_export(sharing->fd, sharing->handle, &dma_buf);
		if (sharing->error)
			return NULL;
		close(dma_buf);
		__atomic_fetch_add(&sharing->count, 1, __ATOMIC_RELAXED);
	}
}

/* What was imported is passed on, by its file, up to the end. */
TEST_F(unplug, imports_are_shared)
{
	struct sharing sharing = { .fd = self->fd };
	int dma_buf = user_buffer();
	pthread_t thread;

	if (dma_buf == -ENOENT)
		SKIP(return, "no udmabuf");
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &sharing.handle));
	ASSERT_EQ(0,
		  vm_bind(self->fd, sharing.handle, READ_WRITE, 0, 0, LENGTH));
	ASSERT_EQ(0, pthread_create(&thread, NULL, share_again, &sharing));
	while (!__atomic_load_n(&sharing.count, __ATOMIC_RELAXED))
		usleep(1000);
	ASSERT_EQ(0, driver_tell("unbind", self->device));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-ENODEV, sharing.error);
	ASSERT_EQ(0, driver_tell("bind", self->device));
	close(dma_buf);
}

TEST_HARNESS_MAIN
