/* SPDX-License-Identifier: MIT */
/* accel info: one device, and what it reports of itself. */
#include "card.h"
#include "card_print.h"
#include "command.h"
#include "json_print.h"
#include "options.h"

#include <accel/device.h>

#include <inttypes.h>
#include <stdio.h>

/* A backend that simulates no array has no clusters to tell of. */
static void print_info(const struct accel_device_info *info)
{
	printf("%s: %s (%s)\n", info->uri, info->name, info->backend);
	if (info->clusters)
		printf("%" PRIu32 " clusters x %" PRIu32 " lanes x %" PRIu32
		       " int8 MACs at %.0f MHz\n",
		       info->clusters, info->lanes, info->vector_width,
		       info->clock_hz / 1e6);
	if (info->memory_bytes)
		printf("%.1f GiB device memory (%s), %.1f GB/s; %.1f MiB SRAM; link %.1f GB/s\n",
		       (double)info->memory_bytes / (1 << 30),
		       info->memory_kind, (double)info->memory_bandwidth / 1e9,
		       (double)info->sram_bytes / (1 << 20),
		       (double)info->link_bandwidth / 1e9);
	printf("%" PRIu32 " queues of up to %" PRIu32 " operations\n",
	       info->queue_count, info->queue_depth);
}

/* "pci" is null for what is no card. */
static int print_info_json(const struct accel_device_info *info,
			   const struct card *card)
{
	return json_print(json_pack(
		"{s:s, s:s, s:s, s:I, s:I, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
		"uri", info->uri, "name", info->name, "backend", info->backend,
		"memory_bytes", (json_int_t)info->memory_bytes, "memory_used",
		(json_int_t)info->memory_used, "memory_kind", info->memory_kind,
		"sram_bytes", (json_int_t)info->sram_bytes, "memory_bandwidth",
		(json_int_t)info->memory_bandwidth, "link_bandwidth",
		(json_int_t)info->link_bandwidth, "clock_hz",
		(json_int_t)info->clock_hz, "clusters",
		(json_int_t)info->clusters, "lanes", (json_int_t)info->lanes,
		"vector_width", (json_int_t)info->vector_width, "queue_count",
		(json_int_t)info->queue_count, "queue_depth",
		(json_int_t)info->queue_depth, "pci",
		card ? card_json(card) : json_null()));
}

/* Opened for real: what is described is what a run would get. */
static int describe_device(const char *uri, const struct card *card, bool json)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_device *device = NULL;
	int ret = accel_device_open(uri, NULL, &device);

	if (!ret)
		ret = accel_device_get_info(device, &info);
	if (!ret && json)
		ret = print_info_json(&info, card);
	else if (!ret)
		print_info(&info);
	if (!ret && !json && card)
		card_print(card);
	accel_device_close(device);
	return ret;
}

static int describe(const char *uri, bool json)
{
	struct card_list list = { 0 };
	int ret;

	if (!card_is_name(uri))
		return describe_device(uri, NULL, json);
	ret = card_list_find(&list);
	if (!ret)
		ret = describe_device(uri, card_named(&list, uri), json);
	card_list_free(&list);
	return ret;
}

int command_info(int count, char **arguments)
{
	bool json = false;
	const struct option options[] = {
		{ "json", 0, OPTION_FLAG, &json, NULL, "print it as JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "info",
		.synopsis = "[URI] [--json]",
		.about =
			"Opens a device, sim: unless another is named, and describes it.",
		.options = options,
		.operands_max = 1,
	};
	const char *uri = "sim:";
	int status;

	if (!options_parse(&usage, count, arguments, &uri, &status))
		return status;
	return describe(uri, json) ? command_fail("info") : STATUS_OK;
}
