/* SPDX-License-Identifier: MIT */
/*
 * Arming: a one-shot poll of the queue's eventfd in the program's ring.
 *
 * No wake-up is lost, since signals are taken before looking for completions: what
 * completes after the look signals after it, too, and the poll sees the eventfd readable.
 * What the look finds gets an entry that completes at once.
 *
 * There is never more than one poll, so that disarming takes back all there is. Only this
 * library takes signals, so a poll has not fired as long as none came since. Before the
 * program submits it, it cannot fire at all: signals then stay where it will see them.
 */
#include <accel/uring.h>

#include <accel/queue.h>

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "backend/backend.h"
#include "core/error.h"

static struct io_uring_sqe *entry_take(struct io_uring *ring)
{
	struct io_uring_sqe *entry = io_uring_get_sqe(ring);

	if (!entry)
		accel_error(
			-EBUSY,
			"the ring is full; submit its entries, then arm again");
	return entry;
}

static void poll_prepare(struct accel_queue *queue, struct io_uring *ring,
			 struct io_uring_sqe *entry, uint64_t signals)
{
	io_uring_prep_poll_add(entry, queue->operations->fd(queue), POLLIN);
	queue->armed = true;
	queue->armed_signals = signals;
	queue->armed_ring = ring;
	queue->armed_position = ring->sq.sqe_tail - 1;
}

/* Has the kernel not taken the poll yet? Entries leave a ring in their order. */
static bool poll_is_unsubmitted(const struct accel_queue *queue,
				const struct io_uring *ring)
{
	return queue->armed && queue->armed_ring == ring &&
	       ring->sq.sqe_tail - queue->armed_position <=
		       io_uring_sq_ready(ring);
}

static int refuse_armed(void)
{
	return accel_error(-EALREADY, "the queue is armed already");
}

int accel_queue_arm(struct accel_queue *queue, struct io_uring *ring,
		    uint64_t user_data)
{
	struct io_uring_sqe *entry;
	uint64_t signals;
	int event;

	if (!queue || !ring)
		return accel_error(-EINVAL, "accel_queue_arm: NULL");
	event = queue->operations->fd(queue);
	if (event < 0)
		return event;
	if (poll_is_unsubmitted(queue, ring)) {
		/* Its signal may have been taken before it was put there. */
		if (queue->operations->ready(queue))
			eventfd_write(event, 1);
		return refuse_armed();
	}
	signals = queue->operations->signals(queue);
	if (queue->armed && signals == queue->armed_signals)
		return refuse_armed();
	entry = entry_take(ring);
	if (!entry)
		return -EBUSY;
	queue->armed = false;
	if (queue->operations->ready(queue))
		io_uring_prep_nop(entry);
	else
		poll_prepare(queue, ring, entry, signals);
	io_uring_sqe_set_data64(entry, user_data);
	queue->armed_data = user_data;
	return 0;
}

int accel_queues_arm(struct accel_queue *const *queues, uint32_t count,
		     struct io_uring *ring, const uint64_t *user_data)
{
	if (count && (!queues || !user_data))
		return accel_error(-EINVAL, "accel_queues_arm: NULL");
	for (uint32_t i = 0; i < count; i++) {
		int ret = accel_queue_arm(queues[i], ring, user_data[i]);

		if (ret && ret != -EALREADY)
			return i ? (int)i : ret;
	}
	return (int)count;
}

int accel_queue_disarm(struct accel_queue *queue, struct io_uring *ring)
{
	struct io_uring_sqe *entry;

	if (!queue || !ring)
		return accel_error(-EINVAL, "accel_queue_disarm: NULL");
	if (!queue->armed)
		return accel_error(-ENOENT, "the queue is not armed");
	entry = entry_take(ring);
	if (!entry)
		return -EBUSY;
	/* By descriptor, of which there is one poll: programs reuse user_data. */
	io_uring_prep_cancel_fd(entry, queue->operations->fd(queue), 0);
	entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
	io_uring_sqe_set_data64(entry, queue->armed_data);
	queue->armed = false;
	return 0;
}
