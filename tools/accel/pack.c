/* SPDX-License-Identifier: MIT */
/* accel pack: a model with its matrices as a device wants them. */
#include "command.h"
#include "options.h"
#include "packing.h"
#include "summary.h"

#include <model/file.h>

/** struct pack_arguments - the command line */
struct pack_arguments {
	const char *input;
	const char *output;
	struct packing_options packing;
	bool portable;
	bool compact;
	bool json;
};

/* Of a form that has no packing: the matrices are there anyway. */
static int write_unpacked(struct model *model, bool compact, const char *path)
{
	model_packing_destroy(model->packing);
	model->packing = NULL;
	return compact ? model_file_write_compact(model, path) :
			 model_file_write(model, path);
}

static int pack_file(const struct pack_arguments *arguments)
{
	struct model *model = NULL;
	int ret = model_file_read(arguments->input, &model);

	if (!ret)
		ret = arguments->portable || arguments->compact ?
			      write_unpacked(model, arguments->compact,
					     arguments->output) :
			      packing_write(model, &arguments->packing,
					    arguments->output);
	if (!ret)
		ret = summary_report(model, arguments->output, arguments->json);
	model_destroy(model);
	return ret;
}

int command_pack(int count, char **arguments)
{
	struct pack_arguments line = { .output = NULL };
	const struct option options[] = {
		{ "output", 'o', OPTION_TEXT, &line.output, "FILE",
		  "the model to write" },
		PACKING_CONFIG_OPTION(line.packing),
		{ "batch", 0, OPTION_COUNT, &line.packing.batch, "N",
		  "of the runs (1)" },
		{ "height", 0, OPTION_COUNT, &line.packing.height, "H",
		  "of images, where MODEL leaves it open (128)" },
		{ "width", 0, OPTION_COUNT, &line.packing.width, "W",
		  "likewise (128)" },
		{ "steps", 0, OPTION_COUNT, &line.packing.steps, "T",
		  "of sequences, likewise (128)" },
		{ "portable", 0, OPTION_FLAG, &line.portable, NULL,
		  "write a portable model instead, of a packed or compact one" },
		{ "compact", 0, OPTION_FLAG, &line.compact, NULL,
		  "write one as small as can be instead, for any device" },
		{ "json", 0, OPTION_FLAG, &line.json, NULL,
		  "print the summary as JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "pack",
		.synopsis = "MODEL -o OUT [--config FILE|PRESET] [OPTION ...]",
		.about =
			"Packs a model for one device and one size of its runs: it is\n"
			"smaller and starts sooner there, and still runs anywhere.",
		.options = options,
		.operands_min = 1,
		.operands_max = 1,
	};
	int status;

	if (!options_parse(&usage, count, arguments, &line.input, &status))
		return status;
	if (!line.output)
		return options_misuse(&usage, "where to? Give -o FILE");
	if (line.portable && line.compact)
		return options_misuse(
			&usage, "--portable and --compact exclude each other");
	return pack_file(&line) ? command_fail("pack") : STATUS_OK;
}
