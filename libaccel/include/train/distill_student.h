/* SPDX-License-Identifier: MIT */
/* A student at work: batches forth and back, in float or as int8 will compute it. */
#ifndef TRAIN_DISTILL_STUDENT_H
#define TRAIN_DISTILL_STUDENT_H

#include <train/batch.h>
#include <train/distill.h>
#include <train/distill_loss.h>
#include <train/distill_state.h>
#include <train/fake_quantize.h>
#include <train/parameters.h>

/**
 * struct distill_student - a graph and what it learns from
 * @graph: its constants are what distill_student_set() gave last
 * @data: not owned
 * @options: not owned
 * @parameters: of @graph
 * @loss: with the teachers
 * @batch: runs it
 * @fake: rounds weights and activations; NULL while it trains in float
 * @gradient: of the last batch, parameters.total values
 */
struct distill_student {
	struct graph *graph;
	const struct distill_data *data;
	const struct distill_options *options;
	struct parameters parameters;
	struct distill_loss loss;
	struct batch *batch;
	struct fake_quantize *fake;
	float *gradient;
};

int distill_student_create(struct distill_student *student, struct graph *graph,
			   const struct graph *const *teachers,
			   const struct distill_data *data,
			   const struct distill_options *options);

/* Let it have these parameters. */
void distill_student_set(struct distill_student *student, const float *values);

/* The ranges that its activations take now, for @ranges of its tensors. */
int distill_student_calibrate(struct distill_student *student,
			      struct quantize_range *ranges);

/* From now on it computes in int8 with these ranges; again: with others. */
int distill_student_quantize(struct distill_student *student,
			     const struct quantize_range *ranges);

/* And from now on in float again. */
int distill_student_unquantize(struct distill_student *student);

/* Batch number @number of training: student->gradient and the loss. */
int distill_student_run(struct distill_student *student, uint64_t number,
			double progress, double *loss);

/* PSNR against the teacher on the validation set, in decibels. */
int distill_student_measure(struct distill_student *student, double *quality);

void distill_student_release(struct distill_student *student);

#endif
