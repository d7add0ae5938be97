// SPDX-License-Identifier: MIT
/*
 * Device memory that a reset has cleared: who had objects there has to say that he knows.
 * And memory while the device does not answer: it is given back later, and only then.
 * Wants spmm-sim --fault tests/vm/faults/all.fault.
 */
#include "device.h"
#include "faults.h"
#include "memory.h"
#include "vgem.h"

#include "kselftest_harness.h"

#define AT 0x40000000ull
#define LENGTH (1 * MIB)

FIXTURE(lost)
{
	int config, fd;
	char name[32];
	uint32_t queue, handle;
	uint8_t *memory;
};

static struct drm_spmm_context_info context_info(int fd)
{
	struct drm_spmm_context_info info = { 0 };
	struct drm_spmm_query query = {
		.kind = DRM_SPMM_QUERY_CONTEXT,
		.size = sizeof(info),
		.pointer = (uintptr_t)&info,
	};

	call(fd, DRM_IOCTL_SPMM_QUERY, &query);
	return info;
}

/* Return: whether the device has been reset since there were @before of them. */
static int is_reset(int fd, uint32_t before)
{
	int i;

	for (i = 0; i < 600; i++) {
		if (context_info(fd).resets > before)
			return 1;
		usleep(100000);
	}
	return 0;
}

/* Return: whether all of device memory is free in ten seconds. */
static int is_free(int fd)
{
	struct drm_spmm_device_info info;
	int i;

	for (i = 0; i < 100; i++) {
		info = device_info(fd);
		if (info.memory_free == info.memory_bytes)
			return 1;
		usleep(100000);
	}
	return 0;
}

static int nop_result(int fd, uint32_t queue)
{
	struct spmm_sqe command = nop();
	uint64_t job;
	int ret = job_submit(fd, queue, &command, 1, &job);

	return ret ? ret : job_result(fd, queue, job);
}

/* A job that the device had at its reset is a victim, another is run after it. */
static int is_no_ones_fault(int result)
{
	return !result || result == -ECANCELED;
}

static int restart(int fd)
{
	struct drm_spmm_context_restart arguments = { 0 };

	return call(fd, DRM_IOCTL_SPMM_CONTEXT_RESTART, &arguments);
}

FIXTURE_SETUP(lost)
{
	self->config = fault_open();
	if (self->config < 0 || !fault_find(self->config, "admin_silent"))
		SKIP(return, "the simulator has no script with admin_silent");
	self->fd = node_open_idle();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, device_name(self->fd, self->name, sizeof(self->name)));
	ASSERT_EQ(0, queue_create(self->fd, &self->queue));
	ASSERT_EQ(0,
		  bo_create(self->fd, LENGTH, DEVICE_VISIBLE, &self->handle));
	ASSERT_EQ(0,
		  vm_bind(self->fd, self->handle, READ_WRITE, AT, 0, LENGTH));
	self->memory = bo_map(self->fd, self->handle, LENGTH);
	ASSERT_NE(NULL, self->memory);
	memset(self->memory, 0x5a, LENGTH);
	/* The device has the context now. */
	ASSERT_EQ(0, nop_result(self->fd, self->queue));
}

FIXTURE_TEARDOWN(lost)
{
	fault_disarm(self->config);
	close(self->fd);
	close(self->config);
}

TEST_F_TIMEOUT(lost, who_had_objects_there_says_that_he_knows, 120)
{
	struct drm_spmm_context_restart bad = { .flags = 1 };
	struct drm_spmm_context_restart worse = { .pad = 1 };
	uint32_t before = context_info(self->fd).resets;
	struct spmm_sqe command = copy(AT, MAPPED, LENGTH);
	uint8_t *host = memory_map(self->fd, LENGTH);
	uint64_t job;

	ASSERT_NE(MAP_FAILED, host);
	memset(host, 0xff, LENGTH);
	EXPECT_EQ(0, context_info(self->fd).state);
	ASSERT_EQ(0, device_reset(self->name));
	EXPECT_EQ(before + 1, context_info(self->fd).resets);
	EXPECT_EQ(DRM_SPMM_CONTEXT_MEMORY_LOST, context_info(self->fd).state);
	EXPECT_EQ(-ESTALE, nop_result(self->fd, self->queue));
	EXPECT_EQ(-EINVAL,
		  call(self->fd, DRM_IOCTL_SPMM_CONTEXT_RESTART, &bad));
	EXPECT_EQ(-EINVAL,
		  call(self->fd, DRM_IOCTL_SPMM_CONTEXT_RESTART, &worse));
	EXPECT_EQ(-ESTALE, nop_result(self->fd, self->queue));

	ASSERT_EQ(0, restart(self->fd));
	EXPECT_EQ(0, context_info(self->fd).state);
	/* Objects and mappings are as before, their contents are zero. */
	EXPECT_TRUE(is_filled(self->memory, 0, LENGTH));
	ASSERT_EQ(0, job_submit(self->fd, self->queue, &command, 1, &job));
	EXPECT_EQ(0, job_result(self->fd, self->queue, job));
	EXPECT_TRUE(is_filled(host, 0, LENGTH));
}

TEST_F_TIMEOUT(lost, others_lose_nothing, 120)
{
	int other = node_open();
	uint32_t queue;

	ASSERT_LE(0, other);
	ASSERT_NE(MAP_FAILED, memory_map(other, LENGTH));
	ASSERT_EQ(0, queue_create(other, &queue));
	ASSERT_EQ(0, nop_result(other, queue));
	ASSERT_EQ(0, device_reset(self->name));
	EXPECT_EQ(0, context_info(other).state);
	EXPECT_EQ(0, nop_result(other, queue));
	EXPECT_EQ(0, restart(other));
	EXPECT_EQ(0, nop_result(other, queue));
	close(other);
}

