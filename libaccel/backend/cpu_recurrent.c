/* SPDX-License-Identifier: MIT */
#include <backend/cpu_layer.h>

#include <core/checked.h>
#include <core/error.h>
#include <golden/recurrent.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct recurrent_run - a recurrent layer at work
 * @hidden: H
 * @steps: T
 * @batch: B
 * @state: H × B codes of h
 * @reset: H × B codes of r⊙h, of a GRU that resets before the matrix
 * @cell: H × B binary32: c of an LSTM, the h of a GRU that was not rounded
 * @input: G·H × B accumulators of one step; likewise @recurrent
 */
struct recurrent_run {
	const struct cpu_run *run;
	const struct model_layer *layer;
	const struct model_recurrent *parameters;
	size_t hidden, steps, batch;
	int8_t *state, *reset;
	float *cell;
	int32_t *input, *recurrent;
};

/* out[row] = bias + W·(x − zero) for rows [first, end); x has a row stride. */
static void multiply(const struct model_csr *weights, const int32_t *bias,
		     uint32_t first, uint32_t end, const int8_t *x,
		     size_t stride, int32_t zero, size_t batch, int32_t *out)
{
	for (uint32_t row = first; row < end; row++) {
		uint32_t *sums = (uint32_t *)out + row * batch;

		for (size_t b = 0; b < batch; b++)
			sums[b] = (uint32_t)bias[row];
		for (int64_t i = weights->row_start[row];
		     i < weights->row_start[row + 1]; i++) {
			const int8_t *codes =
				x + (size_t)weights->column[i] * stride;
			int32_t weight = weights->value[i];

			for (size_t b = 0; b < batch; b++)
				sums[b] +=
					(uint32_t)(weight * (codes[b] - zero));
		}
	}
}

static void multiply_state(const struct recurrent_run *state, uint32_t first,
			   uint32_t end, const int8_t *codes)
{
	const struct model_recurrent *parameters = state->parameters;

	multiply(&parameters->hidden_weights, parameters->hidden_bias, first,
		 end, codes, state->batch, parameters->hidden_quantization.zero,
		 state->batch, state->recurrent);
}

/* x is [feature][step][batch]: a step is a matrix with a stride. */
static void multiply_input(const struct recurrent_run *state, size_t step)
{
	const struct model_recurrent *parameters = state->parameters;
	int32_t tensor = state->layer->inputs[0];
	const int8_t *x = state->run->values[tensor];

	multiply(&parameters->input_weights, parameters->input_bias, 0,
		 parameters->input_weights.rows, x + step * state->batch,
		 state->steps * state->batch,
		 cpu_quantization(state->run, tensor).zero, state->batch,
		 state->input);
}

static struct golden_gate gate_of(const struct recurrent_run *state,
				  size_t gate, size_t unit, size_t b)
{
	const struct model_recurrent *parameters = state->parameters;
	size_t row = gate * state->hidden + unit;
	float input_scale =
		cpu_quantization(state->run, state->layer->inputs[0]).scale;
	struct golden_gate result = {
		.input = state->input[row * state->batch + b],
		.hidden = state->recurrent[row * state->batch + b],
		.input_scale = input_scale * parameters->input_scale[row],
		.hidden_scale = parameters->hidden_quantization.scale *
				parameters->hidden_scale[row],
	};

	return result;
}

static void lstm_step(const struct recurrent_run *state)
{
	multiply_state(state, 0, state->parameters->hidden_weights.rows,
		       state->state);
	for (size_t i = 0; i < state->hidden * state->batch; i++) {
		size_t unit = i / state->batch, b = i % state->batch;
		const struct golden_gate gates[4] = {
			gate_of(state, 0, unit, b),
			gate_of(state, 1, unit, b),
			gate_of(state, 2, unit, b),
			gate_of(state, 3, unit, b),
		};

		state->state[i] = golden_lstm_step(
			gates, &state->cell[i],
			state->parameters->hidden_quantization);
	}
}

/* r⊙h of all units has to be there before the third gate's matrix. */
static void gru_reset(const struct recurrent_run *state)
{
	uint32_t hidden = (uint32_t)state->hidden;

	for (size_t i = 0; i < state->hidden * state->batch; i++) {
		const struct golden_gate reset =
			gate_of(state, 1, i / state->batch, i % state->batch);

		state->reset[i] = golden_gru_reset(
			&reset, state->cell[i],
			state->parameters->hidden_quantization);
	}
	multiply_state(state, 2 * hidden, 3 * hidden, state->reset);
}

