/* SPDX-License-Identifier: MIT */
#include "transport/vfio_watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"

static void *watch_run(void *argument)
{
	struct vfio_watch *watch = argument;
	struct pollfd pollers[VFIO_EVENT_COUNT];

	for (int i = 0; i < VFIO_EVENT_COUNT; i++)
		pollers[i] = (struct pollfd){ .fd = watch->events[i],
					      .events = POLLIN };
	for (;;) {
		if (poll(pollers, VFIO_EVENT_COUNT, -1) <= 0)
			continue;
		if (pollers[VFIO_EVENT_STOP].revents)
			return NULL;
		for (int i = 0; i < VFIO_EVENT_STOP; i++)
			if (pollers[i].revents)
				watch->happened(watch->context,
						(enum vfio_event)i);
	}
}

/* Signals are for the program's own threads. */
static int thread_start(struct vfio_watch *watch)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&watch->thread, NULL, watch_run, watch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret)
		return accel_error(-ret, "vfio: no thread: %s", strerror(ret));
	pthread_setname_np(watch->thread, "accel-vfio");
	watch->running = true;
	return 0;
}

int vfio_watch_start(struct vfio_watch *watch)
{
	memset(watch->events, 0xff, sizeof(watch->events));
	watch->running = false;
	for (int i = 0; i < VFIO_EVENT_COUNT; i++) {
		watch->events[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (watch->events[i] < 0)
			return accel_error(-errno, "eventfd: %s",
					   strerror(errno));
	}
	return thread_start(watch);
}

bool vfio_watch_take(const struct vfio_watch *watch, enum vfio_event event)
{
	eventfd_t count;

	return !eventfd_read(watch->events[event], &count);
}

void vfio_watch_stop(struct vfio_watch *watch)
{
	if (watch->running) {
		eventfd_write(watch->events[VFIO_EVENT_STOP], 1);
		pthread_join(watch->thread, NULL);
	}
	for (int i = 0; i < VFIO_EVENT_COUNT; i++)
		if (watch->events[i] >= 0)
			close(watch->events[i]);
}
