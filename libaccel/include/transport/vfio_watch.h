/* SPDX-License-Identifier: MIT */
/*
 * A thread that sleeps until the kernel wants a device back, or tells of an error of its
 * link: whoever unbinds a device waits until this process lets it go, and nothing says
 * that it will call the library again.
 */
#ifndef TRANSPORT_VFIO_WATCH_H
#define TRANSPORT_VFIO_WATCH_H

#include <pthread.h>
#include <stdbool.h>

enum vfio_event {
	VFIO_EVENT_REQUEST,
	VFIO_EVENT_ERROR,
	VFIO_EVENT_STOP,
	VFIO_EVENT_COUNT,
};

/**
 * struct vfio_watch - the thread
 * @events: eventfds; those before VFIO_EVENT_STOP are for the kernel to signal
 * @running: the thread was started
 * @thread: it
 * @happened: is called by it as long as nobody has taken the event
 * @context: for @happened
 */
struct vfio_watch {
	int events[VFIO_EVENT_COUNT];
	bool running;
	pthread_t thread;
	void (*happened)(void *context, enum vfio_event event);
	void *context;
};

/* The caller has set @happened and @context, and stops it, also after a failure. */
int vfio_watch_start(struct vfio_watch *watch);
/*
 * Was the event signalled since it was last taken? To be asked under the lock over what it
 * is about: then none of before a reset is taken for one of after it.
 */
bool vfio_watch_take(const struct vfio_watch *watch, enum vfio_event event);

void vfio_watch_stop(struct vfio_watch *watch);

#endif
