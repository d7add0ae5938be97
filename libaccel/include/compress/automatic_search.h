/* SPDX-License-Identifier: MIT */
/* What the parts of the automatic mode share; see automatic.h for what it is. */
#ifndef COMPRESS_AUTOMATIC_SEARCH_H
#define COMPRESS_AUTOMATIC_SEARCH_H

#include <compress/automatic.h>
#include <compress/prune_method.h>
#include <compress/sensitivity.h>

#define AUTOMATIC_METHODS_MAX 16
/* Parts of a matrix that stay, for which its loss and cycles are measured. */
#define AUTOMATIC_KEPT_COUNT 7
/* Ways in which an allocation may favour some layers over others. */
#define AUTOMATIC_TILTS 3
#define AUTOMATIC_ALLOCATED (-1)
/* Formats that a layer may choose from, the first being that of all. */
#define AUTOMATIC_FORMATS 3
/* Narrower networks to start from. */
#define AUTOMATIC_NARROWER 3

extern const double automatic_kept[AUTOMATIC_KEPT_COUNT];

/** struct automatic_method - @scores are NULL for one that solves */
struct automatic_method {
	const struct prune_method *method;
	float **scores;
};

/**
 * struct automatic_pick - what a layer got
 * @method: an index of the search's
 * @format: likewise
 */
struct automatic_pick {
	int method;
	int format;
};

/**
 * struct automatic_plan - a network to try
 * @method: by which method, or AUTOMATIC_ALLOCATED
 * @solver: of an allocation: that takes so many weights of each layer as it says, but chooses
 *	them itself; NULL: none
 * @scope: of the method's budget
 * @by_cost: a method's scores are held against the weights' costs
 * @whole: only whole channels go, if fewer weights than the budget has room for
 * @tilt: of an allocation, −1 … 1 each
 * @search: that proposed @tilt; NULL: there is none
 * @kept: part of the cost that stays
 * @excess: by which a whole network was found to cost more than its price, in logarithms
 */
struct automatic_plan {
	int method;
	const struct prune_method *solver;
	enum prune_scope scope;
	bool by_cost;
	bool whole;
	double tilt[AUTOMATIC_TILTS];
	const char *search;
	double kept;
	double excess;
};

/**
 * struct automatic_search - one run
 * @graph: dense
 * @options: what to do
 * @data: to calibrate with
 * @pruning: to prune with: @patches, or @data
 * @patches: cut from @data
 * @methods: whose scores or solutions are tried
 * @method_count: of them
 * @layer_methods: those that layers may choose from, as indices
 * @layer_method_count: of them; 0: no allocation yet
 * @formats: that layers may choose from; the first one costs nothing
 * @format_count: of them; 1: no choice
 * @code_bits: [layers][@format_count], entropy of the matrix's codes
 * @sensitivity: losses by @layer_methods and automatic_kept, and by @formats but the first
 * @cycles: [layers][1 + AUTOMATIC_KEPT_COUNT] of the node at 1, then at
 *	automatic_kept; NULL: cycles do not matter
 * @weight_costs: cycles of a weight of each tensor; NULL likewise
 * @dense: the int8 model without zeros
 * @bound: of the target in the unit of its quantity, of quality for quality's
 * @phase: what goes on, for the observer
 * @phase_done: of it
 * @phase_total: in all
 * @chosen: [layers], of the best trial
 * @result: so far
 * @width: part of the weights that whole channels have left in @graph; 1: it is the
 *	network as it came
 * @weights: of the network as it came
 * @dense_bytes: likewise
 * @owner: the search that the best trial is of, one for all that share the result
 * @narrower: the same search in networks that were made narrower first, or NULL
 * @own: @graph, where it was made for this search
 */
struct automatic_search {
	const struct graph *graph;
	const struct automatic_options *options;
	const struct calibration_data *data;
	const struct calibration_data *pruning;
	struct calibration_data patches;
	struct automatic_method methods[AUTOMATIC_METHODS_MAX];
	int method_count;
	int layer_methods[SENSITIVITY_METHODS_MAX];
	int layer_method_count;
	struct weight_format formats[AUTOMATIC_FORMATS];
	int format_count;
	double *code_bits;
	struct sensitivity sensitivity;
	double *cycles;
	double *weight_costs;
	struct automatic_measurement dense;
	double bound;
	const char *phase;
	int phase_done;
	int phase_total;
	struct automatic_pick *chosen;
	struct automatic_result *result;
	double width;
	int64_t weights;
	uint64_t dense_bytes;
	struct automatic_search **owner;
	struct automatic_search *narrower[AUTOMATIC_NARROWER];
	struct graph *own;
};

bool automatic_bounds_quality(const struct automatic_search *search);
bool automatic_counts_cycles(const struct automatic_search *search);

/* Bytes, non-zeros or cycles, as the target has it. */
double automatic_cost(const struct automatic_search *search,
		      const struct automatic_measurement *measured);

