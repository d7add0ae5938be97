// SPDX-License-Identifier: MIT
/* Sync objects: jobs wait for their fences, signal theirs, and hand on errors. */
#include "jobs.h"

#include <drm.h>

#include "kselftest_harness.h"

FIXTURE(sync)
{
	int fd;
	uint32_t queue, other;
};

FIXTURE_SETUP(sync)
{
	self->fd = node_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, queue_create(self->fd, &self->queue));
	ASSERT_EQ(0, queue_create(self->fd, &self->other));
}

FIXTURE_TEARDOWN(sync)
{
	close(self->fd);
}

static uint32_t syncobj_create(int fd)
{
	struct drm_syncobj_create create = { 0 };

	return call(fd, DRM_IOCTL_SYNCOBJ_CREATE, &create) ? 0 : create.handle;
}

/* Signalled by the process. */
static int syncobj_signal(int fd, uint32_t handle)
{
	struct drm_syncobj_array array = { .handles = (uintptr_t)&handle,
					   .count_handles = 1 };

	return call(fd, DRM_IOCTL_SYNCOBJ_SIGNAL, &array);
}

static int syncobj_wait(int fd, uint32_t handle, int64_t timeout)
{
	struct drm_syncobj_wait wait = { .handles = (uintptr_t)&handle,
					 .count_handles = 1,
					 .timeout_nsec = timeout };

	return call(fd, DRM_IOCTL_SYNCOBJ_WAIT, &wait);
}

static int point_wait(int fd, uint32_t handle, uint64_t point, int64_t timeout)
{
	struct drm_syncobj_timeline_wait wait = {
		.handles = (uintptr_t)&handle,
		.points = (uintptr_t)&point,
		.count_handles = 1,
		.timeout_nsec = timeout,
	};

	return call(fd, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &wait);
}

static struct drm_spmm_sync binary(uint32_t handle)
{
	return (struct drm_spmm_sync){ .handle = handle };
}

static struct drm_spmm_sync timeline(uint32_t handle, uint64_t point)
{
	return (struct drm_spmm_sync){ .handle = handle,
				       .flags = DRM_SPMM_SYNC_TIMELINE,
				       .point = point };
}

/* A job of one command; @in and @out may be NULL. */
static int submit(int fd, uint32_t queue, struct spmm_sqe command,
		  const struct drm_spmm_sync *in,
		  const struct drm_spmm_sync *out, uint64_t *job)
{
	struct drm_spmm_job_submit submit = {
		.queue = queue,
		.command_count = 1,
		.commands = (uintptr_t)&command,
		.in_syncs = (uintptr_t)in,
		.in_sync_count = !!in,
		.out_syncs = (uintptr_t)out,
		.out_sync_count = !!out,
	};
	int ret = call(fd, DRM_IOCTL_SPMM_JOB_SUBMIT, &submit);

	*job = submit.job;
	return ret;
}

static uint32_t state_now(int fd, uint32_t queue, uint64_t job)
{
	struct drm_spmm_job_wait wait = { .queue = queue,
					  .job = job,
					  .flags = DRM_SPMM_JOB_WAIT_STATUS };

	call(fd, DRM_IOCTL_SPMM_JOB_WAIT, &wait);
	return wait.state;
}

TEST_F(sync, binary_out_is_signalled)
{
	struct drm_spmm_sync out = binary(syncobj_create(self->fd));
	uint64_t job;

	ASSERT_EQ(0, submit(self->fd, self->queue, nop(), NULL, &out, &job));
	EXPECT_EQ(0,
		  syncobj_wait(self->fd, out.handle, now_ns() + 30 * SECOND));
	EXPECT_EQ(0, job_result(self->fd, self->queue, job));
}

