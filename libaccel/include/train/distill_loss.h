/* SPDX-License-Identifier: MIT */
/*
 * What a student is told: how far its outputs and hidden activations are from those of
 * its teachers, which run beside it on the same inputs.
 */
#ifndef TRAIN_DISTILL_LOSS_H
#define TRAIN_DISTILL_LOSS_H

#include <stdbool.h>

#include <compress/executor.h>
#include <compress/graph.h>
#include <train/distill_data.h>
#include <train/recipe.h>
#include <train/tape.h>

/**
 * struct distill_feature - a hidden activation that both networks have
 * @student: tensor of the student
 * @teacher: tensor of the first teacher
 * @scale: one over its variance in the teacher
 */
struct distill_feature {
	int student;
	int teacher;
	double scale;
};

/**
 * struct distill_output - one output of the networks
 * @scale: one over its variance in the first teacher
 * @peak: width of its range, by which PSNR is measured
 */
struct distill_output {
	double scale;
	double peak;
};

/**
 * struct distill_loss - the context of distill_loss_run()
 * @recipe: terms and batch
 * @student: not owned
 * @teachers: not owned; [@teacher_count]
 * @teacher_count: recipe->teacher_count + 1
 * @executors: [shards][@teacher_count]
 * @inputs: [shards][inputs] arrays of the present batch
 * @features: hidden activations that are compared
 * @feature_count: number of them
 * @outputs: [student->output_count]
 * @progress: part of the steps that is done, for terms that fade
 * @measures: return only the squared error by peaks, no gradient
 */
struct distill_loss {
	const struct recipe *recipe;
	const struct graph *student;
	const struct graph *const *teachers;
	int teacher_count;
	struct executor **executors;
	float **inputs;
	struct distill_feature *features;
	int feature_count;
	struct distill_output *outputs;
	double progress;
	bool measures;
};

/*
 * @data: inputs of all networks. −EINVAL with a text if a teacher's inputs or outputs
 * are not the student's.
 */
int distill_loss_create(struct distill_loss *loss, const struct recipe *recipe,
			const struct graph *student,
			const struct graph *const *teachers,
			const struct distill_data *data,
			struct quantize_range output_range);

/* Tensors that tape_seed() and tape_values() are called for. */
void distill_loss_mark(const struct distill_loss *loss, bool *seeded);

/* A batch_loss; the teachers run in the thread of their shard. */
double distill_loss_run(void *context, int shard, struct tape *tape);

void distill_loss_release(struct distill_loss *loss);

#endif
