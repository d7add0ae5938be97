/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_TRAINING_STATE_H
#define TRAIN_TRAINING_STATE_H

#include <train/task.h>

/* Weights, both moments and the moving average of each learner. */
#define TRAINING_VECTORS (4 * TASK_LEARNERS)

/** struct training_vector - part of what a task's state consists of */
struct training_vector {
	float *values;
	size_t count;
};

/*
 * All vectors of a task's learners, in a fixed order; absent ones have count 0.
 */
void training_vectors(const struct task *task,
		      struct training_vector vectors[TRAINING_VECTORS]);

/**
 * struct training_snapshot - a copy of a task's state
 * @values: all vectors, one behind the other
 * @optimizer_steps: of each learner
 */
struct training_snapshot {
	float *values;
	uint64_t optimizer_steps[TASK_LEARNERS];
};

/* Elements of training_snapshot.values. */
size_t training_snapshot_size(const struct task *task);

int training_snapshot_create(struct training_snapshot *snapshot,
			     const struct task *task);
void training_snapshot_release(struct training_snapshot *snapshot);

void training_snapshot_take(struct training_snapshot *snapshot,
			    const struct task *task);
void training_snapshot_restore(const struct training_snapshot *snapshot,
			       struct task *task);

#endif
