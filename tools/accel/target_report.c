/* SPDX-License-Identifier: MIT */
#include "target_report.h"

#include <core/error.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

double target_quality(const struct automatic_target *target, double quality)
{
	return target->quantity == AUTOMATIC_FID ? -quality : quality;
}

const char *target_quality_unit(const struct automatic_target *target)
{
	return target->quantity == AUTOMATIC_FID ? "FID" : "dB";
}

/* ---- what was tried ---- */

static double sparsity(const struct automatic_measurement *measured)
{
	return measured->weights ? 1 - (double)measured->nonzeros /
						   (double)measured->weights :
				   0;
}

/*
 * What a method's budget was for; of an allocation which method chose the weights, or which search
 * said how layers weigh; "": nothing of all this.
 */
static const char *origin(const struct automatic_trial *trial)
{
	if (trial->solver)
		return trial->solver;
	if (trial->search)
		return trial->search;
	return strcmp(trial->strategy, "dense") &&
			       strcmp(trial->strategy, "allocation") ?
		       automatic_scope_name(trial) :
		       "";
}

static void print_trial(const struct automatic_target *target,
			const struct automatic_trial *trial)
{
	char cycles[24] = "-";

	if (trial->measured.cycles)
		snprintf(cycles, sizeof(cycles), "%" PRIu64,
			 trial->measured.cycles);
	fprintf(stderr,
		"%-12s %-9s %6.1f%% %6.1f%% %9.3f %10" PRIu64 " %10s %s\n",
		trial->strategy, origin(trial), 100 * trial->width,
		100 * sparsity(&trial->measured),
		target_quality(target, trial->measured.quality),
		trial->measured.bytes, cycles, trial->meets ? "yes" : "no");
}

static void print_trials(const struct target_request *request,
			 const struct automatic_result *result)
{
	fprintf(stderr, "%-12s %-9s %7s %7s %9s %10s %10s %s\n", "tried", "by",
		"of", "zeros", target_quality_unit(&request->target), "bytes",
		"cycles", "meets the target");
	for (int i = 0; i < result->trial_count; i++)
		print_trial(&request->target, &result->trials[i]);
}

/* ---- why ---- */

static void print_alternative(double kept, double loss, const char *method)
{
	if (!(kept > 0))
		fprintf(stderr, " %25s", "-");
	else if (kept >= 1)
		fprintf(stderr, " %25s", "dense: 0");
	else if (!isfinite(loss))
		fprintf(stderr, " %25s", "not measured");
	else
		fprintf(stderr, " %6.1f%% %8.2e %-9.9s", 100 - 100 * kept, loss,
			method);
}

static void print_choice(const struct automatic_choice *choice)
{
	double kept = (double)choice->nonzeros / (double)choice->weights;

	fprintf(stderr, "%-26.26s %9" PRId64 " %6.1f%% %4d %-10.10s",
		choice->name, choice->weights, 100 - 100 * kept, choice->bits,
		choice->method);
	if (isfinite(choice->loss))
		fprintf(stderr, " %8.2e", choice->loss);
	else
		fprintf(stderr, " %8s", "-");
	if (isfinite(choice->cycles))
		fprintf(stderr, " %9.0f", choice->cycles);
	else
		fprintf(stderr, " %9s", "-");
	print_alternative(choice->last_kept, choice->last_loss,
			  choice->last_method);
	print_alternative(choice->next_kept, choice->next_loss,
			  choice->next_method);
	fputc('\n', stderr);
}

static void print_choices(const struct automatic_result *result)
{
	fprintf(stderr, "\n%-26s %9s %7s %4s %-10s %8s %9s %25s %25s\n",
		"layer", "weights", "zeros", "bits", "method", "loss", "cycles",
		"one step less sparse", "one step sparser");
	for (int i = 0; i < result->choice_count; i++)
		print_choice(&result->choices[i]);
	fputs("loss: mean squared error of the result when only this layer is pruned, repaired and rounded\n",
	      stderr);
}

void target_report(const struct target_request *request,
		   const struct automatic_result *result)
{
	char narrowed[64] = "";

	print_trials(request, result);
	print_choices(result);
	if (result->best.width < 1)
		snprintf(narrowed, sizeof(narrowed),
			 " of the channels with %.1f %% of the weights",
			 100 * result->best.width);
	fprintf(stderr,
		"%s%s: %s%s%s%s%s%s, %.3f %s, %" PRIu64 " bytes, %" PRIu64
		" cycles\n",
		result->stopped ? "stopped; " : "", request->text,
		result->best.strategy, result->best.search ? " by search " : "",
		result->best.search ? result->best.search : "",
		result->best.solver ? ", solved by " : "",
		result->best.solver ? result->best.solver : "", narrowed,
		target_quality(&request->target, result->best.measured.quality),
		target_quality_unit(&request->target),
		result->best.measured.bytes, result->best.measured.cycles);
}

/* ---- out of reach ---- */

/* A bound that the best one meets, rounded to its side, as --target takes it. */
static void reachable(const struct target_request *request,
		      const struct automatic_result *result, char *text,
		      size_t length)
{
	const struct automatic_measurement *best = &result->best.measured;

	switch (request->target.quantity) {
	case AUTOMATIC_PSNR:
		snprintf(text, length, "psnr>=%.1f",
			 floor(best->quality * 10) / 10);
		break;
	case AUTOMATIC_FID:
		snprintf(text, length, "fid<=%.3f",
			 ceil(-best->quality * 1000) / 1000);
		break;
	case AUTOMATIC_RATIO:
		snprintf(text, length, "ratio>=%.1f",
			 floor((double)result->model->dense_bytes /
			       (double)best->bytes * 10) /
				 10);
		break;
	case AUTOMATIC_SPARSITY:
		snprintf(text, length, "sparsity>=%.4f",
			 floor(sparsity(best) * 10000) / 10000);
		break;
	case AUTOMATIC_CYCLES:
		snprintf(text, length, "cycles<=%" PRIu64, best->cycles);
		break;
	}
}

/* What stood in the way: quality that int8 alone takes, or a cost that nothing gets below. */
static void print_obstacle(const struct target_request *request,
			   const struct automatic_result *result)
{
	bool quality = request->target.quantity == AUTOMATIC_PSNR ||
		       request->target.quantity == AUTOMATIC_FID;

	if (quality)
		fputs("why: int8 alone, without a single zero, is no better; networks with zeros were not tried\n",
		      stderr);
	else
		fprintf(stderr,
			"why: of %d networks tried none costs less than this one: %s, %.1f %% zeros\n",
			result->trial_count, result->best.strategy,
			100 * sparsity(&result->best.measured));
}

int target_report_failure(const struct target_request *request,
			  const struct automatic_result *result, int error)
{
	char text[64];

	if (!result->model)
		return accel_error(error,
				   "%s: stopped before anything was tried",
				   request->text);
	print_trials(request, result);
	if (error == -ERANGE)
		print_obstacle(request, result);
	reachable(request, result, text, sizeof(text));
	return accel_error(
		error,
		"%s is %s. The best was %s (%s, %.1f %% zeros), by: accel compress %s -o %s --target '%s' and the same options",
		request->text,
		error == -EINTR ? "not met yet, and the search was stopped" :
				  "out of reach",
		text, result->best.strategy,
		100 * sparsity(&result->best.measured), request->model,
		request->output, text);
}
