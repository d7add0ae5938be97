/* SPDX-License-Identifier: MIT */
/*
 * Queues and jobs, for their tests: each call gives 0 or -errno.
 */
#ifndef KSELFTEST_JOBS_H
#define KSELFTEST_JOBS_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <drm/spmm_accel.h>
#include <spmm/queue.h>
#include <spmm/status.h>

#define SECOND 1000000000ll
/* Where nothing is ever mapped, and where tests map their memory. */
#define UNMAPPED 0x100000000ull
#define MAPPED 0x200000000ull
#define READ_WRITE (DRM_SPMM_VM_BIND_READ | DRM_SPMM_VM_BIND_WRITE)

static inline int call(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) ? -errno : 0;
}

/* A device that comes back has another number while the old one is in use. */
static inline int node_open(void)
{
	char path[32];
	int i, fd = -1;

	for (i = 0; i < 8 && fd < 0; i++) {
		snprintf(path, sizeof(path), "/dev/accel/accel%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT && errno != ENODEV &&
		    errno != ENXIO)
			break;
	}
	return fd;
}

static inline int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static inline int queue_create(int fd, uint32_t *number)
{
	struct drm_spmm_queue_create create = { .eventfd = -1 };
	int ret = call(fd, DRM_IOCTL_SPMM_QUEUE_CREATE, &create);

	*number = create.queue;
	return ret;
}

static inline int queue_destroy(int fd, uint32_t number)
{
	struct drm_spmm_queue_destroy destroy = { .queue = number };

	return call(fd, DRM_IOCTL_SPMM_QUEUE_DESTROY, &destroy);
}

static inline int queue_cancel(int fd, uint32_t number)
{
	struct drm_spmm_queue_destroy destroy = { .queue = number };

	return call(fd, DRM_IOCTL_SPMM_QUEUE_CANCEL, &destroy);
}

/* @out: its number */
static inline int job_submit(int fd, uint32_t queue,
			     const struct spmm_sqe *commands, uint32_t count,
			     uint64_t *out)
{
	struct drm_spmm_job_submit submit = {
		.queue = queue,
		.command_count = count,
		.commands = (uintptr_t)commands,
	};
	int ret = call(fd, DRM_IOCTL_SPMM_JOB_SUBMIT, &submit);

	*out = submit.job;
	return ret;
}

/* For 30 seconds at most. */
static inline struct drm_spmm_job_wait job_wait(int fd, uint32_t queue,
						uint64_t job, int *ret)
{
	struct drm_spmm_job_wait wait = {
		.queue = queue,
		.job = job,
		.timeout_ns = now_ns() + 30 * SECOND,
	};

	*ret = call(fd, DRM_IOCTL_SPMM_JOB_WAIT, &wait);
	return wait;
}

/* Return: the job's error. */
static inline int job_result(int fd, uint32_t queue, uint64_t job)
{
	int ret;

	job_wait(fd, queue, job, &ret);
	return ret;
}

static inline struct spmm_sqe nop(void)
{
	return (struct spmm_sqe){ .opcode = SPMM_IO_NOP };
}

static inline struct spmm_sqe copy(uint64_t from, uint64_t to, uint64_t length)
{
	return (struct spmm_sqe){
		.opcode = SPMM_IO_COPY,
		.address = from,
		.destination = to,
		.length = length,
	};
}

/* One that faults at UNMAPPED. */
static inline struct spmm_sqe fault(void)
{
	return (struct spmm_sqe){ .opcode = SPMM_IO_TIMESTAMP,
				  .address = UNMAPPED };
}

/* Host memory at MAPPED; MAP_FAILED if something does not work. */
static inline void *memory_map(int fd, size_t length)
{
	struct drm_spmm_bo_create create = { .length = length,
					     .flags = DRM_SPMM_BO_HOST };
	struct drm_spmm_bo_mmap_offset offset = { 0 };
	struct drm_spmm_vm_bind bind = { .flags = READ_WRITE,
					 .address = MAPPED };

	if (call(fd, DRM_IOCTL_SPMM_BO_CREATE, &create))
		return MAP_FAILED;
	offset.handle = create.handle;
	bind.handle = create.handle;
	bind.length = create.length;
	if (call(fd, DRM_IOCTL_SPMM_BO_MMAP_OFFSET, &offset) ||
	    call(fd, DRM_IOCTL_SPMM_VM_BIND, &bind))
		return MAP_FAILED;
	return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    (off_t)offset.offset);
}

#endif
