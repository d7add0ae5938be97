/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "execute.h"
#include "grid.h"
#include "inputs.h"
#include "options.h"
#include "progress.h"
#include "sweep_plot.h"
#include "sweep_table.h"

#include <accel/device.h>
#include <accel/model.h>
#include <core/error.h>
#include <formats/atomic_file.h>
#include <runtime/device.h>
#include <sim/config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TIMEOUT_DEFAULT 3600

/** struct sweep_arguments - the command line */
struct sweep_arguments {
	const char *model;
	const char *base;
	const char *output;
	const char *plot;
	struct option_list settings;
	struct inputs_source source;
	double timeout;
};

/** struct sweep - what all points have in common */
struct sweep {
	const struct sweep_arguments *arguments;
	const struct sim_config *base;
	const struct inputs *inputs;
	struct accel_model *model;
	struct sweep_table table;
	struct progress progress;
};

/* ---- one point ---- */

/* A result is there whole or not at all: a row never mixes two. */
static int run_plan(struct sweep *sweep, struct accel_device *device,
		    struct accel_plan *plan, struct sweep_result *result)
{
	struct accel_device_info info = { .size = sizeof(info) };
	struct accel_layer_info total = { .size = sizeof(total) };
	struct execution execution = {
		.device = device,
		.plan = plan,
		.repeat = 1,
		.timeout_seconds = sweep->arguments->timeout,
		.progress = &sweep->progress,
	};
	int ret = inputs_write(sweep->inputs, plan);

	if (!ret)
		ret = execute(&execution);
	if (!ret)
		ret = accel_plan_get_total(plan, &total);
	if (!ret)
		ret = accel_device_get_info(device, &info);
	if (ret)
		return ret;
	*result = (struct sweep_result){
		.cycles = total.cycles,
		.roof_hard_cycles = total.roof_hard_cycles,
		.roof_structural_cycles = total.roof_structural_cycles,
		.utilization = total.utilization,
		.bytes_dram = total.bytes_dram,
		.bytes_pcie = total.bytes_pcie,
		.device_seconds = (double)total.cycles / info.clock_hz,
		.host_seconds = execution.host_seconds,
	};
	return 0;
}

/*
 * Each point has a device of its own, so that none finds what another left in memory
 * or caches, and the order of the points does not matter.
 */
static int run_point(struct sweep *sweep, uint32_t point,
		     struct sweep_result *result)
{
	struct accel_device *device = NULL;
	struct accel_plan *plan = NULL;
	struct sim_config config;
	int ret = grid_config(sweep->table.grid, point, sweep->base, &config);

	if (!ret)
		ret = device_open_sim(&config, &device);
	if (!ret)
		ret = accel_plan_create(device, sweep->model,
					&sweep->inputs->sizes, &plan);
	if (!ret)
		ret = run_plan(sweep, device, plan, result);
	accel_plan_destroy(plan);
	accel_device_close(device);
	return ret;
}

/* The other points are worth having even if this one is refused. */
static int run_points(struct sweep *sweep)
{
	const struct grid *grid = sweep->table.grid;
	uint32_t points = grid_points(grid);
	char label[512];

	for (uint32_t i = 0; i < points; i++) {
		struct sweep_result *result = &sweep->table.results[i];

		progress_update(&sweep->progress, i, points);
		if (!run_point(sweep, i, result))
			continue;
		result->refusal = strdup(accel_last_error());
		if (!result->refusal)
			return accel_error(-ENOMEM,
					   "no memory for the results");
		progress_end(&sweep->progress);
		grid_label(grid, i, 0, label, sizeof(label));
		fprintf(stderr, "accel sweep: %s: skipped: %s\n", label,
			result->refusal);
	}
	return 0;
}

/* ---- what is written ---- */

/*
 * Whether a file can be written shows before hours of work, not after. Pipes and
 * devices are left alone: opening one twice is not the same as once.
 */
static int check_output(const char *path)
{
	struct atomic_file *file;
	struct stat status;
	int ret;

	if (!path || (!stat(path, &status) && !S_ISREG(status.st_mode) &&
		      !S_ISDIR(status.st_mode)))
		return 0;
	ret = atomic_file_open(&file, path);
	if (!ret)
		atomic_file_abandon(file);
	return ret;
}

static int write_file(const char *path, const char *text, size_t size)
{
	struct atomic_file *file;
	int ret = atomic_file_open(&file, path);

	if (ret)
		return ret;
	ret = atomic_file_write(file, text, size);
	if (!ret)
		return atomic_file_commit(file);
	atomic_file_abandon(file);
	return ret;
}

static int print_table(const struct sweep_table *table, FILE *stream)
{
	sweep_table_print(table, stream);
	return 0;
}

