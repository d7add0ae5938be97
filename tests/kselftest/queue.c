// SPDX-License-Identifier: MIT
/* Queues: how they are made and go, and more files than the device has slots. */
#include "jobs.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#define FILES 80
#define QUEUES 16

FIXTURE(queue)
{
	int fd;
};

FIXTURE_SETUP(queue)
{
	self->fd = node_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(queue)
{
	close(self->fd);
}

static int create(int fd, struct drm_spmm_queue_create *arguments)
{
	return call(fd, DRM_IOCTL_SPMM_QUEUE_CREATE, arguments);
}

TEST_F(queue, bad_arguments_are_refused)
{
	const struct drm_spmm_queue_create bad[] = {
		{ .eventfd = -1, .flags = 2 },
		{ .eventfd = -1, .flags = 0x80000000 },
		{ .eventfd = -1, .priority = 4 },
		{ .eventfd = -1, .priority = UINT32_MAX },
		{ .eventfd = -1, .pad = 1 },
		{ .eventfd = -1, .entries = 2 },
		{ .eventfd = -1, .sq_address = 4096 },
		{ .eventfd = -1, .cq_address = 4096 },
		{ .eventfd = -2 },
		{ .eventfd = INT32_MIN },
	};
	struct drm_spmm_queue_create arguments;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		arguments = bad[i];
		EXPECT_EQ(-EINVAL, create(self->fd, &arguments))
		{
			TH_LOG("arguments %zu were not refused", i);
		}
	}
}

TEST_F(queue, eventfd_has_to_be_one)
{
	struct drm_spmm_queue_create file = { .eventfd = self->fd };
	struct drm_spmm_queue_create closed = { .eventfd = 1000 };

	EXPECT_EQ(-EINVAL, create(self->fd, &file));
	EXPECT_EQ(-EBADF, create(self->fd, &closed));
}

TEST_F(queue, completions_are_signalled)
{
	struct drm_spmm_queue_create arguments = { 0 };
	struct spmm_sqe command = nop();
	uint64_t job, count = 0;
	int event = eventfd(0, EFD_NONBLOCK);
	struct pollfd ready = { .fd = event, .events = POLLIN };

	arguments.eventfd = event;
	ASSERT_EQ(0, create(self->fd, &arguments));
	EXPECT_EQ(-1, read(event, &count, sizeof(count)));
	ASSERT_EQ(0, job_submit(self->fd, arguments.queue, &command, 1, &job));
	ASSERT_EQ(0, job_result(self->fd, arguments.queue, job));
	/* Who waits for the job may hear of it first. */
	ASSERT_EQ(1, poll(&ready, 1, 30000));
	EXPECT_EQ((ssize_t)sizeof(count), read(event, &count, sizeof(count)));
	EXPECT_EQ(1, count);
	close(event);
}

TEST_F(queue, sixteen_and_no_more)
{
	uint32_t numbers[QUEUES], more;
	int i, ret;

	for (i = 0; i < QUEUES; i++)
		ASSERT_EQ(0, queue_create(self->fd, &numbers[i]));
	EXPECT_EQ(-ENOSPC, queue_create(self->fd, &more));
	EXPECT_EQ(0, queue_destroy(self->fd, numbers[3]));
	EXPECT_EQ(-ENOENT, queue_destroy(self->fd, numbers[3]));
	/* What is left of it goes by itself, and soon. */
	for (i = 0; i < 100; i++) {
		ret = queue_create(self->fd, &more);
		if (ret != -ENOSPC)
			break;
		usleep(20000);
	}
	EXPECT_EQ(0, ret);
}

TEST_F(queue, destroy_and_cancel_refuse_others)
{
	struct drm_spmm_queue_destroy pad = { .pad = 1 };

	EXPECT_EQ(-ENOENT, queue_destroy(self->fd, 0));
	EXPECT_EQ(-ENOENT, queue_cancel(self->fd, 0));
	EXPECT_EQ(-ENOENT, queue_destroy(self->fd, UINT32_MAX));
	EXPECT_EQ(-EINVAL, call(self->fd, DRM_IOCTL_SPMM_QUEUE_DESTROY, &pad));
	EXPECT_EQ(-EINVAL, call(self->fd, DRM_IOCTL_SPMM_QUEUE_CANCEL, &pad));
}

