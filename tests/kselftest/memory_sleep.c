// SPDX-License-Identifier: MIT
/* Device memory over a system's sleep, in which the device forgets it. */
#include "memory.h"

#include <kselftest_harness.h>

#define OBJECTS 3
#define LENGTH (5 * MIB)

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, text, strlen(text));
	close(fd);
	return written < 0 ? -errno : 0;
}

/* All devices are put to sleep and woken up, the processors go on. */
static int sleep_and_wake(void)
{
	int ret = write_file("/sys/power/pm_test", "devices");

	write_file("/sys/module/suspend/parameters/pm_test_delay", "1");
	if (!ret)
		ret = write_file("/sys/power/state", "freeze");
	write_file("/sys/power/pm_test", "none");
	return ret;
}

TEST(contents_survive)
{
	char *memory[OBJECTS];
	int fd = node_open();
	uint32_t handle;
	int i, round;

	if (access("/sys/power/pm_test", W_OK))
		SKIP(return, "this kernel has no pm_test");
	ASSERT_GE(fd, 0);
	for (i = 0; i < OBJECTS; i++) {
		ASSERT_EQ(0, bo_create(fd, LENGTH, DEVICE_VISIBLE, &handle));
		memory[i] = bo_map(fd, handle, LENGTH);
		ASSERT_NE(NULL, memory[i]);
		memset(memory[i], i + 1, LENGTH);
	}
	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, sleep_and_wake());
		for (i = 0; i < OBJECTS; i++)
			EXPECT_TRUE(is_filled(memory[i], i + 1, LENGTH));
	}
	ASSERT_EQ(0, bo_create(fd, LENGTH, DEVICE_VISIBLE, &handle));
	close(fd);
}

/* Nothing is saved of a device that sleeps on its own. */
TEST(idle_device_sleeps_on)
{
	uint32_t handle;
	int fd;

	if (access("/sys/power/pm_test", W_OK))
		SKIP(return, "this kernel has no pm_test");
	sleep(2);
	ASSERT_EQ(0, sleep_and_wake());
	fd = node_open();
	ASSERT_GE(fd, 0);
	EXPECT_EQ(0, bo_create(fd, LENGTH, DRM_SPMM_BO_DEVICE, &handle));
	close(fd);
}

TEST_HARNESS_MAIN
