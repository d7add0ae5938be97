// SPDX-License-Identifier: MIT
/* Jobs: what is refused, what comes of those that are not, and waiting for them. */
#include "jobs.h"

#include "kselftest_harness.h"

FIXTURE(job)
{
	int fd;
	uint32_t queue;
};

FIXTURE_SETUP(job)
{
	self->fd = node_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, queue_create(self->fd, &self->queue));
}

FIXTURE_TEARDOWN(job)
{
	close(self->fd);
}

TEST_F(job, nop_succeeds)
{
	struct spmm_sqe command = nop();
	struct drm_spmm_job_wait wait;
	uint64_t job;
	int ret;

	ASSERT_EQ(0, job_submit(self->fd, self->queue, &command, 1, &job));
	EXPECT_EQ(1, job);
	wait = job_wait(self->fd, self->queue, job, &ret);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(DRM_SPMM_JOB_DONE, wait.state);
	EXPECT_EQ(0, wait.error);
}

TEST_F(job, copy_moves_bytes)
{
	uint8_t *memory = memory_map(self->fd, 1 << 16);
	struct spmm_sqe command = copy(MAPPED, MAPPED + 0x8000, 0x4000);
	uint64_t job;

	ASSERT_NE(MAP_FAILED, memory);
	memset(memory, 0xa5, 0x4000);
	ASSERT_EQ(0, job_submit(self->fd, self->queue, &command, 1, &job));
	ASSERT_EQ(0, job_result(self->fd, self->queue, job));
	EXPECT_EQ(0, memcmp(memory, memory + 0x8000, 0x4000));
	EXPECT_EQ(0, memory[0xc000]);
}

/* More than the ring and the memory for commands hold, wrapping around both. */
TEST_F_TIMEOUT(job, many_jobs_of_all_sizes, 240)
{
	static struct spmm_sqe commands[4096];
	const uint32_t sizes[] = { 1, 4096, 3, 1000, 2999, 17, 4000, 1, 1, 96 };
	uint64_t job = 0;
	uint32_t i;

	for (i = 0; i < 600; i++) {
		uint32_t count = i < 500 ? 1 + i % 3 : sizes[i % 10];

		ASSERT_EQ(0, job_submit(self->fd, self->queue, commands, count,
					&job));
		ASSERT_EQ(i + 1, job);
	}
	EXPECT_EQ(0, job_result(self->fd, self->queue, job));
	for (i = 1; i <= 600; i++)
		ASSERT_EQ(0, job_result(self->fd, self->queue, i));
}

TEST_F_TIMEOUT(job, last_1024_are_remembered, 240)
{
	struct spmm_sqe command = nop();
	uint64_t job;
	uint32_t i;

	for (i = 0; i < 1200; i++)
		ASSERT_EQ(0,
			  job_submit(self->fd, self->queue, &command, 1, &job));
	EXPECT_EQ(0, job_result(self->fd, self->queue, job));
	EXPECT_EQ(0, job_result(self->fd, self->queue, job - 1023));
	EXPECT_EQ(-ENOENT, job_result(self->fd, self->queue, job - 1024));
	EXPECT_EQ(-ENOENT, job_result(self->fd, self->queue, job + 1));
	EXPECT_EQ(-ENOENT, job_result(self->fd, self->queue, 0));
}

TEST_F(job, page_fault_says_where)
{
	struct spmm_sqe commands[300] = {};
	struct drm_spmm_job_wait wait;
	uint64_t job;
	int ret;

	commands[290] = fault();
	ASSERT_EQ(0, job_submit(self->fd, self->queue, commands, 300, &job));
	wait = job_wait(self->fd, self->queue, job, &ret);
	EXPECT_EQ(-EFAULT, ret);
	EXPECT_EQ(DRM_SPMM_JOB_FAULT, wait.state);
	EXPECT_EQ(-EFAULT, wait.error);
	EXPECT_EQ(SPMM_SC_PAGE_FAULT_WRITE, wait.device_status);
	EXPECT_EQ(290, wait.command);
	EXPECT_EQ(UNMAPPED, wait.address);
}

