/* SPDX-License-Identifier: MIT */
#include <golden/recurrent.h>

#include <golden/activation.h>

/* Two products and one sum: the input and the state have scales of their own. */
static float gate_value(const struct golden_gate *gate)
{
	return golden_rescale(gate->input, gate->input_scale) +
	       golden_rescale(gate->hidden, gate->hidden_scale);
}

int8_t golden_lstm_step(const struct golden_gate gates[4], float *cell,
			struct golden_quantization hidden)
{
	float input = golden_sigmoid(gate_value(&gates[0]));
	float output = golden_sigmoid(gate_value(&gates[1]));
	float forget = golden_sigmoid(gate_value(&gates[2]));
	float candidate = golden_tanh(gate_value(&gates[3]));

	*cell = forget * *cell + input * candidate;
	return golden_quantize(output * golden_tanh(*cell), hidden);
}

int8_t golden_gru_step(const struct golden_gate gates[3], float *state,
		       bool linear_before_reset,
		       struct golden_quantization hidden)
{
	float update = golden_sigmoid(gate_value(&gates[0]));
	float value = golden_rescale(gates[2].hidden, gates[2].hidden_scale);
	float candidate;

	if (linear_before_reset)
		value = golden_sigmoid(gate_value(&gates[1])) * value;
	value = golden_rescale(gates[2].input, gates[2].input_scale) + value;
	candidate = golden_tanh(value);
	*state = (1.0f - update) * candidate + update * *state;
	return golden_quantize(*state, hidden);
}

int8_t golden_gru_reset(const struct golden_gate *reset, float state,
			struct golden_quantization hidden)
{
	return golden_quantize(golden_sigmoid(gate_value(reset)) * state,
			       hidden);
}
