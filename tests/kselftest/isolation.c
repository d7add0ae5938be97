// SPDX-License-Identifier: MIT
/*
 * Two processes that try to reach each other: a victim that keeps a secret at an address of
 * its own and works on it, and an attacker who knows all its names and addresses.
 */
#include "jobs.h"

#include <signal.h>
#include <sys/wait.h>

#include <spmm/descriptor.h>

#include "kselftest_harness.h"

#define SECRET 0x5ec2e75ec2e7ull
#define BYTES 65536
/* Memory of the attacker, where the victim has none. */
#define OWN 0x300000000ull

FIXTURE(isolation)
{
	int fd;
	uint32_t queue;
	uint8_t *memory;
	pid_t victim;
	int reports;
};

static void secret_write(uint8_t *memory)
{
	for (uint32_t i = 0; i < BYTES / 8; i++)
		((uint64_t *)memory)[i] = SECRET;
}

/* Copies its secret around until it is killed; says "ready", then what went wrong. */
static void victim_run(int report)
{
	struct spmm_sqe command = copy(MAPPED, MAPPED + BYTES, BYTES);
	int fd = node_open();
	uint8_t *memory = memory_map(fd, 2 * BYTES);
	uint32_t queue;
	uint64_t job;
	char state = 'r';

	if (memory == MAP_FAILED || queue_create(fd, &queue))
		_exit(1);
	secret_write(memory);
	for (;;) {
		memset(memory + BYTES, 0, BYTES);
		if (job_submit(fd, queue, &command, 1, &job) ||
		    job_result(fd, queue, job) ||
		    memcmp(memory, memory + BYTES, BYTES))
			state = 'x';
		if (write(report, &state, 1) != 1 || state == 'x')
			_exit(2);
	}
}

/* Host memory at OWN, for the attacker. */
static uint8_t *own_memory(int fd)
{
	struct drm_spmm_bo_create create = { .length = BYTES,
					     .flags = DRM_SPMM_BO_HOST };
	struct drm_spmm_bo_mmap_offset offset = { 0 };
	struct drm_spmm_vm_bind bind = { .flags = READ_WRITE,
					 .address = OWN,
					 .length = BYTES };

	if (call(fd, DRM_IOCTL_SPMM_BO_CREATE, &create))
		return MAP_FAILED;
	offset.handle = create.handle;
	bind.handle = create.handle;
	if (call(fd, DRM_IOCTL_SPMM_BO_MMAP_OFFSET, &offset) ||
	    call(fd, DRM_IOCTL_SPMM_VM_BIND, &bind))
		return MAP_FAILED;
	return mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    (off_t)offset.offset);
}

FIXTURE_SETUP(isolation)
{
	int ends[2];
	char state = 0;

	ASSERT_EQ(0, pipe(ends));
	self->victim = fork();
	ASSERT_LE(0, self->victim);
	if (!self->victim)
		victim_run(ends[1]);
	close(ends[1]);
	self->reports = ends[0];
	ASSERT_EQ(1, read(self->reports, &state, 1));
	ASSERT_EQ('r', state);
	self->fd = node_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, queue_create(self->fd, &self->queue));
	self->memory = own_memory(self->fd);
	ASSERT_NE(MAP_FAILED, self->memory);
}

/* Whatever was tried, the victim noticed nothing: its work still succeeds. */
FIXTURE_TEARDOWN(isolation)
{
	char states[65536];
	ssize_t length = read(self->reports, states, sizeof(states));

	EXPECT_LT(0, length);
	EXPECT_EQ(NULL, memchr(states, 'x', (size_t)length));
	EXPECT_EQ(1, read(self->reports, states, 1));
	EXPECT_EQ('r', states[0]);
	kill(self->victim, SIGKILL);
	EXPECT_EQ(self->victim, waitpid(self->victim, NULL, 0));
	close(self->reports);
	munmap(self->memory, BYTES);
	close(self->fd);
}

static int run(FIXTURE_DATA(isolation) * self, struct spmm_sqe command)
{
	uint64_t job;
	int ret = job_submit(self->fd, self->queue, &command, 1, &job);

	return ret ? ret : job_result(self->fd, self->queue, job);
}

/* A copy whose addresses the module cannot check: they are in memory of the process. */
static int run_strided(FIXTURE_DATA(isolation) * self, uint64_t from,
		       uint64_t to)
{
	struct spmm_copy_descriptor *descriptor =
		(struct spmm_copy_descriptor *)self->memory;

	*descriptor = (struct spmm_copy_descriptor){
		.version = SPMM_DESCRIPTOR_VERSION,
		.element = 8,
		.source = from,
		.destination = to,
		.count = { 1, 1, 1, 1, 8 },
		.source_stride = { 64, 64, 64, 64, 8 },
		.destination_stride = { 64, 64, 64, 64, 8 },
	};
	return run(self, (struct spmm_sqe){ .opcode = SPMM_IO_COPY_STRIDED,
					    .address = OWN,
					    .length = sizeof(*descriptor) });
}

TEST_F(isolation, addresses_of_another_process_are_nothing)
{
	EXPECT_EQ(-EFAULT, run(self, copy(MAPPED, OWN, 4096)));
	EXPECT_EQ(-EFAULT, run(self, copy(OWN, MAPPED, 4096)));
	EXPECT_EQ(-EFAULT, run_strided(self, MAPPED, OWN + 4096));
	EXPECT_EQ(-EFAULT, run_strided(self, OWN + 4096, MAPPED));
	EXPECT_EQ(NULL, memmem(self->memory, BYTES, &(uint64_t){ SECRET }, 8));
	EXPECT_EQ(0, run(self, nop()));
}

