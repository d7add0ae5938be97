/* SPDX-License-Identifier: MIT */
/* accel stats: what the queues of all processes have counted, once. */
#include "command.h"
#include "options.h"
#include "stats_print.h"

static int print(bool json, bool prom, const char *uri)
{
	struct stats_snapshot snapshot;
	int ret = stats_snapshot_take(&snapshot, uri);

	if (ret)
		return ret;
	if (json)
		ret = stats_print_json(&snapshot);
	else if (prom)
		stats_print_prom(&snapshot);
	else
		stats_print_table(&snapshot);
	stats_snapshot_free(&snapshot);
	return ret;
}

int command_stats(int count, char **arguments)
{
	bool json = false, prom = false;
	const char *uri = NULL;
	const struct option options[] = {
		{ "json", 0, OPTION_FLAG, &json, NULL, "print it as JSON" },
		{ "prom", 0, OPTION_FLAG, &prom, NULL,
		  "print it for Prometheus" },
		{ "device", 0, OPTION_TEXT, &uri, "URI",
		  "only of this device, as programs have named it" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "stats",
		.synopsis = "[--json|--prom] [--device URI]",
		.about =
			"Prints what the queues of all running programs have counted, and what the kernel\n"
			"knows of its devices. Root sees all users' programs, others their own.",
		.options = options,
	};
	int status;

	if (!options_parse(&usage, count, arguments, NULL, &status))
		return status;
	if (json && prom)
		return options_misuse(&usage,
				      "--json and --prom exclude each other");
	return print(json, prom, uri) ? command_fail("stats") : STATUS_OK;
}
