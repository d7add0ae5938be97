/* SPDX-License-Identifier: MIT */
#include <train/training_state.h>

#include <core/error.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VECTORS_OF_LEARNER (TRAINING_VECTORS / TASK_LEARNERS)

void training_vectors(const struct task *task,
		      struct training_vector vectors[TRAINING_VECTORS])
{
	memset(vectors, 0, TRAINING_VECTORS * sizeof(*vectors));
	for (int i = 0; i < task->learner_count; i++) {
		const struct learner *learner = &task->learners[i];
		const struct optimizer *optimizer = &learner->optimizer;
		float *const values[VECTORS_OF_LEARNER] = {
			learner->values,
			optimizer->first,
			optimizer->second,
			optimizer->average,
		};

		for (int v = 0; v < VECTORS_OF_LEARNER; v++)
			if (values[v])
				vectors[i * VECTORS_OF_LEARNER + v] =
					(struct training_vector){
						values[v],
						learner->parameters.total
					};
	}
}

size_t training_snapshot_size(const struct task *task)
{
	struct training_vector vectors[TRAINING_VECTORS];
	size_t size = 0;

	training_vectors(task, vectors);
	for (int v = 0; v < TRAINING_VECTORS; v++)
		size += vectors[v].count;
	return size;
}

int training_snapshot_create(struct training_snapshot *snapshot,
			     const struct task *task)
{
	snapshot->values =
		calloc(training_snapshot_size(task), sizeof(*snapshot->values));
	if (!snapshot->values)
		return accel_error(-ENOMEM,
				   "no memory for a copy of the weights");
	training_snapshot_take(snapshot, task);
	return 0;
}

void training_snapshot_release(struct training_snapshot *snapshot)
{
	free(snapshot->values);
	snapshot->values = NULL;
}

void training_snapshot_take(struct training_snapshot *snapshot,
			    const struct task *task)
{
	struct training_vector vectors[TRAINING_VECTORS];
	float *at = snapshot->values;

	training_vectors(task, vectors);
	for (int v = 0; v < TRAINING_VECTORS; v++) {
		if (vectors[v].count)
			memcpy(at, vectors[v].values,
			       vectors[v].count * sizeof(*at));
		at += vectors[v].count;
	}
	for (int i = 0; i < task->learner_count; i++)
		snapshot->optimizer_steps[i] = task->learners[i].optimizer.step;
}

void training_snapshot_restore(const struct training_snapshot *snapshot,
			       struct task *task)
{
	struct training_vector vectors[TRAINING_VECTORS];
	const float *at = snapshot->values;

	training_vectors(task, vectors);
	for (int v = 0; v < TRAINING_VECTORS; v++) {
		if (vectors[v].count)
			memcpy(vectors[v].values, at,
			       vectors[v].count * sizeof(*at));
		at += vectors[v].count;
	}
	for (int i = 0; i < task->learner_count; i++) {
		struct learner *learner = &task->learners[i];

		learner->optimizer.step = snapshot->optimizer_steps[i];
		learner_store(learner, learner->values);
	}
}
