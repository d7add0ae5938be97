/* SPDX-License-Identifier: MIT */
/* One io_uring waits for queues of several devices, sockets and files. */
#include "unit.h"

#include "folder.h"
#include "published.h"
#include "served.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PATIENCE (20 * ACCEL_SECOND)
#define DEPTH 8
#define SOCKET_DATA 1000
#define FILE_DATA 1001
#define THREADS 2
#define ROUNDS 1500

static const char *const uris[] = { "nil:", "cpu:", "sim:" };

#define URIS (sizeof(uris) / sizeof(uris[0]))

static struct accel_queue *queue_create(struct accel_device *device)
{
	struct accel_queue_options options = { .size = sizeof(options),
					       .depth = DEPTH };
	struct accel_queue *queue;

	if (accel_queue_create(device, &options, &queue))
		fail_msg("queue: %s", accel_last_error());
	return queue;
}

static void submit(struct accel_queue *queue, uint32_t count)
{
	struct accel_operation operations[DEPTH] = { 0 };

	assert_int_equal(accel_queue_submit(queue, operations, count), count);
}

/* Until one comes: its user_data; the result goes to *result. */
static uint64_t ring_wait(struct io_uring *ring, int *result)
{
	struct __kernel_timespec timeout = { .tv_sec = 20 };
	struct io_uring_cqe *completion = NULL;
	uint64_t data;
	int ret;

	do
		ret = io_uring_submit_and_wait_timeout(ring, &completion, 1,
						       &timeout, NULL);
	while (ret == -EINTR);
	if (!completion)
		fail_msg("nothing came: %d", ret);
	data = completion->user_data;
	*result = completion->res;
	io_uring_cqe_seen(ring, completion);
	return data;
}

static bool ring_is_silent(struct io_uring *ring)
{
	struct __kernel_timespec timeout = { .tv_nsec = 20000000 };
	struct io_uring_cqe *completion = NULL;

	io_uring_submit_and_wait_timeout(ring, &completion, 1, &timeout, NULL);
	return !completion;
}

/* Arms and reaps until so many are taken; false alarms are allowed. */
static void take(struct io_uring *ring, struct accel_queue *queue,
		 uint64_t data, uint32_t count)
{
	struct accel_completion completions[DEPTH];

	while (count) {
		int result, got;

		assert_int_equal(accel_queue_arm(queue, ring, data), 0);
		assert_int_equal(ring_wait(ring, &result), data);
		assert_true(result >= 0);
		while ((got = accel_queue_reap(queue, completions, DEPTH)))
			count -= (uint32_t)got;
	}
}

static void completions_wake_before_and_after_arming(void **state)
{
	struct accel_completion completions[DEPTH];
	struct io_uring *ring = *state;

	for (size_t i = 0; i < URIS; i++) {
		struct accel_device *device = device_open(uris[i]);
		struct accel_queue *queue = queue_create(device);
		int result;

		/* Before: nobody had asked for a descriptor. */
		submit(queue, 1);
		while (!accel_queue_reap(queue, completions, 1))
			;
		submit(queue, 3);
		take(ring, queue, 7, 3);
		/* After. */
		assert_int_equal(accel_queue_arm(queue, ring, 8), 0);
		submit(queue, 2);
		assert_int_equal(ring_wait(ring, &result), 8);
		accel_queue_wait(queue, completions, 2, DEPTH, PATIENCE);
		assert_int_equal(accel_queue_outstanding(queue), 0);
		accel_queue_destroy(queue);
		accel_device_close(device);
	}
}

