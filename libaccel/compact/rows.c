/* SPDX-License-Identifier: MIT */
#include <compact/rows.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Claimed for a row. */
#define ROW_WORK 64

/* Of binary32. */
#define FRACTION_BITS (ROWS_HEAD_BITS + ROWS_TAIL_BITS)
#define HALF_OCTAVE (FRACTION_BITS - 1)

#define OPINIONS(array) (sizeof(array) / sizeof(struct opinion))

void rows_reset(struct rows_model *model)
{
	opinions_reset(model->same, OPINIONS(model->same), CODER_HALF, 0);
	opinions_reset(&model->sign, 1, CODER_HALF, 0);
	opinions_reset(model->exponent, OPINIONS(model->exponent), CODER_HALF,
		       0);
	opinions_reset(model->head, OPINIONS(model->head), CODER_HALF, 0);
	opinions_reset(model->tail, OPINIONS(model->tail), CODER_HALF, 0);
	opinions_reset(&model->negative, 1, CODER_HALF, 0);
	for (int i = 0; i < ROWS_BIAS_MODELS; i++)
		number_reset(&model->bias[i]);
}

static uint32_t word_code(struct rows_model *model, const struct odds *odds,
			  struct coder *coder, uint32_t word)
{
	uint32_t result = opinion_bit(&model->sign, odds, coder, word >> 31);

	result = result << ROWS_EXPONENT_BITS |
		 opinion_tree(model->exponent, odds, coder, ROWS_EXPONENT_BITS,
			      word >> FRACTION_BITS & 0xff);
	result = result << ROWS_HEAD_BITS |
		 opinion_tree(model->head, odds, coder, ROWS_HEAD_BITS,
			      word >> ROWS_TAIL_BITS &
				      ((1u << ROWS_HEAD_BITS) - 1));
	for (int i = ROWS_TAIL_BITS; i--;)
		result = result << 1 | opinion_bit(&model->tail[i], odds, coder,
						   word >> i & 1);
	return result;
}

static void scales_code(struct rows_model *model, const struct odds *odds,
			struct coder *coder, uint32_t rows, float *scale)
{
	uint32_t last = 0, was_same = 0;

	for (uint32_t i = 0; !coder->error && i < rows; i++) {
		uint32_t word;

		memcpy(&word, &scale[i], sizeof(word));
		was_same = opinion_bit(&model->same[was_same], odds, coder,
				       word == last);
		if (!was_same)
			last = word_code(model, odds, coder, word);
		if (coder->decodes)
			memcpy(&scale[i], &last, sizeof(last));
	}
}

static int32_t bias_code(struct rows_model *model, const struct odds *odds,
			 struct coder *coder, uint32_t scale, int32_t bias)
{
	uint32_t which = scale >> HALF_OCTAVE & (ROWS_BIAS_MODELS - 1);
	uint64_t size = bias < 0 ? -(uint64_t)bias : (uint64_t)bias;
	uint32_t negative;

	size = number_code(&model->bias[which], odds, coder, size);
	if (!size)
		return 0;
	negative = opinion_bit(&model->negative, odds, coder, bias < 0);
	if (size > (uint64_t)INT32_MAX + negative)
		coder_fail(coder, -EBADMSG);
	return (int32_t)(negative ? -(uint32_t)size : (uint32_t)size);
}

int rows_code(struct rows_model *model, const struct odds *odds,
	      struct coder *coder, uint32_t rows, float **scale, int32_t **bias)
{
	if (!coder_claim(coder, (uint64_t)rows * ROW_WORK))
		return coder->error;
	if (coder->decodes) {
		*scale = calloc((size_t)rows + 1, sizeof(**scale));
		*bias = calloc((size_t)rows + 1, sizeof(**bias));
		if (!*scale || !*bias)
			coder_fail(coder, -ENOMEM);
	}
	if (!coder->error)
		scales_code(model, odds, coder, rows, *scale);
	for (uint32_t i = 0; !coder->error && i < rows; i++) {
		uint32_t word;
		int32_t value;

		memcpy(&word, &(*scale)[i], sizeof(word));
		value = bias_code(model, odds, coder, word, (*bias)[i]);
		if (coder->decodes)
			(*bias)[i] = value;
	}
	return coder->error;
}
