// SPDX-License-Identifier: MIT
/* Buffer objects: what they are made of, and what is refused. */
#include "memory.h"

#include <pwd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <kselftest_harness.h>

FIXTURE(bo)
{
	int fd;
	struct drm_spmm_device_info info;
};

FIXTURE_SETUP(bo)
{
	self->fd = node_open_idle();
	ASSERT_GE(self->fd, 0);
	self->info = device_info(self->fd);
	ASSERT_GT(self->info.memory_bytes, 0);
}

FIXTURE_TEARDOWN(bo)
{
	close(self->fd);
}

TEST_F(bo, length_is_rounded_up_to_pages)
{
	struct drm_spmm_bo_create create = {
		.length = 1,
		.flags = DRM_SPMM_BO_HOST,
	};

	ASSERT_EQ(0, call(self->fd, DRM_IOCTL_SPMM_BO_CREATE, &create));
	EXPECT_EQ(PAGE, create.length);
	EXPECT_NE(0, create.handle);
	EXPECT_EQ(0, bo_close(self->fd, create.handle));
}

TEST_F(bo, flags_must_name_one_place)
{
	static const uint32_t bad[] = {
		0,
		DRM_SPMM_BO_HOST | DRM_SPMM_BO_DEVICE,
		DRM_SPMM_BO_HOST | DRM_SPMM_BO_VISIBLE,
		DRM_SPMM_BO_VISIBLE,
		DRM_SPMM_BO_HOST | 1u << 3,
		DRM_SPMM_BO_DEVICE | 1u << 31,
	};
	uint32_t handle;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, bo_create(self->fd, PAGE, bad[i], &handle))
	TH_LOG("flags %#x", bad[i]);
}

TEST_F(bo, impossible_lengths_are_refused)
{
	static const uint64_t bad[] = { UINT64_MAX, UINT64_MAX - PAGE + 1,
					1ull << 63, 1ull << 52, 1ull << 44 };
	uint32_t handle;
	size_t i;
	int ret;

	EXPECT_EQ(-EINVAL, bo_create(self->fd, 0, DRM_SPMM_BO_HOST, &handle));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ret = bo_create(self->fd, bad[i], DRM_SPMM_BO_HOST, &handle);
		EXPECT_TRUE(ret == -EINVAL || ret == -ENOMEM)
		TH_LOG("%d", ret);
		ret = bo_create(self->fd, bad[i], DRM_SPMM_BO_DEVICE, &handle);
		EXPECT_TRUE(ret == -EINVAL || ret == -ENOSPC)
		TH_LOG("%d", ret);
	}
}

TEST_F(bo, argument_at_the_end_of_a_page)
{
	struct drm_spmm_bo_create *create = end_of_page(sizeof(*create));

	ASSERT_NE(NULL, create);
	*create = (struct drm_spmm_bo_create){
		.length = PAGE,
		.flags = DRM_SPMM_BO_HOST,
	};
	EXPECT_EQ(0, call(self->fd, DRM_IOCTL_SPMM_BO_CREATE, create));
	EXPECT_EQ(-EFAULT,
		  call(self->fd, DRM_IOCTL_SPMM_BO_CREATE, (char *)create + 8));
	EXPECT_EQ(-EFAULT, call(self->fd, DRM_IOCTL_SPMM_BO_CREATE, NULL));
}

TEST_F(bo, device_memory_is_counted)
{
	uint32_t handle;

	ASSERT_EQ(0, bo_create(self->fd, 4 * MIB, DRM_SPMM_BO_DEVICE, &handle));
	EXPECT_EQ(self->info.memory_free - 4 * MIB,
		  device_info(self->fd).memory_free);
	EXPECT_EQ(0, bo_close(self->fd, handle));
	EXPECT_EQ(self->info.memory_free, device_info(self->fd).memory_free);
}

TEST_F(bo, more_than_there_is)
{
	uint32_t handle;

	EXPECT_EQ(-ENOSPC, bo_create(self->fd, self->info.memory_bytes + PAGE,
				     DRM_SPMM_BO_DEVICE, &handle));
	EXPECT_EQ(-ENOSPC, bo_create(self->fd, self->info.memory_visible + PAGE,
				     DEVICE_VISIBLE, &handle));
}

