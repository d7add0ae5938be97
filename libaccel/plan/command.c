/* SPDX-License-Identifier: MIT */
#include "plan/command.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "core/error.h"

_Static_assert(sizeof(struct spmm_descriptor) <= PLAN_DESCRIPTOR_SLOT &&
		       sizeof(struct spmm_eltwise_descriptor) <=
			       PLAN_DESCRIPTOR_SLOT &&
		       sizeof(struct spmm_recurrent_descriptor) <=
			       PLAN_DESCRIPTOR_SLOT &&
		       sizeof(struct spmm_copy_descriptor) <=
			       PLAN_DESCRIPTOR_SLOT,
	       "a descriptor does not fit its slot");

static void add(struct plan_program *program, enum plan_command_kind kind,
		uint32_t index)
{
	program->commands[program->command_count++] =
		(struct plan_command){ kind, index, PLAN_ROWS_ALL };
}

static void rows_add(struct plan_program *program, uint32_t layer,
		     struct plan_rows rows)
{
	if (rows.first < rows.end)
		program->commands[program->command_count++] =
			(struct plan_command){ PLAN_COMMAND_LAYER, layer,
					       rows };
}

static void inputs_add(struct plan_program *program)
{
	for (uint32_t i = 0; i < program->model->input_count; i++) {
		int32_t tensor = program->model->inputs[i].tensor;

		if (program->memory.offset[tensor] != PLAN_MEMORY_NONE)
			add(program, PLAN_COMMAND_INPUT, i);
	}
	for (uint32_t i = 0; i < program->memory.state_count; i++) {
		add(program, PLAN_COMMAND_CELL_IN, i);
		add(program, PLAN_COMMAND_HIDDEN_IN, i);
	}
}

/* The copies of a moment; returns the first of a later one. */
static uint32_t copies_add(struct plan_program *program, uint32_t copy,
			   uint32_t moment)
{
	while (copy < program->memory.copy_count &&
	       program->memory.copies[copy].moment == moment)
		add(program, PLAN_COMMAND_CONCAT, copy++);
	return copy;
}

/* Returns the last layer that it added: this one or the next, too. */
static uint32_t layer_add(struct plan_program *program, uint32_t layer,
			  const struct plan_band_context *context)
{
	uint32_t count = plan_band_count(context, layer);
	struct plan_rows writer, reader;

	if (count == 1) {
		add(program, PLAN_COMMAND_LAYER, layer);
		return layer;
	}
	for (uint32_t band = 0; band < count; band++) {
		plan_band_rows(context, layer, count, band, &writer, &reader);
		rows_add(program, layer, writer);
		rows_add(program, layer + 1, reader);
	}
	return layer + 1;
}

static void layers_add(struct plan_program *program, uint64_t sram_bytes)
{
	const struct plan_band_context context = {
		.model = program->model,
		.shape = program->shape,
		.memory = &program->memory,
		.sram_bytes = sram_bytes,
	};
	uint32_t copy = copies_add(program, 0, PLAN_MOMENT_INPUTS);

	for (uint32_t l = 0; l < program->model->layer_count; l++) {
		switch (program->model->layers[l].op) {
		case MODEL_RESHAPE:
		case MODEL_SLICE:
		case MODEL_CONCAT:
			break;
		default:
			l = layer_add(program, l, &context);
			break;
		}
		copy = copies_add(program, copy, PLAN_MOMENT_OF_LAYER(l));
	}
}

static void outputs_add(struct plan_program *program)
{
	for (uint32_t i = 0; i < program->memory.state_count; i++) {
		add(program, PLAN_COMMAND_CELL_OUT, i);
		add(program, PLAN_COMMAND_HIDDEN_OUT, i);
	}
	for (uint32_t i = 0; i < program->model->output_count; i++) {
		int32_t tensor = program->model->outputs[i].tensor;

		if (program->memory.offset[tensor] != PLAN_MEMORY_NONE)
			add(program, PLAN_COMMAND_OUTPUT, i);
	}
}

int plan_commands_create(struct plan_program *program, uint64_t sram_bytes)
{
	size_t most = (size_t)program->model->input_count +
		      program->model->output_count +
		      (size_t)program->model->layer_count * PLAN_BANDS_MAX +
		      program->memory.copy_count +
		      4 * (size_t)program->memory.state_count;

	program->commands = calloc(most + 1, sizeof(*program->commands));
	if (!program->commands)
		return accel_error(-ENOMEM, "out of memory");
	inputs_add(program);
	layers_add(program, sram_bytes);
	outputs_add(program);
	return 0;
}

uint32_t plan_command_layer(const struct plan_program *program,
			    uint32_t command)
{
	const struct plan_command *entry = &program->commands[command];

	switch (entry->kind) {
	case PLAN_COMMAND_LAYER:
		return entry->index;
	case PLAN_COMMAND_CONCAT:
		return program->memory.copies[entry->index].layer;
	default:
		return program->memory.states[entry->index].layer;
	}
}

static void copy_link(struct spmm_sqe *entry, uint64_t source,
		      uint64_t destination, uint64_t length)
{
	entry->opcode = SPMM_IO_COPY;
	entry->address = htole64(source);
	entry->destination = htole64(destination);
	entry->length = htole64(length);
}

