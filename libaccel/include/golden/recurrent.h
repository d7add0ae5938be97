/* SPDX-License-Identifier: MIT */
/*
 * One time step of a recurrent cell for one hidden unit and one batch element,
 * from the accumulators of its gates. Gate order is ONNX's: i, o, f, c and z, r,
 * h. σ and tanh are golden_sigmoid() and golden_tanh(); every operation is one of
 * binary32, in the order of the parentheses.
 */
#ifndef GOLDEN_RECURRENT_H
#define GOLDEN_RECURRENT_H

#include <stdbool.h>
#include <stdint.h>

#include <golden/arithmetic.h>

/**
 * struct golden_gate - the pre-activation of one gate
 * @input: Σ w·(x − zx) + bias, in units of @input_scale
 * @hidden: Σ r·(h − zh) + bias, in units of @hidden_scale
 * @input_scale: fl(sx · sw[row])
 * @hidden_scale: fl(sh · sr[row])
 *
 * Its value is fl(fl(fl(input)·input_scale) + fl(fl(hidden)·hidden_scale)).
 */
struct golden_gate {
	int32_t input;
	int32_t hidden;
	float input_scale;
	float hidden_scale;
};

/**
 * golden_lstm_step() - a step of an LSTM cell
 * @gates: i, o, f, c
 * @cell: c of the last step, replaced by σ(f)·c + σ(i)·tanh(g)
 * @hidden: quantization of h
 *
 * Return: golden_quantize(σ(o)·tanh(c)), the hidden state.
 */
int8_t golden_lstm_step(const struct golden_gate gates[4], float *cell,
			struct golden_quantization hidden);

/**
 * golden_gru_step() - a step of a GRU cell
 * @gates: z, r, h
 * @state: h of the last step, not rounded to int8; replaced by
 *	(1 − σ(z))·n + σ(z)·h
 * @linear_before_reset: n = tanh(in + σ(r)·hid) of the third gate's two values;
 *	otherwise n = tanh(in + hid), and @gates[2].hidden was made from the codes
 *	of golden_gru_reset()
 * @hidden: quantization of h
 *
 * Return: golden_quantize(h).
 */
int8_t golden_gru_step(const struct golden_gate gates[3], float *state,
		       bool linear_before_reset,
		       struct golden_quantization hidden);

/** golden_gru_reset() - golden_quantize(σ(r)·h), for !linear_before_reset */
int8_t golden_gru_reset(const struct golden_gate *reset, float state,
			struct golden_quantization hidden);

#endif