TEST_F(sync, timeline_out_is_signalled_point_by_point)
{
	uint32_t handle = syncobj_create(self->fd);
	struct drm_spmm_sync first = timeline(handle, 5);
	struct drm_spmm_sync second = timeline(handle, 9);
	uint64_t job;

	ASSERT_EQ(0, submit(self->fd, self->queue, nop(), NULL, &first, &job));
	ASSERT_EQ(0, submit(self->fd, self->queue, nop(), NULL, &second, &job));
	EXPECT_EQ(0, point_wait(self->fd, handle, 5, now_ns() + 30 * SECOND));
	EXPECT_EQ(0, point_wait(self->fd, handle, 9, now_ns() + 30 * SECOND));
	EXPECT_EQ(-EINVAL, point_wait(self->fd, handle, 10, 0));
}

/* Jobs of one queue after those of another, back and forth. */
TEST_F(sync, jobs_of_two_queues_take_turns)
{
	uint8_t *memory = memory_map(self->fd, 1 << 16);
	uint32_t handle = syncobj_create(self->fd);
	uint64_t job = 0;
	uint32_t i;

	ASSERT_NE(MAP_FAILED, memory);
	memory[0] = 0x5a;
	for (i = 0; i < 40; i++) {
		struct drm_spmm_sync in = timeline(handle, i);
		struct drm_spmm_sync out = timeline(handle, i + 1);

		ASSERT_EQ(0, submit(self->fd, i % 2 ? self->other : self->queue,
				    copy(MAPPED + i, MAPPED + i + 1, 1),
				    i ? &in : NULL, &out, &job));
	}
	ASSERT_EQ(0, job_result(self->fd, self->other, job));
	EXPECT_EQ(0x5a, memory[40]);
	EXPECT_EQ(0, memory[41]);
}

/*
 * A fence that this process signals itself is already signalled when a job can name it, so
 * what holds a job back has to be another job.
 */
TEST_F(sync, signalled_in_holds_nothing_back)
{
	struct drm_spmm_sync in = binary(syncobj_create(self->fd));
	uint64_t job;

	ASSERT_EQ(0, syncobj_signal(self->fd, in.handle));
	ASSERT_EQ(0, submit(self->fd, self->queue, nop(), &in, NULL, &job));
	EXPECT_EQ(0, job_result(self->fd, self->queue, job));
}

TEST_F(sync, in_without_a_fence_is_refused)
{
	struct drm_spmm_sync in = binary(syncobj_create(self->fd));
	struct drm_spmm_sync point = timeline(in.handle, 1);
	uint64_t job;

	EXPECT_EQ(-EINVAL,
		  submit(self->fd, self->queue, nop(), &in, NULL, &job));
	EXPECT_EQ(-EINVAL,
		  submit(self->fd, self->queue, nop(), &point, NULL, &job));
}

TEST_F(sync, failed_in_fails_the_job_of_another_queue)
{
	struct drm_spmm_sync link = binary(syncobj_create(self->fd));
	struct drm_spmm_job_wait wait;
	uint64_t bad, job;
	int ret;

	ASSERT_EQ(0, submit(self->fd, self->queue, fault(), NULL, &link, &bad));
	ASSERT_EQ(0, submit(self->fd, self->other, nop(), &link, NULL, &job));
	wait = job_wait(self->fd, self->other, job, &ret);
	EXPECT_EQ(-EFAULT, ret);
	EXPECT_EQ(DRM_SPMM_JOB_DEPENDENCY, wait.state);
	EXPECT_EQ(-EFAULT, job_result(self->fd, self->queue, bad));
	/* And also after it has failed. */
	ASSERT_EQ(0, submit(self->fd, self->other, nop(), &link, NULL, &job));
	EXPECT_EQ(-EFAULT, job_result(self->fd, self->other, job));
}

