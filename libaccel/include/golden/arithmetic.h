/* SPDX-License-Identifier: MIT */
/*
 * The golden arithmetic: the one definition of every rounding in the project.
 *
 * The device model, the CPU backend and the compressor call these functions and
 * nothing else, so that "bit-exact" has one meaning. They are compiled with
 * -ffp-contract=off: every floating-point operation is one IEEE-754 binary32
 * operation, round to nearest, ties to even, subnormals kept. The text of the
 * specification is the chapter "Arithmetic" of Documentation/device.rst.
 */
#ifndef GOLDEN_ARITHMETIC_H
#define GOLDEN_ARITHMETIC_H

#include <stddef.h>
#include <stdint.h>

/* One tensor's int8 code: real value = scale * (code - zero). */
struct golden_quantization {
	float scale;
	int32_t zero; /* −128 … 127 */
};

/* rne(value) + zero, saturated to int8; NaN gives zero, ±inf saturates. */
int8_t golden_saturate(float value, int32_t zero);

/* y = sat_int8(rne(fl(fl(acc)·scale)) + zero), the device's epilogue. */
int8_t golden_requantize(int32_t accumulator, float scale, int32_t zero);
void golden_requantize_row(const int32_t *accumulator, size_t count,
			   float scale, int32_t zero, int8_t *out);

/* fl(fl(acc)·scale), the raw float32 output. */
float golden_rescale(int32_t accumulator, float scale);

/* fl(fl(sx·sw)/sy) and rne(b/fl(sx·sw)) saturated to int32. */
float golden_output_scale(float input_scale, float weight_scale,
			  float output_scale);
int32_t golden_bias(float bias, float input_scale, float weight_scale);

/* Host side of the model's inputs and outputs (ONNX Quantize/DequantizeLinear). */
int8_t golden_quantize(float value, struct golden_quantization q);
float golden_dequantize(int8_t code, struct golden_quantization q);

/* rne((fl(fl(a−za)·sa) + fl(fl(b−zb)·sb)) / sy) + zy */
int8_t golden_add(int8_t a, struct golden_quantization qa, int8_t b,
		  struct golden_quantization qb, struct golden_quantization qy);

/* rne(fl(fl(fl(a−za)·sa) · fl(fl(b−zb)·sb)) / sy) + zy */
int8_t golden_multiply(int8_t a, struct golden_quantization qa, int8_t b,
		       struct golden_quantization qb,
		       struct golden_quantization qy);

/* Average pool: sum = Σ(x − zx) over count values; see device.rst. */
int8_t golden_average(int32_t sum, uint32_t count,
		      struct golden_quantization qx,
		      struct golden_quantization qy);

/*
 * Sigmoid and tanh of the recurrent cells, specified bit by bit: range
 * reduction and a fixed polynomial in single binary32 operations.
 */
float golden_sigmoid(float x);
float golden_tanh(float x);

#endif
