// SPDX-License-Identifier: GPL-2.0-only
/* Of what a process hands in, only what the module can vouch for passes. */
#include "spmm_test.h"

#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/sizes.h>

/* Compiled in: the module exports nothing. */
#include "../spmm_validate.c"

static int check(struct spmm_sqe command)
{
	u32 bad;

	return spmm_validate_commands(&command, 1, &bad);
}

static struct spmm_sqe copy(u64 from, u64 to, u64 length)
{
	return (struct spmm_sqe){
		.opcode = SPMM_IO_COPY,
		.address = cpu_to_le64(from),
		.destination = cpu_to_le64(to),
		.length = cpu_to_le64(length),
	};
}

static void commands_that_are_plain_pass(struct kunit *test)
{
	struct spmm_sqe spmm = {
		.opcode = SPMM_IO_SPMM,
		.address = cpu_to_le64(SZ_4K),
		.length = cpu_to_le64(sizeof(struct spmm_descriptor)),
		.stats_address = cpu_to_le64(SZ_8K),
	};

	KUNIT_EXPECT_EQ(test, check((struct spmm_sqe){}), 0);
	KUNIT_EXPECT_EQ(test, check(copy(0, SZ_4K, 100)), 0);
	KUNIT_EXPECT_EQ(test, check(spmm), 0);
	spmm.flags = SPMM_SQE_FENCE;
	KUNIT_EXPECT_EQ(test, check(spmm), 0);
}

/* A job that waits for memory would be a fence that waits for a process. */
static void commands_that_wait_or_nest_do_not(struct kunit *test)
{
	struct spmm_sqe command = { .opcode = SPMM_IO_SEMAPHORE_WAIT };
	u32 opcode;

	KUNIT_EXPECT_EQ(test, check(command), -EINVAL);
	command.opcode = SPMM_IO_LIST;
	KUNIT_EXPECT_EQ(test, check(command), -EINVAL);
	for (opcode = SPMM_IO_TIMESTAMP + 1; opcode <= U8_MAX; opcode++) {
		command.opcode = opcode;
		KUNIT_EXPECT_EQ(test, check(command), -EINVAL);
	}
}

static void addresses_stay_below_the_module(struct kunit *test)
{
	const u64 limit = DRM_SPMM_ADDRESS_LIMIT;

	KUNIT_EXPECT_EQ(test, check(copy(limit - 8, 0, 8)), 0);
	KUNIT_EXPECT_EQ(test, check(copy(limit - 8, 0, 9)), -EINVAL);
	KUNIT_EXPECT_EQ(test, check(copy(0, limit - 8, 9)), -EINVAL);
	KUNIT_EXPECT_EQ(test, check(copy(limit, 0, 1)), -EINVAL);
	KUNIT_EXPECT_EQ(test, check(copy(8, 16, U64_MAX)), -EINVAL);
	KUNIT_EXPECT_EQ(test, check(copy(U64_MAX, 0, 1)), -EINVAL);
	KUNIT_EXPECT_EQ(test, check(copy(0, 0, 0)), -EINVAL);
}

static void reserved_fields_are_zero(struct kunit *test)
{
	struct spmm_sqe command = copy(0, SZ_4K, 1);

	command.id = cpu_to_le16(1);
	KUNIT_EXPECT_EQ(test, check(command), -EINVAL);
	command = copy(0, SZ_4K, 1);
	command.reserved = cpu_to_le32(1);
	KUNIT_EXPECT_EQ(test, check(command), -EINVAL);
	command = copy(0, SZ_4K, 1);
	command.pad = cpu_to_le64(1);
	KUNIT_EXPECT_EQ(test, check(command), -EINVAL);
	command = copy(0, SZ_4K, 1);
	command.value = cpu_to_le64(1);
	KUNIT_EXPECT_EQ(test, check(command), -EINVAL);
	command = copy(0, SZ_4K, 1);
	command.flags = 0x80;
	KUNIT_EXPECT_EQ(test, check(command), -EINVAL);
}

static void the_first_bad_command_is_told(struct kunit *test)
{
	struct spmm_sqe commands[3] = {};
	u32 bad = U32_MAX;

	commands[1].opcode = SPMM_IO_LIST;
	commands[2].opcode = SPMM_IO_LIST;
	KUNIT_EXPECT_EQ(test, spmm_validate_commands(commands, 3, &bad),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, bad, 1);
}

static void mappings_are_aligned_and_named(struct kunit *test)
{
	struct drm_spmm_vm_bind bind = {
		.handle = 1,
		.flags = DRM_SPMM_VM_BIND_READ,
		.length = SZ_4K,
	};

	KUNIT_EXPECT_EQ(test, spmm_validate_vm_bind(&bind), 0);
	bind.address = DRM_SPMM_ADDRESS_LIMIT;
	KUNIT_EXPECT_EQ(test, spmm_validate_vm_bind(&bind), -EINVAL);
	bind.address = 0;
	bind.flags |= DRM_SPMM_VM_BIND_UNMAP;
	KUNIT_EXPECT_EQ(test, spmm_validate_vm_bind(&bind), -EINVAL);
	bind.flags = DRM_SPMM_VM_BIND_UNMAP;
	KUNIT_EXPECT_EQ(test, spmm_validate_vm_bind(&bind), -EINVAL);
	bind.handle = 0;
	KUNIT_EXPECT_EQ(test, spmm_validate_vm_bind(&bind), 0);
	bind.length = 0;
	KUNIT_EXPECT_EQ(test, spmm_validate_vm_bind(&bind), -EINVAL);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(commands_that_are_plain_pass),
	KUNIT_CASE(commands_that_wait_or_nest_do_not),
	KUNIT_CASE(addresses_stay_below_the_module),
	KUNIT_CASE(reserved_fields_are_zero),
	KUNIT_CASE(the_first_bad_command_is_told),
	KUNIT_CASE(mappings_are_aligned_and_named),
	{},
};

struct kunit_suite spmm_validate_suite = {
	.name = "spmm_validate",
	.test_cases = cases,
};
