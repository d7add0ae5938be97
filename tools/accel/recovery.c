/* SPDX-License-Identifier: MIT */
#include "recovery.h"

#include "progress.h"
#include "recovery_report.h"
#include "whole_layers.h"

#include <compress/compress.h>
#include <compress/export_graph.h>
#include <compress/onnx_import.h>
#include <core/error.h>
#include <formats/atomic_file.h>
#include <train/distill.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* For the ranges of activations, as accel compress takes. */
#define CALIBRATION_LATENTS 512

static volatile sig_atomic_t stopped;

/* The second signal ends the program: the action is reset by SA_RESETHAND. */
static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void catch_signals(struct sigaction old[2])
{
	const struct sigaction action = { .sa_handler = stop,
					  .sa_flags = (int)SA_RESETHAND };

	stopped = 0;
	sigaction(SIGINT, &action, &old[0]);
	sigaction(SIGTERM, &action, &old[1]);
}

static void release_signals(const struct sigaction old[2])
{
	sigaction(SIGINT, &old[0], NULL);
	sigaction(SIGTERM, &old[1], NULL);
}

/** struct training - what a run of the engine needs */
struct training {
	const struct recovery *recovery;
	struct recipe recipe;
	struct graph *teachers[RECIPE_TEACHERS_MAX + 1];
	struct calibration_data latents;
	const struct calibration_data *calibration;
	struct distill_data data;
	struct prune_mask *mask;
	char *checkpoint;
};

static void show(void *context, const struct distill_progress *now)
{
	struct progress *progress = context;

	if (!now->steps) {
		progress_note(progress, "looking for a rate");
		progress_refresh(progress);
		return;
	}
	progress_note(progress, "loss %.3g, %.2f dB, %.1f %% zeros", now->loss,
		      now->quality, 100 * now->sparsity);
	progress_update(progress, (int64_t)now->step, (int64_t)now->steps);
}

static bool takes_images(const struct graph *graph)
{
	return graph->input_count &&
	       graph->tensors[graph->inputs[0]].shape.rank == 4;
}

static int open_recipe(struct training *training, const struct graph *student)
{
	const char *path = training->recovery->recipe;
	int ret;

	recipe_init(&training->recipe);
	ret = path ? recipe_read(&training->recipe, path) : 0;
	if (training->recovery->oneshot)
		training->recipe.start = RECIPE_START_ONESHOT;
	recipe_settle(&training->recipe, takes_images(student));
	for (int i = 0; i < training->recipe.teacher_count && !ret; i++)
		ret = onnx_import(training->recipe.teachers[i],
				  &training->teachers[i + 1]);
	return ret;
}

static int open_data(struct training *training, const struct graph *graph,
		     const struct calibration_data *files)
{
	const struct recovery *recovery = training->recovery;
	const struct distill_source source = {
		.files = files,
		.latents = recovery->latents,
		.patch = training->recipe.patch,
		.seed = recovery->seed,
	};
	int ret = 0;

	if (!files)
		ret = calibration_data_sample(&training->latents, graph,
					      CALIBRATION_LATENTS,
					      recovery->seed);
	if (ret == -EINVAL)
		return accel_error(
			ret,
			"%s: takes images or sequences, which cannot be sampled; give --data FILE.npy, a PNG or a folder",
			graph->tensors[graph->inputs[0]].name);
	training->calibration = files ? files : &training->latents;
	return ret ? ret : distill_data_create(&training->data, graph, &source);
}

/* Fewer channels than the teacher has; those that stay begin with what it knows. */
static int narrow_student(struct training *training, struct graph *student)
{
	const struct recovery *recovery = training->recovery;
	const struct compress_options options = {
		.sparsity = recovery->narrowing,
		.scope = PRUNE_GLOBAL,
		.selection = prune_method_find("structured"),
		.reconstruct = true,
		.workers = (int)recovery->workers,
		.seed = recovery->seed,
	};
	struct prune_mask *mask;
	int ret;

	if (recovery->narrowing <= 0)
		return 0;
	mask = prune_mask_create(student);
	if (!mask)
		return accel_error(-ENOMEM, "no memory for a mask");
	ret = whole_layers_tell(student, options.selection,
				training->calibration, NULL);
	if (!ret)
		ret = compress_prune(student, &options, training->calibration,
				     mask);
	prune_mask_destroy(mask);
	return ret;
}

/* After hours of training there has to be a place for what came of it. */
static int check_files(const struct training *training)
{
	const struct recovery *recovery = training->recovery;
	int ret = atomic_file_check(recovery->output);
	char *report;

	if (!ret)
		ret = atomic_file_check(training->checkpoint);
	if (!ret && recovery->float_output)
		ret = atomic_file_check(recovery->float_output);
	if (ret)
		return ret;
	report = recovery_report_path(recovery);
	ret = report ? atomic_file_check(report) :
		       accel_error(-ENOMEM, "no memory for a name");
	free(report);
	return ret;
}