/* Handles, queues, jobs: numbers mean something in their own file only. */
TEST_F(isolation, names_of_another_process_are_nothing)
{
	struct drm_spmm_vm_bind bind = { .flags = READ_WRITE,
					 .address = OWN + BYTES,
					 .length = 4096 };
	struct drm_spmm_bo_mmap_offset offset = { 0 };
	struct drm_spmm_queue_status status = { 0 };

	for (uint32_t number = 2; number < 100; number++) {
		bind.handle = number;
		EXPECT_EQ(-ENOENT,
			  call(self->fd, DRM_IOCTL_SPMM_VM_BIND, &bind));
		offset.handle = number;
		EXPECT_EQ(-ENOENT, call(self->fd, DRM_IOCTL_SPMM_BO_MMAP_OFFSET,
					&offset));
	}
	for (uint32_t number = 0; number < 100; number++) {
		if (number == self->queue)
			continue;
		status.queue = number;
		EXPECT_EQ(-ENOENT,
			  call(self->fd, DRM_IOCTL_SPMM_QUEUE_STATUS, &status));
		EXPECT_EQ(-ENOENT, queue_cancel(self->fd, number));
		EXPECT_EQ(-ENOENT, job_result(self->fd, number, 1));
	}
	EXPECT_EQ(-ENOENT, job_result(self->fd, self->queue, 1));
}

/* Offsets of mmap() are those of the device: another file's must not open here. */
/* 66000 calls take the debug kernel longer than the 30 s that a test has by default. */
TEST_F_TIMEOUT(isolation, mappings_of_another_process_are_refused, 120)
{
	void *page;

	for (off_t offset = 0; offset < (off_t)1 << 36;
	     offset += offset < 1 << 20 ? 4096 : 1 << 20) {
		page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd,
			    offset);
		if (page == MAP_FAILED)
			continue;
		EXPECT_EQ(NULL, memmem(page, 4096, &(uint64_t){ SECRET }, 8));
		munmap(page, 4096);
	}
}

/* Commands in the module's memory cannot be changed, also not by way of the device. */
TEST_F(isolation, the_modules_memory_is_not_written)
{
	for (uint64_t n = 0; n < 16; n++) {
		uint64_t area = DRM_SPMM_ADDRESS_LIMIT + n * (2ull << 20);

		EXPECT_EQ(-EINVAL, run(self, copy(OWN, area, 64)));
		EXPECT_EQ(-EFAULT, run_strided(self, OWN + 4096, area));
		EXPECT_EQ(-EFAULT,
			  run_strided(self, OWN + 4096, area + (1ull << 20)));
	}
	EXPECT_EQ(0, run(self, nop()));
}

/*
 * A queue's completions can be forged by its own commands, and only those. What comes of
 * it is the forger's; it is waited for no longer than any job.
 */
TEST_F(isolation, forged_completions_harm_the_forger_alone)
{
	uint64_t completions =
		DRM_SPMM_ADDRESS_LIMIT + self->queue * (2ull << 20) + 65536;

	memset(self->memory + 4096, 0xff, 4096);
	for (int i = 0; i < 8; i++)
		run_strided(self, OWN + 4096, completions + 16u * (unsigned)i);
}

/* What the module frees it clears, before another process gets it. */
TEST_F(isolation, memory_of_the_device_is_clean)
{
	struct drm_spmm_bo_create create = { .length = 16 << 20,
					     .flags = DRM_SPMM_BO_DEVICE };
	struct drm_spmm_vm_bind bind = { .flags = READ_WRITE,
					 .address = OWN + (1ull << 30),
					 .length = 16 << 20 };
	int other = node_open();
	uint32_t queue;
	uint64_t job;
	struct spmm_sqe command;

	/* One fills device memory and goes. */
	ASSERT_EQ(0, queue_create(other, &queue));
	ASSERT_NE(MAP_FAILED, own_memory(other));
	ASSERT_EQ(0, call(other, DRM_IOCTL_SPMM_BO_CREATE, &create));
	bind.handle = create.handle;
	ASSERT_EQ(0, call(other, DRM_IOCTL_SPMM_VM_BIND, &bind));
	for (uint64_t at = 0; at < bind.length; at += bind.length / 64) {
		command = copy(OWN, bind.address + at, BYTES);
		ASSERT_EQ(0, job_submit(other, queue, &command, 1, &job));
	}
	ASSERT_EQ(0, job_result(other, queue, job));
	close(other);
	/* Another gets the same. */
	memset(self->memory, 0xff, BYTES);
	create.length = 16 << 20;
	ASSERT_EQ(0, call(self->fd, DRM_IOCTL_SPMM_BO_CREATE, &create));
	bind.handle = create.handle;
	ASSERT_EQ(0, call(self->fd, DRM_IOCTL_SPMM_VM_BIND, &bind));
	for (uint64_t at = 0; at < bind.length; at += bind.length / 64) {
		ASSERT_EQ(0, run(self, copy(bind.address + at, OWN, BYTES)));
		for (uint32_t i = 0; i < BYTES; i++)
			ASSERT_EQ(0, self->memory[i]);
	}
}

/* An attacker that faults all the time does not keep others from their work. */
TEST_F(isolation, faults_stay_at_home)
{
	for (int i = 0; i < 200; i++)
		ASSERT_EQ(-EFAULT, run(self, fault()));
}

TEST_HARNESS_MAIN
