/* SPDX-License-Identifier: MIT */
/* One ring for two devices: whichever completes first is reaped first. */
#include <accel/accel.h>
#include <liburing.h>
#include <stdio.h>

static int step(struct io_uring *ring, struct accel_queue *const *queues)
{
	const uint64_t numbers[2] = { 0, 1 };
	struct __kernel_timespec deadline = { .tv_sec = 60 };
	struct accel_completion done[32];
	struct io_uring_cqe *event = NULL;

	if (accel_queues_arm(queues, 2, ring, numbers) != 2)
		return fprintf(stderr, "%s\n", accel_last_error());
	io_uring_submit_and_wait_timeout(ring, &event, 1, &deadline, NULL);
	if (!event)
		return fprintf(stderr, "nothing in a minute\n");
	while (accel_queue_reap(queues[event->user_data], done, 32) > 0)
		;
	io_uring_cqe_seen(ring, event);
	return 0;
}

int main(void)
{
	const char *uris[2] = { "sim:", "cpu:" };
	struct accel_operation nops[32] = { { .opcode = ACCEL_OPERATION_NOP } };
	struct accel_device *devices[2];
	struct accel_queue *queues[2];
	struct io_uring ring;

	for (int i = 0; i < 2; i++)
		if (accel_device_open(uris[i], NULL, &devices[i]) ||
		    accel_queue_create(devices[i], NULL, &queues[i]) ||
		    accel_queue_submit(queues[i], nops, 32) != 32)
			return fprintf(stderr, "%s\n", accel_last_error()), 1;
	if (io_uring_queue_init(8, &ring, 0))
		return fprintf(stderr, "no io_uring here\n"), 1;
	while (accel_queue_outstanding(queues[0]) ||
	       accel_queue_outstanding(queues[1]))
		if (step(&ring, queues))
			return 1;
	io_uring_queue_exit(&ring);
	for (int i = 0; i < 2; i++) {
		accel_queue_destroy(queues[i]);
		accel_device_close(devices[i]);
	}
	return 0;
}