/* Tell the observer, with the best so far; NULL: the phase is as it was. */
void automatic_tell(struct automatic_search *search, const char *phase,
		    int done, int total);

/* Somebody wants it to end. */
bool automatic_is_stopped(const struct automatic_search *search);

/* What is allocated for @search, and the networks that it started from. */
void automatic_search_release(struct automatic_search *search);

/* ---- automatic_methods.c ---- */

/* The candidates with or without data, and their scores. 0 or what a method returns. */
int automatic_prepare_methods(struct automatic_search *search, bool needs_data);

/* One method more, if it is not there yet, and its scores; its index. Or −errno. */
int automatic_add_method(struct automatic_search *search,
			 const struct prune_method *method);

/* Each method by itself: what an allocation has to beat, and may lose to. */
int automatic_try_methods(struct automatic_search *search);

/*
 * How good a trial is: at a given cost by its quality; where quality is given, by the part of
 * the cost that it spares, or, below 0, by how far it was from enough.
 */
double automatic_rate(const struct automatic_search *search,
		      const struct automatic_trial *trial);

/* How good a method is on its own: by the best of its trials; −INFINITY without any. */
double automatic_rate_method(const struct automatic_search *search, int method);

/* ---- automatic_fit.c ---- */

/*
 * A budget of which the result is too poor and one of which it is not come closer, from
 * @first on. 0, or what automatic_try() returns.
 */
int automatic_fit_quality(struct automatic_search *search,
			  struct automatic_plan *plan, double first);

/*
 * The most that the bound lets. Repaired weights, and those rounded with care, are other
 * codes than those that had a price, and may take more bytes: then with less to spend
 * again. 0; −ERANGE if there is none: the least is planned; what automatic_try() returns.
 */
int automatic_fit_cost(struct automatic_search *search,
		       struct automatic_plan *plan,
		       struct automatic_measurement *measured);

/*
 * Let a strategy meet the target as well as it can. Where it is quality's, a strategy
 * that fails with the best one's budget is not tried any further.
 */
int automatic_try_strategy(struct automatic_search *search,
			   struct automatic_plan *plan);

/* ---- automatic_layers.c ---- */

/* By the best methods that score; without any there is nothing to measure. */
int automatic_measure_layers(struct automatic_search *search);

/* ---- automatic_looks.c ---- */

/* An allocation by the layers' losses, and others around it. */
int automatic_try_allocations(struct automatic_search *search);

/* ---- automatic_narrow.c ---- */

/*
 * The same in networks that have lost whole channels, where that may pay: a row costs
 * cycles however few weights it has.
 */
int automatic_try_narrower(struct automatic_search *search);

/* ---- automatic_trial.c ---- */

/*
 * A graph as a plan leaves it, repaired, without the channels that nobody reads. 0 or
 * what a method returns; −ERANGE for a plan that cannot be made.
 */
int automatic_make(struct automatic_search *search,
		   const struct automatic_plan *plan, struct graph **graph);

/* What a plan costs, without a repair. 0, −ERANGE for one that cannot be made … */
int automatic_price(struct automatic_search *search,
		    const struct automatic_plan *plan, double *cost);

/*
 * Make the network, measure it, add it to the trials and keep it if it is the best. An
 * allocation that comes to a mask that was tried already is not measured again.
 */
int automatic_try(struct automatic_search *search,
		  const struct automatic_plan *plan,
		  struct automatic_measurement *measured);

/* ---- automatic_budget.c ---- */

/* How many cycles each layer takes by what it keeps: simulated. */
int automatic_profile(struct automatic_search *search);

/* What the codes of each layer take in each format, zeros aside. 0 or −ENOMEM. */
int automatic_count_bits(struct automatic_search *search);

/*
 * Allocate; @chosen: for each layer. 0, −ERANGE if the budget is too small, −ENOMEM.
 */
int automatic_allocate(const struct automatic_search *search,
		       const struct automatic_plan *plan,
		       struct prune_mask *mask, struct automatic_pick *chosen);

/* Loss of a layer between those measured; NAN if its method was not. */
double automatic_loss(const struct automatic_search *search, int layer,
		      int method, double kept);

/* What its format adds: INFINITY for one that it cannot have. */
double automatic_format_loss(const struct automatic_search *search, int layer,
			     int format, double kept);

/* ---- automatic_report.c ---- */

/*
 * Tell in a model's provenance what was asked, and what each layer of @graph got. It is part
 * of the file, so that every model is measured with its own. 0 or −ENOMEM.
 */
int automatic_describe(const struct automatic_search *search,
		       const char *strategy, const struct graph *graph,
		       const struct prune_mask *mask,
		       const struct automatic_pick *chosen,
		       struct model *model);

/* Fill the result's choices and report. 0 or −ENOMEM. */
int automatic_report(struct automatic_search *search);

#endif