static void an_armed_queue_is_armed_once(void **state)
{
	struct accel_completion completion;
	struct io_uring *ring = *state;
	struct accel_device *device = device_open("nil:");
	struct accel_queue *queue = queue_create(device);
	int result;

	assert_int_equal(accel_queue_arm(queue, ring, 1), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(accel_queue_arm(queue, ring, 1), -EALREADY);
	assert_true(ring_is_silent(ring));
	/* Looking by hand is no reason for a second one. */
	assert_int_equal(accel_queue_reap(queue, &completion, 1), 0);
	assert_int_equal(accel_queue_arm(queue, ring, 1), -EALREADY);
	submit(queue, 1);
	assert_int_equal(ring_wait(ring, &result), 1);
	assert_true(ring_is_silent(ring));
	assert_int_equal(accel_queue_reap(queue, &completion, 1), 1);
	assert_int_equal(accel_queue_arm(queue, ring, 1), 0);
	assert_true(ring_is_silent(ring));
	assert_int_equal(accel_queue_disarm(queue, ring), 0);
	assert_int_equal(ring_wait(ring, &result), 1);
	assert_int_equal(result, -ECANCELED);
	assert_true(ring_is_silent(ring));
	assert_int_equal(accel_queue_disarm(queue, ring), -ENOENT);
	assert_int_equal(accel_queue_arm(queue, ring, 2), 0);
	submit(queue, 1);
	assert_int_equal(ring_wait(ring, &result), 2);
	/* Disarmed after all: it had completed. */
	assert_int_equal(accel_queue_disarm(queue, ring), 0);
	assert_int_equal(ring_wait(ring, &result), 2);
	assert_int_equal(result, -ENOENT);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

/* So many completions come for all that was armed, and none later. */
static void expect_events(struct io_uring *ring, uint32_t count)
{
	int result;

	for (uint32_t i = 0; i < count; i++)
		ring_wait(ring, &result);
	assert_true(ring_is_silent(ring));
}

/* Signals that are taken before a poll is submitted do not make room for another. */
static void an_entry_is_not_put_twice(void **state)
{
	struct accel_completion completions[DEPTH];
	struct io_uring *ring = *state;

	for (size_t i = 0; i < URIS; i++) {
		struct accel_device *device = device_open(uris[i]);
		struct accel_queue *queue = queue_create(device);

		assert_int_equal(accel_queue_arm(queue, ring, 1), 0);
		submit(queue, 2);
		while (accel_queue_outstanding(queue))
			accel_queue_reap(queue, completions, DEPTH);
		assert_int_equal(accel_queue_arm(queue, ring, 1), -EALREADY);
		submit(queue, 1);
		accel_queue_wait(queue, completions, 1, DEPTH, PATIENCE);
		assert_int_equal(accel_queue_arm(queue, ring, 1), -EALREADY);
		expect_events(ring, 1);
		/* Taken back, there is nothing left that could fire. */
		accel_queue_arm(queue, ring, 1);
		io_uring_submit(ring);
		assert_int_equal(accel_queue_disarm(queue, ring), 0);
		assert_int_equal(accel_queue_arm(queue, ring, 1), 0);
		expect_events(ring, 1);
		submit(queue, 1);
		accel_queue_wait(queue, completions, 1, DEPTH, PATIENCE);
		expect_events(ring, 1);
		accel_queue_destroy(queue);
		accel_device_close(device);
	}
}

static void a_full_ring_is_told(void **state)
{
	struct accel_queue *queues[3];
	const uint64_t data[3] = { 0, 1, 2 };
	struct accel_device *device = device_open("cpu:");
	struct io_uring ring;
	int result;

	(void)state;
	assert_int_equal(io_uring_queue_init(2, &ring, 0), 0);
	for (int i = 0; i < 3; i++)
		queues[i] = queue_create(device);
	assert_int_equal(accel_queues_arm(queues, 3, &ring, data), 2);
	assert_int_equal(accel_queue_arm(queues[2], &ring, 2), -EBUSY);
	assert_int_equal(accel_queue_disarm(queues[0], &ring), -EBUSY);
	assert_int_equal(accel_queues_arm(queues + 2, 1, &ring, data), -EBUSY);
	assert_int_equal(io_uring_submit(&ring), 2);
	assert_int_equal(accel_queues_arm(queues, 3, &ring, data), 3);
	submit(queues[2], 1);
	assert_int_equal(ring_wait(&ring, &result), 2);
	assert_int_equal(accel_queue_arm(NULL, &ring, 2), -EINVAL);
	assert_int_equal(accel_queue_arm(queues[0], NULL, 2), -EINVAL);
	assert_int_equal(accel_queue_disarm(queues[0], NULL), -EINVAL);
	assert_int_equal(accel_queues_arm(NULL, 1, &ring, data), -EINVAL);
	for (int i = 0; i < 3; i++)
		accel_queue_destroy(queues[i]);
	io_uring_queue_exit(&ring);
	accel_device_close(device);
}

static void a_wait_is_woken_while_armed(void **state)
{
	struct accel_completion completions[DEPTH];
	struct io_uring *ring = *state;
	struct accel_device *device = device_open("sim:");
	struct accel_queue *queue = queue_create(device);

	for (int i = 0; i < 200; i++) {
		int ret = accel_queue_arm(queue, ring, 5);

		assert_true(!ret || ret == -EALREADY);
		io_uring_submit(ring);
		submit(queue, DEPTH);
		assert_int_equal(accel_queue_wait(queue, completions, DEPTH,
						  DEPTH, PATIENCE),
				 DEPTH);
		io_uring_cq_advance(ring, io_uring_cq_ready(ring));
	}
	accel_queue_destroy(queue);
	accel_device_close(device);
}

static void *reset_later(void *device)
{
	usleep(20000);
	accel_device_reset(device);
	return NULL;
}

static void a_reset_wakes(void **state)
{
	struct io_uring *ring = *state;
	struct accel_device *device = device_open("sim:");
	struct accel_queue *queue = queue_create(device);
	pthread_t thread;
	int result;

	take(ring, queue, 3, 0);
	assert_int_equal(accel_queue_arm(queue, ring, 3), 0);
	assert_int_equal(pthread_create(&thread, NULL, reset_later, device), 0);
	assert_int_equal(ring_wait(ring, &result), 3);
	pthread_join(thread, NULL);
	submit(queue, 1);
	take(ring, queue, 4, 1);
	accel_queue_destroy(queue);
	accel_device_close(device);
}

/**
 * struct loop - a program's own loop
 * @queues: of all devices
 * @left: operations that each has still to complete
 * @file: 8 KiB, read piece by piece
 * @sockets: a pair: what goes into one comes out of the other
 * @read: bytes of the file so far
 * @received: bytes from the socket so far
 */
struct loop {
	struct io_uring ring;
	struct accel_device *devices[URIS + 1];
	struct accel_queue *queues[URIS + 1];
	uint32_t left[URIS + 1];
	int file;
	int sockets[2];
	uint32_t read;
	uint32_t received;
	char piece[128];
	char message[64];
};

#define LOOP_BYTES 8192
#define LOOP_OPERATIONS 600

static void loop_file(struct loop *loop)
{
	struct io_uring_sqe *entry = io_uring_get_sqe(&loop->ring);

	io_uring_prep_read(entry, loop->file, loop->piece, sizeof(loop->piece),
			   loop->read);
	io_uring_sqe_set_data64(entry, FILE_DATA);
}

static void loop_socket(struct loop *loop)
{
	struct io_uring_sqe *entry = io_uring_get_sqe(&loop->ring);

	io_uring_prep_recv(entry, loop->sockets[0], loop->message,
			   sizeof(loop->message), 0);
	io_uring_sqe_set_data64(entry, SOCKET_DATA);
	assert_int_equal(send(loop->sockets[1], loop->piece,
			      sizeof(loop->message), 0),
			 sizeof(loop->message));
}

static void loop_queue(struct loop *loop, uint64_t number)
{
	struct accel_queue *queue = loop->queues[number];
	struct accel_completion completions[DEPTH];
	int got;

	while ((got = accel_queue_reap(queue, completions, DEPTH)) > 0)
		loop->left[number] -= (uint32_t)got;
	assert_int_equal(got, 0);
	if (!accel_queue_outstanding(queue) && loop->left[number])
		submit(queue,
		       loop->left[number] < DEPTH ? loop->left[number] : DEPTH);
	if (loop->left[number])
		assert_int_equal(accel_queue_arm(queue, &loop->ring, number),
				 0);
}

static bool loop_goes_on(const struct loop *loop)
{
	uint32_t left = 0;

	for (size_t i = 0; i <= URIS; i++)
		left += loop->left[i];
	return left || loop->read < LOOP_BYTES || loop->received < LOOP_BYTES;
}

static void loop_step(struct loop *loop)
{
	int result;
	uint64_t data = ring_wait(&loop->ring, &result);

	assert_true(result >= 0);
	if (data == FILE_DATA) {
		loop->read += (uint32_t)result;
		if (loop->read < LOOP_BYTES)
			loop_file(loop);
	} else if (data == SOCKET_DATA) {
		loop->received += (uint32_t)result;
		if (loop->received < LOOP_BYTES)
			loop_socket(loop);
	} else {
		assert_in_range(data, 0, URIS);
		loop_queue(loop, data);
	}
}

static void loop_open(struct loop *loop, const char *served_uri)
{
	char path[] = "/tmp/accel-test-XXXXXX";

	assert_int_equal(io_uring_queue_init(16, &loop->ring, 0), 0);
	loop->file = mkstemp(path);
	assert_true(loop->file >= 0);
	unlink(path);
	assert_int_equal(ftruncate(loop->file, LOOP_BYTES), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, loop->sockets), 0);
	for (uint64_t i = 0; i <= URIS; i++) {
		loop->devices[i] = device_open(i < URIS ? uris[i] : served_uri);
		loop->queues[i] = queue_create(loop->devices[i]);
		loop->left[i] = LOOP_OPERATIONS;
		loop_queue(loop, i);
	}
	loop_file(loop);
	loop_socket(loop);
}

static void loop_close(struct loop *loop)
{
	for (size_t i = 0; i <= URIS; i++) {
		accel_queue_destroy(loop->queues[i]);
		accel_device_close(loop->devices[i]);
	}
	close(loop->file);
	close(loop->sockets[0]);
	close(loop->sockets[1]);
	io_uring_queue_exit(&loop->ring);
}

static void one_ring_waits_for_everything(void **state)
{
	const char *socket = folder_path(*state, "socket");
	char uri[FOLDER_PATH + 16];
	static struct loop loop;
	struct served served;

	snprintf(uri, sizeof(uri), "vfio-user:%s", socket);
	served_start(&served, socket);
	loop_open(&loop, uri);
	while (loop_goes_on(&loop))
		loop_step(&loop);
	loop_close(&loop);
	served_stop(&served, socket);
}

/* Assertions of cmocka work in the main thread only. */
struct racer {
	pthread_t thread;
	struct accel_device *device;
	uint32_t seed;
	const char *failure;
};

static uint32_t racer_random(struct racer *racer)
{
	racer->seed = racer->seed * 1664525 + 1013904223;
	return racer->seed >> 16;
}

/* One round: work, a moment of any length, arm, and wait for the ring alone. */
static const char *race(struct racer *racer, struct io_uring *ring,
			struct accel_queue *queue)
{
	struct __kernel_timespec timeout = { .tv_sec = 20 };
	struct accel_operation operations[DEPTH] = { 0 };
	struct accel_completion completions[DEPTH];
	struct io_uring_cqe *completion = NULL;
	uint32_t count = 1 + racer_random(racer) % DEPTH;
	int ret;

	if (accel_queue_submit(queue, operations, count) != (int)count)
		return "submit";
	for (uint32_t i = racer_random(racer) % 4096; i; i--)
		__asm__ volatile("");
	while (accel_queue_outstanding(queue)) {
		ret = accel_queue_arm(queue, ring, 9);
		if (ret && ret != -EALREADY)
			return "arm";
		if (racer_random(racer) % 4 == 0)
			accel_queue_reap(queue, completions, 1);
		io_uring_submit_and_wait_timeout(ring, &completion, 1, &timeout,
						 NULL);
		if (!completion)
			return "a wake-up was lost";
		io_uring_cq_advance(ring, io_uring_cq_ready(ring));
		while (accel_queue_reap(queue, completions, DEPTH) > 0)
			;
	}
	return NULL;
}

static void *racer_run(void *argument)
{
	struct racer *racer = argument;
	struct accel_queue *queue;
	struct io_uring ring;

	if (accel_queue_create(racer->device, NULL, &queue) ||
	    io_uring_queue_init(8, &ring, 0)) {
		racer->failure = "create";
		return NULL;
	}
	for (int i = 0; i < ROUNDS && !racer->failure; i++)
		racer->failure = race(racer, &ring, queue);
	accel_queue_destroy(queue);
	io_uring_queue_exit(&ring);
	return NULL;
}

static void no_wake_up_is_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < URIS; i++) {
		struct accel_device *device = device_open(uris[i]);
		struct racer racers[THREADS] = { 0 };

		for (uint32_t j = 0; j < THREADS; j++) {
			racers[j].device = device;
			racers[j].seed = j;
			assert_int_equal(pthread_create(&racers[j].thread, NULL,
							racer_run, &racers[j]),
					 0);
		}
		for (uint32_t j = 0; j < THREADS; j++) {
			pthread_join(racers[j].thread, NULL);
			if (racers[j].failure)
				fail_msg("%s: %s", uris[i], racers[j].failure);
		}
		accel_device_close(device);
	}
}

static struct io_uring shared_ring;

static int ring_setup(void **state)
{
	*state = &shared_ring;
	return io_uring_queue_init(8, &shared_ring, 0);
}

static int ring_teardown(void **state)
{
	io_uring_queue_exit(*state);
	return 0;
}

#define WITH_RING(test) \
	cmocka_unit_test_setup_teardown(test, ring_setup, ring_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RING(completions_wake_before_and_after_arming),
		WITH_RING(an_armed_queue_is_armed_once),
		WITH_RING(an_entry_is_not_put_twice),
		cmocka_unit_test(a_full_ring_is_told),
		WITH_RING(a_wait_is_woken_while_armed),
		WITH_RING(a_reset_wakes),
		folder_test(one_ring_waits_for_everything),
		cmocka_unit_test(no_wake_up_is_lost),
	};
	int ret = io_uring_queue_init(8, &shared_ring, 0);

	if (ret) {
		printf("skipped: no io_uring here: %s\n", strerror(-ret));
		return EXIT_SKIP;
	}
	io_uring_queue_exit(&shared_ring);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
