// SPDX-License-Identifier: MIT
/*
 * Each call of the module, with its first, second, third... allocation or copy of user
 * memory made to fail, until it ends without having come to the one that would have: it
 * fails with an error of its own accord, harms nothing, and works when it is repeated.
 * Needs a kernel with fault injection (Documentation/fault-injection in Linux), set up by
 * tests/vm/suites/fail_nth.sh; what is leaked or broken, the debug kernel tells.
 */
#include "jobs.h"

#include <linux/udmabuf.h>
#include <sys/syscall.h>

#include <kselftest_harness.h>

/* More failures than any call can meet: the call repeats itself without an end. */
#define NTH_MAX 2000
#define SIZE 65536ull

/* What the calls work on. One call of a sweep at a time adds to it and takes it back. */
struct state {
	int fd;
	int switch_fd;
	int dmabuf;
	int made_fd;
	uint32_t handle;
	uint32_t made;
	uint32_t queue;
	uint32_t sync;
	uint64_t job;
	void *memory;
};

/**
 * struct operation - a call, what it needs and what undoes it
 * @prepare: what one run takes, without failures; may be NULL
 * @run: 0 or -errno, under failures, and again without, when it has failed
 * @undo: after a success, without failures; may be NULL
 */
struct operation {
	int (*prepare)(struct state *state);
	int (*run)(struct state *state);
	int (*undo)(struct state *state);
};

static const struct spmm_sqe nops[3];

static int run_open(struct state *state)
{
	state->made_fd = node_open();
	return state->made_fd < 0 ? -errno : 0;
}

static int undo_fd(struct state *state)
{
	return close(state->made_fd) ? -errno : 0;
}

static int query(struct state *state, uint32_t kind, void *data, uint32_t size)
{
	struct drm_spmm_query query = {
		.kind = kind,
		.size = size,
		.pointer = (uintptr_t)data,
	};

	return call(state->fd, DRM_IOCTL_SPMM_QUERY, &query);
}

static int run_query_device(struct state *state)
{
	struct drm_spmm_device_info info;

	return query(state, DRM_SPMM_QUERY_DEVICE, &info, sizeof(info));
}

static int run_query_counters(struct state *state)
{
	__u64 counters[64];

	return query(state, DRM_SPMM_QUERY_COUNTERS, counters,
		     sizeof(counters));
}

static int run_query_context(struct state *state)
{
	struct drm_spmm_context_info info;

	return query(state, DRM_SPMM_QUERY_CONTEXT, &info, sizeof(info));
}

static int bo_create(struct state *state, uint32_t flags)
{
	struct drm_spmm_bo_create create = { .length = SIZE, .flags = flags };
	int err = call(state->fd, DRM_IOCTL_SPMM_BO_CREATE, &create);

	state->made = create.handle;
	return err;
}

static int run_bo_host(struct state *state)
{
	return bo_create(state, DRM_SPMM_BO_HOST);
}

static int run_bo_device(struct state *state)
{
	return bo_create(state, DRM_SPMM_BO_DEVICE);
}

static int undo_bo(struct state *state)
{
	struct drm_gem_close close = { .handle = state->made };

	return call(state->fd, DRM_IOCTL_GEM_CLOSE, &close);
}

static int run_map(struct state *state)
{
	struct drm_spmm_bo_mmap_offset offset = { .handle = state->handle };
	int err = call(state->fd, DRM_IOCTL_SPMM_BO_MMAP_OFFSET, &offset);

	if (err)
		return err;
	state->memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			     state->fd, (off_t)offset.offset);
	return state->memory == MAP_FAILED ? -errno : 0;
}

static int undo_map(struct state *state)
{
	return munmap(state->memory, SIZE) ? -errno : 0;
}

/* By an access of the kernel's own, whose faults do not kill. */
static int run_fault(struct state *state)
{
	int zero, err = run_map(state);

	if (err)
		return err;
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (zero < 0 || read(zero, state->memory, SIZE) != (ssize_t)SIZE)
		err = zero < 0 ? -errno : -EFAULT;
	if (zero >= 0)
		close(zero);
	munmap(state->memory, SIZE);
	return err;
}

static int vm_bind(struct state *state, uint32_t handle, uint32_t flags)
{
	struct drm_spmm_vm_bind bind = {
		.handle = handle,
		.flags = flags,
		.address = MAPPED,
		.length = SIZE,
	};

	return call(state->fd, DRM_IOCTL_SPMM_VM_BIND, &bind);
}

