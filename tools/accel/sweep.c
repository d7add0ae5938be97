/* SPDX-License-Identifier: MIT */
/*
 * accel sweep: the command line and the files; grid.c knows the points, sweep_run.c runs them,
 * sweep_table.c and sweep_plot.c write them down.
 */
#include "command.h"
#include "execute.h"
#include "options.h"
#include "sweep_plot.h"
#include "sweep_run.h"

#include <core/error.h>
#include <formats/atomic_file.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** struct sweep_arguments - the command line */
struct sweep_arguments {
	const char *model;
	const char *base;
	const char *output;
	const char *plot;
	struct option_list settings;
	struct inputs_source source;
	int64_t jobs;
	double timeout;
};

/**
 * struct rows - where rows go
 * @table: that they are of
 * @path: of the file, "standard output" without one
 * @stream: open
 */
struct rows {
	const struct sweep_table *table;
	const char *path;
	FILE *stream;
};

/* ---- rows ---- */

/* Each line goes out at once: who ends a sweep early keeps all that was done. */
static int flush(const struct rows *rows)
{
	if (!fflush(rows->stream) && !ferror(rows->stream))
		return 0;
	return accel_error(-errno, "%s: %s", rows->path, strerror(errno));
}

static int rows_open(struct rows *rows, const struct sweep_table *table,
		     const char *path)
{
	*rows = (struct rows){
		.table = table,
		.path = path ? path : "standard output",
		.stream = path ? fopen(path, "we") : stdout,
	};
	if (!rows->stream)
		return accel_error(-errno, "%s: %s", path, strerror(errno));
	sweep_table_print_names(table, rows->stream);
	return flush(rows);
}

static int rows_add(void *context, uint32_t point)
{
	const struct rows *rows = context;
	const char *refusal = rows->table->results[point].refusal;
	char label[512];

	if (refusal) {
		grid_label(rows->table->grid, point, 0, label, sizeof(label));
		fprintf(stderr, "accel sweep: %s: skipped: %s\n", label,
			refusal);
	}
	sweep_table_print_row(rows->table, point, rows->stream);
	return flush(rows);
}

static int rows_close(struct rows *rows)
{
	if (!rows->stream || rows->stream == stdout || !fclose(rows->stream))
		return 0;
	return accel_error(-errno, "%s: %s", rows->path, strerror(errno));
}

/* ---- the plot ---- */

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

/* Written to memory first: a plot that memory ends in is no file. */
static int write_plot(const struct sweep_table *table, const char *path)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	int ret = -ENOMEM;

	if (stream) {
		ret = sweep_plot_print(table, stream);
		if (fclose(stream) && !ret)
			ret = -ENOMEM;
	}
	if (ret)
		accel_error_set("%s: no memory", path);
	else
		ret = atomic_file_save(path, text, size);
	free(text);
	return ret;
}

/* ---- the whole grid ---- */

/* As many as there are processors that this process may use. */
static uint32_t job_count(const struct sweep_arguments *arguments)
{
	cpu_set_t set;

	if (arguments->jobs)
		return (uint32_t)arguments->jobs;
	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (uint32_t)CPU_COUNT(&set);
}

/* Skipped points fail the command only when all that there is has been written. */
static int run_table(const struct sweep_arguments *arguments,
		     const struct workload *workload,
		     const struct sim_config *base, struct sweep_table *table)
{
	struct rows rows;
	const struct sweep_run run = {
		.workload = workload,
		.base = base,
		.table = table,
		.jobs = job_count(arguments),
		.timeout_seconds = arguments->timeout,
		.row = rows_add,
		.context = &rows,
	};
	int ret = rows_open(&rows, table, arguments->output);
	int closed;
	uint32_t refused;

	if (!ret)
		ret = sweep_run(&run);
	closed = rows_close(&rows);
	if (!ret)
		ret = closed;
	if (!ret && arguments->plot)
		ret = write_plot(table, arguments->plot);
	refused = sweep_table_refused(table);
	if (!ret && refused)
		ret = accel_error(
			-EINVAL,
			"%u of %u configurations were skipped; their rows say why",
			refused, grid_points(table->grid));
	return ret;
}

static int run_grid(const struct sweep_arguments *arguments,
		    const struct workload *workload, const struct grid *grid,
		    const struct sim_config *base)
{
	struct accel_model_info info = { .size = sizeof(info) };
	struct sweep_table table = { .grid = grid };
	uint32_t points = grid_points(grid);
	int ret = accel_model_get_info(workload->model, &info);

	if (ret)
		return ret;
	table.model = info.name;
	table.results = calloc(points, sizeof(*table.results));
	if (!table.results)
		return accel_error(-ENOMEM, "no memory for %u results", points);
	ret = run_table(arguments, workload, base, &table);
	for (uint32_t i = 0; i < points; i++)
		free(table.results[i].refusal);
	free(table.results);
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
	struct workload workload;
	int ret =
		load_base(arguments->base ? arguments->base : "default", &base);

	if (ret)
		return ret;
	ret = check_output(arguments->output);
	if (!ret)
		ret = check_output(arguments->plot);
	if (ret)
		return ret;
	ret = workload_load(&workload, arguments->model, &arguments->source);
	if (!ret)
		ret = run_grid(arguments, &workload, grid, &base);
	workload_release(&workload);
	return ret;
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
		.timeout = EXECUTE_TIMEOUT_DEFAULT,
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
		{ "jobs", 'j', OPTION_COUNT, &line.jobs, "N",
		  "configurations at a time (as many as processors)" },
		INPUTS_OPTIONS(line.source, INPUTS_FILES_HELP,
			       INPUTS_LATENTS_HELP),
		EXECUTE_TIMEOUT_OPTION(&line.timeout),
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
