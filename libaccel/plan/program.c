/* SPDX-License-Identifier: MIT */
#include "plan/program.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/integer.h"
#include "plan/command.h"
#include "plan/live.h"

#define IMAGE_ALIGNMENT 64

static void image_measure(struct plan_program *program)
{
	program->descriptors =
		align_up(program->constants.length, IMAGE_ALIGNMENT);
	program->list = program->descriptors +
			(uint64_t)program->command_count * PLAN_DESCRIPTOR_SLOT;
	program->image_length =
		program->list +
		(uint64_t)program->command_count * sizeof(struct spmm_sqe);
}

int plan_program_create(const struct model *model,
			const struct plan_shape *shape,
			const struct geometry *geometry, bool keep,
			struct model_reader *reader,
			struct plan_program *program)
{
	int ret;

	memset(program, 0, sizeof(*program));
	program->model = model;
	program->shape = shape;
	ret = plan_memory_create(model, shape, keep, &program->memory);
	if (ret)
		return ret;
	plan_live_spill(model, &program->memory, geometry->sram_bytes);
	ret = plan_constants_create(model, shape, geometry, reader,
				    &program->constants);
	if (!ret)
		ret = plan_commands_create(program, geometry->sram_bytes);
	if (!ret)
		ret = plan_staging_create(model, shape, &program->memory,
					  program->command_count,
					  &program->staging);
	if (!ret)
		image_measure(program);
	return ret;
}

void plan_program_free(struct plan_program *program)
{
	plan_memory_free(&program->memory);
	plan_constants_free(&program->constants);
	plan_staging_free(&program->staging);
	free(program->commands);
	memset(program, 0, sizeof(*program));
}

int plan_program_link(const struct plan_program *program,
		      const struct plan_addresses *addresses, uint8_t *tail)
{
	struct descriptor_context context = {
		.model = program->model,
		.shape = program->shape,
		.memory = &program->memory,
		.constants = &program->constants,
		.activations = addresses->activations,
		.weights = addresses->image,
		/*
		 * Every run reads each weight once, prefetched, and costs the
		 * same whatever ran before it.
		 */
		.weights_hint = SPMM_HINT_STREAM,
	};

	memset(tail, 0, program->image_length - program->descriptors);
	for (uint32_t i = 0; i < program->command_count; i++) {
		uint64_t slot = (uint64_t)i * PLAN_DESCRIPTOR_SLOT;
		uint64_t list = program->list - program->descriptors;
		struct spmm_sqe entry;
		int ret = plan_command_link(program, &context, addresses, i,
					    addresses->image +
						    program->descriptors + slot,
					    tail + slot, &entry);

		if (ret)
			return ret;
		memcpy(tail + list + i * sizeof(entry), &entry, sizeof(entry));
	}
	return 0;
}

void plan_program_describe(const struct plan_program *program, uint32_t command,
			   char *text, size_t size)
{
	const struct model *model = program->model;
	const struct plan_command *entry = &program->commands[command];

	switch (entry->kind) {
	case PLAN_COMMAND_INPUT:
		snprintf(
			text, size, "input %s",
			model->tensors[model->inputs[entry->index].tensor].name);
		break;
	case PLAN_COMMAND_OUTPUT:
		snprintf(text, size, "output %s",
			 model->tensors[model->outputs[entry->index].tensor]
				 .name);
		break;
	default:
		snprintf(text, size, "layer %s",
			 model->layers[plan_command_layer(program, command)]
				 .name);
		break;
	}
}

void plan_program_label(const struct plan_program *program, uint32_t command,
			char *text, size_t size)
{
	const struct model *model = program->model;

	switch (program->commands[command].kind) {
	case PLAN_COMMAND_INPUT:
	case PLAN_COMMAND_OUTPUT:
		plan_program_describe(program, command, text, size);
		return;
	case PLAN_COMMAND_LAYER:
	case PLAN_COMMAND_CONCAT:
		snprintf(text, size, "%s",
			 model->layers[plan_command_layer(program, command)]
				 .name);
		return;
	default:
		snprintf(text, size, "state of %s",
			 model->layers[plan_command_layer(program, command)]
				 .name);
		return;
	}
}

uint32_t plan_program_layer(const struct plan_program *program,
			    uint32_t command)
{
	if (program->commands[command].kind != PLAN_COMMAND_LAYER)
		return PLAN_REPORT_NO_ENTRY;
	return program->commands[command].index;
}
