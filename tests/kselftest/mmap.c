// SPDX-License-Identifier: MIT
/* Buffer objects in the address space of a process. */
#include "memory.h"

#include <sys/wait.h>

#include <kselftest_harness.h>

#define LENGTH (3 * MIB)

FIXTURE(mmap)
{
	int fd;
};

FIXTURE_VARIANT(mmap)
{
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(mmap, host){ .flags = DRM_SPMM_BO_HOST };
FIXTURE_VARIANT_ADD(mmap, device){ .flags = DEVICE_VISIBLE };

FIXTURE_SETUP(mmap)
{
	self->fd = node_open();
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(mmap)
{
	close(self->fd);
}

TEST_F(mmap, is_zero_and_keeps_what_is_written)
{
	uint32_t handle;
	char *one, *two;

	ASSERT_EQ(0, bo_create(self->fd, LENGTH, variant->flags, &handle));
	one = bo_map(self->fd, handle, LENGTH);
	two = bo_map(self->fd, handle, LENGTH);
	ASSERT_NE(NULL, one);
	ASSERT_NE(NULL, two);
	EXPECT_TRUE(is_filled(one, 0, LENGTH));
	memset(one, 0x5a, LENGTH);
	EXPECT_TRUE(is_filled(two, 0x5a, LENGTH));
}

TEST_F(mmap, mapping_outlives_the_handle)
{
	uint32_t handle;
	char *memory;

	ASSERT_EQ(0, bo_create(self->fd, LENGTH, variant->flags, &handle));
	memory = bo_map(self->fd, handle, LENGTH);
	ASSERT_NE(NULL, memory);
	memory[0] = 1;
	ASSERT_EQ(0, bo_close(self->fd, handle));
	close(self->fd);
	EXPECT_EQ(1, memory[0]);
	memory[LENGTH - 1] = 2;
	EXPECT_EQ(2, memory[LENGTH - 1]);
}

/* A part that is cut out leaves the rest where it is in the object. */
TEST_F(mmap, holes_move_nothing)
{
	uint32_t handle;
	char *memory;

	ASSERT_EQ(0, bo_create(self->fd, LENGTH, variant->flags, &handle));
	memory = bo_map(self->fd, handle, LENGTH);
	ASSERT_NE(NULL, memory);
	memory[2 * MIB] = 7;
	ASSERT_EQ(0, madvise(memory, LENGTH, MADV_DONTFORK));
	ASSERT_EQ(0, munmap(memory, MIB));
	EXPECT_EQ(7, memory[2 * MIB]);
	memory[MIB] = 8;
	ASSERT_EQ(0, munmap(memory + MIB, LENGTH - MIB));
	memory = bo_map(self->fd, handle, LENGTH);
	ASSERT_NE(NULL, memory);
	EXPECT_EQ(8, memory[MIB]);
	EXPECT_EQ(7, memory[2 * MIB]);
}

TEST_F(mmap, wrong_ranges_are_refused)
{
	uint32_t handle;
	uint64_t offset;

	ASSERT_EQ(0, bo_create(self->fd, MIB, variant->flags, &handle));
	ASSERT_EQ(0, bo_offset(self->fd, handle, &offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, MIB + PAGE, PROT_READ, MAP_SHARED,
				   self->fd, (off_t)offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, MIB, PROT_READ, MAP_SHARED, self->fd,
				   (off_t)(offset + PAGE)));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, MIB, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, self->fd, (off_t)offset));
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, 0));
}

TEST_F(mmap, child_shares_it)
{
	uint32_t handle;
	char *memory;
	int status;
	pid_t child;

	ASSERT_EQ(0, bo_create(self->fd, LENGTH, variant->flags, &handle));
	memory = bo_map(self->fd, handle, LENGTH);
	ASSERT_NE(NULL, memory);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		memory[MIB] = 3;
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(3, memory[MIB]);
}

/* Another process's secrets, until it has closed everything. */
static int leave_secrets(uint32_t flags)
{
	int fd = node_open();
	uint32_t handle;
	void *memory;

	if (bo_create(fd, LENGTH, flags, &handle))
		return 1;
	memory = bo_map(fd, handle, LENGTH);
	if (!memory)
		return 2;
	memset(memory, 0xa5, LENGTH);
	return 0;
}

TEST_F(mmap, nobody_sees_old_contents)
{
	uint32_t handle;
	void *memory;
	int i, status;
	pid_t child;

	for (i = 0; i < 3; i++) {
		child = fork();
		ASSERT_GE(child, 0);
		if (!child)
			_exit(leave_secrets(variant->flags));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_EQ(0, status);
		ASSERT_EQ(0,
			  bo_create(self->fd, LENGTH, variant->flags, &handle));
		memory = bo_map(self->fd, handle, LENGTH);
		ASSERT_NE(NULL, memory);
		EXPECT_TRUE(is_filled(memory, 0, LENGTH));
		munmap(memory, LENGTH);
		ASSERT_EQ(0, bo_close(self->fd, handle));
	}
}

TEST_HARNESS_MAIN
