/* SPDX-License-Identifier: MIT */
#include <train/training_loop.h>

#include <core/crc32c.h>
#include <core/deadline.h>
#include <core/error.h>
#include <train/checkpoint.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct identity - what must be the same for a training to go on
 * @description: checksum
 * @data: checksum of labels, sizes and the first samples
 * @seed: of everything
 * @weights: of all learners' vectors
 */
struct identity {
	uint32_t description;
	uint32_t data;
	uint64_t seed;
	uint64_t weights;
};

/** struct numbers - all of a training that is no vector */
struct numbers {
	uint64_t step;
	uint64_t steps;
	double loss;
	double quality;
	double best_quality;
	double first_loss;
	uint64_t good_step;
	uint64_t optimizer_steps[3][TASK_LEARNERS];
	float rate_factor;
	int32_t rollbacks;
	int32_t has_quality;
	int32_t point_count;
};

static uint32_t part_checksum(uint32_t crc, const struct dataset_part *part)
{
	size_t some = part->count < 100 ? part->count : 100;

	crc = crc32c(crc, &part->count, sizeof(part->count));
	crc = crc32c(crc, &part->size, sizeof(part->size));
	if (part->bytes)
		crc = crc32c(crc, part->bytes, some * part->size);
	if (part->values)
		crc = crc32c(crc, part->values,
			     some * part->size * sizeof(*part->values));
	if (part->labels)
		crc = crc32c(crc, part->labels,
			     part->count * sizeof(*part->labels));
	return crc;
}

static int identify(const struct training *training, struct identity *identity)
{
	const struct task *task = training->task;
	char *text =
		json_dumps(task->description, JSON_COMPACT | JSON_SORT_KEYS);

	if (!text)
		return accel_error(-ENOMEM, "no memory");
	memset(identity, 0, sizeof(*identity));
	identity->description = crc32c(0, text, strlen(text));
	identity->data = part_checksum(part_checksum(0, &task->dataset->train),
				       &task->dataset->test);
	identity->seed = task->seed;
	identity->weights = training_snapshot_size(task);
	free(text);
	return 0;
}

static void copy_steps(uint64_t steps[TASK_LEARNERS],
		       const struct training_snapshot *snapshot)
{
	memcpy(steps, snapshot->optimizer_steps,
	       sizeof(snapshot->optimizer_steps));
}

static void gather(const struct training *training,
		   const struct training_snapshot *now, struct numbers *numbers)
{
	const struct training_status *status = &training->result->status;

	memset(numbers, 0, sizeof(*numbers));
	numbers->step = status->step;
	numbers->steps = status->steps;
	numbers->loss = status->loss;
	numbers->quality = status->quality.value;
	numbers->best_quality = training->best_quality.value;
	numbers->first_loss = training->first_loss;
	numbers->good_step = training->good_step;
	numbers->rate_factor = training->rate_factor;
	numbers->rollbacks = status->rollbacks;
	numbers->has_quality = training->best_quality.name != NULL;
	numbers->point_count = training->result->point_count;
	copy_steps(numbers->optimizer_steps[0], now);
	copy_steps(numbers->optimizer_steps[1], &training->good);
	copy_steps(numbers->optimizer_steps[2], &training->best);
}

static int save(struct training *training, const struct training_snapshot *now)
{
	size_t size = training_snapshot_size(training->task) * sizeof(float);
	struct train_checkpoint checkpoint = { .size = 0 };
	struct identity identity;
	struct numbers numbers;
	int ret = identify(training, &identity);

	if (ret)
		return ret;
	gather(training, now, &numbers);
	train_checkpoint_put(&checkpoint, "identity", &identity,
			     sizeof(identity));
	train_checkpoint_put(&checkpoint, "numbers", &numbers, sizeof(numbers));
	train_checkpoint_put(&checkpoint, "curve", training->result->points,
			     sizeof(training->result->points));
	train_checkpoint_put(&checkpoint, "now", now->values, size);
	train_checkpoint_put(&checkpoint, "good", training->good.values, size);
	train_checkpoint_put(&checkpoint, "best", training->best.values, size);
	ret = train_checkpoint_save(&checkpoint, training->options->checkpoint);
	train_checkpoint_release(&checkpoint);
	return ret;
}

