/* SPDX-License-Identifier: MIT */
/* Small tasks for tests of training: pictures of 4 × 4 in two classes. */
#ifndef TRAINING_DATA_H
#define TRAINING_DATA_H

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <accel/error.h>
#include <compress/sample.h>
#include <train/training.h>

#define SIDE 4
#define PIXELS (SIDE * SIDE)

static inline void make_part(struct dataset_part *part, size_t count,
			     uint64_t seed)
{
	struct sample_generator generator;

	*part = (struct dataset_part){
		.count = count,
		.size = PIXELS,
		.values = calloc(count * PIXELS, sizeof(float)),
		.labels = calloc(count, sizeof(int64_t)),
		.range = { 0, 1 },
	};
	sample_seed(&generator, seed);
	for (size_t i = 0; i < count; i++) {
		float level = (float)sample_uniform(&generator);

		/* the upper half is bright, or the lower one */
		part->labels[i] = (int64_t)sample_below(&generator, 2);
		for (size_t p = 0; p < PIXELS; p++)
			part->values[i * PIXELS + p] =
				(p / (PIXELS / 2) == (size_t)part->labels[i]) ?
					0.5f + level / 2 :
					level / 4;
	}
}

static inline void make_dataset(struct dataset *dataset)
{
	make_part(&dataset->train, 300, 1);
	make_part(&dataset->test, 130, 2);
	dataset->classes = 2;
}

#define CLASSIFIER(training)                                               \
	"{\"task\": \"classifier\", \"input\": [1, 4, 4], \"network\": "   \
	"[{\"layer\": \"conv\", \"outputs\": 4, \"kernel\": 3}, \"tanh\"," \
	" \"flatten\", {\"layer\": \"linear\", \"outputs\": 2}],"          \
	" \"training\": {\"batch\": 16, \"rate\": 0.01" training "}}"

#define AUTOENCODER(loss)                                                     \
	"{\"task\": \"autoencoder\", \"input\": [1, 4, 4], \"latent\": 2,"    \
	" \"range\": [0, 1], \"loss\": \"" loss "\", \"kl\": 0.01,"           \
	" \"encoder\": [\"flatten\", {\"layer\": \"linear\", \"outputs\":"    \
	" 16}, \"relu\"], \"decoder\": [{\"layer\": \"linear\", \"outputs\":" \
	" 16}, \"relu\", {\"layer\": \"linear\", \"outputs\": 16},"           \
	" {\"layer\": \"reshape\", \"shape\": [1, 4, 4]}],"                   \
	" \"training\": {\"batch\": 16, \"rate\": 0.01}}"

#define SEQUENCES                                                          \
	"{\"task\": \"recurrent_autoencoder\", \"input\": [4, 4],"         \
	" \"range\": [0, 1], \"latent\": 2, \"kl\": 0.01, \"encoder\":"    \
	" [{\"layer\": \"gru\", \"hidden\": 8}, \"last\"], \"decoder\":"   \
	" [{\"layer\": \"lstm\", \"hidden\": 12}, {\"layer\": \"linear\"," \
	" \"outputs\": 4}], \"training\": {\"batch\": 16, \"rate\": 0.02}}"

/** struct small_task - a task with what it borrows */
struct small_task {
	json_t *description;
	struct dataset dataset;
	struct task task;
};

static inline int small_task_create(struct small_task *small, const char *text,
				    int workers)
{
	json_error_t error;

	small->description = json_loads(text, 0, &error);
	if (!small->description)
		fail_msg("%s", error.text);
	make_dataset(&small->dataset);
	return task_create(&small->task, small->description, &small->dataset, 7,
			   workers);
}

static inline void small_task_release(struct small_task *small)
{
	task_release(&small->task);
	dataset_release(&small->dataset);
	json_decref(small->description);
}

static inline void small_task_train(struct small_task *small,
				    const struct training_options *options,
				    struct training_result *result)
{
	if (training_run(&small->task, options, result))
		fail_msg("%s", accel_last_error());
}

#endif
