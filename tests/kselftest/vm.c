// SPDX-License-Identifier: MIT
/* Device addresses: what can be bound where, and what is refused. */
#include "memory.h"

#include <kselftest_harness.h>

#define AT 0x40000000ull
#define LENGTH (4 * MIB)

FIXTURE(vm)
{
	int fd;
	uint32_t host;
	uint32_t device;
};

FIXTURE_SETUP(vm)
{
	self->fd = node_open_idle();
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0,
		  bo_create(self->fd, LENGTH, DRM_SPMM_BO_HOST, &self->host));
	ASSERT_EQ(0, bo_create(self->fd, LENGTH, DRM_SPMM_BO_DEVICE,
			       &self->device));
}

FIXTURE_TEARDOWN(vm)
{
	close(self->fd);
}

TEST_F(vm, binds_and_unbinds)
{
	EXPECT_EQ(0, vm_bind(self->fd, self->host, READ_WRITE, AT, 0, LENGTH));
	EXPECT_EQ(0, vm_bind(self->fd, self->device, DRM_SPMM_VM_BIND_READ,
			     AT + LENGTH, 0, LENGTH));
	EXPECT_EQ(0, vm_unbind(self->fd, AT, LENGTH));
	EXPECT_EQ(0, vm_unbind(self->fd, AT + LENGTH, LENGTH));
	EXPECT_EQ(-ENOENT, vm_unbind(self->fd, AT, LENGTH));
}

/* Unlike sizes and alignments, so that large and small pages take turns. */
TEST_F(vm, binds_parts_of_objects)
{
	static const uint64_t addresses[] = { 0, PAGE, 2 * MIB, 2 * MIB - PAGE,
					      DRM_SPMM_ADDRESS_LIMIT - LENGTH };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		uint64_t at = addresses[i];

		EXPECT_EQ(0, vm_bind(self->fd, self->device, READ_WRITE, at, 0,
				     LENGTH));
		EXPECT_EQ(0, vm_unbind(self->fd, at, LENGTH));
		EXPECT_EQ(0, vm_bind(self->fd, self->host, READ_WRITE, at,
				     LENGTH - PAGE, PAGE));
		EXPECT_EQ(0, vm_unbind(self->fd, at, PAGE));
	}
}

TEST_F(vm, a_range_is_bound_once)
{
	ASSERT_EQ(0, vm_bind(self->fd, self->host, READ_WRITE, AT, 0, MIB));
	EXPECT_EQ(-EEXIST,
		  vm_bind(self->fd, self->host, READ_WRITE, AT, 0, MIB));
	EXPECT_EQ(-EEXIST, vm_bind(self->fd, self->host, READ_WRITE,
				   AT + MIB - PAGE, 0, MIB));
	EXPECT_EQ(-EEXIST, vm_bind(self->fd, self->device, READ_WRITE,
				   AT - PAGE, 0, 2 * PAGE));
	EXPECT_EQ(-EEXIST, vm_bind(self->fd, self->device, READ_WRITE, AT - MIB,
				   0, LENGTH));
	EXPECT_EQ(0, vm_bind(self->fd, self->device, READ_WRITE, AT + MIB, 0,
			     MIB));
	EXPECT_EQ(0, vm_bind(self->fd, self->device, READ_WRITE, AT - MIB, 0,
			     MIB));
}

TEST_F(vm, mappings_are_not_cut)
{
	ASSERT_EQ(0, vm_bind(self->fd, self->host, READ_WRITE, AT, 0, MIB));
	ASSERT_EQ(0,
		  vm_bind(self->fd, self->host, READ_WRITE, AT + MIB, 0, MIB));
	EXPECT_EQ(-EINVAL, vm_unbind(self->fd, AT, PAGE));
	EXPECT_EQ(-EINVAL, vm_unbind(self->fd, AT + PAGE, 2 * MIB));
	EXPECT_EQ(-EINVAL, vm_unbind(self->fd, AT, 2 * MIB - PAGE));
	/* Nothing has changed by that. */
	EXPECT_EQ(-EEXIST,
		  vm_bind(self->fd, self->host, READ_WRITE, AT, 0, PAGE));
	EXPECT_EQ(0, vm_unbind(self->fd, 0, DRM_SPMM_ADDRESS_LIMIT));
	EXPECT_EQ(0, vm_bind(self->fd, self->host, READ_WRITE, AT, 0, LENGTH));
}

TEST_F(vm, flags_must_make_sense)
{
	static const uint32_t bad[] = {
		0,
		DRM_SPMM_VM_BIND_READ | DRM_SPMM_VM_BIND_UNMAP,
		DRM_SPMM_VM_BIND_WRITE | DRM_SPMM_VM_BIND_UNMAP,
		DRM_SPMM_VM_BIND_READ | 1u << 3,
		1u << 31,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL,
			  vm_bind(self->fd, self->host, bad[i], AT, 0, PAGE))
	TH_LOG("flags %#x", bad[i]);
	EXPECT_EQ(-EINVAL, vm_bind(self->fd, self->host, DRM_SPMM_VM_BIND_UNMAP,
				   AT, 0, PAGE));
	EXPECT_EQ(-EINVAL,
		  vm_bind(self->fd, 0, DRM_SPMM_VM_BIND_UNMAP, AT, PAGE, PAGE));
}

