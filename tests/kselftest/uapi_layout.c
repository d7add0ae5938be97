// SPDX-License-Identifier: MIT
/*
 * The numbers of the calls never change: each has its structure's size in it, so programs
 * that were built against an older header break with the number. A structure that grows
 * changes its line here, and the module goes on to take the older size.
 */
#include <drm/spmm_accel.h>

#include <kselftest_harness.h>

struct number {
	const char *name;
	unsigned long is;
	unsigned long should_be;
};

#define NUMBER(call, value)                         \
	{                                           \
#call, DRM_IOCTL_SPMM_##call, value \
	}

TEST(ioctl_numbers)
{
	static const struct number numbers[] = {
		NUMBER(QUERY, 0xc0106440),
		NUMBER(BO_CREATE, 0xc0106441),
		NUMBER(BO_MMAP_OFFSET, 0xc0106442),
		NUMBER(VM_BIND, 0x40206443),
		NUMBER(QUEUE_CREATE, 0xc0306444),
		NUMBER(QUEUE_DESTROY, 0x40086445),
		NUMBER(QUEUE_CANCEL, 0x40086446),
		NUMBER(QUEUE_STATUS, 0xc0306447),
		NUMBER(JOB_SUBMIT, 0xc0386448),
		NUMBER(JOB_WAIT, 0xc0306449),
		NUMBER(CONTEXT_RESTART, 0x4008644a),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		EXPECT_EQ(numbers[i].should_be, numbers[i].is)
		TH_LOG("DRM_IOCTL_SPMM_%s", numbers[i].name);
	}
}

TEST_HARNESS_MAIN
