// SPDX-License-Identifier: MIT
/* What the device finds at its addresses: the pages that were bound, and nothing else. */
#include "memory.h"

#include <sys/wait.h>

#include <linux/udmabuf.h>

#include <kselftest_harness.h>

#define LENGTH (5 * MIB)
/* One aligned as large pages are, one a page behind. */
#define AT (1ull << 32)
#define ODD ((2ull << 32) + PAGE)
#define THERE (3ull << 32)

FIXTURE(translation)
{
	int fd;
	uint32_t queue;
	uint32_t host;
	uint32_t device;
	uint8_t *memory;
};

FIXTURE_SETUP(translation)
{
	uint64_t i;

	self->fd = node_open_idle();
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, queue_create(self->fd, &self->queue));
	ASSERT_EQ(0,
		  bo_create(self->fd, LENGTH, DRM_SPMM_BO_HOST, &self->host));
	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DRM_SPMM_BO_DEVICE,
			       &self->device));
	self->memory = bo_map(self->fd, self->host, LENGTH);
	ASSERT_NE(NULL, self->memory);
	for (i = 0; i < LENGTH / sizeof(i); i++)
		((uint64_t *)self->memory)[i] = i;
	ASSERT_EQ(0, vm_bind(self->fd, self->host, READ_WRITE, AT, 0, LENGTH));
}

FIXTURE_TEARDOWN(translation)
{
	close(self->fd);
}

/* The error of a job that copies. */
static int copy_job(int fd, uint32_t queue, uint64_t from, uint64_t to,
		    uint64_t length, uint64_t *bad_address)
{
	struct spmm_sqe command = copy(from, to, length);
	struct drm_spmm_job_wait wait;
	uint64_t job;
	int ret = job_submit(fd, queue, &command, 1, &job);

	if (ret)
		return ret;
	wait = job_wait(fd, queue, job, &ret);
	if (bad_address)
		*bad_address = wait.address;
	return ret;
}

/* To what is bound at ODD, and back. */
static int round_trip(int fd, uint32_t queue, uint8_t *memory)
{
	int ret;

	ret = copy_job(fd, queue, AT, ODD, LENGTH, NULL);
	memset(memory, 0, LENGTH);
	return ret ? ret : copy_job(fd, queue, ODD, AT, LENGTH, NULL);
}

static int is_numbered(const uint8_t *memory)
{
	uint64_t i;

	for (i = 0; i < LENGTH / sizeof(i); i++)
		if (((const uint64_t *)memory)[i] != i)
			return 0;
	return 1;
}

TEST_F(translation, small_pages_of_device_memory)
{
	ASSERT_EQ(0,
		  vm_bind(self->fd, self->device, READ_WRITE, ODD, 0, LENGTH));
	ASSERT_EQ(0, round_trip(self->fd, self->queue, self->memory));
	EXPECT_TRUE(is_numbered(self->memory));
}

/* The same memory by two addresses, one of which has large pages. */
TEST_F(translation, large_pages_of_device_memory)
{
	ASSERT_EQ(0,
		  vm_bind(self->fd, self->device, READ_WRITE, ODD, 0, LENGTH));
	ASSERT_EQ(0, vm_bind(self->fd, self->device, READ_WRITE, THERE, 0,
			     LENGTH));
	ASSERT_EQ(0, copy_job(self->fd, self->queue, AT, THERE, LENGTH, NULL));
	memset(self->memory, 0, LENGTH);
	ASSERT_EQ(0, copy_job(self->fd, self->queue, ODD, AT, LENGTH, NULL));
	EXPECT_TRUE(is_numbered(self->memory));
}

TEST_F(translation, offset_into_the_object)
{
	const uint64_t offset = 3 * MIB + PAGE;

	ASSERT_EQ(0, vm_bind(self->fd, self->host, READ_WRITE, ODD, offset,
			     2 * PAGE));
	ASSERT_EQ(0,
		  copy_job(self->fd, self->queue, ODD + PAGE, AT, PAGE, NULL));
	EXPECT_EQ((offset + PAGE) / 8, *(uint64_t *)self->memory);
	/* And nothing behind it. */
	EXPECT_EQ(-EFAULT, copy_job(self->fd, self->queue, ODD + PAGE, AT,
				    2 * PAGE, NULL));
}

TEST_F(translation, rights)
{
	uint64_t address = 0;

	ASSERT_EQ(0, vm_bind(self->fd, self->device, DRM_SPMM_VM_BIND_READ, ODD,
			     0, PAGE));
	ASSERT_EQ(0, vm_bind(self->fd, self->device, DRM_SPMM_VM_BIND_WRITE,
			     THERE, 0, PAGE));
	EXPECT_EQ(0, copy_job(self->fd, self->queue, ODD, THERE, 64, NULL));
	EXPECT_EQ(-EFAULT,
		  copy_job(self->fd, self->queue, AT, ODD, 64, &address));
	EXPECT_EQ(ODD, address);
	EXPECT_EQ(-EFAULT,
		  copy_job(self->fd, self->queue, THERE, AT, 64, &address));
	EXPECT_EQ(THERE, address);
}

