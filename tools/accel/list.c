/* SPDX-License-Identifier: MIT */
/* accel list: what this machine can run a model on. */
#include "card.h"
#include "card_print.h"
#include "command.h"
#include "json_print.h"
#include "options.h"

#include <accel/device.h>

#include <stdio.h>

/* Devices that need no discovery. */
static const char *const built_in[] = { "sim:", "cpu:", "nil:" };

#define BUILT_IN_COUNT (sizeof(built_in) / sizeof(*built_in))
#define NAME_SIZE 128

/* Opened, not merely named: a device that is listed works. */
static int read_name(const char *uri, char name[NAME_SIZE])
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device *device = NULL;
	int ret = accel_device_open(uri, NULL, &device);

	if (!ret)
		ret = accel_device_get_info(device, &info);
	if (!ret)
		snprintf(name, NAME_SIZE, "%s", info.name);
	accel_device_close(device);
	return ret;
}

static int print_built_in(void)
{
	char name[NAME_SIZE];

	for (size_t i = 0; i < BUILT_IN_COUNT; i++) {
		int ret = read_name(built_in[i], name);

		if (ret)
			return ret;
		printf("%-13s %s\n", built_in[i], name);
	}
	return 0;
}

static int print_all(const struct card_list *list)
{
	if (list->count)
		card_print_head();
	for (int i = 0; i < list->count; i++)
		card_print_row(&list->cards[i]);
	return print_built_in();
}

static int append_built_in(json_t *devices)
{
	char name[NAME_SIZE];

	for (size_t i = 0; i < BUILT_IN_COUNT; i++) {
		int ret = read_name(built_in[i], name);

		if (ret)
			return ret;
		json_array_append_new(devices,
				      json_pack("{s:s, s:s}", "uri",
						built_in[i], "name", name));
	}
	return 0;
}

static int print_all_json(const struct card_list *list)
{
	json_t *cards = json_array(), *others = json_array();
	int ret;

	for (int i = 0; i < list->count; i++)
		json_array_append_new(cards, card_json(&list->cards[i]));
	ret = append_built_in(others);
	if (ret) {
		json_decref(cards);
		json_decref(others);
		return ret;
	}
	return json_print(
		json_pack("{s:o, s:o}", "pci", cards, "built_in", others));
}

static int list_devices(bool json)
{
	struct card_list list;
	int ret = card_list_find(&list);

	if (ret)
		return ret;
	ret = json ? print_all_json(&list) : print_all(&list);
	card_list_free(&list);
	return ret;
}

int command_list(int count, char **arguments)
{
	bool json = false;
	const struct option options[] = {
		{ "json", 0, OPTION_FLAG, &json, NULL, "print it as JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "list",
		.synopsis = "[--json]",
		.about =
			"Lists the devices that `accel run --device` can name here. A PCI device has a\n"
			"URI once a driver is bound to it, see accel bind.",
		.options = options,
	};
	int status;

	if (!options_parse(&usage, count, arguments, NULL, &status))
		return status;
	return list_devices(json) ? command_fail("list") : STATUS_OK;
}
