// SPDX-License-Identifier: MIT
/* Buffer objects shared with other files and other drivers. */
#include "memory.h"
#include "vgem.h"

#include <linux/udmabuf.h>

#include <kselftest_harness.h>

#define AT 0x40000000ull
#define LENGTH (1 * MIB)

FIXTURE(prime)
{
	int fd;
	int vgem;
};

FIXTURE_SETUP(prime)
{
	self->fd = node_open_idle();
	ASSERT_GE(self->fd, 0);
	self->vgem = vgem_open();
}

FIXTURE_TEARDOWN(prime)
{
	close(self->fd);
	if (self->vgem >= 0)
		close(self->vgem);
}

TEST_F(prime, own_objects_are_found_again)
{
	uint32_t handle, again;
	int dma_buf;

	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DRM_SPMM_BO_DEVICE, &handle));
	ASSERT_EQ(0, bo_export(self->fd, handle, &dma_buf));
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &again));
	EXPECT_EQ(handle, again);
	close(dma_buf);
}

TEST_F(prime, another_file_shares_the_object)
{
	int other = node_open();
	uint32_t handle, there;
	char *here, *far;
	int dma_buf;

	ASSERT_GE(other, 0);
	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DEVICE_VISIBLE, &handle));
	ASSERT_EQ(0, bo_export(self->fd, handle, &dma_buf));
	ASSERT_EQ(0, bo_import(other, dma_buf, &there));
	close(dma_buf);
	here = bo_map(self->fd, handle, LENGTH);
	far = bo_map(other, there, LENGTH);
	ASSERT_NE(NULL, here);
	ASSERT_NE(NULL, far);
	here[LENGTH - 1] = 9;
	EXPECT_EQ(9, far[LENGTH - 1]);
	EXPECT_EQ(0, vm_bind(other, there, READ_WRITE, AT, 0, LENGTH));
	close(other);
}

TEST_F(prime, buffer_of_host_memory_is_mapped)
{
	uint32_t handle;
	char *here, *there;
	int dma_buf;

	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DRM_SPMM_BO_HOST, &handle));
	ASSERT_EQ(0, bo_export(self->fd, handle, &dma_buf));
	there = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, dma_buf,
		     0);
	ASSERT_NE(MAP_FAILED, there);
	here = bo_map(self->fd, handle, LENGTH);
	ASSERT_NE(NULL, here);
	here[PAGE] = 5;
	EXPECT_EQ(5, there[PAGE]);
	close(dma_buf);
}

TEST_F(prime, buffer_of_device_memory_is_not_mapped)
{
	uint32_t handle;
	int dma_buf;

	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DEVICE_VISIBLE, &handle));
	ASSERT_EQ(0, bo_export(self->fd, handle, &dma_buf));
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, dma_buf, 0));
	EXPECT_EQ(EPERM, errno);
	close(dma_buf);
}

TEST_F(prime, vgem_imports_host_memory)
{
	uint32_t handle, there;
	int dma_buf;

	if (self->vgem < 0)
		SKIP(return, "no vgem");
	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DRM_SPMM_BO_HOST, &handle));
	ASSERT_EQ(0, bo_export(self->fd, handle, &dma_buf));
	EXPECT_EQ(0, bo_import(self->vgem, dma_buf, &there));
	close(dma_buf);
}

/* It cannot reach device memory: the object moves, with what is in it. */
TEST_F(prime, device_memory_moves_to_the_host)
{
	uint64_t free_before = device_info(self->fd).memory_free;
	uint32_t handle, there;
	char *memory;
	int dma_buf;

	if (self->vgem < 0)
		SKIP(return, "no vgem");
	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DEVICE_VISIBLE, &handle));
	memory = bo_map(self->fd, handle, LENGTH);
	ASSERT_NE(NULL, memory);
	memset(memory, 0x33, LENGTH);
	ASSERT_EQ(0, bo_export(self->fd, handle, &dma_buf));
	EXPECT_LT(device_info(self->fd).memory_free, free_before);
	ASSERT_EQ(0, bo_import(self->vgem, dma_buf, &there));
	EXPECT_EQ(free_before, device_info(self->fd).memory_free);
	EXPECT_TRUE(is_filled(memory, 0x33, LENGTH));
	memory[0] = 1;
	/* It can be bound as before. */
	EXPECT_EQ(0, vm_bind(self->fd, handle, READ_WRITE, AT, 0, LENGTH));
	close(dma_buf);
}

