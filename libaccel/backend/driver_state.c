/* SPDX-License-Identifier: MIT */
#include "backend/driver_state.h"

#include <errno.h>
#include <string.h>

#include "core/error.h"
#include "golden/arithmetic.h"

/* Positions of a recurrent layer's states among its inputs and outputs. */
#define STATE_HIDDEN 1
#define STATE_CELL 2

static bool is_recurrent(const struct model_layer *layer)
{
	return layer->op == MODEL_LSTM || layer->op == MODEL_GRU;
}

static const struct plan_port *input_find(const struct accel_plan *plan,
					  int32_t tensor)
{
	const struct model *model = plan->model->model;

	for (uint32_t i = 0; i < model->input_count; i++)
		if (model->inputs[i].tensor == tensor)
			return &plan->inputs[i];
	return NULL;
}

static bool is_input(const struct model *model, int32_t tensor)
{
	for (uint32_t i = 0; i < model->input_count; i++)
		if (model->inputs[i].tensor == tensor)
			return true;
	return false;
}

int driver_state_check(const struct model *model)
{
	for (uint32_t l = 0; l < model->layer_count; l++) {
		const struct model_layer *layer = &model->layers[l];

		if (!is_recurrent(layer))
			continue;
		for (uint32_t i = STATE_HIDDEN; i < layer->input_count; i++)
			if (layer->inputs[i] != MODEL_NO_TENSOR &&
			    !is_input(model, layer->inputs[i]))
				return accel_error(
					-ENOTSUP,
					"%s: initial state %s is computed by the network; it has to be an input of the model or omitted",
					layer->name,
					model->tensors[layer->inputs[i]].name);
	}
	return 0;
}

/* The caller's values of a state, or NULL for zeros. */
static const float *state_values(const struct accel_plan *plan,
				 const struct model_layer *layer,
				 uint32_t position)
{
	const struct plan_port *port;

	if (position >= layer->input_count ||
	    layer->inputs[position] == MODEL_NO_TENSOR)
		return NULL;
	port = input_find(plan, layer->inputs[position]);
	return port ? port->staging : NULL;
}

static void hidden_write(const float *values, uint64_t count,
			 struct golden_quantization quantization, int8_t *codes)
{
	for (uint64_t i = 0; i < count; i++)
		codes[i] =
			golden_quantize(values ? values[i] : 0, quantization);
}

static void cell_write(const float *values, uint64_t count, float *cell)
{
	if (values)
		memcpy(cell, values, count * sizeof(*cell));
	else
		memset(cell, 0, count * sizeof(*cell));
}

void driver_state_write(struct driver_plan *plan)
{
	const struct plan_program *program = &plan->program;
	uint8_t *staging = plan->staging.host.address;

	for (uint32_t i = 0; i < program->memory.state_count; i++) {
		const struct plan_staging_state *state =
			&program->staging.states[i];
		const struct model_layer *layer =
			&program->model->layers[program->memory.states[i].layer];
		const float *hidden =
			state_values(&plan->base, layer, STATE_HIDDEN);
		const float *cell =
			layer->op == MODEL_LSTM ?
				state_values(&plan->base, layer, STATE_CELL) :
				hidden;

		hidden_write(hidden, state->values,
			     layer->recurrent.hidden_quantization,
			     (int8_t *)(staging + state->hidden_in));
		cell_write(cell, state->values,
			   (float *)(void *)(staging + state->cell_in));
	}
}

void driver_state_read(const struct driver_plan *plan, uint32_t tensor,
		       float *values)
{
	const struct plan_program *program = &plan->program;
	const uint8_t *staging = plan->staging.host.address;

	for (uint32_t i = 0; i < program->memory.state_count; i++) {
		const struct plan_staging_state *state =
			&program->staging.states[i];
		const struct model_layer *layer =
			&program->model->layers[program->memory.states[i].layer];
		const int8_t *codes =
			(const int8_t *)(staging + state->hidden_out);

		for (uint32_t o = STATE_HIDDEN; o < layer->output_count; o++) {
			if (layer->outputs[o] != (int32_t)tensor)
				continue;
			if (layer->op == MODEL_GRU || o == STATE_CELL) {
				memcpy(values, staging + state->cell_out,
				       state->values * sizeof(*values));
				return;
			}
			for (uint64_t v = 0; v < state->values; v++)
				values[v] = golden_dequantize(
					codes[v],
					layer->recurrent.hidden_quantization);
			return;
		}
	}
	/* An input state: what was written. */
	for (uint32_t i = 0; i < program->model->input_count; i++)
		if (program->model->inputs[i].tensor == (int32_t)tensor)
			memcpy(values, plan->base.inputs[i].staging,
			       plan->base.inputs[i].bytes);
}
