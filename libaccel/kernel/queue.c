/* SPDX-License-Identifier: MIT */
#include "kernel/queue.h"

#include <drm/spmm_accel.h>

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/deadline.h"
#include "core/error.h"

/* How long a creation waits for a queue that is on its way out. */
#define PATIENCE_NS 200000000ull
#define PAUSE_NS 1000000

/* A queue that was destroyed is free again a little later. */
static int create_patiently(const struct kernel_device *device,
			    struct drm_spmm_queue_create *arguments)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	uint64_t deadline = deadline_after(PATIENCE_NS);

	for (;;) {
		int ret = kernel_ioctl(device, DRM_IOCTL_SPMM_QUEUE_CREATE,
				       arguments);

		if ((ret != -EBUSY && ret != -ENOSPC) ||
		    deadline_expired(deadline))
			return ret;
		nanosleep(&pause, NULL);
	}
}

int kernel_queue_open(struct driver_queue *queue,
		      struct drm_spmm_queue_create *arguments)
{
	int ret;

	if (queue->event < 0)
		queue->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->event < 0)
		return accel_error(-errno, "eventfd: %s", strerror(errno));
	arguments->eventfd = queue->event;
	arguments->priority = queue->priority;
	ret = create_patiently(kernel_device(queue->device), arguments);
	if (!ret) {
		queue->kernel->number = arguments->queue;
		queue->kernel->open = true;
		queue->generation = atomic_load(&queue->device->generation);
		return 0;
	}
	if (ret == -EBUSY || ret == -ENOSPC)
		return accel_error(
			-EBUSY,
			"all queues are in use; destroy one, or open the device without queues=user");
	if (ret == -EPERM)
		return accel_error(
			ret, "priority %u needs the capability CAP_SYS_NICE",
			queue->priority);
	return accel_error(ret, "queue: %s", strerror(-ret));
}

void kernel_queue_close(struct driver_queue *queue)
{
	struct drm_spmm_queue_destroy destroy = {
		.queue = queue->kernel->number,
	};

	if (!queue->kernel->open)
		return;
	kernel_ioctl(kernel_device(queue->device), DRM_IOCTL_SPMM_QUEUE_DESTROY,
		     &destroy);
	queue->kernel->open = false;
}

void kernel_queue_release(struct driver_queue *queue)
{
	kernel_queue_close(queue);
	if (queue->event >= 0)
		close(queue->event);
	queue->event = -1;
}

int kernel_queue_event(struct driver_queue *queue)
{
	return queue->event;
}