static int run_bind(struct state *state)
{
	return vm_bind(state, state->handle, READ_WRITE);
}

static int undo_bind(struct state *state)
{
	return vm_bind(state, 0, DRM_SPMM_VM_BIND_UNMAP);
}

static int run_queue(struct state *state)
{
	return queue_create(state->fd, &state->made);
}

static int undo_queue(struct state *state)
{
	return queue_destroy(state->fd, state->made);
}

/* A page for each ring is enough for 64 entries. */
static int run_queue_user(struct state *state)
{
	struct drm_spmm_queue_create create = {
		.flags = DRM_SPMM_QUEUE_USER,
		.eventfd = -1,
		.entries = 64,
		.sq_address = MAPPED,
		.cq_address = MAPPED + 4096,
	};
	int err = call(state->fd, DRM_IOCTL_SPMM_QUEUE_CREATE, &create);

	state->made = create.queue;
	return err;
}

static int undo_queue_user(struct state *state)
{
	int err = undo_queue(state);

	return err ? err : undo_bind(state);
}

static int run_queue_status(struct state *state)
{
	struct drm_spmm_queue_status status = { .queue = state->queue };

	return call(state->fd, DRM_IOCTL_SPMM_QUEUE_STATUS, &status);
}

static int run_queue_cancel(struct state *state)
{
	return queue_cancel(state->fd, state->queue);
}

static int submit(struct state *state, uint32_t in_syncs)
{
	struct drm_spmm_sync sync = { .handle = state->sync };
	struct drm_spmm_job_submit submit = {
		.queue = state->queue,
		.command_count = ARRAY_SIZE(nops),
		.commands = (uintptr_t)nops,
		.in_syncs = in_syncs ? (uintptr_t)&sync : 0,
		.in_sync_count = in_syncs,
		.out_syncs = (uintptr_t)&sync,
		.out_sync_count = 1,
	};
	int err = call(state->fd, DRM_IOCTL_SPMM_JOB_SUBMIT, &submit);

	state->job = submit.job;
	return err;
}

static int run_submit(struct state *state)
{
	return submit(state, 0);
}

/* After the job before: its fence is in the sync object. */
static int run_submit_after(struct state *state)
{
	return submit(state, 1);
}

static int run_wait(struct state *state)
{
	return job_result(state->fd, state->queue, state->job);
}

static int run_restart(struct state *state)
{
	struct drm_spmm_context_restart restart = { 0 };

	return call(state->fd, DRM_IOCTL_SPMM_CONTEXT_RESTART, &restart);
}

static int run_export(struct state *state)
{
	struct drm_prime_handle prime = {
		.handle = state->handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};
	int err = call(state->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);

	state->made_fd = prime.fd;
	return err;
}

