// SPDX-License-Identifier: MIT
/*
 * What user space is told of resets, and of a device's end: events with WEDGED=, as in
 * Documentation/gpu/drm-uapi.rst of Linux. Wants spmm-sim --fault tests/vm/faults/all.fault.
 */
#include "device.h"
#include "faults.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include "kselftest_harness.h"

FIXTURE(wedged)
{
	int events, config, fd;
	char name[32];
	uint32_t queue;
};

static int events_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK,
				       .nl_groups = 1 };
	struct timeval limit = { .tv_sec = 60 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		return -1;
	return fd;
}

/* An event is a list of strings. */
static const char *find(const char *event, size_t length, const char *key)
{
	const char *end = event + length;

	for (; event < end; event += strlen(event) + 1)
		if (!strncmp(event, key, strlen(key)))
			return event + strlen(key);
	return NULL;
}

/* The next one about a wedged device: how to get over it; its other words are checked. */
static int next_wedged(int events, char *how, size_t size)
{
	char event[4096];
	ssize_t length;

	for (;;) {
		const char *wedged, *action, *subsystem, *node;

		length = recv(events, event, sizeof(event) - 1, 0);
		if (length < 0)
			return -errno;
		event[length] = 0;
		wedged = find(event, (size_t)length, "WEDGED=");
		if (!wedged)
			continue;
		snprintf(how, size, "%s", wedged);
		action = find(event, (size_t)length, "ACTION=");
		subsystem = find(event, (size_t)length, "SUBSYSTEM=");
		node = find(event, (size_t)length, "DEVNAME=");
		if (!action || !subsystem || !node ||
		    strcmp(action, "change") || strcmp(subsystem, "accel") ||
		    strncmp(node, "accel/accel", strlen("accel/accel")))
			return -EPROTO;
		return 0;
	}
}

/* Of a device that does not answer, the kernel resets the bus, whose link takes its time. */
static int reset_surely(const char *name)
{
	int i, ret = -ENODEV;

	for (i = 0; i < 10 && ret; i++) {
		ret = device_reset(name);
		if (ret)
			sleep(1);
	}
	return ret;
}

FIXTURE_SETUP(wedged)
{
	self->config = fault_open();
	if (self->config < 0 || !fault_find(self->config, "fatal_now"))
		SKIP(return, "the simulator has no script with fatal_now");
	self->fd = node_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, queue_create(self->fd, &self->queue));
	ASSERT_EQ(0, device_name(self->fd, self->name, sizeof(self->name)));
	self->events = events_open();
	ASSERT_LE(0, self->events);
}

FIXTURE_TEARDOWN(wedged)
{
	fault_disarm(self->config);
	close(self->events);
	close(self->fd);
	close(self->config);
}

TEST_F_TIMEOUT(wedged, reset_of_the_function, 120)
{
	char how[64];

	ASSERT_EQ(0, device_reset(self->name));
	ASSERT_EQ(0, next_wedged(self->events, how, sizeof(how)));
	EXPECT_STREQ("none", how);
}

TEST_F_TIMEOUT(wedged, reset_by_the_module, 120)
{
	struct spmm_sqe command = nop();
	char how[64];
	uint64_t job;

	ASSERT_EQ(1, fault_arm(self->config, "fatal_now"));
	ASSERT_EQ(0, job_submit(self->fd, self->queue, &command, 1, &job));
	job_result(self->fd, self->queue, job);
	ASSERT_EQ(0, next_wedged(self->events, how, sizeof(how)));
	EXPECT_STREQ("none", how);
}

/* It is told what helps; and that does help. */
TEST_F_TIMEOUT(wedged, the_end, 120)
{
	struct spmm_sqe command = nop();
	char how[64];
	uint64_t job;
	int ret;

	ASSERT_EQ(1, fault_arm(self->config, "gone_now"));
	ret = job_submit(self->fd, self->queue, &command, 1, &job);
	if (!ret)
		ret = job_result(self->fd, self->queue, job);
	EXPECT_EQ(-ENODEV, ret);
	ASSERT_EQ(0, next_wedged(self->events, how, sizeof(how)));
	EXPECT_STREQ("rebind,bus-reset", how);
	ASSERT_EQ(0, device_unbind(self->name));
	ASSERT_EQ(0, reset_surely(self->name));
	ASSERT_EQ(0, device_bind(self->name));
	close(self->fd);
	self->fd = node_open_soon();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, queue_create(self->fd, &self->queue));
	ASSERT_EQ(0, job_submit(self->fd, self->queue, &command, 1, &job));
	EXPECT_EQ(0, job_result(self->fd, self->queue, job));
}

TEST_HARNESS_MAIN