void training_save(struct training *training)
{
	struct training_status *status = &training->result->status;
	struct training_snapshot now;
	int ret = training_snapshot_create(&now, training->task);

	if (!ret)
		ret = save(training, &now);
	training_snapshot_release(&now);
	training->saved = monotonic_ns();
	if (ret && !*status->trouble)
		snprintf(status->trouble, sizeof(status->trouble), "%s",
			 accel_last_error());
}

/* ---- the way back ---- */

static void scatter(struct training *training, const struct numbers *numbers,
		    struct training_snapshot *now)
{
	struct training_status *status = &training->result->status;

	status->step = numbers->step;
	status->steps = numbers->steps;
	status->loss = numbers->loss;
	status->rollbacks = numbers->rollbacks;
	training->first_loss = numbers->first_loss;
	training->good_step = numbers->good_step;
	training->rate_factor = numbers->rate_factor;
	training->result->point_count = numbers->point_count;
	memcpy(now->optimizer_steps, numbers->optimizer_steps[0],
	       sizeof(now->optimizer_steps));
	memcpy(training->good.optimizer_steps, numbers->optimizer_steps[1],
	       sizeof(now->optimizer_steps));
	memcpy(training->best.optimizer_steps, numbers->optimizer_steps[2],
	       sizeof(now->optimizer_steps));
}

/* What a quality is called, the task says. */
static int restore_quality(struct training *training,
			   const struct numbers *numbers)
{
	struct training_status *status = &training->result->status;
	int ret;

	if (!numbers->has_quality)
		return 0;
	ret = task_measure(training->task, 1, &status->quality);
	training->best_quality = status->quality;
	status->quality.value = numbers->quality;
	training->best_quality.value = numbers->best_quality;
	return ret;
}

static int check_identity(const struct training *training,
			  const struct identity *found)
{
	struct identity wanted;
	int ret = identify(training, &wanted);

	if (ret || !memcmp(&wanted, found, sizeof(wanted)))
		return ret;
	return accel_error(-EINVAL, "%s: is of another training: another %s",
			   training->options->checkpoint,
			   wanted.seed != found->seed ? "seed" :
			   wanted.description != found->description ?
							"description" :
							"data set");
}

static int check_numbers(const struct training *training,
			 const struct numbers *numbers)
{
	uint64_t steps = training->options->steps;

	if (numbers->point_count < 0 || numbers->point_count > TRAINING_POINTS)
		return accel_error(-EBADMSG, "%s: damaged",
				   training->options->checkpoint);
	if (steps && steps != numbers->steps)
		return accel_error(
			-EINVAL,
			"%s: is of a training of %llu steps; give --steps %llu or none",
			training->options->checkpoint,
			(unsigned long long)numbers->steps,
			(unsigned long long)numbers->steps);
	return 0;
}

static int take(struct training *training, struct train_checkpoint *checkpoint,
		struct training_snapshot *now)
{
	size_t size = training_snapshot_size(training->task) * sizeof(float);
	struct identity identity;
	struct numbers numbers;
	int ret = train_checkpoint_get(checkpoint, "identity", &identity,
				       sizeof(identity));

	if (!ret)
		ret = check_identity(training, &identity);
	if (!ret)
		ret = train_checkpoint_get(checkpoint, "numbers", &numbers,
					   sizeof(numbers));
	if (!ret)
		ret = check_numbers(training, &numbers);
	if (!ret)
		ret = train_checkpoint_get(checkpoint, "curve",
					   training->result->points,
					   sizeof(training->result->points));
	if (!ret)
		ret = train_checkpoint_get(checkpoint, "now", now->values,
					   size);
	if (!ret)
		ret = train_checkpoint_get(checkpoint, "good",
					   training->good.values, size);
	if (!ret)
		ret = train_checkpoint_get(checkpoint, "best",
					   training->best.values, size);
	if (ret)
		return ret;
	scatter(training, &numbers, now);
	training_snapshot_restore(now, training->task);
	return restore_quality(training, &numbers);
}

int training_load(struct training *training)
{
	struct train_checkpoint checkpoint = { .size = 0 };
	struct training_snapshot now;
	int ret = train_checkpoint_load(&checkpoint,
					training->options->checkpoint);

	if (ret == -ENOENT)
		return 0;
	if (ret)
		return ret;
	ret = training_snapshot_create(&now, training->task);
	if (!ret)
		ret = take(training, &checkpoint, &now);
	training_snapshot_release(&now);
	train_checkpoint_release(&checkpoint);
	return ret ? ret : 1;
}
