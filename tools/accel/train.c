/* SPDX-License-Identifier: MIT */
/*
 * accel train: from a description and data to an ONNX file. The work is the library's; here
 * are the options, the line that shows how far it is, and Ctrl-C.
 */
#include "command.h"
#include "options.h"
#include "progress.h"
#include "training_report.h"

#include <compress/export_graph.h>
#include <core/error.h>
#include <train/training.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS_OF_MINUTE 60

/** struct train_arguments - the command line */
struct train_arguments {
	const char *description;
	const char *output;
	struct option_list data;
	struct option_list parts;
	int64_t steps;
	double minutes;
	uint64_t seed;
	int64_t workers;
	bool resume;
	bool json;
};

/** struct train_run - what a run owns */
struct train_run {
	const struct train_arguments *arguments;
	json_t *description;
	struct dataset dataset;
	struct task task;
	struct training_result result;
	struct progress progress;
	char *checkpoint;
};

/* ---- Ctrl-C ---- */

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* The second one ends the program at once. */
static void catch_interrupts(void)
{
	struct sigaction action = { .sa_handler = interrupt,
				    .sa_flags = (int)SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int show(void *context, const struct training_status *status)
{
	struct train_run *run = context;

	if (status->quality.name)
		progress_note(&run->progress, "loss %.4g, %s %.4g",
			      status->loss, status->quality.name,
			      status->quality.value);
	else
		progress_note(&run->progress, "loss %.4g", status->loss);
	progress_update(&run->progress, (int64_t)status->step,
			(int64_t)status->steps);
	return interrupted;
}

/* ---- what goes in ---- */

static int read_description(struct train_run *run)
{
	const char *path = run->arguments->description;
	json_error_t error;

	run->description = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!run->description)
		return accel_error(-EINVAL, "%s: line %d: %s", path, error.line,
				   error.text);
	return 0;
}

static int read_data(struct train_run *run)
{
	const struct option_list *data = &run->arguments->data;
	struct dataset_want want;
	int ret = task_want(run->description, &want);

	if (ret)
		return accel_error_prefix(ret, "%s",
					  run->arguments->description);
	return dataset_read(&run->dataset, data->items, data->count, &want);
}

static int usual_workers(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors > 0 ? (int)processors : 1;
}

static int create_task(struct train_run *run)
{
	const struct train_arguments *arguments = run->arguments;
	int ret = task_create(
		&run->task, run->description, &run->dataset, arguments->seed,
		arguments->workers ? (int)arguments->workers : usual_workers());

	return ret ? accel_error_prefix(ret, "%s", arguments->description) : 0;
}

/* ---- what comes out ---- */

static int save_part(struct train_run *run, const char *name, const char *path)
{
	struct graph *graph;
	int ret = task_part(&run->task, name, &graph);

	if (ret)
		return ret;
	ret = export_graph(graph, path);
	graph_destroy(graph);
	return ret;
}

/* --part NAME=FILE; the name alone is cut off in a copy. */
static int save_other(struct train_run *run, const char *text)
{
	const char *equals = strchr(text, '=');
	char *name = strndup(text, (size_t)(equals - text));
	int ret;

	if (!name)
		return accel_error(-ENOMEM, "no memory");
	ret = save_part(run, name, equals + 1);
	free(name);
	return ret;
}

static int save(struct train_run *run)
{
	const struct option_list *parts = &run->arguments->parts;
	int ret = save_part(run, NULL, run->arguments->output);

	for (int i = 0; i < parts->count && !ret; i++)
		ret = save_other(run, parts->items[i]);
	return ret;
}

/* After an hour of training is no time to hear that a name is wrong. */
static int check_parts(struct train_run *run)
{
	const struct option_list *parts = &run->arguments->parts;

	for (int i = 0; i < parts->count; i++) {
		const char *equals = strchr(parts->items[i], '=');

		if (!task_has_part(&run->task, parts->items[i],
				   (size_t)(equals - parts->items[i])))
			return accel_error(
				-EINVAL,
				"--part %s: a task of this kind has no such network",
				parts->items[i]);
	}
	return 0;
}

static int train(struct train_run *run)
{
	const struct train_arguments *arguments = run->arguments;
	const struct training_options options = {
		.steps = (uint64_t)arguments->steps,
		.seconds = arguments->minutes * SECONDS_OF_MINUTE,
		.checkpoint = run->checkpoint,
		.resume = arguments->resume,
		.observer = show,
		.context = run,
	};
	int ret;

	catch_interrupts();
	progress_start(&run->progress, "train");
	ret = training_run(&run->task, &options, &run->result);
	progress_end(&run->progress);
	return ret;
}

static int run_all(struct train_run *run)
{
	int ret = read_description(run);

	if (!ret)
		ret = read_data(run);
	if (!ret)
		ret = create_task(run);
	if (!ret)
		ret = check_parts(run);
	if (!ret)
		ret = train(run);
	if (!ret)
		ret = save(run);
	if (!ret)
		ret = training_report(&run->task, &run->result,
				      run->arguments->output,
				      run->arguments->json);
	/* with the network on the disk, the way to it is of no more use */
	if (!ret && !run->result.stopped)
		unlink(run->checkpoint);
	return ret;
}

static int train_description(const struct train_arguments *arguments)
{
	struct train_run run = { .arguments = arguments };
	int ret;

	if (asprintf(&run.checkpoint, "%s.checkpoint", arguments->output) < 0)
		return accel_error(-ENOMEM, "no memory");
	ret = run_all(&run);
	task_release(&run.task);
	dataset_release(&run.dataset);
	json_decref(run.description);
	free(run.checkpoint);
	return ret;
}

static int check_arguments(const struct option_usage *usage,
			   const struct train_arguments *arguments)
{
	if (!arguments->output)
		return options_misuse(usage, "where to? Give -o FILE");
	if (!arguments->data.count)
		return options_misuse(
			usage, "on what? Give --data FILE or --data FOLDER");
	if (arguments->steps && arguments->minutes > 0)
		return options_misuse(
			usage, "--steps and --minutes exclude each other");
	for (int i = 0; i < arguments->parts.count; i++)
		if (!strchr(arguments->parts.items[i], '='))
			return options_misuse(usage,
					      "--part %s: it takes NAME=FILE",
					      arguments->parts.items[i]);
	return STATUS_OK;
}

int command_train(int count, char **arguments)
{
	struct train_arguments line = { .output = NULL };
	const struct option options[] = {
		{ "output", 'o', OPTION_TEXT, &line.output, "FILE.onnx",
		  "the trained network" },
		{ "data", 0, OPTION_LIST, &line.data, "FILE|FOLDER",
		  "IDX, .npy or .png to train on; labels and the test follow" },
		{ "part", 0, OPTION_LIST, &line.parts, "NAME=FILE.onnx",
		  "another network that came out: encoder, discriminator" },
		{ "steps", 0, OPTION_COUNT, &line.steps, "N",
		  "how many (the description's)" },
		{ "minutes", 0, OPTION_SECONDS, &line.minutes, "M",
		  "or as many as take so long" },
		{ "seed", 0, OPTION_SEED, &line.seed, "S",
		  "of weights, order and noise (0)" },
		{ "workers", 0, OPTION_COUNT, &line.workers, "N",
		  "threads (one per processor); the result is the same" },
		{ "resume", 0, OPTION_FLAG, &line.resume, NULL,
		  "go on where a run that was killed had come" },
		{ "json", 0, OPTION_FLAG, &line.json, NULL,
		  "print the report as JSON" },
		{ .name = NULL },
	};
	const struct option_usage usage = {
		.command = "train",
		.synopsis =
			"DESCRIPTION.json --data FILE|FOLDER -o OUT.onnx [OPTION ...]",
		.about = "Trains a network from nothing.",
		.options = options,
		.operands_min = 1,
		.operands_max = 1,
	};
	int status;

	if (!options_parse(&usage, count, arguments, &line.description,
			   &status))
		return status;
	status = check_arguments(&usage, &line);
	if (status != STATUS_OK)
		return status;
	return train_description(&line) ? command_fail("train") : STATUS_OK;
}