TEST_F(vm, bad_ranges)
{
	static const uint64_t bad[][3] = {
		/* address, offset, length */
		{ AT + 1, 0, PAGE },
		{ AT, 1, PAGE },
		{ AT, 0, 1 },
		{ AT, 0, 0 },
		{ AT, 0, PAGE - 1 },
		{ AT, 0, LENGTH + PAGE },
		{ AT, PAGE, LENGTH },
		{ AT, LENGTH, PAGE },
		{ AT, UINT64_MAX - PAGE + 1, PAGE },
		{ AT, UINT64_MAX - PAGE + 1, 2 * PAGE },
		{ DRM_SPMM_ADDRESS_LIMIT, 0, PAGE },
		{ DRM_SPMM_ADDRESS_LIMIT - PAGE, 0, 2 * PAGE },
		{ UINT64_MAX - PAGE + 1, 0, PAGE },
		{ UINT64_MAX - PAGE + 1, 0, 2 * PAGE },
		{ AT, 0, UINT64_MAX - PAGE + 1 },
		{ AT, PAGE, UINT64_MAX - PAGE + 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, vm_bind(self->fd, self->host, READ_WRITE,
					   bad[i][0], bad[i][1], bad[i][2]))
	TH_LOG("case %zu", i);
	EXPECT_EQ(-EINVAL, vm_unbind(self->fd, AT + 1, PAGE));
	EXPECT_EQ(-EINVAL, vm_unbind(self->fd, AT, 0));
	EXPECT_EQ(-EINVAL, vm_unbind(self->fd, PAGE, DRM_SPMM_ADDRESS_LIMIT));
	EXPECT_EQ(-EINVAL, vm_unbind(self->fd, AT, UINT64_MAX - PAGE + 1));
}

TEST_F(vm, handles_of_others)
{
	int other = node_open();
	uint32_t handle;

	ASSERT_GE(other, 0);
	EXPECT_EQ(-ENOENT, vm_bind(other, self->host, READ_WRITE, AT, 0, PAGE));
	EXPECT_EQ(-ENOENT, vm_bind(self->fd, 77, READ_WRITE, AT, 0, PAGE));
	EXPECT_EQ(-ENOENT, vm_bind(self->fd, 0, READ_WRITE, AT, 0, PAGE));
	/* Its address space is another one, too. */
	ASSERT_EQ(0, bo_create(other, PAGE, DRM_SPMM_BO_HOST, &handle));
	ASSERT_EQ(0, vm_bind(self->fd, self->host, READ_WRITE, AT, 0, PAGE));
	EXPECT_EQ(0, vm_bind(other, handle, READ_WRITE, AT, 0, PAGE));
	close(other);
}

TEST_F(vm, argument_at_the_end_of_a_page)
{
	struct drm_spmm_vm_bind *bind = end_of_page(sizeof(*bind));

	ASSERT_NE(NULL, bind);
	*bind = (struct drm_spmm_vm_bind){
		.handle = self->host,
		.flags = READ_WRITE,
		.address = AT,
		.length = PAGE,
	};
	EXPECT_EQ(0, call(self->fd, DRM_IOCTL_SPMM_VM_BIND, bind));
	EXPECT_EQ(-EFAULT,
		  call(self->fd, DRM_IOCTL_SPMM_VM_BIND, (char *)bind + 8));
}

/* A mapping keeps the object; its memory comes back when both are gone. */
TEST_F(vm, mapping_outlives_the_handle)
{
	uint64_t before = device_info(self->fd).memory_free;

	ASSERT_EQ(0,
		  vm_bind(self->fd, self->device, READ_WRITE, AT, 0, LENGTH));
	ASSERT_EQ(0, bo_close(self->fd, self->device));
	EXPECT_EQ(before, device_info(self->fd).memory_free);
	ASSERT_EQ(0, vm_unbind(self->fd, AT, LENGTH));
	EXPECT_EQ(before + LENGTH, device_info(self->fd).memory_free);
}

/* Tables of a sparse address space come and go. */
TEST_F(vm, many_far_apart)
{
	uint64_t i;

	for (i = 0; i < 512; i++)
		ASSERT_EQ(0, vm_bind(self->fd, self->host, READ_WRITE, i << 38,
				     0, PAGE));
	ASSERT_EQ(0, vm_unbind(self->fd, 0, DRM_SPMM_ADDRESS_LIMIT));
	for (i = 0; i < 512; i++)
		ASSERT_EQ(0, vm_bind(self->fd, self->host, READ_WRITE, i << 38,
				     0, LENGTH));
}

TEST_HARNESS_MAIN
