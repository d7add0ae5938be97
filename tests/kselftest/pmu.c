// SPDX-License-Identifier: MIT
/*
 * Events of perf: they count, and they may outlive the device, but keep nothing of it once
 * they are closed.
 */
#include "binding.h"
#include "jobs.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"

#define NODE "/dev/accel/accel0"
#define SOURCE "/sys/bus/event_source/devices/spmm_0"
#define ROUNDS 5

FIXTURE(pmu)
{
	char device[32];
	int event;
};

/* The number in a file, after what is before the last '='; -1 if there is none. */
static int number_of(const char *path)
{
	FILE *file = fopen(path, "re");
	char text[64] = "", *last;

	if (!file || !fgets(text, sizeof(text), file))
		text[0] = 0;
	if (file)
		fclose(file);
	last = strrchr(text, '=');
	return *text ? (int)strtol(last ? last + 1 : text, NULL, 0) : -1;
}

static int event_open(const char *name)
{
	struct perf_event_attr attributes = { .size = sizeof(attributes) };
	char path[96];

	snprintf(path, sizeof(path), SOURCE "/events/%s", name);
	attributes.type = (uint32_t)number_of(SOURCE "/type");
	attributes.config = (uint64_t)number_of(path);
	return (int)syscall(SYS_perf_event_open, &attributes, -1, 0, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

static uint64_t event_read(int event)
{
	uint64_t count;

	return read(event, &count, sizeof(count)) == sizeof(count) ? count :
								     UINT64_MAX;
}

static int is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Within ten seconds. */
static int becomes(const char *path, int there)
{
	int i;

	for (i = 0; i < 100 && is_there(path) != there; i++)
		usleep(100000);
	return is_there(path) == there;
}

/*
 * With its old number, which it could not have if anything was left. What files have kept
 * goes a little later than they do.
 */
static int comes_back(const char *device)
{
	int i, ret;

	for (i = 0; i < 10; i++) {
		usleep(500000);
		ret = driver_tell("bind", device);
		if (ret)
			return ret;
		if (is_there(NODE) && becomes(SOURCE, 1))
			return 0;
		driver_tell("unbind", device);
	}
	return -EBUSY;
}

static int run_commands(uint32_t count)
{
	struct spmm_sqe commands[64] = {};
	int fd = node_open();
	uint32_t queue;
	uint64_t job;
	int ret = queue_create(fd, &queue);

	if (!ret)
		ret = job_submit(fd, queue, commands, count, &job);
	if (!ret)
		ret = job_result(fd, queue, job);
	close(fd);
	return ret;
}

FIXTURE_SETUP(pmu)
{
	ASSERT_EQ(0, driver_device(self->device, sizeof(self->device)));
	ASSERT_TRUE(becomes(NODE, 1));
	ASSERT_TRUE(becomes(SOURCE, 1));
	self->event = event_open("commands");
	ASSERT_LE(0, self->event);
}

FIXTURE_TEARDOWN(pmu)
{
}

TEST_F(pmu, commands_are_counted)
{
	uint64_t before = event_read(self->event);

	ASSERT_EQ(0, run_commands(64));
	EXPECT_LE(before + 64, event_read(self->event));
	close(self->event);
}

TEST_F(pmu, events_that_there_are_not)
{
	EXPECT_LE(0, event_open("cycles"));
	EXPECT_GT(0, event_open("nothing"));
	close(self->event);
}

TEST_F_TIMEOUT(pmu, events_outlive_the_device, 120)
{
	uint64_t count;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, run_commands(1));
		count = event_read(self->event);
		ASSERT_EQ(0, driver_tell("unbind", self->device));
		EXPECT_LE(count, event_read(self->event));
		EXPECT_EQ(event_read(self->event), event_read(self->event));
		ASSERT_EQ(0, access(SOURCE, F_OK));
		EXPECT_GT(0, event_open("commands"));
		close(self->event);
		ASSERT_TRUE(becomes(SOURCE, 0));
		ASSERT_EQ(0, comes_back(self->device));
		self->event = event_open("commands");
		ASSERT_LE(0, self->event);
	}
	close(self->event);
}

/* It is closed before the device goes, at the last moment. */
TEST_F_TIMEOUT(pmu, device_outlives_events, 120)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		close(self->event);
		ASSERT_EQ(0, driver_tell("unbind", self->device));
		EXPECT_NE(0, access(SOURCE, F_OK));
		ASSERT_EQ(0, comes_back(self->device));
		self->event = event_open("commands");
		ASSERT_LE(0, self->event);
	}
	close(self->event);
}

static int unload(void)
{
	return syscall(SYS_delete_module, "spmm", O_NONBLOCK) ? -errno : 0;
}

TEST_F_TIMEOUT(pmu, module_goes_after_the_last_event, 60)
{
	int i, ret = -EAGAIN;

	ASSERT_EQ(0, driver_tell("unbind", self->device));
	EXPECT_EQ(-EAGAIN, unload());
	close(self->event);
	for (i = 0; i < 100 && ret; i++) {
		ret = unload();
		if (ret)
			usleep(100000);
	}
	EXPECT_EQ(0, ret);
	EXPECT_NE(0, access(SOURCE, F_OK));
	ASSERT_EQ(0, system("modprobe spmm"));
}

TEST_HARNESS_MAIN