/* The module disables the device before it resets it, which keeps memory. */
TEST_F_TIMEOUT(lost, what_is_not_said_to_be_lost_is_there, 120)
{
	uint32_t before = context_info(self->fd).resets;
	int value = 0x5a;

	ASSERT_EQ(1, fault_arm(self->config, "fatal_now"));
	EXPECT_TRUE(is_no_ones_fault(nop_result(self->fd, self->queue)));
	ASSERT_TRUE(is_reset(self->fd, before));
	if (context_info(self->fd).state & DRM_SPMM_CONTEXT_MEMORY_LOST) {
		EXPECT_EQ(-ESTALE, nop_result(self->fd, self->queue));
		ASSERT_EQ(0, restart(self->fd));
		value = 0;
	}
	EXPECT_TRUE(is_filled(self->memory, value, LENGTH));
	EXPECT_EQ(0, nop_result(self->fd, self->queue));
}

/* The device may still use what it has not let go of: it is free after the reset. */
TEST_F_TIMEOUT(lost, unbound_while_the_device_is_silent, 120)
{
	uint32_t before = context_info(self->fd).resets;
	uint32_t handle;

	ASSERT_EQ(1, fault_arm(self->config, "admin_silent"));
	EXPECT_EQ(-EIO, vm_unbind(self->fd, AT, LENGTH));
	EXPECT_EQ(1, fault_fired(self->config, "admin_silent"));
	munmap(self->memory, LENGTH);
	ASSERT_EQ(0, bo_close(self->fd, self->handle));
	ASSERT_TRUE(is_reset(self->fd, before));
	EXPECT_TRUE(is_free(self->fd));
	/* It was bound no more. */
	EXPECT_EQ(-ENOENT, vm_unbind(self->fd, AT, LENGTH));
	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DRM_SPMM_BO_DEVICE, &handle));
	EXPECT_EQ(0, vm_bind(self->fd, handle, READ_WRITE, AT, 0, LENGTH));
	restart(self->fd);
	EXPECT_EQ(0, nop_result(self->fd, self->queue));
}

/* The same, and the process does not wait for it. */
TEST_F_TIMEOUT(lost, closed_while_the_device_is_silent, 120)
{
	int other = node_open();
	uint32_t before = context_info(other).resets;

	ASSERT_LE(0, other);
	ASSERT_EQ(1, fault_arm(self->config, "admin_silent"));
	munmap(self->memory, LENGTH);
	close(self->fd);
	self->fd = other;
	EXPECT_EQ(1, fault_fired(self->config, "admin_silent"));
	EXPECT_TRUE(is_reset(self->fd, before));
	EXPECT_TRUE(is_free(self->fd));
}

/* Memory is cleared by the module's own queue, which hangs. */
TEST_F_TIMEOUT(lost, clearing_hangs, 120)
{
	uint32_t before = context_info(self->fd).resets;
	uint64_t free_before = device_info(self->fd).memory_free;
	uint32_t handle;
	uint8_t *memory;

	ASSERT_EQ(1, fault_arm(self->config, "hang"));
	EXPECT_EQ(-ETIMEDOUT,
		  bo_create(self->fd, LENGTH, DEVICE_VISIBLE, &handle));
	EXPECT_EQ(1, fault_fired(self->config, "hang"));
	ASSERT_TRUE(is_reset(self->fd, before));
	EXPECT_EQ(free_before, device_info(self->fd).memory_free);
	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DEVICE_VISIBLE, &handle));
	memory = bo_map(self->fd, handle, LENGTH);
	ASSERT_NE(NULL, memory);
	EXPECT_TRUE(is_filled(memory, 0, LENGTH));
}

TEST_F_TIMEOUT(lost, clearing_fails, 120)
{
	uint64_t free_before = device_info(self->fd).memory_free;
	uint32_t handle;

	ASSERT_EQ(1, fault_arm(self->config, "memory_error"));
	EXPECT_EQ(-EIO, bo_create(self->fd, LENGTH, DEVICE_VISIBLE, &handle));
	EXPECT_EQ(1, fault_fired(self->config, "memory_error"));
	EXPECT_EQ(free_before, device_info(self->fd).memory_free);
	EXPECT_EQ(0, bo_create(self->fd, LENGTH, DEVICE_VISIBLE, &handle));
}

/* An importer that cannot reach device memory waits for a copy that hangs. */
TEST_F_TIMEOUT(lost, moving_hangs, 120)
{
	uint32_t before = context_info(self->fd).resets;
	int dma_buf, vgem = vgem_open();
	uint32_t handle, there;
	int i, ret = -EBUSY;

	if (vgem < 0)
		SKIP(return, "no vgem");
	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DRM_SPMM_BO_DEVICE, &handle));
	ASSERT_EQ(0, bo_export(self->fd, handle, &dma_buf));
	ASSERT_EQ(1, fault_arm(self->config, "hang"));
	EXPECT_EQ(-ETIMEDOUT, bo_import(vgem, dma_buf, &there));
	EXPECT_EQ(1, fault_fired(self->config, "hang"));
	ASSERT_TRUE(is_reset(self->fd, before));
	/* It is held until a little later. */
	for (i = 0; i < 100 && ret == -EBUSY; i++) {
		ret = bo_import(vgem, dma_buf, &there);
		usleep(100000);
	}
	EXPECT_EQ(0, ret);
	close(dma_buf);
	close(vgem);
}

TEST_HARNESS_MAIN
