// SPDX-License-Identifier: MIT
/*
 * Random calls by several processes for some seconds: mostly nearly right, since what is
 * all wrong is refused at the door. Afterwards the device works for others.
 * Its seed is printed, and can be given: random_calls [SECONDS [SEED]].
 */
#include "jobs.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "kselftest.h"

#define PROCESSES 4
#define PAGES 64
#define LOCKED_MAX (16u << 20)
#define NOBODY 65534

static uint64_t state;

/* splitmix64 */
static uint64_t random_next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint32_t random_below(uint32_t limit)
{
	return (uint32_t)(random_next() % limit);
}

static int random_chance(uint32_t one_in)
{
	return !random_below(one_in);
}

/* Small numbers name things that exist; few are anything at all. */
static uint32_t random_number(void)
{
	return random_chance(50) ? (uint32_t)random_next() : random_below(6);
}

static uint64_t random_address(void)
{
	switch (random_below(20)) {
	case 0:
		return random_next();
	case 1:
		return DRM_SPMM_ADDRESS_LIMIT - 4096 * random_below(4);
	case 2:
		return MAPPED + random_below(PAGES * 4096);
	default:
		return MAPPED + 4096ull * random_below(PAGES);
	}
}

static uint64_t random_length(void)
{
	return random_chance(30) ? random_next() :
				   4096ull * (1 + random_below(PAGES));
}

static struct spmm_sqe random_command(void)
{
	switch (random_below(6)) {
	case 0:
		return (struct spmm_sqe){ .opcode = (uint8_t)random_next(),
					  .address = random_address(),
					  .length = 256 };
	case 1:
		return (struct spmm_sqe){ .opcode = SPMM_IO_SPMM,
					  .address = random_address(),
					  .length = 256 };
	case 2:
		return nop();
	default:
		return copy(random_address(), random_address(),
			    random_length());
	}
}

static void query(int fd)
{
	uint64_t answer[64];
	struct drm_spmm_query arguments = {
		.kind = random_below(5),
		.size = random_below(sizeof(answer)),
		.pointer = random_chance(20) ? random_next() :
					       (uintptr_t)answer,
	};

	call(fd, DRM_IOCTL_SPMM_QUERY, &arguments);
}

static void bo_create(int fd)
{
	struct drm_spmm_bo_create arguments = {
		.length = random_length(),
		.flags = random_chance(20) ? (uint32_t)random_next() :
					     1u << random_below(2),
	};

	call(fd, DRM_IOCTL_SPMM_BO_CREATE, &arguments);
}

static void bo_close(int fd)
{
	struct drm_gem_close arguments = { .handle = random_number() };

	call(fd, DRM_IOCTL_GEM_CLOSE, &arguments);
}

static void bo_map(int fd)
{
	struct drm_spmm_bo_mmap_offset arguments = { .handle =
							     random_number() };
	volatile uint8_t *page;

	if (call(fd, DRM_IOCTL_SPMM_BO_MMAP_OFFSET, &arguments))
		return;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    (off_t)arguments.offset);
	if (page == MAP_FAILED)
		return;
	page[random_below(4096)] = (uint8_t)random_next();
	munmap((void *)page, 4096);
}

static void vm_bind(int fd)
{
	struct drm_spmm_vm_bind arguments = {
		.handle = random_number(),
		.flags = random_chance(20) ? (uint32_t)random_next() :
					     1 + random_below(3),
		.address = random_address(),
		.offset = random_chance(10) ? 4096ull * random_below(9) : 0,
		.length = random_length(),
	};

	if (random_chance(3)) {
		arguments.handle = 0;
		arguments.offset = 0;
		arguments.flags = DRM_SPMM_VM_BIND_UNMAP;
	}
	call(fd, DRM_IOCTL_SPMM_VM_BIND, &arguments);
}

static void queue_make(int fd)
{
	struct drm_spmm_queue_create arguments = {
		.priority = random_below(5),
		.eventfd = -1,
	};

	if (random_chance(3)) {
		arguments.flags = DRM_SPMM_QUEUE_USER;
		arguments.entries = 2 + random_below(64);
		arguments.sq_address = random_address();
		arguments.cq_address = random_address();
	}
	call(fd, DRM_IOCTL_SPMM_QUEUE_CREATE, &arguments);
}

static void queue_end(int fd)
{
	if (random_chance(2))
		queue_destroy(fd, random_number());
	else
		queue_cancel(fd, random_number());
}

static void queue_ask(int fd)
{
	struct drm_spmm_queue_status arguments = { .queue = random_number() };

	call(fd, DRM_IOCTL_SPMM_QUEUE_STATUS, &arguments);
}

