// SPDX-License-Identifier: MIT
/* Work that is taken back: canceled, its queue destroyed, its file closed, its process killed. */
#include "jobs.h"

#include <signal.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#define JOBS 100
#define HALF (1u << 20)

FIXTURE(cancel)
{
	int fd;
	uint32_t queue;
};

FIXTURE_SETUP(cancel)
{
	self->fd = node_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, queue_create(self->fd, &self->queue));
	ASSERT_NE(MAP_FAILED, memory_map(self->fd, 2 * HALF));
}

FIXTURE_TEARDOWN(cancel)
{
	close(self->fd);
}

/* Work for a while. Return: 0 or an error. */
static int submit_work(int fd, uint32_t queue, uint64_t *job)
{
	struct spmm_sqe commands[4];
	int i, ret = 0;

	for (i = 0; i < 4; i++)
		commands[i] = copy(MAPPED, MAPPED + HALF, HALF);
	for (i = 0; !ret && i < JOBS; i++)
		ret = job_submit(fd, queue, commands, 4, job);
	return ret;
}

static int nop_works(int fd, uint32_t queue)
{
	struct spmm_sqe command = nop();
	uint64_t job;
	int ret = job_submit(fd, queue, &command, 1, &job);

	return ret ?: job_result(fd, queue, job);
}

TEST_F(cancel, jobs_are_done_or_canceled)
{
	struct drm_spmm_job_wait wait;
	int ret, canceled = 0;
	uint64_t job, i;

	ASSERT_EQ(0, submit_work(self->fd, self->queue, &job));
	ASSERT_EQ(0, queue_cancel(self->fd, self->queue));
	for (i = 1; i <= job; i++) {
		wait = job_wait(self->fd, self->queue, i, &ret);
		if (wait.state == DRM_SPMM_JOB_CANCELED) {
			EXPECT_EQ(-ECANCELED, ret);
			canceled++;
			continue;
		}
		EXPECT_EQ(DRM_SPMM_JOB_DONE, wait.state);
		/* In order: none is done after one that was not. */
		EXPECT_EQ(0, canceled);
	}
	EXPECT_LT(0, canceled);
	EXPECT_EQ(0, nop_works(self->fd, self->queue));
}

TEST_F(cancel, again_and_again)
{
	uint64_t job;
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, submit_work(self->fd, self->queue, &job));
		ASSERT_EQ(0, queue_cancel(self->fd, self->queue));
	}
	EXPECT_EQ(-ECANCELED, job_result(self->fd, self->queue, job));
	EXPECT_EQ(0, nop_works(self->fd, self->queue));
}

TEST_F(cancel, other_queues_go_on)
{
	uint32_t other;
	uint64_t job, kept;

	ASSERT_EQ(0, queue_create(self->fd, &other));
	ASSERT_EQ(0, submit_work(self->fd, self->queue, &job));
	ASSERT_EQ(0, submit_work(self->fd, other, &kept));
	ASSERT_EQ(0, queue_cancel(self->fd, self->queue));
	EXPECT_EQ(0, job_result(self->fd, other, kept));
}

TEST_F(cancel, idle_queue)
{
	EXPECT_EQ(0, queue_cancel(self->fd, self->queue));
	EXPECT_EQ(0, nop_works(self->fd, self->queue));
}

TEST_F(cancel, destroyed_with_work)
{
	uint64_t job;

	ASSERT_EQ(0, submit_work(self->fd, self->queue, &job));
	ASSERT_EQ(0, queue_destroy(self->fd, self->queue));
	EXPECT_EQ(-ENOENT, job_result(self->fd, self->queue, job));
}

TEST_F(cancel, closed_with_work)
{
	int i, fd, other = node_open();
	uint32_t queue, mine;
	uint64_t job;

	ASSERT_EQ(0, queue_create(other, &mine));
	for (i = 0; i < 10; i++) {
		fd = node_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, queue_create(fd, &queue));
		ASSERT_NE(MAP_FAILED, memory_map(fd, 2 * HALF));
		ASSERT_EQ(0, submit_work(fd, queue, &job));
		close(fd);
		EXPECT_EQ(0, nop_works(other, mine));
	}
	close(other);
}

/* A process that is killed in the middle of its jobs, at a different place each time. */
TEST_F_TIMEOUT(cancel, killed_with_work, 120)
{
	int i, status;
	pid_t child;

	for (i = 0; i < 20; i++) {
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			int fd = node_open();
			uint32_t queue;
			uint64_t job;

			if (fd < 0 || queue_create(fd, &queue) ||
			    memory_map(fd, 2 * HALF) == MAP_FAILED)
				_exit(1);
			while (!submit_work(fd, queue, &job))
				;
			_exit(1);
		}
		usleep(20000 + 7000 * i);
		ASSERT_EQ(0, kill(child, SIGKILL));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(0, nop_works(self->fd, self->queue));
	}
}

TEST_HARNESS_MAIN
