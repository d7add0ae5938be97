/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_RECONSTRUCTION_H
#define TRAIN_RECONSTRUCTION_H

#include <train/network.h>
#include <train/task.h>

/**
 * struct reconstruction - what a decoder makes of an input, held against it
 * @binary: values are probabilities: cross-entropy; else squared differences
 * @scores: tensor that the loss looks at; before the sigmoid, if there is one
 * @step: elements of one step of a sequence; 0: samples are no sequences
 * @result: tensor that is in the range of the data
 */
struct reconstruction {
	bool binary;
	int64_t step;
	int scores;
	int result;
};

/* Read "loss": "binary" or "squared". 0 or −EINVAL with a text. */
int reconstruction_read(struct reconstruction *reconstruction,
			const struct task *task);

/* End a graph with a decoder's result, which must be shaped like the input's
 * tensor; a sigmoid is added if the loss is binary. Both become outputs. */
int reconstruction_add(struct reconstruction *reconstruction,
		       struct network *network, int input, int decoded);

/* Its part of a shard's loss; gradients go to the tape. */
double reconstruction_loss(const struct reconstruction *reconstruction,
			   const struct task *task, const float *target,
			   struct tape *tape);

/* Mean squared error over samples of the test. */
int reconstruction_measure(const struct reconstruction *reconstruction,
			   const struct task *task, size_t samples,
			   struct task_quality *quality);

#endif
