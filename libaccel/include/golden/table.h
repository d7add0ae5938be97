/* SPDX-License-Identifier: MIT */
/*
 * Tables int8 → int8 that stand for functions of one element. They are built when
 * a model is compressed and travel with it, so nothing that runs the model ever
 * evaluates the functions.
 */
#ifndef GOLDEN_TABLE_H
#define GOLDEN_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <golden/arithmetic.h>

#define GOLDEN_TABLE_SIZE 256

/**
 * enum golden_function_kind - y of x; α is @alpha, β is @beta
 *
 * @GOLDEN_IDENTITY: x (a table of it requantizes)
 * @GOLDEN_RELU: max(x, 0)
 * @GOLDEN_LEAKY_RELU: x above zero, else α·x; also PReLU of one channel
 * @GOLDEN_CLIP: min(max(x, α), β)
 * @GOLDEN_AFFINE: α·x + β, rounded after the product
 * @GOLDEN_SIGMOID: 1 / (1 + e⁻ˣ)
 * @GOLDEN_TANH: hyperbolic tangent
 * @GOLDEN_SILU: x·sigmoid(x)
 * @GOLDEN_GELU: x·Φ(x)
 * @GOLDEN_ELU: x above zero, else α·(eˣ − 1)
 * @GOLDEN_HARD_SIGMOID: min(max(α·x + β, 0), 1)
 * @GOLDEN_HARD_SWISH: x·min(max(x/6 + 1/2, 0), 1)
 * @GOLDEN_SOFTPLUS: ln(1 + eˣ)
 * @GOLDEN_EXP: eˣ
 * @GOLDEN_ABS: |x|
 */
enum golden_function_kind {
	GOLDEN_IDENTITY,
	GOLDEN_RELU,
	GOLDEN_LEAKY_RELU,
	GOLDEN_CLIP,
	GOLDEN_AFFINE,
	GOLDEN_SIGMOID,
	GOLDEN_TANH,
	GOLDEN_SILU,
	GOLDEN_GELU,
	GOLDEN_ELU,
	GOLDEN_HARD_SIGMOID,
	GOLDEN_HARD_SWISH,
	GOLDEN_SOFTPLUS,
	GOLDEN_EXP,
	GOLDEN_ABS,
};

struct golden_function {
	enum golden_function_kind kind;
	float alpha;
	float beta;
};

/**
 * golden_function_apply() - a function's value, rounded to binary32
 *
 * Computed in binary64 and rounded once, which gives the nearest binary32 except
 * where the exact value lies within a few 2⁻⁵³ of a tie: one libm differs from
 * another about once in 10⁸ values, and rounding to int8 hides even that.
 */
float golden_function_apply(const struct golden_function *function, float x);

/**
 * golden_table_build() - the table of a chain of functions
 * @functions: applied in order, binary32 between them
 * @count: of functions; 0 only requantizes
 * @input: quantization of the codes that index the table
 * @output: of its entries
 * @table: result; the entry of code c is table[c + 128]
 *
 * table[c + 128] = golden_quantize(f(golden_dequantize(c))).
 */
void golden_table_build(const struct golden_function *functions, size_t count,
			struct golden_quantization input,
			struct golden_quantization output,
			int8_t table[GOLDEN_TABLE_SIZE]);

/** golden_table_apply_row() - out[i] = table[in[i] + 128]; @out may be @in */
void golden_table_apply_row(const int8_t table[GOLDEN_TABLE_SIZE],
			    const int8_t *in, size_t count, int8_t *out);

#endif