TEST_F(job, context_works_after_a_fault)
{
	struct spmm_sqe good = nop(), bad = fault();
	uint64_t job;
	uint32_t i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, job_submit(self->fd, self->queue, &bad, 1, &job));
		ASSERT_EQ(-EFAULT, job_result(self->fd, self->queue, job));
		ASSERT_EQ(0, job_submit(self->fd, self->queue, &good, 1, &job));
		ASSERT_EQ(0, job_result(self->fd, self->queue, job));
	}
}

/* Behind one that fails, a job is its victim or comes too late for that. */
TEST_F(job, jobs_behind_a_fault_are_victims_or_succeed)
{
	struct spmm_sqe good = nop(), bad = fault();
	struct drm_spmm_job_wait wait;
	uint64_t first, job;
	uint32_t i;
	int ret;

	ASSERT_EQ(0, job_submit(self->fd, self->queue, &bad, 1, &first));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, job_submit(self->fd, self->queue, &good, 1, &job));
	ASSERT_EQ(-EFAULT, job_result(self->fd, self->queue, first));
	for (i = 1; i <= 100; i++) {
		wait = job_wait(self->fd, self->queue, first + i, &ret);
		ASSERT_EQ(wait.state == DRM_SPMM_JOB_VICTIM ? -ECANCELED : 0,
			  ret);
	}
}

TEST_F(job, bad_descriptor_is_a_bad_message)
{
	uint8_t *memory = memory_map(self->fd, 4096);
	struct spmm_sqe command = { .opcode = SPMM_IO_SPMM,
				    .address = MAPPED,
				    .length = 256 };
	struct drm_spmm_job_wait wait;
	uint64_t job;
	int ret;

	ASSERT_NE(MAP_FAILED, memory);
	memset(memory, 0xff, 4096);
	ASSERT_EQ(0, job_submit(self->fd, self->queue, &command, 1, &job));
	wait = job_wait(self->fd, self->queue, job, &ret);
	EXPECT_EQ(-EBADMSG, ret);
	EXPECT_EQ(SPMM_SC_DESCRIPTOR_VERSION, wait.device_status);
}

TEST_F(job, deadline_is_a_timeout)
{
	uint8_t *memory = memory_map(self->fd, 1 << 20);
	struct spmm_sqe command = copy(MAPPED, MAPPED + (1 << 19), 1 << 19);
	struct drm_spmm_job_wait wait;
	uint64_t job;
	int ret;

	ASSERT_NE(MAP_FAILED, memory);
	command.deadline_cycles = 1;
	ASSERT_EQ(0, job_submit(self->fd, self->queue, &command, 1, &job));
	wait = job_wait(self->fd, self->queue, job, &ret);
	EXPECT_EQ(-ETIMEDOUT, ret);
	EXPECT_EQ(DRM_SPMM_JOB_TIMEOUT, wait.state);
}

TEST_F(job, wait_for_status_only)
{
	struct spmm_sqe command = fault();
	struct drm_spmm_job_wait wait = { .queue = self->queue,
					  .flags = DRM_SPMM_JOB_WAIT_STATUS,
					  .timeout_ns = INT64_MAX };

	uint64_t job;

	ASSERT_EQ(0, job_submit(self->fd, self->queue, &command, 1, &job));
	wait.job = job;
	EXPECT_EQ(0, call(self->fd, DRM_IOCTL_SPMM_JOB_WAIT, &wait));
	EXPECT_EQ(DRM_SPMM_JOB_FAULT, wait.state);
	EXPECT_EQ(-EFAULT, wait.error);
	wait.flags = 2;
	EXPECT_EQ(-EINVAL, call(self->fd, DRM_IOCTL_SPMM_JOB_WAIT, &wait));
	wait.flags = 0;
	wait.queue = 9;
	EXPECT_EQ(-ENOENT, call(self->fd, DRM_IOCTL_SPMM_JOB_WAIT, &wait));
}