/* Written to memory first: a plot that memory ends in is no file. */
static int write_output(const struct sweep_table *table, const char *path,
			int (*print)(const struct sweep_table *, FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	int ret = -ENOMEM;

	if (stream) {
		ret = print(table, stream);
		if (fclose(stream) && !ret)
			ret = -ENOMEM;
	}
	if (ret)
		accel_error_set("%s: no memory", path);
	else
		ret = write_file(path, text, size);
	free(text);
	return ret;
}

/* Skipped points fail the command only when all that there is has been written. */
static int write_outputs(const struct sweep *sweep)
{
	const struct sweep_table *table = &sweep->table;
	uint32_t refused = sweep_table_refused(table);
	int ret = 0;

	if (sweep->arguments->output)
		ret = write_output(table, sweep->arguments->output,
				   print_table);
	else
		sweep_table_print(table, stdout);
	if (!ret && sweep->arguments->plot)
		ret = write_output(table, sweep->arguments->plot,
				   sweep_plot_print);
	if (!ret && refused)
		ret = accel_error(
			-EINVAL,
			"%u of %u configurations were skipped; their rows say why",
			refused, grid_points(table->grid));
	return ret;
}

/* ---- the whole grid ---- */

static int run_grid(struct sweep *sweep)
{
	uint32_t points = grid_points(sweep->table.grid);
	int ret;

	sweep->table.results = calloc(points, sizeof(*sweep->table.results));
	if (!sweep->table.results)
		return accel_error(-ENOMEM, "no memory for %u results", points);
	progress_start(&sweep->progress, "configurations");
	ret = run_points(sweep);
	progress_end(&sweep->progress);
	if (!ret)
		ret = write_outputs(sweep);
	for (uint32_t i = 0; i < points; i++)
		free(sweep->table.results[i].refusal);
	free(sweep->table.results);
	return ret;
}

static int sweep_model(const struct sweep_arguments *arguments,
		       const struct grid *grid, const struct sim_config *base)
{
	struct accel_model_info info = { .size = sizeof(info) };
	struct sweep sweep = { .arguments = arguments,
			       .base = base,
			       .table = { .grid = grid } };
	struct inputs inputs;
	int ret = accel_model_load(arguments->model, &sweep.model);

	if (ret)
		return ret;
	ret = accel_model_get_info(sweep.model, &info);
	if (!ret)
		ret = inputs_gather(&inputs, sweep.model, &arguments->source);
	if (!ret) {
		sweep.inputs = &inputs;
		sweep.table.model = info.name;
		ret = run_grid(&sweep);
		inputs_release(&inputs);
	}
	accel_model_free(sweep.model);
	return ret;
}

/* A file of a preset's name needs a "./". */
static int load_base(const char *name, struct sim_config *base)
{
	int ret = sim_config_preset(name, base);

	if (ret == -ENOENT)
		ret = sim_config_load(name, base);
	if (ret == -ENOENT)
		return accel_error(
			ret,
			"%s: no such file, and no preset: those are small, default and hbm2e",
			name);
	return ret;
}

static int sweep(const struct sweep_arguments *arguments,
		 const struct grid *grid)
{
	struct sim_config base;
	int ret =
		load_base(arguments->base ? arguments->base : "default", &base);

	if (!ret)
		ret = check_output(arguments->output);
	if (!ret)
		ret = check_output(arguments->plot);
	return ret ? ret : sweep_model(arguments, grid, &base);
}

/* All that fails here is wrong use: nothing has been opened yet. */
static int build_grid(const struct sweep_arguments *arguments,
		      struct grid *grid)
{
	for (int i = 0; i < arguments->settings.count; i++) {
		int ret = grid_add(grid, arguments->settings.items[i]);

		if (ret)
			return ret;
	}
	if (!grid->axis_count)
		return accel_error(
			-EINVAL, "nothing to sweep; give --set KEY=V1,V2,...");
	if (arguments->base && grid_has_preset(grid))
		return accel_error(
			-EINVAL,
			"--base and --set preset=... exclude each other");
	return 0;
}

int command_sweep(int count, char **arguments)
{
	struct sweep_arguments line = {
		.source = { .batch = 1 },
		.timeout = TIMEOUT_DEFAULT,
	};
	const struct option options[] = {
		{ "set", 0, OPTION_LIST, &line.settings, "KEY=V1,V2,...",
		  "values of a field, or preset=NAME,..." },
		{ "base", 0, OPTION_TEXT, &line.base, "FILE|PRESET",
		  "all other fields (default)" },
		{ "output", 'o', OPTION_TEXT, &line.output, "OUT.csv",
		  "else the rows are printed" },
		{ "plot", 0, OPTION_TEXT, &line.plot, "OUT.svg",
		  "cycles and utilization over the first KEY" },
		{ "input", 0, OPTION_LIST, &line.source.files, "[NAME=]FILE",
		  ".npy or PNG; states left out are zero" },
		{ "input-range", 0, OPTION_RANGE, &line.source.range, "LO:HI",
		  "black and white of a PNG, if MODEL does not say" },
		{ "layout", 0, OPTION_LAYOUT, &line.source.layout, "nchw|nhwc",
		  "of .npy images where both fit (nchw)" },
		{ "latents", 0, OPTION_COUNT, &line.source.batch, "N",
		  "sample so many when no file gives them (1)" },
		{ "seed", 0, OPTION_SEED, &line.source.seed, "S",
		  "of the latents (0)" },
		{ "timeout", 0, OPTION_SECONDS, &line.timeout, "SECONDS",
		  "deadline of each run (3600)" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "sweep",
		.synopsis =
			"MODEL --set KEY=V1,V2,... [--set KEY=...] [--base FILE|PRESET] [-o OUT.csv] [OPTION ...]",
		.about =
			"Runs a model on simulated devices of every combination of some\n"
			"configuration values, and writes what each of them takes.",
		.options = options,
		.operands_min = 1,
		.operands_max = 1,
	};
	struct grid grid = { .axis_count = 0 };
	int status;

	if (!options_parse(&usage, count, arguments, &line.model, &status))
		return status;
	if (build_grid(&line, &grid))
		status = options_misuse(&usage, "%s", accel_last_error());
	else
		status = sweep(&line, &grid) ? command_fail("sweep") :
					       STATUS_OK;
	grid_release(&grid);
	return status;
}
