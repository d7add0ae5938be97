/* SPDX-License-Identifier: MIT */
/* Waits with poll(), as a program does that has sockets, too. */
#include <accel/accel.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	struct accel_operation nops[32] = { { .opcode = ACCEL_OPERATION_NOP } };
	struct accel_completion done[32];
	struct accel_device *device;
	struct accel_queue *queue;
	struct pollfd poller = { .events = POLLIN };
	uint64_t counter;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	poller.fd = accel_queue_fd(queue);
	if (poller.fd < 0 || accel_queue_submit(queue, nops, 32) != 32)
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	while (accel_queue_outstanding(queue)) {
		if (poll(&poller, 1, 60000) != 1 ||
		    read(poller.fd, &counter, sizeof(counter)) < 0)
			return perror("poll"), 1;
		while (accel_queue_reap(queue, done, 32) > 0)
			;
	}
	accel_queue_destroy(queue);
	accel_device_close(device);
	return 0;
}