/* Objects that nobody maps do not take the window from those that are mapped. */
TEST_F(bo, window_is_kept_for_what_is_visible)
{
	uint32_t hidden, visible;

	if (self->info.memory_visible > 64 * MIB)
		SKIP(return, "clearing so large a window takes too long");
	ASSERT_EQ(0, bo_create(self->fd, self->info.memory_visible,
			       DRM_SPMM_BO_DEVICE, &hidden));
	EXPECT_EQ(0, bo_create(self->fd, self->info.memory_visible,
			       DEVICE_VISIBLE, &visible));
}

TEST_F(bo, only_what_is_visible_has_an_offset)
{
	uint32_t handle;
	uint64_t offset;

	ASSERT_EQ(0, bo_create(self->fd, PAGE, DRM_SPMM_BO_DEVICE, &handle));
	EXPECT_EQ(-EPERM, bo_offset(self->fd, handle, &offset));
	ASSERT_EQ(0, bo_create(self->fd, PAGE, DEVICE_VISIBLE, &handle));
	EXPECT_EQ(0, bo_offset(self->fd, handle, &offset));
	ASSERT_EQ(0, bo_create(self->fd, PAGE, DRM_SPMM_BO_HOST, &handle));
	EXPECT_EQ(0, bo_offset(self->fd, handle, &offset));
}

TEST_F(bo, offset_of_bad_arguments)
{
	struct drm_spmm_bo_mmap_offset map = { .handle = 77 };
	uint32_t handle;

	EXPECT_EQ(-ENOENT, call(self->fd, DRM_IOCTL_SPMM_BO_MMAP_OFFSET, &map));
	ASSERT_EQ(0, bo_create(self->fd, PAGE, DRM_SPMM_BO_HOST, &handle));
	map = (struct drm_spmm_bo_mmap_offset){ .handle = handle, .pad = 1 };
	EXPECT_EQ(-EINVAL, call(self->fd, DRM_IOCTL_SPMM_BO_MMAP_OFFSET, &map));
}

TEST_F(bo, handles_are_the_files_own)
{
	int other = node_open();
	uint32_t handle;
	uint64_t offset;

	ASSERT_GE(other, 0);
	ASSERT_EQ(0, bo_create(self->fd, PAGE, DRM_SPMM_BO_HOST, &handle));
	EXPECT_EQ(-ENOENT, bo_offset(other, handle, &offset));
	ASSERT_EQ(0, bo_offset(self->fd, handle, &offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, other,
				   (off_t)offset));
	EXPECT_EQ(EACCES, errno);
	close(other);
}

/* As a user without privileges, in a process of its own. */
static int locked_memory_limit(int fd, uint64_t limit)
{
	struct rlimit rlimit = { .rlim_cur = limit, .rlim_max = limit };
	uint32_t first, second;
	int ret;

	if (setrlimit(RLIMIT_MEMLOCK, &rlimit) || setuid(65534))
		return 1;
	if (bo_create(fd, limit, DRM_SPMM_BO_HOST, &first))
		return 2;
	ret = bo_create(fd, PAGE, DRM_SPMM_BO_HOST, &second);
	if (ret != -EPERM)
		return 3;
	if (bo_create(fd, PAGE, DRM_SPMM_BO_DEVICE, &second))
		return 4;
	if (bo_close(fd, first))
		return 5;
	return bo_create(fd, limit, DRM_SPMM_BO_HOST, &first) ? 6 : 0;
}

TEST_F(bo, host_memory_counts_as_locked)
{
	int i, status;
	pid_t child;

	/* Twice: what the first has left to its end is given back. */
	for (i = 0; i < 2; i++) {
		child = fork();
		ASSERT_GE(child, 0);
		if (!child)
			_exit(locked_memory_limit(node_open(), MIB));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(0, status) TH_LOG("status %#x", status);
	}
}

TEST_HARNESS_MAIN
