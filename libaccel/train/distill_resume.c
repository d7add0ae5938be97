/* SPDX-License-Identifier: MIT */
#include <core/crc32c.h>
#include <core/error.h>
#include <train/checkpoint.h>
#include <train/distill_resume.h>
#include <train/distill_trainer.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** struct progress_record - what belongs to no state */
struct progress_record {
	uint64_t fingerprint;
	uint64_t steps;
	uint64_t rollbacks;
	double best_quality;
};

static uint32_t mix_graph(uint32_t crc, const struct graph *graph)
{
	for (int t = 0; t < graph->tensor_count; t++) {
		const struct graph_tensor *tensor = &graph->tensors[t];

		if (tensor->data)
			crc = crc32c(crc, tensor->data,
				     (size_t)graph_shape_count(&tensor->shape) *
					     sizeof(float));
	}
	return crc;
}

static uint32_t mix_data(uint32_t crc, const struct distill_data *data)
{
	const struct calibration_data *files = data->source.files;

	crc = crc32c(crc, &data->source.latents, sizeof(data->source.latents));
	crc = crc32c(crc, &data->source.seed, sizeof(data->source.seed));
	for (int s = 0; files && s < files->sample_count; s++)
		for (int i = 0; i < files->input_count; i++) {
			const struct array *array = &files->samples[s][i];

			crc = crc32c(crc, array->values,
				     (size_t)graph_shape_count(&array->shape) *
					     sizeof(float));
		}
	return crc;
}

static uint32_t mix_mask(uint32_t crc, const struct graph *graph,
			 const struct prune_mask *mask)
{
	for (int t = 0; mask && t < mask->tensor_count; t++)
		if (mask->keep[t])
			crc = crc32c(crc, mask->keep[t],
				     (size_t)graph_shape_count(
					     &graph->tensors[t].shape));
	return crc;
}

uint32_t distill_fingerprint(const struct distill_trainer *trainer)
{
	const struct distill_loss *loss = &trainer->student.loss;
	char *recipe = recipe_format(trainer->options->recipe);
	uint32_t crc = mix_graph(0, trainer->student.graph);

	for (int t = 0; t < loss->teacher_count; t++)
		crc = mix_graph(crc, loss->teachers[t]);
	crc = mix_data(crc, trainer->student.data);
	crc = crc32c(crc, &trainer->options->sparsity,
		     sizeof(trainer->options->sparsity));
	crc = crc32c(crc, &trainer->options->input_range,
		     sizeof(trainer->options->input_range));
	crc = crc32c(crc, &trainer->options->output_range,
		     sizeof(trainer->options->output_range));
	crc = mix_mask(crc, trainer->student.graph, trainer->options->mask);
	if (recipe)
		crc = crc32c(crc, recipe, strlen(recipe));
	free(recipe);
	return crc;
}

int distill_save(const struct distill_trainer *trainer, uint32_t fingerprint)
{
	const struct distill_state *state = &trainer->state;
	const struct history *history = &trainer->history;
	const struct progress_record record = {
		.fingerprint = fingerprint,
		.steps = trainer->steps,
		.rollbacks = trainer->rollbacks,
		.best_quality = trainer->best_quality,
	};
	struct train_checkpoint checkpoint = { 0 };
	int ret;

	train_checkpoint_put(&checkpoint, "progress", &record, sizeof(record));
	distill_state_put(state, &checkpoint);
	distill_state_put(&trainer->good, &checkpoint);
	train_checkpoint_put(&checkpoint, "best", trainer->best,
			     state->count * sizeof(float));
	train_checkpoint_put(&checkpoint, "best ranges", trainer->best_ranges,
			     state->range_count *
				     sizeof(struct quantize_range));
	train_checkpoint_put(&checkpoint, "history", history->points,
			     history->count * sizeof(*history->points));
	ret = train_checkpoint_save(&checkpoint, trainer->options->checkpoint);
	train_checkpoint_release(&checkpoint);
	return ret;
}

static int check_record(const struct distill_trainer *trainer,
			const struct progress_record *record,
			uint32_t fingerprint)
{
	const char *path = trainer->options->checkpoint;

	if (record->fingerprint != fingerprint)
		return accel_error(
			-EBADMSG,
			"%s: a checkpoint of another training: networks, data, ranges, sparsity and recipe have to be the same",
			path);
	if (trainer->options->steps && trainer->options->steps != record->steps)
		return accel_error(
			-EBADMSG,
			"%s: a training of %llu steps; it goes on with --steps %llu or none",
			path, (unsigned long long)record->steps,
			(unsigned long long)record->steps);
	return 0;
}

static int get_history(struct history *history,
		       struct train_checkpoint *checkpoint)
{
	int64_t size = train_checkpoint_size(checkpoint, "history");
	size_t count = (size_t)size / sizeof(*history->points);
	struct history_point *points;

	if (size < 0 || (size_t)size % sizeof(*points))
		return size < 0 ? (int)size :
				  accel_error(-EBADMSG, "a damaged history");
	points = malloc((size_t)size + 1);
	if (!points)
		return accel_error(-ENOMEM, "no memory for a curve");
	free(history->points);
	*history = (struct history){ points, count, count };
	return train_checkpoint_get(checkpoint, "history", points,
				    (size_t)size);
}

static int get_states(struct distill_trainer *trainer,
		      struct train_checkpoint *checkpoint)
{
	struct distill_state *state = &trainer->state;
	int ret = distill_state_get(state, checkpoint);

	if (!ret)
		ret = distill_state_get(&trainer->good, checkpoint);
	if (!ret)
		ret = train_checkpoint_get(checkpoint, "best", trainer->best,
					   state->count * sizeof(float));
	if (!ret)
		ret = train_checkpoint_get(
			checkpoint, "best ranges", trainer->best_ranges,
			state->range_count * sizeof(struct quantize_range));
	return ret ? ret : get_history(&trainer->history, checkpoint);
}

static int get_all(struct distill_trainer *trainer,
		   struct train_checkpoint *checkpoint, uint32_t fingerprint)
{
	struct progress_record record;
	int ret = train_checkpoint_get(checkpoint, "progress", &record,
				       sizeof(record));

	if (!ret)
		ret = check_record(trainer, &record, fingerprint);
	if (!ret)
		ret = get_states(trainer, checkpoint);
	if (ret)
		return ret;
	trainer->steps = record.steps;
	trainer->rollbacks = record.rollbacks;
	trainer->best_quality = record.best_quality;
	return 0;
}

int distill_load(struct distill_trainer *trainer, uint32_t fingerprint)
{
	struct train_checkpoint checkpoint;
	int ret = train_checkpoint_load(&checkpoint,
					trainer->options->checkpoint);

	if (!ret)
		ret = get_all(trainer, &checkpoint, fingerprint);
	train_checkpoint_release(&checkpoint);
	return ret;
}
