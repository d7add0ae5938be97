/* SPDX-License-Identifier: MIT */
/*
 * What a training may choose, as the user writes it in JSON. All of it has defaults
 * that suit networks nobody has looked at.
 */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include <compress/prune.h>
#include <train/optimizer.h>
#include <train/schedule.h>

/** enum recipe_start - the weights that a student begins with */
enum recipe_start {
	RECIPE_START_AUTO, /* one shot for images with data, else dense */
	RECIPE_START_DENSE, /* the teacher's, or those of the student's file */
	RECIPE_START_ONESHOT, /* a mask by saliency, then least squares */
};

/** enum recipe_criterion - by what a weight's worth is judged */
enum recipe_criterion {
	RECIPE_MAGNITUDE,
	RECIPE_LAMP, /* w² over the squares that are no smaller (Lee et al., 2021) */
	RECIPE_MOVEMENT, /* −Σ w·∂L/∂w (Sanh et al., 2020) */
	RECIPE_GAUSS_NEWTON, /* w²·E[g²], from Adam's second moments */
};

enum recipe_penalty {
	RECIPE_PENALTY_NONE,
	RECIPE_PENALTY_L1,
	RECIPE_PENALTY_GROUP, /* group lasso over output rows */
};

enum recipe_loss_kind {
	RECIPE_LOSS_L2, /* over the variance of the teacher's output */
	RECIPE_LOSS_L1,
	RECIPE_LOSS_KL, /* of rows of scores, with a temperature */
	RECIPE_LOSS_FEATURE, /* L2 of hidden activations */
};

/**
 * struct recipe_loss - one term of what is minimised
 * @kind: which
 * @weight: factor
 * @temperature: of KL
 * @smoothing: of KL: this part of the target is spread over all classes
 * @teacher: number of the network that is imitated, the first one is 0
 * @fade: part of the steps after which the weight has fallen to 0; 0: never
 */
struct recipe_loss {
	enum recipe_loss_kind kind;
	double weight;
	double temperature;
	double smoothing;
	int64_t teacher;
	double fade;
};

#define RECIPE_LOSSES_MAX 8
#define RECIPE_TEACHERS_MAX 8

/**
 * struct recipe_pruning - when and what; times are parts of all steps
 * @criterion: by which weights are chosen
 * @scope: one threshold, or the same sparsity in each layer
 * @initial: sparsity at @begin
 * @begin: when the first weights go; the same as @end: all at once
 * @end: when the last ones do
 * @interval: steps between masks
 * @rewind: lottery tickets: so many times a part of the weights goes, and the others
 *	return to what they were at first; @begin and @end then say nothing. 0: never
 */
struct recipe_pruning {
	enum recipe_criterion criterion;
	enum prune_scope scope;
	double initial;
	double begin;
	double end;
	int64_t interval;
	int64_t rewind;
};

/**
 * struct recipe - a training
 * @start: weights at the beginning
 * @losses: terms
 * @loss_count: number of them
 * @teachers: files of further teachers; the command's is number 0
 * @teacher_count: number of @teachers
 * @pruning: see there
 * @penalty: that pulls weights to zero until pruning ends
 * @penalty_weight: its strength, by rate
 * @optimizer: method and its numbers
 * @shape: of the rate over the steps
 * @rate: peak; 0: searched for
 * @final_rate: part of the peak that is left at the end
 * @warmup: part of the steps
 * @quantize: train with int8 weights and activations from then on, a part of the
 *	steps; 1: never
 * @quantize_rate: the rate then, as a part of what the schedule says
 * @ranges_interval: steps between calibrations while it quantizes
 * @batch: samples of a step; 0: by recipe_settle()
 * @shards: parts that a batch is computed in
 * @patch: height and width of what is cut from photos
 * @validation: samples of the validation set; 0: by recipe_settle()
 */
struct recipe {
	enum recipe_start start;
	struct recipe_loss losses[RECIPE_LOSSES_MAX];
	int loss_count;
	char *teachers[RECIPE_TEACHERS_MAX];
	int teacher_count;
	struct recipe_pruning pruning;
	enum recipe_penalty penalty;
	double penalty_weight;
	struct optimizer_options optimizer;
	enum schedule_shape shape;
	double rate;
	double final_rate;
	double warmup;
	double quantize;
	double quantize_rate;
	int64_t ranges_interval;
	int64_t batch;
	int64_t shards;
	int64_t patch;
	int64_t validation;
};

/* The defaults; for recipe_release(). */
void recipe_init(struct recipe *recipe);

/*
 * Read a JSON text, or the file of one; what it does not name keeps the default. −EINVAL
 * with a text that names the key for what is unknown or out of range, −ENOENT, …
 */
int recipe_parse(struct recipe *recipe, const char *text);
int recipe_read(struct recipe *recipe, const char *path);

/* Choose what is left open; a patch of a photo tells more than a row of numbers. */
void recipe_settle(struct recipe *recipe, bool images);

/* The whole recipe as JSON, for a report and a checkpoint; free it. NULL: no memory. */
char *recipe_format(const struct recipe *recipe);

void recipe_release(struct recipe *recipe);

#endif
