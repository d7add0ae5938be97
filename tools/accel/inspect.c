/* SPDX-License-Identifier: MIT */
/* accel inspect: a model file, layer by layer, without any device. */
#include "command.h"
#include "options.h"
#include "summary.h"

#include <model/file.h>

/* Reading checks everything: a damaged file ends here. */
static int inspect_file(const char *path, bool json)
{
	struct summary summary;
	struct model *model;
	int ret = model_file_read(path, &model);

	if (ret)
		return ret;
	ret = summary_create(&summary, model, path);
	if (!ret) {
		if (json)
			ret = summary_print_json(&summary);
		else
			summary_print(&summary);
		summary_release(&summary);
	}
	model_destroy(model);
	return ret;
}

int command_inspect(int count, char **arguments)
{
	bool json = false;
	const struct option options[] = {
		{ "json", 0, OPTION_FLAG, &json, NULL, "print it as JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "inspect",
		.synopsis = "FILE [--json]",
		.about = "Checks a model and shows its layers and their sizes.",
		.options = options,
		.operands_min = 1,
		.operands_max = 1,
	};
	const char *path = NULL;
	int status;

	if (!options_parse(&usage, count, arguments, &path, &status))
		return status;
	return inspect_file(path, json) ? command_fail("inspect") : STATUS_OK;
}