TEST_F(queue, one_file_cannot_name_the_queue_of_another)
{
	int other = node_open();
	uint32_t number;

	ASSERT_EQ(0, queue_create(other, &number));
	EXPECT_EQ(-ENOENT, queue_destroy(self->fd, number));
	EXPECT_EQ(-ENOENT, job_result(self->fd, number, 1));
	close(other);
}

TEST_F(queue, status_counts)
{
	struct drm_spmm_queue_status status = { 0 };
	struct spmm_sqe commands[3] = { nop(), nop(), fault() };
	uint64_t job;

	EXPECT_EQ(-ENOENT,
		  call(self->fd, DRM_IOCTL_SPMM_QUEUE_STATUS, &status));
	ASSERT_EQ(0, queue_create(self->fd, &status.queue));
	ASSERT_EQ(0, job_submit(self->fd, status.queue, commands, 2, &job));
	ASSERT_EQ(0, job_submit(self->fd, status.queue, commands, 3, &job));
	ASSERT_EQ(-EFAULT, job_result(self->fd, status.queue, job));
	ASSERT_EQ(0, call(self->fd, DRM_IOCTL_SPMM_QUEUE_STATUS, &status));
	EXPECT_EQ(DRM_SPMM_QUEUE_OK, status.state);
	EXPECT_EQ(2, status.jobs_submitted);
	EXPECT_EQ(2, status.jobs_completed);
	EXPECT_EQ(SPMM_SC_PAGE_FAULT_WRITE, status.device_status);
	EXPECT_EQ(2, status.command);
	EXPECT_EQ(UNMAPPED, status.address);
}

TEST_F(queue, highest_priority_wants_a_capability)
{
	struct drm_spmm_queue_create arguments = { .eventfd = -1,
						   .priority = 3 };
	int status = 0;
	pid_t child;

	ASSERT_EQ(0, create(self->fd, &arguments));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (setuid(65534))
			_exit(2);
		_exit(create(self->fd, &arguments) != -EPERM);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* More files than slots, and more queues than the hardware has: everybody's turn comes. */
TEST_F_TIMEOUT(queue, more_files_than_slots, 120)
{
	struct spmm_sqe commands[8] = {};
	uint32_t numbers[FILES];
	uint64_t job;
	int fds[FILES];
	int i, round;

	for (i = 0; i < FILES; i++) {
		fds[i] = node_open();
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, queue_create(fds[i], &numbers[i]));
	}
	for (round = 0; round < 3; round++) {
		for (i = 0; i < FILES; i++)
			ASSERT_EQ(0, job_submit(fds[i], numbers[i], commands, 8,
						&job));
		for (i = 0; i < FILES; i++)
			ASSERT_EQ(0, job_result(fds[i], numbers[i], job));
	}
	for (i = 0; i < FILES; i++)
		close(fds[i]);
}

/* They do not wait for each other. */
static int busy_child(int fds)
{
	struct spmm_sqe commands[8] = {};
	uint64_t job;
	int i;

	while (fds--) {
		int fd = node_open();
		uint32_t number;

		if (fd < 0 || queue_create(fd, &number))
			return 1;
		for (i = 0; i < 20; i++)
			if (job_submit(fd, number, commands, 8, &job))
				return 2;
		for (i = 1; i <= 20; i++)
			if (job_result(fd, number, (uint64_t)i))
				return 3;
		close(fd);
	}
	return 0;
}

TEST_F_TIMEOUT(queue, processes_come_and_go, 120)
{
	pid_t children[12];
	int i, status;

	for (i = 0; i < 12; i++) {
		children[i] = fork();
		ASSERT_LE(0, children[i]);
		if (!children[i])
			_exit(busy_child(8));
	}
	for (i = 0; i < 12; i++) {
		ASSERT_EQ(children[i], waitpid(children[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

TEST_HARNESS_MAIN