/* A tensor from one place to another; @entry has the descriptor's address. */
static void tensor_link(const struct plan_program *program,
			const struct descriptor_context *context,
			uint32_t tensor, uint64_t source, uint64_t destination,
			void *descriptor, struct spmm_sqe *entry)
{
	if (!descriptor_build_copy(context, tensor, source, destination,
				   descriptor)) {
		copy_link(entry, source, destination,
			  program->memory.bytes[tensor]);
		return;
	}
	entry->opcode = SPMM_IO_COPY_STRIDED;
	entry->length = htole64(sizeof(struct spmm_copy_descriptor));
}

static void port_link(const struct plan_program *program,
		      const struct descriptor_context *context,
		      const struct plan_addresses *addresses,
		      const struct plan_command *command, void *descriptor,
		      struct spmm_sqe *entry)
{
	bool input = command->kind == PLAN_COMMAND_INPUT;
	const struct model_port *ports = input ? program->model->inputs :
						 program->model->outputs;
	const uint64_t *offsets = input ? program->staging.inputs :
					  program->staging.outputs;
	uint32_t tensor = (uint32_t)ports[command->index].tensor;
	uint64_t device =
		addresses->activations + program->memory.offset[tensor];
	uint64_t host = addresses->staging + offsets[command->index];

	tensor_link(program, context, tensor, input ? host : device,
		    input ? device : host, descriptor, entry);
}

static void state_link(const struct plan_program *program,
		       const struct plan_addresses *addresses,
		       const struct plan_command *command,
		       struct spmm_sqe *entry)
{
	const struct plan_state *state =
		&program->memory.states[command->index];
	const struct plan_staging_state *staging =
		&program->staging.states[command->index];
	uint64_t cell = addresses->activations + state->cell;
	uint64_t hidden = addresses->activations + state->hidden;
	uint64_t host = addresses->staging;

	switch (command->kind) {
	case PLAN_COMMAND_CELL_IN:
		copy_link(entry, host + staging->cell_in, cell,
			  staging->values * sizeof(float));
		break;
	case PLAN_COMMAND_HIDDEN_IN:
		copy_link(entry, host + staging->hidden_in, hidden,
			  staging->values);
		break;
	case PLAN_COMMAND_CELL_OUT:
		copy_link(entry, cell, host + staging->cell_out,
			  staging->values * sizeof(float));
		break;
	default:
		copy_link(entry, hidden, host + staging->hidden_out,
			  staging->values);
		break;
	}
}

static void concat_link(const struct plan_program *program,
			const struct descriptor_context *context,
			const struct plan_addresses *addresses,
			const struct plan_command *command, void *descriptor,
			struct spmm_sqe *entry)
{
	const struct plan_copy *copy = &program->memory.copies[command->index];
	uint64_t source =
		addresses->activations + program->memory.offset[copy->tensor];

	tensor_link(program, context, copy->tensor, source,
		    addresses->activations + copy->offset, descriptor, entry);
	if (copy->stream && !addresses->without_stream)
		entry->flags = SPMM_SQE_STREAM;
}

static const struct plan_state *state_of(const struct plan_memory *memory,
					 uint32_t layer)
{
	const struct plan_state *state = memory->states;

	while (state->layer != layer)
		state++;
	return state;
}

static int layer_link(const struct plan_program *program,
		      const struct descriptor_context *context,
		      const struct plan_command *command, void *descriptor,
		      struct spmm_sqe *entry)
{
	uint32_t layer = command->index;

	switch (program->model->layers[layer].op) {
	case MODEL_SPMM:
		entry->opcode = SPMM_IO_SPMM;
		entry->length = htole64(sizeof(struct spmm_descriptor));
		return descriptor_build_spmm(context, layer, command->rows,
					     descriptor);
	case MODEL_LSTM:
	case MODEL_GRU:
		entry->opcode = SPMM_IO_RECURRENT;
		entry->length =
			htole64(sizeof(struct spmm_recurrent_descriptor));
		descriptor_build_recurrent(
			context, state_of(&program->memory, layer), descriptor);
		return 0;
	case MODEL_PERMUTE:
		entry->opcode = SPMM_IO_COPY_STRIDED;
		entry->length = htole64(sizeof(struct spmm_copy_descriptor));
		descriptor_build_permute(context, layer, descriptor);
		return 0;
	default:
		entry->opcode = SPMM_IO_ELTWISE;
		entry->length = htole64(sizeof(struct spmm_eltwise_descriptor));
		return descriptor_build_eltwise(context, layer, descriptor);
	}
}

int plan_command_link(const struct plan_program *program,
		      const struct descriptor_context *context,
		      const struct plan_addresses *addresses, uint32_t command,
		      uint64_t address, void *descriptor,
		      struct spmm_sqe *entry)
{
	const struct plan_command *item = &program->commands[command];
	uint64_t stats = addresses->staging + program->staging.stats +
			 command * sizeof(struct spmm_command_stats);

	*entry = (struct spmm_sqe){ .stats_address = htole64(stats),
				    .address = htole64(address) };
	if (addresses->first_label)
		entry->id =
			htole16((uint16_t)(addresses->first_label + command));
	switch (item->kind) {
	case PLAN_COMMAND_INPUT:
	case PLAN_COMMAND_OUTPUT:
		port_link(program, context, addresses, item, descriptor, entry);
		return 0;
	case PLAN_COMMAND_CONCAT:
		concat_link(program, context, addresses, item, descriptor,
			    entry);
		return 0;
	case PLAN_COMMAND_LAYER:
		return layer_link(program, context, item, descriptor, entry);
	default:
		state_link(program, addresses, item, entry);
		return 0;
	}
}