/* A mask by what the result loses, and least squares: for networks that see images. */
static int prune_first(struct training *training, struct graph *student)
{
	const struct recovery *recovery = training->recovery;
	const struct compress_options options = {
		.sparsity = recovery->sparsity,
		.scope = training->recipe.pruning.scope,
		.selection = prune_method_find("gn"),
		.reconstruct = true,
		.workers = (int)recovery->workers,
		.input_range = recovery->input_range,
		.output_range = recovery->output_range,
		.seed = recovery->seed,
	};

	if (training->recipe.start != RECIPE_START_ONESHOT)
		return 0;
	training->mask = prune_mask_create(student);
	if (!training->mask)
		return accel_error(-ENOMEM, "no memory for a mask");
	return compress_prune(student, &options, training->calibration,
			      training->mask);
}

static int name_checkpoint(struct training *training)
{
	const struct recovery *recovery = training->recovery;
	const char *path = recovery->checkpoint;

	if (asprintf(&training->checkpoint, "%s%s",
		     path ? path : recovery->output,
		     path ? "" : ".checkpoint") < 0) {
		training->checkpoint = NULL;
		return accel_error(-ENOMEM, "no memory for a name");
	}
	return 0;
}

static int default_workers(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : count > 64 ? 64 : (int)count;
}

static int run_engine(struct training *training, struct graph *student,
		      struct distill_result *result)
{
	const struct recovery *recovery = training->recovery;
	struct progress progress;
	const struct distill_options options = {
		.sparsity = recovery->sparsity,
		.steps = (uint64_t)recovery->steps,
		.minutes = recovery->minutes,
		.workers = recovery->workers ? (int)recovery->workers :
					       default_workers(),
		.recipe = &training->recipe,
		.mask = training->mask,
		.calibration = training->calibration,
		.input_range = recovery->input_range,
		.output_range = recovery->output_range,
		.checkpoint = training->checkpoint,
		.resume = recovery->resume,
		.stop = &stopped,
		.observer = show,
		.observer_context = &progress,
	};
	struct sigaction old[2];
	int ret;

	progress_start(&progress, "distill");
	catch_signals(old);
	ret = distill_run(student,
			  (const struct graph *const *)training->teachers,
			  &training->data, &options, result);
	release_signals(old);
	progress_end(&progress);
	return ret;
}

static int lower(const struct training *training, const struct graph *student,
		 const struct distill_result *result, struct model **model)
{
	const struct recovery *recovery = training->recovery;
	const struct compress_options options = {
		.sparsity = recovery->sparsity,
		.scope = training->recipe.pruning.scope,
		.input_range = recovery->input_range,
		.output_range = recovery->output_range,
		.seed = recovery->seed,
		.source = recovery->source,
		.mask = result->mask,
		.method = "distill",
		.trained = result->quantized,
	};

	return compress_model(student, &options, training->calibration, model);
}

static int run(struct training *training, struct graph *student,
	       const struct calibration_data *files, struct model **model)
{
	struct distill_result result;
	int ret = name_checkpoint(training);

	if (!ret)
		ret = check_files(training);
	if (!ret)
		ret = open_recipe(training, student);
	if (!ret)
		ret = open_data(training, student, files);
	if (!ret)
		ret = narrow_student(training, student);
	if (!ret)
		ret = prune_first(training, student);
	if (!ret)
		ret = run_engine(training, student, &result);
	if (ret)
		return ret;
	if (training->recovery->float_output)
		ret = export_graph(student, training->recovery->float_output);
	if (!ret)
		ret = lower(training, student, &result, model);
	if (!ret)
		ret = recovery_report(training->recovery, &training->recipe,
				      &result);
	distill_result_release(&result);
	return ret;
}

int recovery_run(const struct recovery *recovery, struct graph *student,
		 const struct graph *teacher,
		 const struct calibration_data *files, struct model **model)
{
	struct training training = { .recovery = recovery };
	int ret;

	training.teachers[0] = graph_clone(teacher);
	ret = training.teachers[0] ?
		      run(&training, student, files, model) :
		      accel_error(-ENOMEM, "no memory for the teacher");
	for (int i = 0; i <= RECIPE_TEACHERS_MAX; i++)
		graph_destroy(training.teachers[i]);
	calibration_data_release(&training.latents);
	distill_data_release(&training.data);
	prune_mask_destroy(training.mask);
	recipe_release(&training.recipe);
	free(training.checkpoint);
	return ret;
}

void recovery_end(const struct recovery *recovery)
{
	struct training training = { .recovery = recovery };

	if (!stopped && !name_checkpoint(&training))
		unlink(training.checkpoint);
	free(training.checkpoint);
}
