/* SPDX-License-Identifier: MIT */
/* accel export: the way back, to forms that other tools read. */
#include "command.h"
#include "options.h"

#include <compress/export_npz.h>
#include <compress/export_onnx.h>
#include <core/error.h>
#include <model/file.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct format - what a model can be written as
 * @write: the whole model
 * @write_layer: one layer of it, NULL if the format cannot
 */
struct format {
	const char *name;
	int (*write)(const struct model *model, const char *path);
	int (*write_layer)(const struct model *model, uint32_t layer,
			   const char *path);
};

static const struct format formats[] = {
	{ "onnx", export_onnx, export_onnx_layer },
	{ "npz", export_npz, NULL },
};

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

/* The model's path with the format for its extension; for free(). */
static char *default_path(const char *model, const char *extension)
{
	const char *slash = strrchr(model, '/');
	const char *dot = strrchr(slash ? slash : model, '.');
	int length = (int)(dot ? (size_t)(dot - model) : strlen(model));
	char *path;

	return asprintf(&path, "%.*s.%s", length, model, extension) < 0 ? NULL :
									  path;
}

static int write_layer(const struct model *model, const char *layer,
		       const struct format *format, const char *output)
{
	for (uint32_t i = 0; i < model->layer_count; i++)
		if (!strcmp(model->layers[i].name, layer))
			return format->write_layer(model, i, output);
	return accel_error(
		-ENOENT,
		"the model has no layer %s; `accel inspect` lists them", layer);
}

static int write_model(const char *path, const char *layer,
		       const struct format *format, const char *output)
{
	struct model *model;
	int ret = model_file_read(path, &model);

	if (ret)
		return ret;
	ret = layer ? write_layer(model, layer, format, output) :
		      format->write(model, output);
	model_destroy(model);
	return ret;
}

static int export_model(const char *path, const char *layer,
			const struct format *format, const char *output)
{
	char *chosen = output ? strdup(output) :
				default_path(path, format->name);
	int ret;

	if (!chosen)
		return accel_error(-ENOMEM, "no memory for a path");
	ret = write_model(path, layer, format, chosen);
	free(chosen);
	return ret;
}

int command_export(int count, char **arguments)
{
	const char *name = NULL;
	const char *layer = NULL;
	const char *output = NULL;
	const struct option options[] = {
		{ "format", 0, OPTION_TEXT, &name, "onnx|npz",
		  "quantized ONNX, or scipy.sparse matrices" },
		{ "layer", 0, OPTION_TEXT, &layer, "NAME",
		  "this layer alone, with its tensors as inputs and outputs (onnx)" },
		{ "output", 'o', OPTION_TEXT, &output, "FILE",
		  "where to (beside the model)" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "export",
		.synopsis = "MODEL --format onnx|npz [--layer NAME] [-o FILE]",
		.about =
			"Writes a compressed model in a form that others read.",
		.options = options,
		.operands_min = 1,
		.operands_max = 1,
	};
	const struct format *format;
	const char *path = NULL;
	int status;

	if (!options_parse(&usage, count, arguments, &path, &status))
		return status;
	if (!name)
		return options_misuse(&usage,
				      "as what? Give --format onnx|npz");
	format = find_format(name);
	if (!format)
		return options_misuse(
			&usage, "--format %s: it takes onnx or npz", name);
	if (layer && !format->write_layer)
		return options_misuse(&usage,
				      "--layer goes with --format onnx only");
	return export_model(path, layer, format, output) ?
		       command_fail("export") :
		       STATUS_OK;
}
