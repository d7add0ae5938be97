// SPDX-License-Identifier: MIT
/* User queues: the process rings the doorbell; what it may map, and what becomes of them. */
#include "jobs.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#define ENTRIES 16
#define SQ_OFFSET 0
#define CQ_OFFSET 0x1000
#define DATA_OFFSET 0x2000
#define MEMORY 0x10000
#define PAGE ((size_t)sysconf(_SC_PAGESIZE))

FIXTURE(user_queue)
{
	int fd, event;
	uint8_t *memory;
	struct drm_spmm_queue_create create;
	volatile uint32_t *doorbell;
	uint32_t tail;
};

FIXTURE_SETUP(user_queue)
{
	self->fd = node_open();
	ASSERT_LE(0, self->fd);
	self->event = eventfd(0, EFD_NONBLOCK);
	self->memory = memory_map(self->fd, MEMORY);
	ASSERT_NE(MAP_FAILED, self->memory);
	self->create = (struct drm_spmm_queue_create){
		.flags = DRM_SPMM_QUEUE_USER,
		.entries = ENTRIES,
		.eventfd = self->event,
		.sq_address = MAPPED + SQ_OFFSET,
		.cq_address = MAPPED + CQ_OFFSET,
	};
	ASSERT_EQ(0,
		  call(self->fd, DRM_IOCTL_SPMM_QUEUE_CREATE, &self->create));
	self->doorbell = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			      self->fd, (off_t)self->create.doorbell_offset);
	ASSERT_NE(MAP_FAILED, self->doorbell);
}

FIXTURE_TEARDOWN(user_queue)
{
	close(self->event);
	close(self->fd);
}

/* Rings for it. */
static void push(FIXTURE_DATA(user_queue) * self, struct spmm_sqe command)
{
	struct spmm_sqe *ring = (void *)(self->memory + SQ_OFFSET);

	ring[self->tail] = command;
	self->tail = (self->tail + 1) % ENTRIES;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*self->doorbell = self->tail;
}

/* Return: status of completion @index of the first pass, -1 if there is none in time. */
static int completion(FIXTURE_DATA(user_queue) * self, uint32_t index)
{
	volatile struct spmm_cqe *ring = (void *)(self->memory + CQ_OFFSET);
	int tries;

	for (tries = 0; tries < 2000; tries++) {
		if (ring[index].status & SPMM_CQE_PHASE)
			return ring[index].status >> 1;
		usleep(5000);
	}
	return -1;
}

static struct drm_spmm_queue_status status_of(int fd, uint32_t queue)
{
	struct drm_spmm_queue_status status = { .queue = queue };

	call(fd, DRM_IOCTL_SPMM_QUEUE_STATUS, &status);
	return status;
}

TEST_F(user_queue, runs_commands)
{
	uint8_t *data = self->memory + DATA_OFFSET;
	struct pollfd event = { .fd = self->event, .events = POLLIN };

	memset(data, 0x77, 256);
	push(self,
	     copy(MAPPED + DATA_OFFSET, MAPPED + DATA_OFFSET + 0x1000, 256));
	EXPECT_EQ(0, completion(self, 0));
	EXPECT_EQ(0, memcmp(data, data + 0x1000, 256));
	EXPECT_EQ(1, poll(&event, 1, 5000));
	push(self, nop());
	EXPECT_EQ(0, completion(self, 1));
	EXPECT_EQ(DRM_SPMM_QUEUE_OK,
		  status_of(self->fd, self->create.queue).state);
}

TEST_F(user_queue, takes_no_jobs)
{
	struct spmm_sqe command = nop();
	uint64_t job;

	EXPECT_EQ(-EINVAL,
		  job_submit(self->fd, self->create.queue, &command, 1, &job));
	EXPECT_EQ(-EINVAL, queue_cancel(self->fd, self->create.queue));
	EXPECT_EQ(-ENOENT, job_result(self->fd, self->create.queue, 1));
}

TEST_F(user_queue, fault_is_told_and_ends_it)
{
	struct drm_spmm_queue_status status;
	struct spmm_sqe command = nop();
	uint32_t queue;
	uint64_t job;
	int i;

	push(self, fault());
	EXPECT_EQ(SPMM_SC_PAGE_FAULT_WRITE, completion(self, 0));
	for (i = 0; i < 1000; i++) {
		status = status_of(self->fd, self->create.queue);
		if (status.state != DRM_SPMM_QUEUE_OK)
			break;
		usleep(5000);
	}
	EXPECT_EQ(DRM_SPMM_QUEUE_FAULTED, status.state);
	EXPECT_EQ(SPMM_SC_PAGE_FAULT_WRITE, status.device_status);
	EXPECT_EQ(UNMAPPED, status.address);
	/* It leads nowhere a little later, and may be written. */
	for (i = 0; i < 1000 && *self->doorbell != 3; i++) {
		*self->doorbell = 3;
		usleep(5000);
	}
	EXPECT_EQ(3, *self->doorbell);
	/* The context lives on. */
	ASSERT_EQ(0, queue_create(self->fd, &queue));
	ASSERT_EQ(0, job_submit(self->fd, queue, &command, 1, &job));
	EXPECT_EQ(0, job_result(self->fd, queue, job));
}

/* A tail outside of the ring kills the context, and nobody else's. */
TEST_F(user_queue, bad_doorbell_is_a_fault)
{
	struct drm_spmm_queue_status status;
	struct spmm_sqe command = nop();
	int i, other = node_open();
	uint32_t queue;
	uint64_t job;

	*self->doorbell = 0xffffffff;
	for (i = 0; i < 1000; i++) {
		status = status_of(self->fd, self->create.queue);
		if (status.state != DRM_SPMM_QUEUE_OK)
			break;
		usleep(5000);
	}
	EXPECT_EQ(DRM_SPMM_QUEUE_FAULTED, status.state);
	EXPECT_EQ(SPMM_SC_INVALID_ENTRIES, status.device_status);
	ASSERT_EQ(0, queue_create(other, &queue));
	ASSERT_EQ(0, job_submit(other, queue, &command, 1, &job));
	EXPECT_EQ(0, job_result(other, queue, job));
	close(other);
}