static int run_import(struct state *state)
{
	struct drm_prime_handle prime = { .fd = state->dmabuf };
	int err = call(state->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	state->made = prime.handle;
	return err;
}

/* Host memory of another driver's. */
static int make_udmabuf(void)
{
	struct udmabuf_create create = { .size = SIZE };
	int device, buffer;

	create.memfd = (__u32)memfd_create("fail_nth", MFD_ALLOW_SEALING);
	if (ftruncate((int)create.memfd, SIZE) ||
	    fcntl((int)create.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -errno;
	device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	buffer = ioctl(device, UDMABUF_CREATE, &create);
	close((int)create.memfd);
	close(device);
	return buffer;
}

static void fail_set(struct state *state, const char *nth)
{
	/* This write, too, is made to fail when the call has not used it up. */
	while (pwrite(state->switch_fd, nth, strlen(nth), 0) < 0 &&
	       errno == EFAULT)
		;
}

static void fail_arm(struct state *state, unsigned int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nth);
	fail_set(state, text);
}

/* Whether the call had come to the failure. The read may run into it instead. */
static bool fail_disarm(struct state *state)
{
	char left[16] = "";
	ssize_t got = pread(state->switch_fd, left, sizeof(left) - 1, 0);

	fail_set(state, "0");
	return got > 0 && atoi(left) == 0;
}

/* What a failure may show as; not that the device had to be reset or is gone. */
static bool is_expected(int err)
{
	switch (err) {
	case -ENOMEM:
	case -EFAULT:
	case -ENOSPC:
	case -EINTR:
	case -EAGAIN:
		return true;
	default:
		return false;
	}
}

/* One run with one failure. Return: whether the call came to it, or -errno. */
static int attempt(struct state *state, const struct operation *operation,
		   unsigned int nth)
{
	bool met;
	int err;

	err = operation->prepare ? operation->prepare(state) : 0;
	if (err)
		return err;
	fail_arm(state, nth);
	err = operation->run(state);
	met = fail_disarm(state);
	if (err && met && is_expected(err))
		err = operation->run(state);
	if (!err && operation->undo)
		err = operation->undo(state);
	return err ? err : met;
}

/* Return: how many failures the call met, or -1. */
static int sweep(struct __test_metadata *const _metadata, struct state *state,
		 const struct operation *operation)
{
	unsigned int nth;
	int met;

	for (nth = 1; nth < NTH_MAX; nth++) {
		met = attempt(state, operation, nth);
		if (met < 0) {
			TH_LOG("failure %u: %s", nth, strerror(-met));
			return -1;
		}
		if (!met)
			return (int)nth - 1;
	}
	TH_LOG("failures without an end");
	return -1;
}

/* A queue still takes a job and the device still runs it. */
static int run_job(struct state *state)
{
	int err = run_submit(state);

	return err ? err : run_wait(state);
}

FIXTURE(calls)
{
	struct state state;
};

FIXTURE_SETUP(calls)
{
	struct drm_syncobj_create sync = { 0 };
	struct state *state = &self->state;
	char path[64];

	memset(state, 0, sizeof(*state));
	snprintf(path, sizeof(path), "/proc/self/task/%ld/fail-nth",
		 syscall(SYS_gettid));
	state->switch_fd = open(path, O_RDWR | O_CLOEXEC);
	if (state->switch_fd < 0)
		SKIP(return, "the kernel has no fault injection");
	state->fd = node_open();
	if (state->fd < 0)
		SKIP(return, "there is no device");
	ASSERT_EQ(0, run_bo_host(state));
	state->handle = state->made;
	ASSERT_EQ(0, queue_create(state->fd, &state->queue));
	ASSERT_EQ(0, call(state->fd, DRM_IOCTL_SYNCOBJ_CREATE, &sync));
	state->sync = sync.handle;
	state->dmabuf = make_udmabuf();
	ASSERT_LE(0, state->dmabuf);
}

FIXTURE_TEARDOWN(calls)
{
	EXPECT_EQ(0, run_job(&self->state));
	EXPECT_EQ(0, close(self->state.fd));
	close(self->state.switch_fd);
}

/* The debug kernel is slow, more so on a busy host. */
#define SWEEP_SECONDS 240

#define SWEEP(test, prepare, run, undo)                                   \
	TEST_F_TIMEOUT(calls, test, SWEEP_SECONDS)                        \
	{                                                                 \
		static const struct operation operation = { prepare, run, \
							    undo };       \
		int met = sweep(_metadata, &self->state, &operation);     \
                                                                          \
		ASSERT_LE(0, met);                                        \
		TH_LOG(#test " can fail in %d ways", met);                \
	}

SWEEP(open, NULL, run_open, undo_fd)
SWEEP(query_device, NULL, run_query_device, NULL)
SWEEP(query_counters, NULL, run_query_counters, NULL)
SWEEP(query_context, NULL, run_query_context, NULL)
SWEEP(bo_create_host, NULL, run_bo_host, undo_bo)
SWEEP(bo_create_device, NULL, run_bo_device, undo_bo)
SWEEP(bo_map, NULL, run_map, undo_map)
SWEEP(bo_fault, NULL, run_fault, NULL)
SWEEP(bo_export, NULL, run_export, undo_fd)
SWEEP(bo_import, NULL, run_import, undo_bo)
SWEEP(vm_bind, NULL, run_bind, undo_bind)
SWEEP(vm_unbind, run_bind, undo_bind, NULL)
SWEEP(queue_create, NULL, run_queue, undo_queue)
SWEEP(queue_create_user, run_bind, run_queue_user, undo_queue_user)
SWEEP(queue_destroy, run_queue, undo_queue, NULL)
SWEEP(queue_status, NULL, run_queue_status, NULL)
SWEEP(queue_cancel, run_submit, run_queue_cancel, NULL)
SWEEP(job_submit, NULL, run_submit, run_wait)
SWEEP(job_submit_after, run_submit, run_submit_after, run_wait)
SWEEP(job_wait, run_submit, run_wait, NULL)
SWEEP(context_restart, NULL, run_restart, NULL)

TEST_HARNESS_MAIN
