// SPDX-License-Identifier: MIT
/*
 * The driver is unbound and bound again, a hundred times: with files open, also from
 * earlier rounds, and with jobs and a user queue on the device. ROUNDS in the environment
 * says how often instead.
 */
#include "device.h"

#include <signal.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#define JOBS 12
/* Fewer than the nodes that are looked for. */
#define FILES 4
#define HALF (1u << 20)
#define RINGS (2 * HALF)

/* What a round leaves to later ones: a file whose device is no more, with all in it. */
struct leftover {
	int fd;
	uint32_t queue;
	uint8_t *memory;
	volatile uint32_t *doorbell;
};

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int user_queue_create(struct leftover *file)
{
	struct drm_spmm_queue_create create = {
		.flags = DRM_SPMM_QUEUE_USER,
		.entries = 16,
		.eventfd = -1,
		.sq_address = MAPPED + RINGS,
		.cq_address = MAPPED + RINGS + 0x1000,
	};
	void *page;
	int ret;

	ret = call(file->fd, DRM_IOCTL_SPMM_QUEUE_CREATE, &create);
	if (ret)
		return ret;
	page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED,
		    file->fd, (off_t)create.doorbell_offset);
	file->doorbell = page;
	return page == MAP_FAILED ? -errno : 0;
}

/* Jobs that take a while, and a user queue. Return: number of the last job, or -errno. */
static int64_t work(struct leftover *file)
{
	struct spmm_sqe command = copy(MAPPED, MAPPED + HALF, HALF);
	uint64_t job = 0;
	int i, ret;

	*file = (struct leftover){ .fd = node_open_soon() };
	if (file->fd < 0)
		return file->fd;
	file->memory = memory_map(file->fd, RINGS + 0x2000);
	if (file->memory == MAP_FAILED)
		return -ENOMEM;
	ret = queue_create(file->fd, &file->queue);
	if (!ret)
		ret = user_queue_create(file);
	for (i = 0; i < JOBS && !ret; i++)
		ret = job_submit(file->fd, file->queue, &command, 1, &job);
	return ret ? ret : (int64_t)job;
}

static void forget(struct leftover *file)
{
	if (!file->memory)
		return;
	/* Of nobody now. */
	if (file->doorbell)
		munmap((void *)file->doorbell, page_size());
	munmap(file->memory, RINGS + 0x2000);
	close(file->fd);
}

/* Another process, with the same, that is killed some time. */
static pid_t companion(void)
{
	struct leftover file;
	pid_t child = fork();

	if (child)
		return child;
	while (work(&file) > 0)
		usleep(1000);
	for (;;)
		pause();
}

/* Return: how many of them were lost, or what else became of one. */
static int judge(const struct leftover *file, int64_t jobs)
{
	int lost = 0, ret;
	int64_t i;

	for (i = 1; i <= jobs; i++) {
		ret = job_result(file->fd, file->queue, (uint64_t)i);
		if (ret && ret != -ENODEV)
			return ret;
		/* In the order of time. */
		if (!ret && lost)
			return -EPROTO;
		lost += !!ret;
	}
	return lost;
}

FIXTURE(unbind)
{
	struct leftover files[FILES];
};

FIXTURE_SETUP(unbind)
{
	memset(self->files, 0, sizeof(self->files));
}

FIXTURE_TEARDOWN(unbind)
{
	int i;

	for (i = 0; i < FILES; i++)
		forget(&self->files[i]);
}

TEST_F_TIMEOUT(unbind, again_and_again, 900)
{
	const char *asked = getenv("ROUNDS");
	int rounds = asked ? atoi(asked) : 100;
	struct spmm_sqe command = nop();
	int round, lost, all_lost = 0;
	char name[32];
	uint64_t job;

	for (round = 0; round < rounds; round++) {
		struct leftover *file = &self->files[round % FILES];
		pid_t child = round % 2 ? companion() : 0;
		int64_t jobs;

		forget(file);
		jobs = work(file);
		ASSERT_EQ(JOBS, jobs)
		{
			TH_LOG("round %d", round);
		}
		ASSERT_EQ(0, device_name(file->fd, name, sizeof(name)));
		ASSERT_EQ(0, device_unbind(name));
		lost = judge(file, jobs);
		ASSERT_LE(0, lost)
		{
			TH_LOG("round %d", round);
		}
		all_lost += lost;
		EXPECT_EQ(-ENODEV,
			  job_submit(file->fd, file->queue, &command, 1, &job));
		/* It leads nowhere. */
		*file->doorbell = 1;
		ASSERT_EQ(0, device_bind(name))
		{
			TH_LOG("round %d", round);
		}
		if (child) {
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
		}
	}
	/* There was work indeed. */
	EXPECT_LT(rounds, all_lost);
}

TEST_HARNESS_MAIN
