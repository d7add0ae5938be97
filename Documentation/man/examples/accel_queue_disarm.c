/* SPDX-License-Identifier: MIT */
/* Leaves a ring in which a queue without work is waited for. */
#include <accel/accel.h>
#include <errno.h>
#include <liburing.h>
#include <stdio.h>

int main(void)
{
	struct __kernel_timespec deadline = { .tv_sec = 60 };
	struct accel_device *device;
	struct accel_queue *queue;
	struct io_uring_cqe *event = NULL;
	struct io_uring ring;
	int result;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	if (io_uring_queue_init(8, &ring, 0))
		return fprintf(stderr, "no io_uring here\n"), 1;
	if (accel_queue_arm(queue, &ring, 7) ||
	    accel_queue_disarm(queue, &ring))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	io_uring_submit_and_wait_timeout(&ring, &event, 1, &deadline, NULL);
	if (!event)
		return fprintf(stderr, "nothing in a minute\n"), 1;
	result = event->res;
	io_uring_cqe_seen(&ring, event);
	accel_queue_destroy(queue);
	io_uring_queue_exit(&ring);
	accel_device_close(device);
	return result != -ECANCELED;
}