/* The device has used the old translation, and may not go on with it. */
TEST_F(translation, unbound_means_unreachable)
{
	ASSERT_EQ(0, vm_bind(self->fd, self->device, READ_WRITE, THERE, 0,
			     LENGTH));
	ASSERT_EQ(0, copy_job(self->fd, self->queue, THERE, AT, LENGTH, NULL));
	ASSERT_EQ(0, vm_unbind(self->fd, THERE, LENGTH));
	EXPECT_EQ(-EFAULT,
		  copy_job(self->fd, self->queue, THERE, AT, LENGTH, NULL));
}

TEST_F(translation, what_is_bound_anew_is_found)
{
	uint32_t other;
	uint8_t *memory;

	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DRM_SPMM_BO_HOST, &other));
	memory = bo_map(self->fd, other, LENGTH);
	ASSERT_NE(NULL, memory);
	memset(memory, 0x77, LENGTH);
	ASSERT_EQ(0, vm_bind(self->fd, self->device, READ_WRITE, THERE, 0,
			     LENGTH));
	ASSERT_EQ(0, copy_job(self->fd, self->queue, THERE, AT, LENGTH, NULL));
	EXPECT_TRUE(is_filled(self->memory, 0, LENGTH));
	ASSERT_EQ(0, vm_unbind(self->fd, THERE, LENGTH));
	ASSERT_EQ(0, vm_bind(self->fd, other, READ_WRITE, THERE, 0, LENGTH));
	ASSERT_EQ(0, copy_job(self->fd, self->queue, THERE, AT, LENGTH, NULL));
	EXPECT_TRUE(is_filled(self->memory, 0x77, LENGTH));
}

/* Memory that no processor reaches through the window; left without unbinding. */
static int leave_secrets(void)
{
	int fd = node_open();
	uint32_t queue, host, device;
	void *memory;

	if (queue_create(fd, &queue) ||
	    bo_create(fd, LENGTH, DRM_SPMM_BO_HOST, &host) ||
	    bo_create(fd, LENGTH, DRM_SPMM_BO_DEVICE, &device) ||
	    vm_bind(fd, host, READ_WRITE, AT, 0, LENGTH) ||
	    vm_bind(fd, device, READ_WRITE, ODD, 0, LENGTH))
		return 1;
	memory = bo_map(fd, host, LENGTH);
	if (!memory)
		return 2;
	memset(memory, 0xa5, LENGTH);
	return copy_job(fd, queue, AT, ODD, LENGTH, NULL) ? 3 : 0;
}

/* Slow where the kernel checks itself. */
TEST_F_TIMEOUT(translation, nobody_sees_old_contents, 120)
{
	uint32_t device;
	int i, status;
	pid_t child;

	for (i = 0; i < 3; i++) {
		child = fork();
		ASSERT_GE(child, 0);
		if (!child)
			_exit(leave_secrets());
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_EQ(0, status);
		usleep(300000);
		ASSERT_EQ(0, bo_create(self->fd, LENGTH, DRM_SPMM_BO_DEVICE,
				       &device));
		ASSERT_EQ(0, vm_bind(self->fd, device, READ_WRITE, ODD, 0,
				     LENGTH));
		ASSERT_EQ(0, copy_job(self->fd, self->queue, ODD, AT, LENGTH,
				      NULL));
		EXPECT_TRUE(is_filled(self->memory, 0, LENGTH));
		ASSERT_EQ(0, vm_unbind(self->fd, ODD, LENGTH));
		ASSERT_EQ(0, bo_close(self->fd, device));
	}
}

TEST_F(translation, imported_memory)
{
	struct udmabuf_create create = { .size = LENGTH };
	int node = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int dma_buf, file = memfd_create("spmm", MFD_ALLOW_SEALING);
	uint32_t handle;
	uint8_t *memory;

	if (node < 0)
		SKIP(return, "no udmabuf");
	ASSERT_EQ(0, ftruncate(file, LENGTH));
	ASSERT_EQ(0, fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK));
	memory =
		mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, memory);
	create.memfd = (uint32_t)file;
	dma_buf = ioctl(node, UDMABUF_CREATE, &create);
	ASSERT_GE(dma_buf, 0);
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &handle));
	ASSERT_EQ(0, vm_bind(self->fd, handle, READ_WRITE, ODD, 0, LENGTH));
	ASSERT_EQ(0, copy_job(self->fd, self->queue, AT, ODD, LENGTH, NULL));
	EXPECT_TRUE(is_numbered(memory));
	close(dma_buf);
	close(file);
	close(node);
}

TEST_HARNESS_MAIN
