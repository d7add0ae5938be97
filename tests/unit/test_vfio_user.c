/* SPDX-License-Identifier: MIT */
/* A device of the library behind a socket: its server comes and goes. */
#include "unit.h"

#include "folder.h"
#include "served.h"

#include <accel/accel.h>
#include <errno.h>
#include <stdio.h>

#define COPY_BYTES (3ul << 20)

/* Through device memory and back. 0 or the first error. */
static int copy_both_ways(struct accel_queue *queue, struct accel_buffer *host,
			  struct accel_buffer *far)
{
	const struct accel_operation operations[] = {
		{ .opcode = ACCEL_OPERATION_COPY,
		  .copy = { host, far, 0, 0, COPY_BYTES } },
		{ .opcode = ACCEL_OPERATION_COPY,
		  .copy = { far, host, 0, COPY_BYTES, COPY_BYTES } },
	};
	struct accel_completion done[2];
	void *address;
	uint8_t *bytes;
	int ret;

	ret = accel_buffer_map(host, &address);
	if (ret)
		return ret;
	bytes = address;
	for (size_t i = 0; i < COPY_BYTES; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 4096);
	ret = accel_queue_submit(queue, operations, 2);
	if (ret != 2)
		return ret;
	ret = accel_queue_wait(queue, done, 2, 2, 10 * ACCEL_SECOND);
	if (ret != 2)
		return ret < 0 ? ret : -ETIMEDOUT;
	if (!done[0].status && !done[1].status)
		assert_memory_equal(bytes, bytes + COPY_BYTES, COPY_BYTES);
	return done[0].status ? done[0].status : done[1].status;
}

static int copies(struct accel_device *device)
{
	struct accel_buffer *host = NULL, *far = NULL;
	struct accel_queue *queue = NULL;
	int ret;

	ret = accel_buffer_create(device, ACCEL_MEMORY_HOST, 2 * COPY_BYTES,
				  &host);
	if (!ret)
		ret = accel_buffer_create(device, ACCEL_MEMORY_DEVICE,
					  COPY_BYTES, &far);
	if (!ret)
		ret = accel_queue_create(device, NULL, &queue);
	if (!ret)
		ret = copy_both_ways(queue, host, far);
	accel_queue_destroy(queue);
	accel_buffer_destroy(far);
	accel_buffer_destroy(host);
	return ret;
}

static void test_server_restarts(void **state)
{
	struct accel_device *device;
	struct served served;
	char path[256], uri[300];

	snprintf(path, sizeof(path), "%s", folder_path(*state, "socket"));
	snprintf(uri, sizeof(uri), "vfio-user:%s", path);
	served_start(&served, path);
	assert_int_equal(accel_device_open(uri, NULL, &device), 0);
	assert_int_equal(copies(device), 0);
	assert_int_equal(accel_device_reset(device), 0);
	assert_int_equal(copies(device), 0);

	/* Gone: errors, at once. Back: a reset, and all is well again. */
	served_stop(&served, path);
	assert_true(copies(device) < 0);
	assert_true(accel_device_reset(device) < 0);
	served_start(&served, path);
	assert_int_equal(accel_device_reset(device), 0);
	assert_int_equal(copies(device), 0);
	accel_device_close(device);
	served_stop(&served, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(test_server_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