static int submit(struct __test_metadata *_metadata, FIXTURE_DATA(job) * self,
		  struct drm_spmm_job_submit change)
{
	change.queue += self->queue;
	return call(self->fd, DRM_IOCTL_SPMM_JOB_SUBMIT, &change);
}

TEST_F(job, bad_arguments_are_refused)
{
	static struct spmm_sqe command;
	struct drm_spmm_job_submit good = { .command_count = 1,
					    .commands = (uintptr_t)&command };
	struct drm_spmm_job_submit bad;

#define REFUSED(error, field, value)                            \
	do {                                                    \
		bad = good;                                     \
		bad.field = (value);                            \
		EXPECT_EQ(error, submit(_metadata, self, bad)); \
	} while (0)

	REFUSED(-ENOENT, queue, 1);
	REFUSED(-ENOENT, queue, UINT32_MAX);
	REFUSED(-EINVAL, command_count, 0);
	REFUSED(-EINVAL, command_count, 4097);
	REFUSED(-EINVAL, command_count, UINT32_MAX);
	REFUSED(-EFAULT, commands, 0);
	REFUSED(-EFAULT, commands, UINT64_MAX);
	REFUSED(-EINVAL, flags, 1);
	REFUSED(-EINVAL, pad, 1);
	REFUSED(-EFAULT, in_sync_count, 1);
	REFUSED(-EFAULT, out_sync_count, 1);
	REFUSED(-EINVAL, in_sync_count, UINT32_MAX);
	REFUSED(-EINVAL, out_sync_count, UINT32_MAX);
	EXPECT_EQ(0, submit(_metadata, self, good));
}

/* The last command ends where readable memory does. */
TEST_F(job, commands_at_the_end_of_memory)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct spmm_sqe *commands = (void *)(memory + page);
	uint64_t job;

	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, munmap(memory + page, page));
	EXPECT_EQ(0, job_submit(self->fd, self->queue, commands - 2, 2, &job));
	EXPECT_EQ(-EFAULT,
		  job_submit(self->fd, self->queue, commands - 2, 3, &job));
}

TEST_F(job, bad_commands_are_refused)
{
	const uint64_t limit = DRM_SPMM_ADDRESS_LIMIT;
	const struct spmm_sqe bad[] = {
		{ .opcode = SPMM_IO_LIST, .address = MAPPED, .length = 1 },
		{ .opcode = SPMM_IO_SEMAPHORE_WAIT, .address = MAPPED },
		{ .opcode = 0x0b },
		{ .opcode = 0xff },
		{ .id = 1 },
		{ .reserved = 1 },
		{ .pad = 1 },
		{ .flags = SPMM_SQE_STREAM },
		{ .flags = 0x80 },
		{ .address = 1 },
		{ .destination = 1 },
		{ .length = 1 },
		{ .value = 1 },
		{ .stats_address = 4 },
		{ .stats_address = limit },
		{ .stats_address = limit - 8 },
		copy(MAPPED, MAPPED, 0),
		copy(limit, 0, 1),
		copy(0, limit, 1),
		copy(limit - 1, 0, 2),
		copy(8, 0, UINT64_MAX),
		{ .opcode = SPMM_IO_SPMM, .address = MAPPED, .length = 255 },
		{ .opcode = SPMM_IO_SPMM, .address = MAPPED + 4, .length = 256 },
		{ .opcode = SPMM_IO_SPMM, .address = limit, .length = 256 },
		{ .opcode = SPMM_IO_TIMESTAMP, .address = MAPPED, .value = 1 },
		{ .opcode = SPMM_IO_TIMESTAMP, .address = limit - 4 },
		{ .opcode = SPMM_IO_SEMAPHORE_SIGNAL, .address = 4 },
	};
	struct spmm_sqe commands[2] = { nop() };
	uint64_t job;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		commands[1] = bad[i];
		EXPECT_EQ(-EINVAL,
			  job_submit(self->fd, self->queue, commands, 2, &job))
		{
			TH_LOG("command %zu was not refused", i);
		}
	}
}

TEST_HARNESS_MAIN
