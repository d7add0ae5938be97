/* SPDX-License-Identifier: MIT */
/* Waits in a ring, in which files and sockets can be waited for, too. */
#include <accel/accel.h>
#include <liburing.h>
#include <stdio.h>

int main(void)
{
	struct accel_operation nops[32] = { { .opcode = ACCEL_OPERATION_NOP } };
	struct __kernel_timespec deadline = { .tv_sec = 60 };
	struct accel_completion done[32];
	struct accel_device *device;
	struct accel_queue *queue;
	struct io_uring_cqe *event = NULL;
	struct io_uring ring;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue) ||
	    accel_queue_submit(queue, nops, 32) != 32)
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	if (io_uring_queue_init(8, &ring, 0))
		return fprintf(stderr, "no io_uring here\n"), 1;
	while (accel_queue_outstanding(queue)) {
		if (accel_queue_arm(queue, &ring, 7))
			return fprintf(stderr, "%s\n", accel_last_error()), 1;
		io_uring_submit_and_wait_timeout(&ring, &event, 1, &deadline,
						 NULL);
		if (!event)
			return fprintf(stderr, "nothing in a minute\n"), 1;
		if (event->user_data == 7)
			while (accel_queue_reap(queue, done, 32) > 0)
				;
		io_uring_cqe_seen(&ring, event);
	}
	accel_queue_destroy(queue);
	io_uring_queue_exit(&ring);
	accel_device_close(device);
	return 0;
}