static void gru_step(const struct recurrent_run *state)
{
	bool linear = state->parameters->linear_before_reset;

	multiply_state(state, 0, (linear ? 3 : 2) * (uint32_t)state->hidden,
		       state->state);
	if (!linear)
		gru_reset(state);
	for (size_t i = 0; i < state->hidden * state->batch; i++) {
		size_t unit = i / state->batch, b = i % state->batch;
		const struct golden_gate gates[3] = {
			gate_of(state, 0, unit, b),
			gate_of(state, 1, unit, b),
			gate_of(state, 2, unit, b),
		};

		state->state[i] =
			golden_gru_step(gates, &state->cell[i], linear,
					state->parameters->hidden_quantization);
	}
}

static void store_step(const struct recurrent_run *state, size_t step)
{
	int32_t tensor = state->layer->outputs[0];
	size_t batch = state->batch;
	int8_t *y;

	if (tensor == MODEL_NO_TENSOR)
		return;
	y = state->run->values[tensor];
	for (size_t unit = 0; unit < state->hidden; unit++)
		memcpy(y + (unit * state->steps + step) * batch,
		       state->state + unit * batch, batch);
}

static const float *state_input(const struct recurrent_run *state,
				uint32_t index)
{
	const struct model_layer *layer = state->layer;

	if (index >= layer->input_count ||
	    layer->inputs[index] == MODEL_NO_TENSOR)
		return NULL;
	return state->run->values[layer->inputs[index]];
}

/* The hidden state is quantized once, here; the cell never is. */
static void load_states(const struct recurrent_run *state)
{
	struct golden_quantization q = state->parameters->hidden_quantization;
	const float *h = state_input(state, 1);
	const float *c =
		state->layer->op == MODEL_LSTM ? state_input(state, 2) : h;
	size_t count = state->hidden * state->batch;

	for (size_t i = 0; i < count; i++) {
		state->state[i] = golden_quantize(h ? h[i] : 0.0f, q);
		state->cell[i] = c ? c[i] : 0.0f;
	}
}

static float *state_output(const struct recurrent_run *state, uint32_t index)
{
	const struct model_layer *layer = state->layer;

	if (index >= layer->output_count ||
	    layer->outputs[index] == MODEL_NO_TENSOR)
		return NULL;
	return state->run->values[layer->outputs[index]];
}

static void store_states(const struct recurrent_run *state)
{
	bool lstm = state->layer->op == MODEL_LSTM;
	float *h = state_output(state, 1);
	float *c = lstm ? state_output(state, 2) : NULL;

	for (size_t i = 0; i < state->hidden * state->batch; i++) {
		if (h)
			h[i] = lstm ? golden_dequantize(
					      state->state[i],
					      state->parameters
						      ->hidden_quantization) :
				      state->cell[i];
		if (c)
			c[i] = state->cell[i];
	}
}

static int run_steps(const struct recurrent_run *state)
{
	int ret = 0;

	load_states(state);
	for (size_t i = 0; !ret && i < state->steps; i++) {
		size_t step =
			state->parameters->reverse ? state->steps - 1 - i : i;

		multiply_input(state, step);
		if (state->layer->op == MODEL_LSTM)
			lstm_step(state);
		else
			gru_step(state);
		store_step(state, step);
		ret = cpu_run_cancelled(state->run);
	}
	store_states(state);
	return ret;
}

static int allocate(struct recurrent_run *state)
{
	size_t gates = state->parameters->input_weights.rows;
	size_t units;

	if (!checked_multiply(state->hidden, state->batch, &units))
		return accel_error(-EOVERFLOW, "layer '%s' is too large",
				   state->layer->name);
	state->state = calloc(units, 1);
	state->reset = calloc(units, 1);
	state->cell = calloc(units, sizeof(*state->cell));
	state->input = calloc(gates, state->batch * sizeof(*state->input));
	state->recurrent =
		calloc(gates, state->batch * sizeof(*state->recurrent));
	if (!state->state || !state->reset || !state->cell || !state->input ||
	    !state->recurrent)
		return accel_error(-ENOMEM, "no memory for layer '%s'",
				   state->layer->name);
	return 0;
}

int cpu_recurrent_run(const struct cpu_run *run,
		      const struct model_layer *layer)
{
	struct recurrent_run state = {
		.run = run,
		.layer = layer,
		.parameters = &layer->recurrent,
		.hidden = layer->recurrent.hidden,
		.steps = run->extents[layer->inputs[0]].height,
		.batch = run->batch,
	};
	int ret = allocate(&state);

	if (!ret)
		ret = run_steps(&state);
	free(state.state);
	free(state.reset);
	free(state.cell);
	free(state.input);
	free(state.recurrent);
	return ret;
}
