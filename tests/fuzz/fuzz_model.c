/* SPDX-License-Identifier: MIT */
/*
 * Any bytes are a model or are refused, and what is a model can be sized and run.
 * Fuzzing builds do not compare checksums, or nothing would get beyond them.
 */
#include <backend/cpu.h>
#include <model/file.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* Larger tensors would only be slow. */
#define ELEMENTS_MAX 4096
#define POLLS_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count_polls(void *context)
{
	return ++*(int *)context > POLLS_MAX ? -ETIMEDOUT : 0;
}

static int all_small(const struct model *model,
		     const struct model_extent *extents)
{
	for (uint32_t i = 0; i < model->tensor_count; i++)
		if ((uint64_t)extents[i].height * extents[i].width >
		    ELEMENTS_MAX / extents[i].channels)
			return 0;
	return 1;
}

static void run(const struct model *model, uint32_t size)
{
	struct model_extent *extents =
		calloc(model->tensor_count, sizeof(*extents));
	struct model_extent inputs[MODEL_PORTS_MAX];
	const void *values[MODEL_PORTS_MAX] = { NULL };
	void *outputs[MODEL_PORTS_MAX] = { NULL };
	int polls = 0;
	const struct cpu_observer observer = { NULL, count_polls, &polls };

	for (uint32_t i = 0; i < model->input_count; i++) {
		const struct model_tensor *tensor =
			&model->tensors[model->inputs[i].tensor];

		inputs[i].channels = tensor->channels;
		inputs[i].height = tensor->height ? tensor->height : size;
		inputs[i].width = tensor->width ? tensor->width : size;
	}
	if (extents && !model_infer_extents(model, inputs, extents) &&
	    all_small(model, extents))
		cpu_model_run(model, extents, 2, values, outputs, &observer);
	free(extents);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct safetensors_file *file;
	struct model *model;

	if (safetensors_parse(&file, data, size))
		return 0;
	if (!model_file_load(file, &model)) {
		run(model, 1);
		run(model, 6);
		model_destroy(model);
	}
	safetensors_close(file);
	return 0;
}
