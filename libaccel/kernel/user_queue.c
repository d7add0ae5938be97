/* SPDX-License-Identifier: MIT */
/*
 * Rings that the device reads and writes itself, and a doorbell in this process: nothing
 * of the module is on the way of a command.
 */
#include "kernel/queue.h"

#include <drm/spmm_accel.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/deadline.h"
#include "core/error.h"
#include "driver/ring_memory.h"

/* How often a sleeper looks whether the device still moves. */
#define WATCH_NS 100000000ull

static size_t doorbell_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int doorbell_map(struct driver_queue *queue, uint64_t offset)
{
	void *page = mmap(NULL, doorbell_bytes(), PROT_READ | PROT_WRITE,
			  MAP_SHARED, kernel_device(queue->device)->file,
			  (off_t)offset);

	if (page == MAP_FAILED)
		return accel_error(-errno, "doorbell: %s", strerror(errno));
	queue->kernel->doorbell_page = page;
	queue->doorbells = page;
	return 0;
}

static void detach(struct driver_queue *queue)
{
	if (queue->kernel->doorbell_page)
		munmap(queue->kernel->doorbell_page, doorbell_bytes());
	queue->kernel->doorbell_page = NULL;
	queue->doorbells = NULL;
	kernel_queue_close(queue);
}

/* Make the queue in the module, with empty rings here. */
static int attach(struct driver_queue *queue)
{
	struct drm_spmm_queue_create arguments = {
		.flags = DRM_SPMM_QUEUE_USER,
		.entries = queue->sq.entries,
		.sq_address = queue->memory.virtual_address,
		.cq_address = queue->memory.virtual_address +
			      ring_memory_completions(queue),
	};
	int ret;

	memset(queue->memory.host.address, 0, queue->memory.host.length);
	queue->sq.head = 0;
	queue->sq.tail = 0;
	queue->cq.head = 0;
	queue->cq_reported = 0;
	queue->failed = false;
	queue->progress_time = 0;
	ret = kernel_queue_open(queue, &arguments);
	if (!ret)
		ret = doorbell_map(queue, arguments.doorbell_offset);
	if (ret)
		detach(queue);
	return ret;
}

static void user_queue_destroy(struct driver_queue *queue)
{
	detach(queue);
	kernel_queue_release(queue);
	driver_memory_release(queue->device, &queue->memory);
	free(queue->kernel);
}

static int user_queue_create(struct driver_queue *queue, uint32_t depth)
{
	int ret = ring_memory_size(queue, depth);

	if (ret)
		return ret;
	queue->kernel = calloc(1, sizeof(*queue->kernel));
	if (!queue->kernel)
		return accel_error(-ENOMEM, "out of memory");
	ret = ring_memory_allocate(queue);
	if (!ret)
		ret = attach(queue);
	if (ret)
		user_queue_destroy(queue);
	return ret;
}

static int user_queue_recover(struct driver_queue *queue)
{
	detach(queue);
	return attach(queue);
}

/* What the device had is forgotten with the queue, and cancelled as after a reset. */
static void lose(struct driver_queue *queue)
{
	queue->generation = atomic_load(&queue->device->generation) - 1;
}

static int user_queue_abort(struct driver_queue *queue)
{
	detach(queue);
	lose(queue);
	return 0;
}

static void user_queue_report(struct driver_queue *queue)
{
	queue->cq_reported = queue->cq.head;
	if (queue->doorbells)
		doorbell_write(&queue->doorbells[1],
			       ring_index(&queue->cq, queue->cq.head));
}

/* Only a queue whose doorbell was taken away comes here. */
static void user_queue_ring(struct driver_queue *queue)
{
	lose(queue);
}

static int hang_check(struct driver_queue *queue, uint64_t progress)
{
	uint64_t now = monotonic_ns();

	if (!queue->progress_time || progress != queue->progress) {
		queue->progress = progress;
		queue->progress_time = now;
	}
	if (now - queue->progress_time < queue->device->stall_timeout_ns)
		return 0;
	return accel_error(
		-EIO, "queue %u: no progress for %llu ms; cancel what it holds",
		queue->kernel->number,
		(unsigned long long)(queue->device->stall_timeout_ns /
				     1000000));
}

/*
 * The module has taken the queue off the device. Of a failure the device had told before,
 * and what came behind it: that is in the ring.
 */
static bool is_taken_away(struct driver_queue *queue, uint32_t state)
{
	if (state == DRM_SPMM_QUEUE_FAULTED)
		return !driver_queue_peek(queue);
	return state == DRM_SPMM_QUEUE_EVICTED;
}

static int watch(struct driver_queue *queue)
{
	struct drm_spmm_queue_status status = {
		.queue = queue->kernel->number,
	};
	int ret = kernel_ioctl(kernel_device(queue->device),
			       DRM_IOCTL_SPMM_QUEUE_STATUS, &status);

	if (ret == -ENODEV || (!ret && status.state == DRM_SPMM_QUEUE_GONE))
		return accel_error(-ENODEV, "the device is gone");
	if (ret)
		return accel_error(ret, "queue: %s", strerror(-ret));
	if (is_taken_away(queue, status.state)) {
		lose(queue);
		return 0;
	}
	return hang_check(queue, status.progress);
}

static int user_queue_sleep(struct driver_queue *queue, uint64_t deadline)
{
	struct pollfd poller = { .fd = queue->event, .events = POLLIN };
	uint64_t left = deadline_remaining(deadline);
	uint64_t slice = left < WATCH_NS ? left : WATCH_NS;
	struct timespec timeout = { .tv_nsec = (long)slice };
	int ready = ppoll(&poller, 1, &timeout, NULL);

	if (ready < 0 && errno != EINTR)
		return accel_error(-errno, "poll: %s", strerror(errno));
	if (ready <= 0)
		return watch(queue);
	driver_queue_signals(queue);
	queue->progress_time = 0;
	return 0;
}

static bool user_fault_find(struct driver_queue *queue, uint16_t id,
			    struct spmm_fault_record *record)
{
	struct drm_spmm_queue_status status = {
		.queue = queue->kernel->number,
	};

	if (kernel_ioctl(kernel_device(queue->device),
			 DRM_IOCTL_SPMM_QUEUE_STATUS, &status) ||
	    !status.device_status)
		return false;
	*record = (struct spmm_fault_record){
		.address = htole64(status.address),
		.status = htole16((uint16_t)status.device_status),
		.id = htole16(id),
		.list_index = htole32(status.command),
	};
	return true;
}

const struct driver_operations kernel_user_operations = {
	.destroy = kernel_device_destroy,
	.reset = kernel_device_reset,
	.memory_allocate = kernel_memory_allocate,
	.memory_import = kernel_memory_import,
	.memory_release = kernel_memory_release,
	.memory_used = kernel_memory_used,
	.queue_create = user_queue_create,
	.queue_destroy = user_queue_destroy,
	.queue_recover = user_queue_recover,
	.queue_abort = user_queue_abort,
	.queue_sleep = user_queue_sleep,
	.queue_event = kernel_queue_event,
	.queue_ring = user_queue_ring,
	.queue_report = user_queue_report,
	.fault_find = user_fault_find,
};
