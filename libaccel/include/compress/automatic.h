/* SPDX-License-Identifier: MIT */
/*
 * A model that meets a target, whatever it takes: whole networks pruned by each method,
 * then a budget allocated to layers by what each was measured to lose, then a search for
 * what such sums do not know. Everything that counts is measured on int8 models.
 */
#ifndef COMPRESS_AUTOMATIC_H
#define COMPRESS_AUTOMATIC_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <compress/calibration_data.h>
#include <compress/compress.h>
#include <compress/graph.h>
#include <compress/point_search.h>
#include <compress/sensitivity.h>

/* What a target bounds; the first two from quality's side, the others from cost's. */
enum automatic_quantity {
	AUTOMATIC_PSNR, /* decibels, at least */
	AUTOMATIC_FID, /* at most */
	AUTOMATIC_RATIO, /* dense bytes ÷ the file's, at least */
	AUTOMATIC_SPARSITY, /* part of the prunable weights, at least */
	AUTOMATIC_CYCLES, /* of a run, at most */
};

/**
 * struct automatic_target - what is to be met
 * @quantity: which
 * @bound: its limit
 * @of_dense: @bound is a part of what the int8 model without zeros takes
 */
struct automatic_target {
	enum automatic_quantity quantity;
	double bound;
	bool of_dense;
};

/**
 * struct automatic_measurement - of one model
 * @quality: the higher the better: PSNR in decibels, or −FID where that is the target
 * @bytes: of its file
 * @cycles: of a run; 0: not measured
 * @nonzeros: kept positions of the prunable weights
 * @weights: all of them
 */
struct automatic_measurement {
	double quality;
	uint64_t bytes;
	uint64_t cycles;
	int64_t nonzeros;
	int64_t weights;
};

/**
 * struct automatic_probe - how models are measured; all return 0 or −errno
 * @context: handed to all of them
 * @quality: PSNR or −FID
 * @size: bytes of its file
 * @time: cycles of a run, and of each layer by the name of the network's node
 */
struct automatic_probe {
	void *context;
	int (*quality)(void *context, const struct model *model,
		       double *quality);
	int (*size)(void *context, const struct model *model, uint64_t *bytes);
	int (*time)(void *context, const struct model *model, uint64_t *cycles,
		    void (*layer)(void *layer_context, const char *name,
				  uint64_t cycles),
		    void *layer_context);
};

/**
 * struct automatic_trial - a whole network that was tried
 * @strategy: a method's name, "allocation", or "dense"
 * @scope: what a method's budget was for
 * @by_cost: its scores were held against the weights' cycles
 * @width: part of the weights that whole channels had left before; 1: none went
 * @search: that proposed how an allocation weighs layers; NULL: none did
 * @solver: the method that chose which weights of a layer go when an allocation had said how
 *	many; NULL: the scores did
 * @fingerprint: of the mask and the formats
 * @kept: part of the cost that was meant to stay of what was left
 * @measured: what came of it
 * @meets: the target
 */
struct automatic_trial {
	const char *strategy;
	enum prune_scope scope;
	bool by_cost;
	double width;
	const char *search;
	const char *solver;
	uint32_t fingerprint;
	double kept;
	struct automatic_measurement measured;
	bool meets;
};

/**
 * struct automatic_options - what to do
 * @compress: ranges, seed, workers, source; methods and sparsities are ignored
 * @target: what to meet
 * @held_out: to see what layers lose on; NULL: the data. Pictures of any size need none
 * @fast: where quality is the target, save cycles rather than bytes
 * @narrow: codes of fewer bits make a smaller file: where bytes count, layers may take them
 * @probe: how to measure
 * @search: for what does not add up; NULL: the first one of all
 * @looks: whole networks that it may try (12); −1: none
 * @stop: set by a signal's handler: end soon, with the best so far; or NULL
 * @observer: called when @done of @total steps of a phase are done, with the best
 *	trial so far or NULL; or NULL
 * @observer_context: handed to it
 */
struct automatic_options {
	struct compress_options compress;
	struct automatic_target target;
	const struct calibration_data *held_out;
	bool fast;
	bool narrow;
	const struct automatic_probe *probe;
	const struct point_search_kind *search;
	int looks;
	const volatile sig_atomic_t *stop;
	void (*observer)(void *context, const char *phase, int done, int total,
			 const struct automatic_trial *best);
	void *observer_context;
};

/**
 * struct automatic_choice - what became of a weight matrix
 * @name: of the node that reads it
 * @tensor: of the matrix
 * @method: that chose its weights
 * @bits: of its codes
 * @weights: elements, of channels that are left if some went before
 * @nonzeros: that are kept
 * @loss: mean squared error of the result when only this layer is pruned and rounded so,
 *	between those measured, beyond int8's own; NAN: not measured
 * @cycles: of the node in the model, NAN: not measured
 * @next_loss: the same if the next sparser step measured were taken; NAN: there is none
 * @last_loss: of the step before, less sparse
 * @next_method: of @next_loss
 * @last_method: of @last_loss
 * @next_kept: part of the weights at @next_loss
 * @last_kept: part of the weights at @last_loss
 */
struct automatic_choice {
	const char *name;
	const char *tensor;
	const char *method;
	int bits;
	int64_t weights;
	int64_t nonzeros;
	double loss;
	double cycles;
	double next_loss;
	double last_loss;
	const char *next_method;
	const char *last_method;
	double next_kept;
	double last_kept;
};

/**
 * struct automatic_result - the best that was found
 * @model: int8; its provenance tells the target and the layers
 * @report: the provenance with all that follows, JSON; for free()
 * @graph: in binary32
 * @mask: of @graph
 * @best: which trial it is
 * @trials: all, in order
 * @trial_count: of them
 * @choices: for each weight matrix
 * @choice_count: of them
 * @bound: of the target, in its own unit
 * @stopped: before all was tried
 */
struct automatic_result {
	struct model *model;
	char *report;
	struct graph *graph;
	struct prune_mask *mask;
	struct automatic_trial best;
	struct automatic_trial *trials;
	int trial_count;
	struct automatic_choice *choices;
	int choice_count;
	double bound;
	bool stopped;
};

/**
 * automatic_run() - compress to a target
 * @graph: as imported; must outlive the result, which has its names
 * @data: to prune and to calibrate with
 * @options: what to do
 * @result: for automatic_release(), also after −ERANGE
 *
 * The same arguments give the same model, whatever the number of threads; a stop may
 * come at any time, of course.
 *
 * Return: 0; −ERANGE if the target is out of reach: @result then holds what came
 * nearest; −EINTR when stopped before anything met the target; what compress_model()
 * returns.
 */
int automatic_run(const struct graph *graph,
		  const struct calibration_data *data,
		  const struct automatic_options *options,
		  struct automatic_result *result);

/* Where a method's budget was divided: "layer", "global", or by "cycles". */
const char *automatic_scope_name(const struct automatic_trial *trial);

void automatic_release(struct automatic_result *result);

#endif
