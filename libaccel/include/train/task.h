/* SPDX-License-Identifier: MIT */
#ifndef TRAIN_TASK_H
#define TRAIN_TASK_H

#include <stdint.h>

#include <jansson.h>

#include <compress/graph.h>
#include <compress/sample.h>
#include <train/dataset.h>
#include <train/dataset_order.h>
#include <train/feed.h>
#include <train/learner.h>
#include <train/network.h>
#include <train/task_settings.h>

/**
 * DOC: What a network is trained for
 *
 * A task builds graphs from a description, knows the loss, and measures how good
 * the network has become on samples that it was not trained on. What happens in a
 * step depends on seed and step alone.
 */

#define TASK_LEARNERS 2

/** struct task_quality - how good it is, on samples of the test */
struct task_quality {
	const char *name; /* "accuracy"; NULL: the task has no such number */
	double value;
	bool larger_is_better;
};

struct task;

/**
 * struct task_operations - one kind of task
 * @name: the description's "task"
 * @keys: what its description may hold beside what all have; NULL ends it
 * @loss_swings: a loss that rises says nothing
 * @noise_learner: whose only input is noise; −1: none
 * @parts: names of the networks that come out, the main one first; NULL ends it
 * @build: read the description, and add the learners
 * @fill: write the samples of a shard into the inputs that hold data
 * @step: one step; NULL: that of a single learner
 * @measure: quality of task->graphs, on so many samples
 * @part: one of @parts as a graph of its own, out of task->graphs
 * @release: what @build made but the learners; NULL: nothing
 */
struct task_operations {
	const char *name;
	const char *const *keys;
	bool loss_swings;
	int noise_learner;
	const char *const *parts;
	int (*build)(struct task *task);
	void (*fill)(const struct task *task, const struct dataset_part *part,
		     const size_t *indices, size_t count, float *const *inputs);
	int (*step)(struct task *task, uint64_t step, float rate, double *loss);
	int (*measure)(const struct task *task, size_t samples,
		       struct task_quality *quality);
	int (*part)(const struct task *task, const char *name,
		    struct graph **graph);
	void (*release)(struct task *task);
};

/**
 * struct task - a description on its way to trained networks
 * @operations: of its kind
 * @description: lent
 * @dataset: lent
 * @settings: from the description
 * @sample: shape of a sample
 * @seed: of weights, order and noise
 * @workers: threads
 * @learners: those that are trained
 * @learner_count: how many
 * @graphs: of the learners, as they are outside of training: for @measure and @part
 * @feed: inputs of the first learner's batch
 * @order: of the samples
 * @indices: which are in the batch
 * @private: of the task's kind
 */
struct task {
	const struct task_operations *operations;
	const json_t *description;
	const struct dataset *dataset;
	struct task_settings settings;
	struct graph_shape sample;
	uint64_t seed;
	int workers;
	struct learner learners[TASK_LEARNERS];
	int learner_count;
	struct graph *graphs[TASK_LEARNERS];
	struct feed feed;
	struct dataset_order order;
	size_t *indices;
	void *private;
};

/* What a description says of data, to read them before the task is made. */
int task_want(const json_t *description, struct dataset_want *want);

/*
 * Build a task. dataset and description must live as long. −EINVAL with a text for
 * a description that is wrong or data that do not suit it. The task goes back with
 * task_release() in either case.
 */
int task_create(struct task *task, const json_t *description,
		const struct dataset *dataset, uint64_t seed, int workers);
void task_release(struct task *task);

/*
 * One step. 0; −ERANGE if loss or gradient were not finite, and nothing has
 * changed; other errors end the training.
 */
int task_step(struct task *task, uint64_t step, float rate, double *loss);

/* Quality of learner_result(); samples: 0 for all of the test. */
int task_measure(struct task *task, size_t samples,
		 struct task_quality *quality);

/* A part with learner_result()'s weights, for graph_destroy(); name NULL: the main
 * one. −EINVAL for a name that the task does not know. */
int task_part(struct task *task, const char *name, struct graph **graph);

/* Does the task have a part whose name is these bytes? */
bool task_has_part(const struct task *task, const char *name, size_t length);

/* ---- for the kinds of tasks ---- */

extern const struct task_operations classifier_operations;
extern const struct task_operations autoencoder_operations;
extern const struct task_operations recurrent_autoencoder_operations;
extern const struct task_operations adversarial_operations;

/* Give a graph to a new learner. NULL graph fields are the caller's error. */
int task_add_learner(struct task *task, struct graph *graph, int shards,
		     int64_t shard_samples, const char *prefix,
		     batch_loss loss);

/* Samples of a shard. */
int64_t task_shard_samples(const struct task *task);

/*
 * Set task->graphs: the learners' own, or copies in which batch normalization is as it is
 * outside of training. 0 or -errno; task_unsettle() in either case.
 */
int task_settle(struct task *task);
void task_unsettle(struct task *task);

/* Random numbers of a purpose and step. */
void task_generator(const struct task *task, uint64_t purpose, uint64_t step,
		    struct sample_generator *generator);

/* A number of the description, or what it is if it is not given. */
double task_number(const struct task *task, const char *key, double usual);

/* Samples as they are, one after the other, into inputs[0]. */
void task_fill_plain(const struct task *task, const struct dataset_part *part,
		     const size_t *indices, size_t count, float *const *inputs);

#endif
