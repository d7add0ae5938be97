/* SPDX-License-Identifier: MIT */
/* A program's own io_uring waits for queues. */
#include "check.h"
#include "conformance.h"
#include "device.h"

#include <accel/uring.h>

#include <errno.h>
#include <liburing.h>

#define ENTRIES 8
#define MARK 77

static void ring_open(struct io_uring *ring)
{
	CHECK_OK(io_uring_queue_init(ENTRIES, ring, 0));
}

/* The next completion of the ring, or -ETIME. */
static int ring_wait(struct io_uring *ring, uint64_t *user_data, int64_t ns)
{
	struct __kernel_timespec timeout = { .tv_sec = ns / ACCEL_SECOND,
					     .tv_nsec = ns % ACCEL_SECOND };
	struct io_uring_cqe *entry = NULL;
	int ret = io_uring_wait_cqe_timeout(ring, &entry, &timeout);

	if (ret)
		return ret;
	*user_data = io_uring_cqe_get_data64(entry);
	ret = entry->res;
	io_uring_cqe_seen(ring, entry);
	return ret;
}

/* Until the queue has given one: alarms may be false. */
static void reap_by_ring(struct accel_queue *queue, struct io_uring *ring,
			 uint64_t expected)
{
	struct accel_completion completion;
	uint64_t user_data = 0;
	int ret = 0;

	while (!accel_queue_reap(queue, &completion, 1)) {
		ret = accel_queue_arm(queue, ring, MARK);
		CHECK(!ret || ret == -EALREADY);
		CHECK(io_uring_submit(ring) >= 0);
		CHECK(ring_wait(ring, &user_data, PATIENCE) >= 0);
		CHECK_EQUAL((int64_t)user_data, MARK);
	}
	CHECK_EQUAL((int64_t)completion.user_data, (int64_t)expected);
	CHECK_OK(completion.status);
}

static void no_wake_up_is_lost(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	struct io_uring ring;

	ring_open(&ring);
	for (uint64_t i = 1; i <= 50; i++) {
		const struct accel_operation one = nop(i);

		CHECK_EQUAL(accel_queue_submit(queue, &one, 1), 1);
		/* By now it may have completed, or not. */
		reap_by_ring(queue, &ring, i);
	}
	io_uring_queue_exit(&ring);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

/* Armed while nothing is outstanding: the operation comes afterwards. */
static void arming_comes_first(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	const struct accel_operation one = nop(5);
	struct accel_completion completion;
	struct io_uring ring;
	uint64_t user_data = 0;

	ring_open(&ring);
	CHECK_OK(accel_queue_arm(queue, &ring, MARK));
	CHECK_FAILS(accel_queue_arm(queue, &ring, MARK), -EALREADY);
	CHECK_EQUAL(io_uring_submit(&ring), 1);
	CHECK_EQUAL(ring_wait(&ring, &user_data, 20 * ACCEL_MILLISECOND),
		    -ETIME);
	CHECK_EQUAL(accel_queue_submit(queue, &one, 1), 1);
	CHECK(ring_wait(&ring, &user_data, PATIENCE) >= 0);
	CHECK_EQUAL((int64_t)user_data, MARK);
	CHECK_EQUAL(accel_queue_wait(queue, &completion, 1, 1, PATIENCE), 1);
	CHECK_EQUAL((int64_t)completion.user_data, 5);
	io_uring_queue_exit(&ring);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void arming_is_taken_back(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	struct io_uring ring;
	uint64_t user_data = 0;

	ring_open(&ring);
	CHECK_FAILS(accel_queue_disarm(queue, &ring), -ENOENT);
	CHECK_OK(accel_queue_arm(queue, &ring, MARK));
	CHECK_EQUAL(io_uring_submit(&ring), 1);
	CHECK_OK(accel_queue_disarm(queue, &ring));
	CHECK_EQUAL(io_uring_submit(&ring), 1);
	CHECK_EQUAL(ring_wait(&ring, &user_data, PATIENCE), -ECANCELED);
	CHECK_EQUAL((int64_t)user_data, MARK);
	CHECK_FAILS(accel_queue_arm(NULL, &ring, MARK), -EINVAL);
	CHECK_FAILS(accel_queue_arm(queue, NULL, MARK), -EINVAL);
	io_uring_queue_exit(&ring);
	queue_works(queue);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

/* Queues of this device and of others in one ring. */
static void devices_share_a_ring(void)
{
	struct accel_device *devices[] = { device_open(),
					   device_open_uri("nil:"),
					   device_open_uri("cpu:") };
	static const uint64_t marks[] = { 0, 1, 2 };
	struct accel_queue *queues[3];
	unsigned int woken = 0;
	struct io_uring ring;

	ring_open(&ring);
	for (int i = 0; i < 3; i++)
		queues[i] = queue_create(devices[i], 4);
	CHECK_EQUAL(accel_queues_arm(queues, 3, &ring, marks), 3);
	CHECK_EQUAL(io_uring_submit(&ring), 3);
	for (uint64_t i = 0; i < 3; i++) {
		const struct accel_operation one = nop(i);

		CHECK_EQUAL(accel_queue_submit(queues[i], &one, 1), 1);
	}
	for (int i = 0; i < 3; i++) {
		uint64_t user_data = 3;

		CHECK(ring_wait(&ring, &user_data, PATIENCE) >= 0);
		CHECK(user_data < 3);
		woken |= 1u << user_data;
	}
	CHECK_EQUAL(woken, 7);
	io_uring_queue_exit(&ring);
	for (int i = 0; i < 3; i++) {
		accel_queue_destroy(queues[i]);
		accel_device_close(devices[i]);
	}
}

static void a_full_ring_is_busy(void)
{
	struct accel_device *device = device_open();
	struct accel_queue *queue = queue_create(device, 4);
	struct io_uring ring;

	ring_open(&ring);
	while (io_uring_get_sqe(&ring))
		;
	CHECK_FAILS(accel_queue_arm(queue, &ring, MARK), -EBUSY);
	io_uring_queue_exit(&ring);
	queue_works(queue);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

const struct test ring_tests[] = {
	{ "no wake-up is lost", no_wake_up_is_lost, 0 },
	{ "a queue can be armed before it has work", arming_comes_first, 0 },
	{ "arming can be taken back", arming_is_taken_back, 0 },
	{ "devices share a ring", devices_share_a_ring, 0 },
	{ "a full ring is busy", a_full_ring_is_busy, 0 },
	{ 0 },
};
