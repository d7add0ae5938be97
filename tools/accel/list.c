/* SPDX-License-Identifier: MIT */
/* accel list: the devices that need no search; cards will be found here, too. */
#include "command.h"
#include "options.h"

#include <accel/device.h>

#include <stdio.h>

/* Devices that need no discovery. */
static const char *const built_in[] = { "sim:", "cpu:", "nil:" };

/* Opened, not merely named: a device that is listed works. */
static int list_devices(void)
{
	for (size_t i = 0; i < sizeof(built_in) / sizeof(*built_in); i++) {
		struct accel_device_info info = { .size = sizeof(info) };
		struct accel_device *device = NULL;
		int ret = accel_device_open(built_in[i], NULL, &device);

		if (!ret)
			ret = accel_device_get_info(device, &info);
		if (!ret)
			printf("%-8s %s\n", built_in[i], info.name);
		accel_device_close(device);
		if (ret)
			return ret;
	}
	return 0;
}

int command_list(int count, char **arguments)
{
	const struct option options[] = { { .name = NULL } };
	const struct option_usage usage = {
		.command = "list",
		.synopsis = "",
		.about =
			"Lists the devices that `accel run --device` can name here.",
		.options = options,
	};
	int status;

	if (!options_parse(&usage, count, arguments, NULL, &status))
		return status;
	return list_devices() ? command_fail("list") : STATUS_OK;
}