TEST_F(sync, failed_in_fails_the_job_of_the_same_queue)
{
	struct drm_spmm_sync link = binary(syncobj_create(self->fd));
	struct drm_spmm_job_wait wait;
	uint64_t bad, job;
	int ret;

	ASSERT_EQ(0, submit(self->fd, self->queue, fault(), NULL, &link, &bad));
	ASSERT_EQ(0, submit(self->fd, self->queue, nop(), &link, NULL, &job));
	wait = job_wait(self->fd, self->queue, job, &ret);
	EXPECT_EQ(-EFAULT, ret);
	EXPECT_EQ(DRM_SPMM_JOB_DEPENDENCY, wait.state);
}

TEST_F(sync, failed_point_fails_a_chain_of_jobs)
{
	uint32_t handle = syncobj_create(self->fd);
	uint64_t job = 0;
	uint32_t i;

	for (i = 0; i < 10; i++) {
		struct drm_spmm_sync in = timeline(handle, i);
		struct drm_spmm_sync out = timeline(handle, i + 1);

		ASSERT_EQ(0, submit(self->fd, i % 2 ? self->other : self->queue,
				    i ? nop() : fault(), i ? &in : NULL, &out,
				    &job));
	}
	EXPECT_EQ(-EFAULT, job_result(self->fd, self->other, job));
}

/* As another process sees it: its job must not run on data that was never made. */
TEST_F(sync, error_crosses_to_another_file)
{
	struct drm_spmm_sync out = binary(syncobj_create(self->fd)), in;
	struct drm_syncobj_handle pass = { .handle = out.handle };
	int other = node_open();
	uint32_t queue;
	uint64_t job;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, queue_create(other, &queue));
	ASSERT_EQ(0, submit(self->fd, self->queue, fault(), NULL, &out, &job));
	ASSERT_EQ(0, call(self->fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &pass));
	ASSERT_EQ(0, call(other, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &pass));
	in = binary(pass.handle);
	ASSERT_EQ(0, submit(other, queue, nop(), &in, NULL, &job));
	EXPECT_EQ(-EFAULT, job_result(other, queue, job));
	close(pass.fd);
	close(other);
}

/* The first file is closed while its job holds back that of another. */
TEST_F(sync, canceled_in_cancels)
{
	struct drm_spmm_sync out = binary(syncobj_create(self->fd)), in;
	struct drm_syncobj_handle pass = { .handle = out.handle };
	uint8_t *memory = memory_map(self->fd, 1 << 22);
	int other = node_open();
	uint32_t queue, i;
	uint64_t job;

	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, queue_create(other, &queue));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, submit(self->fd, self->queue,
				    copy(MAPPED, MAPPED + (1 << 21), 1 << 21),
				    NULL, &out, &job));
	ASSERT_EQ(0, call(self->fd, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &pass));
	ASSERT_EQ(0, call(other, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &pass));
	in = binary(pass.handle);
	ASSERT_EQ(0, submit(other, queue, nop(), &in, NULL, &job));
	EXPECT_EQ(DRM_SPMM_JOB_PENDING, state_now(other, queue, job));
	ASSERT_EQ(0, queue_destroy(self->fd, self->queue));
	EXPECT_EQ(-ECANCELED, job_result(other, queue, job));
	close(other);
}

TEST_F(sync, bad_syncs_are_refused)
{
	uint32_t handle = syncobj_create(self->fd);
	const struct {
		struct drm_spmm_sync sync;
		int error;
	} bad[] = {
		{ binary(0), -ENOENT },
		{ binary(handle + 100), -ENOENT },
		{ timeline(handle + 100, 1), -ENOENT },
		{ timeline(handle, 0), -EINVAL },
		{ { .handle = handle, .point = 1 }, -EINVAL },
		{ { .handle = handle, .flags = 2 }, -EINVAL },
		{ { .handle = handle, .flags = 0x80000000 }, -EINVAL },
	};
	uint64_t job;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(bad[i].error, submit(self->fd, self->queue, nop(),
					       &bad[i].sync, NULL, &job));
		EXPECT_EQ(bad[i].error, submit(self->fd, self->queue, nop(),
					       NULL, &bad[i].sync, &job));
	}
}

TEST_HARNESS_MAIN
