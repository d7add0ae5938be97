/* SPDX-License-Identifier: MIT */
/* Host memory has an address; device memory is reached by copies only. */
#include <accel/accel.h>
#include <errno.h>
#include <stdio.h>

int main(void)
{
	struct accel_device *device;
	struct accel_buffer *host, *remote;
	void *address;

	if (accel_device_open("sim:", NULL, &device) ||
	    accel_buffer_create(device, ACCEL_MEMORY_HOST, 4096, &host) ||
	    accel_buffer_create(device, ACCEL_MEMORY_DEVICE, 4096, &remote) ||
	    accel_buffer_map(host, &address))
		return fprintf(stderr, "%s\n", accel_last_error()), 1;
	printf("the first byte is %d\n", *(char *)address);
	if (accel_buffer_map(remote, &address) != -ENOTSUP)
		return 1;
	printf("%s\n", accel_last_error());
	accel_buffer_destroy(host);
	accel_buffer_destroy(remote);
	accel_device_close(device);
	return 0;
}
