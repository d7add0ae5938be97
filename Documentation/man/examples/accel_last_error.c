/* SPDX-License-Identifier: MIT */
#include <accel/accel.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	struct accel_device *device;
	int ret = accel_device_open("tpu:", NULL, &device);

	printf("%s: %s\n", strerror(-ret), accel_last_error());
	return ret == 0;
}