TEST_F(prime, device_memory_does_not_move_while_it_is_bound)
{
	uint32_t handle, there;
	int dma_buf;

	if (self->vgem < 0)
		SKIP(return, "no vgem");
	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DRM_SPMM_BO_DEVICE, &handle));
	ASSERT_EQ(0, vm_bind(self->fd, handle, READ_WRITE, AT, 0, LENGTH));
	ASSERT_EQ(0, bo_export(self->fd, handle, &dma_buf));
	EXPECT_EQ(-EBUSY, bo_import(self->vgem, dma_buf, &there));
	ASSERT_EQ(0, vm_unbind(self->fd, AT, LENGTH));
	EXPECT_EQ(0, bo_import(self->vgem, dma_buf, &there));
	close(dma_buf);
}

TEST_F(prime, imports_from_vgem)
{
	struct drm_mode_create_dumb create = {
		.width = 1024,
		.height = 256,
		.bpp = 32,
	};
	uint32_t handle;
	uint64_t offset;
	int dma_buf;

	if (self->vgem < 0)
		SKIP(return, "no vgem");
	ASSERT_EQ(0, call(self->vgem, DRM_IOCTL_MODE_CREATE_DUMB, &create));
	ASSERT_EQ(0, bo_export(self->vgem, create.handle, &dma_buf));
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &handle));
	EXPECT_EQ(0, vm_bind(self->fd, handle, READ_WRITE, AT, 0, LENGTH));
	EXPECT_EQ(-EINVAL, vm_bind(self->fd, handle, READ_WRITE, AT + LENGTH,
				   PAGE, LENGTH));
	EXPECT_EQ(-EPERM, bo_offset(self->fd, handle, &offset));
	close(dma_buf);
	EXPECT_EQ(0, vm_unbind(self->fd, AT, LENGTH));
	EXPECT_EQ(0, vm_bind(self->fd, handle, READ_WRITE, AT, 0, LENGTH));
	EXPECT_EQ(0, bo_close(self->fd, handle));
}

static int udmabuf_create(size_t length)
{
	struct udmabuf_create create = { .size = length };
	int node = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int dma_buf;

	if (node < 0)
		return -1;
	create.memfd = (uint32_t)memfd_create("spmm", MFD_ALLOW_SEALING);
	if (ftruncate((int)create.memfd, (off_t)length) ||
	    fcntl((int)create.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -1;
	dma_buf = ioctl(node, UDMABUF_CREATE, &create);
	close((int)create.memfd);
	close(node);
	return dma_buf;
}

TEST_F(prime, imports_user_memory)
{
	int dma_buf = udmabuf_create(LENGTH);
	uint32_t handle;

	if (dma_buf < 0)
		SKIP(return, "no udmabuf");
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &handle));
	EXPECT_EQ(0, vm_bind(self->fd, handle, READ_WRITE, AT, 0, LENGTH));
	EXPECT_EQ(-EEXIST,
		  vm_bind(self->fd, handle, READ_WRITE, AT, 0, LENGTH));
	close(dma_buf);
}

TEST_F(prime, what_is_no_buffer_is_refused)
{
	uint32_t handle;

	EXPECT_EQ(-EINVAL, bo_import(self->fd, self->fd, &handle));
	EXPECT_EQ(-EBADF, bo_import(self->fd, -1, &handle));
}

TEST_HARNESS_MAIN
