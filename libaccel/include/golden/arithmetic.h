/* SPDX-License-Identifier: MIT */
/*
 * The golden arithmetic: the one definition of every rounding in the project.
 *
 * The device model, the CPU backend and the compressor call these functions and
 * nothing else, so that "bit-exact" has one meaning. They are compiled with
 * -ffp-contract=off: every floating-point operation is one IEEE-754 binary32
 * operation, round to nearest, ties to even, subnormals kept. The text of the
 * specification is the chapter "Arithmetic" of Documentation/device.rst.
 *
 * All functions are pure and may be called from any thread. They trust their
 * arguments: scales are finite and positive, zero points lie in −128 … 127 (the
 * readers of files and descriptors check it).
 */
#ifndef GOLDEN_ARITHMETIC_H
#define GOLDEN_ARITHMETIC_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct golden_quantization - real value = scale · (code − zero)
 * @scale: finite, > 0
 * @zero: −128 … 127
 */
struct golden_quantization {
	float scale;
	int32_t zero;
};

/**
 * golden_saturate() - sat_int8(rne(value) + zero)
 *
 * ±inf saturates; NaN gives @zero, the code of 0.0.
 */
int8_t golden_saturate(float value, int32_t zero);

/**
 * golden_requantize() - sat_int8(rne(fl(fl(acc) · scale)) + zero)
 *
 * The device's epilogue, and what ONNX Runtime's QLinearConv computes.
 */
int8_t golden_requantize(int32_t accumulator, float scale, int32_t zero);

/** golden_requantize_row() - golden_requantize() of @count accumulators */
void golden_requantize_row(const int32_t *accumulator, size_t count,
			   float scale, int32_t zero, int8_t *out);

/** golden_rescale() - fl(fl(acc) · scale), the raw float32 output */
float golden_rescale(int32_t accumulator, float scale);

/** golden_output_scale() - fl(fl(sx · sw) / sy), the scale of an epilogue */
float golden_output_scale(float input_scale, float weight_scale,
			  float output_scale);

/**
 * golden_bias() - rne(fl(b / fl(sx · sw))) saturated to int32
 *
 * NaN gives 0.
 */
int32_t golden_bias(float bias, float input_scale, float weight_scale);

/** golden_quantize() - sat_int8(rne(fl(x / scale)) + zero): QuantizeLinear */
int8_t golden_quantize(float value, struct golden_quantization q);

/** golden_dequantize() - fl((code − zero) · scale): DequantizeLinear */
float golden_dequantize(int8_t code, struct golden_quantization q);

/**
 * golden_add_row() - rne(fl(fl(fl((a−za)·sa) + fl((b−zb)·sb)) / sy)) + zy, saturated,
 * of @count pairs; @out may be @a or @b
 */
void golden_add_row(const int8_t *a, struct golden_quantization qa,
		    const int8_t *b, struct golden_quantization qb,
		    struct golden_quantization qy, size_t count, int8_t *out);

/**
 * golden_multiply_row() - rne(fl(fl(fl((a−za)·sa) · fl((b−zb)·sb)) / sy)) + zy,
 * saturated, of @count pairs; @out may be @a or @b
 */
void golden_multiply_row(const int8_t *a, struct golden_quantization qa,
			 const int8_t *b, struct golden_quantization qb,
			 struct golden_quantization qy, size_t count,
			 int8_t *out);

/**
 * golden_average() - the average pool's result
 * @sum: Σ(x − zx) over the elements of the window that lie in the image, int32
 *	modulo 2³²
 * @count: what it is divided by, ≥ 1
 * @qx: quantization of x
 * @qy: of the result
 *
 * That of a convolution whose weights are 1 at a weight scale of fl(1 / count):
 * golden_requantize(sum, fl(fl(sx · fl(1 / count)) / sy), zy). So the device
 * needs no other rounding, and a pool of fixed window is exactly a QLinearConv.
 */
int8_t golden_average(int32_t sum, uint32_t count,
		      struct golden_quantization qx,
		      struct golden_quantization qy);

#endif