TEST_F(user_queue, doorbell_is_memory_after_destruction)
{
	ASSERT_EQ(0, queue_destroy(self->fd, self->create.queue));
	/* Unmapped a moment later; until then the queue is nobody's. */
	usleep(300000);
	*self->doorbell = 7;
	EXPECT_EQ(7, *self->doorbell);
	EXPECT_EQ(MAP_FAILED,
		  mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd,
		       (off_t)self->create.doorbell_offset));
}

TEST_F(user_queue, doorbell_is_the_files_own)
{
	off_t offset = (off_t)self->create.doorbell_offset;
	int other = node_open();

	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED, other, offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED, self->fd, offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED, self->fd, offset + (off_t)PAGE));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, self->fd, offset));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_EXEC,
				   MAP_SHARED, self->fd, offset));
	close(other);
}

TEST_F(user_queue, bad_arguments_are_refused)
{
	struct drm_spmm_queue_create bad;

#define REFUSED(field, value)                                                 \
	do {                                                                  \
		bad = self->create;                                           \
		bad.field = (value);                                          \
		EXPECT_EQ(-EINVAL,                                            \
			  call(self->fd, DRM_IOCTL_SPMM_QUEUE_CREATE, &bad)); \
	} while (0)

	REFUSED(entries, 0);
	REFUSED(entries, 1);
	REFUSED(entries, 4097);
	REFUSED(entries, UINT32_MAX);
	REFUSED(sq_address, 1);
	REFUSED(cq_address, 0x100);
	REFUSED(sq_address, DRM_SPMM_ADDRESS_LIMIT);
	REFUSED(cq_address, DRM_SPMM_ADDRESS_LIMIT);
	REFUSED(sq_address, UINT64_MAX - 4095);
}

/* Jobs always have a queue left. */
TEST_F_TIMEOUT(user_queue, hardware_runs_out, 120)
{
	struct drm_spmm_queue_create create;
	struct spmm_sqe command = nop();
	int fds[80], ret = 0, count = 0, made = 0;
	uint32_t queue;
	uint64_t job;

	while (!ret && count < 8) {
		fds[count] = node_open();
		ASSERT_LE(0, fds[count]);
		ASSERT_NE(MAP_FAILED, memory_map(fds[count], MEMORY));
		do {
			create = self->create;
			create.eventfd = -1;
			ret = call(fds[count], DRM_IOCTL_SPMM_QUEUE_CREATE,
				   &create);
			made += !ret;
		} while (!ret);
		if (ret == -ENOSPC)
			ret = 0;
		count++;
	}
	EXPECT_EQ(-EBUSY, ret);
	EXPECT_LT(30, made);
	ASSERT_EQ(0, queue_create(self->fd, &queue));
	ASSERT_EQ(0, job_submit(self->fd, queue, &command, 1, &job));
	EXPECT_EQ(0, job_result(self->fd, queue, job));
	while (count)
		close(fds[--count]);
}

/* Return: a new file with one user queue, or the error. */
static int open_with_queue(struct drm_spmm_queue_create create)
{
	int ret, fd = node_open();

	if (fd < 0)
		return fd;
	create.eventfd = -1;
	ret = -ENOMEM;
	if (memory_map(fd, MEMORY) != MAP_FAILED)
		ret = call(fd, DRM_IOCTL_SPMM_QUEUE_CREATE, &create);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

/* Jobs always have an address-space slot left, for whoever has none yet. */
TEST_F_TIMEOUT(user_queue, slots_run_out, 120)
{
	struct spmm_sqe command = nop();
	int fds[80], fd = 0, count = 0, other = node_open();
	uint32_t queue;
	uint64_t job;

	ASSERT_LE(0, other);
	while (count < 80 && (fd = open_with_queue(self->create)) >= 0)
		fds[count++] = fd;
	EXPECT_EQ(-EBUSY, fd);
	EXPECT_LT(30, count);
	ASSERT_EQ(0, queue_create(other, &queue));
	ASSERT_EQ(0, job_submit(other, queue, &command, 1, &job));
	EXPECT_EQ(0, job_result(other, queue, job));
	while (count)
		close(fds[--count]);
	close(other);
}

/* A process that dies with its queue full of work. */
TEST_F(user_queue, killed_with_work)
{
	struct spmm_sqe command = nop();
	uint32_t queue, i;
	uint64_t job;
	int status;
	pid_t child;

	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		int fd = node_open();
		struct drm_spmm_queue_create create = self->create;
		uint8_t *memory = memory_map(fd, MEMORY);
		struct spmm_sqe *ring = (void *)memory;
		volatile uint32_t *doorbell;

		create.eventfd = -1;
		if (memory == MAP_FAILED ||
		    call(fd, DRM_IOCTL_SPMM_QUEUE_CREATE, &create))
			_exit(1);
		for (i = 0; i < ENTRIES; i++)
			ring[i] =
				copy(MAPPED + 0x2000, MAPPED + 0x8000, 0x4000);
		doorbell = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
				fd, (off_t)create.doorbell_offset);
		*doorbell = ENTRIES - 1;
		raise(SIGKILL);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(0, queue_create(self->fd, &queue));
	ASSERT_EQ(0, job_submit(self->fd, queue, &command, 1, &job));
	EXPECT_EQ(0, job_result(self->fd, queue, job));
}

TEST_HARNESS_MAIN
