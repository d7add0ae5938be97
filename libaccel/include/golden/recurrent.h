/* SPDX-License-Identifier: MIT */
/*
 * One time step of a recurrent cell for one hidden unit and one batch element,
 * from the accumulators of its gates. Gate order is ONNX's: i, o, f, c and z, r,
 * h.
 */
#ifndef GOLDEN_RECURRENT_H
#define GOLDEN_RECURRENT_H

#include <stdbool.h>
#include <stdint.h>

#include "golden/arithmetic.h"

/**
 * struct golden_gate - the pre-activation of one gate
 * @input: Σ w·(x − zx) + bias, in units of @input_scale
 * @hidden: Σ r·(h − zh) + bias, in units of @hidden_scale
 *
 * Its value is fl(fl(fl(input)·input_scale) + fl(fl(hidden)·hidden_scale)).
 */
struct golden_gate {
	int32_t input;
	int32_t hidden;
	float input_scale;
	float hidden_scale;
};

/* Updates *cell (float c) and returns the int8 hidden state. */
int8_t golden_lstm_step(const struct golden_gate gates[4], float *cell,
			struct golden_quantization hidden);

/*
 * Updates *state (the unrounded float h) and returns its int8 code. For
 * linear_before_reset == 0 the third gate's @hidden is Σ r·(code(r⊙h) − zh),
 * made by the caller from golden_gru_reset().
 */
int8_t golden_gru_step(const struct golden_gate gates[3], float *state,
		       bool linear_before_reset,
		       struct golden_quantization hidden);

/* int8 code of r⊙h, the operand of the third gate when !linear_before_reset. */
int8_t golden_gru_reset(const struct golden_gate *reset, float state,
			struct golden_quantization hidden);

#endif
