/* SPDX-License-Identifier: MIT */
#include "target.h"

#include "progress.h"
#include "target_probe.h"
#include "target_report.h"

#include <core/error.h>
#include <formats/temporary_file.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

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

/** struct showing - the line of progress; each phase has its own */
struct showing {
	struct progress progress;
	const char *phase;
	const struct target_request *request;
};

static void show(void *context, const char *phase, int done, int total,
		 const struct automatic_trial *best)
{
	struct showing *showing = context;
	struct progress *progress = &showing->progress;

	if (!showing->phase || strcmp(showing->phase, phase)) {
		if (showing->phase)
			progress_end(progress);
		progress_start(progress, phase);
		showing->phase = phase;
	}
	if (best)
		progress_note(progress, "best: %s, %.2f %s, %llu bytes",
			      best->strategy,
			      target_quality(&showing->request->target,
					     best->measured.quality),
			      target_quality_unit(&showing->request->target),
			      (unsigned long long)best->measured.bytes);
	progress_update(progress, done, total);
}

static int search(const struct target_request *request,
		  const struct graph *graph,
		  const struct calibration_data *data,
		  struct target_probe *probe, struct automatic_result *result)
{
	const struct automatic_probe probes = {
		.context = probe,
		.quality = target_probe_quality,
		.size = target_probe_size,
		.time = target_probe_time,
	};
	struct showing showing = { .request = request };
	const struct automatic_options options = {
		.compress = *request->options,
		.target = request->target,
		.held_out = request->held_out,
		.fast = request->fast,
		.narrow = request->compact,
		.probe = &probes,
		.search = request->search,
		.looks = request->looks,
		.stop = &stopped,
		.observer = show,
		.observer_context = &showing,
	};
	struct sigaction old[2];
	int ret;

	catch_signals(old);
	ret = automatic_run(graph, data, &options, result);
	release_signals(old);
	if (showing.phase)
		progress_end(&showing.progress);
	return ret;
}

int target_run(const struct target_request *request, const struct graph *graph,
	       const struct calibration_data *data,
	       struct automatic_result *result)
{
	struct target_probe probe = {
		.graph = graph,
		.data = request->held_out ? request->held_out : data,
		.compact = request->compact,
		.packing = request->packing,
		.classifier = request->target.quantity == AUTOMATIC_FID ?
				      request->classifier :
				      NULL,
		.range = request->options->output_range,
	};
	int ret = temporary_file_create(&probe.path);

	*result = (struct automatic_result){ .model = NULL };
	if (!ret)
		ret = target_probe_open(&probe);
	if (!ret)
		ret = search(request, graph, data, &probe, result);
	target_probe_close(&probe);
	temporary_file_remove(probe.path);
	if (ret == -ERANGE || ret == -EINTR) {
		ret = target_report_failure(request, result, ret);
		automatic_release(result);
	} else if (!ret) {
		target_report(request, result);
	}
	return ret;
}
