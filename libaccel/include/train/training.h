/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_TRAINING_H
#define TRAIN_TRAINING_H

#include <train/task.h>
#include <train/training_state.h>

/**
 * struct training_point - one point of the curve
 * @step: steps made
 * @loss: running mean
 * @quality: on some samples of the test; NaN if the task has none
 */
struct training_point {
	uint64_t step;
	double loss;
	double quality;
};

/**
 * struct training_status - how far a training has come
 * @step: steps made
 * @steps: in all
 * @loss: running mean
 * @quality: of the last measurement; its name is NULL before the first
 * @rollbacks: how often it diverged, and went back
 * @trouble: why a checkpoint could not be written; "" if none failed
 */
struct training_status {
	uint64_t step;
	uint64_t steps;
	double loss;
	struct task_quality quality;
	int rollbacks;
	char trouble[256];
};

/**
 * struct training_options - how long, and who watches
 * @steps: 0: what the description says
 * @seconds: instead of steps; 0: none. Becomes a number of steps after a short
 *	measurement
 * @checkpoint: file of the state, written every 20 seconds; NULL: none
 * @resume: begin with what @checkpoint holds, if it is there
 * @observer: called after each step; a result other than 0 ends the training as if
 *	it were done, with the best weights so far
 * @context: handed to it
 */
struct training_options {
	uint64_t steps;
	double seconds;
	const char *checkpoint;
	bool resume;
	int (*observer)(void *context, const struct training_status *status);
	void *context;
};

#define TRAINING_POINTS 64

/**
 * struct training_result - what became of it
 * @status: at the end
 * @stopped: the observer ended it
 * @gave_up: it diverged once more than it may, and ended early with the best so far
 * @points: the curve
 * @point_count: of them
 */
struct training_result {
	struct training_status status;
	bool stopped;
	bool gave_up;
	struct training_point points[TRAINING_POINTS];
	int point_count;
};

/**
 * training_run() - train a task to the end
 * @task: learners hold the result afterwards, see task_part()
 * @options: how long
 * @result: what became of it
 *
 * With a checkpoint, a training that was killed goes on bit by bit as it would have.
 *
 * Divergence (a loss that is not finite, or has risen to several times what it was
 * at the start) goes back to the last good state and halves the rate.
 *
 * Return: 0; −EDOM if it diverges again and again; what the task or the file
 * system says.
 */
int training_run(struct task *task, const struct training_options *options,
		 struct training_result *result);

#endif
