/* SPDX-License-Identifier: MIT */
/* Copies 64 bytes through device memory and back. */
#include <accel/accel.h>
#include <stdio.h>
#include <string.h>

static int copy(struct accel_queue *queue, struct accel_buffer *to,
		struct accel_buffer *from)
{
	struct accel_operation operation = { .opcode = ACCEL_OPERATION_COPY };
	struct accel_completion done = { .status = -1 };

	operation.copy.source = from;
	operation.copy.destination = to;
	operation.copy.length = 64;
	if (accel_queue_submit(queue, &operation, 1) != 1 ||
	    accel_queue_wait(queue, &done, 1, 1, 60 * ACCEL_SECOND) != 1)
		return -1;
	return done.status;
}

int main(void)
{
	struct accel_device *device;
	struct accel_queue *queue;
	struct accel_buffer *host, *remote;
	void *bytes;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_queue_create(device, NULL, &queue) ||
	    accel_buffer_create(device, ACCEL_MEMORY_HOST, 64, &host) ||
	    accel_buffer_create(device, ACCEL_MEMORY_DEVICE, 64, &remote) ||
	    accel_buffer_map(host, &bytes))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	strcpy(bytes, "there and back again");
	if (copy(queue, remote, host))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	memset(bytes, 0, 64);
	if (copy(queue, host, remote))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	puts(bytes);
	accel_queue_destroy(queue);
	accel_buffer_destroy(host);
	accel_buffer_destroy(remote);
	accel_device_close(device);
	return 0;
}