static void sync_make(int fd)
{
	struct drm_syncobj_create arguments = { .flags = random_below(2) };

	call(fd, DRM_IOCTL_SYNCOBJ_CREATE, &arguments);
}

static void submit(int fd)
{
	struct spmm_sqe commands[8];
	struct drm_spmm_sync sync = { .handle = random_number(),
				      .flags = random_below(2),
				      .point = random_below(4) };
	struct drm_spmm_job_submit arguments = {
		.queue = random_number(),
		.command_count = random_chance(30) ? (uint32_t)random_next() :
						     1 + random_below(8),
		.commands = random_chance(30) ? random_next() :
						(uintptr_t)commands,
		.in_syncs = (uintptr_t)&sync,
		.out_syncs = (uintptr_t)&sync,
		.in_sync_count = random_chance(6),
		.out_sync_count = random_chance(3),
	};

	for (uint32_t i = 0; i < 8; i++)
		commands[i] = random_command();
	call(fd, DRM_IOCTL_SPMM_JOB_SUBMIT, &arguments);
}

static void job_ask(int fd)
{
	struct drm_spmm_job_wait arguments = {
		.queue = random_number(),
		.flags = random_below(2),
		.job = random_below(100),
		.timeout_ns = now_ns() + random_below(2000000),
	};

	call(fd, DRM_IOCTL_SPMM_JOB_WAIT, &arguments);
}

static void share(int fd)
{
	struct drm_prime_handle arguments = { .handle = random_number(),
					      .flags = DRM_CLOEXEC };

	if (call(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arguments))
		return;
	call(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arguments);
	close(arguments.fd);
}

static void restart(int fd)
{
	struct drm_spmm_context_restart arguments = { .flags = random_chance(
							      9) };

	call(fd, DRM_IOCTL_SPMM_CONTEXT_RESTART, &arguments);
}

/* Any number, size and direction, and any bytes. */
static void anything(int fd)
{
	uint64_t bytes[64];

	for (uint32_t i = 0; i < 64; i++)
		bytes[i] = random_chance(3) ? random_next() : random_below(3);
	ioctl(fd,
	      _IOC(random_below(4), 'd', DRM_COMMAND_BASE + random_below(0x20),
		   random_below(512)),
	      bytes);
}

static void (*const actions[])(int fd) = {
	query,	    bo_create, bo_close,  bo_map,    vm_bind,  vm_bind,
	queue_make, queue_end, queue_ask, sync_make, submit,   submit,
	submit,	    job_ask,   share,	  restart,   anything,
};

/* Opens the node now and then anew; memory is bounded by the limit on what is locked. */
static void process_run(int64_t end)
{
	const struct rlimit limit = { LOCKED_MAX, LOCKED_MAX };
	int fd;

	/* Nobody special, for whom limits hold. */
	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setuid(NOBODY))
		_exit(1);
	fd = node_open();

	while (now_ns() < end) {
		if (fd < 0 || random_chance(300)) {
			close(fd);
			fd = node_open();
			memory_map(fd, PAGES * 4096);
		}
		actions[random_below(ARRAY_SIZE(actions))](fd);
	}
	_exit(0);
}

static int device_works(void)
{
	struct spmm_sqe command = copy(MAPPED, MAPPED + 4096, 4096);
	int fd = node_open();
	uint32_t queue;
	uint64_t job;
	int ret;

	if (fd < 0 || memory_map(fd, 2 * 4096) == MAP_FAILED ||
	    queue_create(fd, &queue))
		return 0;
	ret = job_submit(fd, queue, &command, 1, &job);
	if (!ret)
		ret = job_result(fd, queue, job);
	close(fd);
	return !ret;
}

int main(int argc, char **argv)
{
	int64_t seconds = argc > 1 ? atoll(argv[1]) : 10;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) :
				   (uint64_t)now_ns();
	pid_t children[PROCESSES];
	int status, clean = 1;

	ksft_print_header();
	ksft_set_plan(2);
	ksft_print_msg("seed %llu\n", (unsigned long long)seed);
	for (uint32_t i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (!children[i]) {
			state = seed + i;
			process_run(now_ns() + seconds * SECOND);
		}
	}
	for (uint32_t i = 0; i < PROCESSES; i++) {
		/* One of them in the middle of whatever it does. */
		if (!i) {
			sleep((unsigned int)seconds / 2);
			kill(children[0], SIGKILL);
		}
		if (waitpid(children[i], &status, 0) != children[i] ||
		    (i && !(WIFEXITED(status) && !WEXITSTATUS(status))))
			clean = 0;
	}
	ksft_test_result(clean, "processes end as they should\n");
	ksft_test_result(device_works(), "the device works for others\n");
	ksft_finished();
}
