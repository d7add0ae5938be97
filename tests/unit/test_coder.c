/* SPDX-License-Identifier: MIT */
/* What is coded comes back, takes as many bits as it must, and lies end. */
#include "random.h"
#include "unit.h"

#include <compact/coder.h>
#include <compact/mixer.h>
#include <compact/number.h>
#include <compact/table.h>
#include <compact/text.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BITS 200000

/* Bits of any probability, of which even the rarest occur. */
static double code_bits(struct coder *coder)
{
	uint64_t seed = 5;
	double entropy = 0;

	for (int i = 0; i < BITS; i++) {
		uint32_t one = 1 + random_below(&seed, (1u << CODER_BITS) - 1);
		uint32_t bit = random_below(&seed, 1u << CODER_BITS) < one;
		double p = (double)one / (1u << CODER_BITS);

		if (i % 1000 == 0)
			bit = !bit;
		assert_int_equal(
			coder_bit(coder, one, coder->decodes ? 0 : bit), bit);
		entropy -= log2(bit ? p : 1 - p);
	}
	return entropy;
}

static void bits_come_back(void **state)
{
	struct coder encoder, decoder;
	double entropy;

	(void)state;
	coder_encode(&encoder);
	entropy = code_bits(&encoder);
	assert_int_equal(coder_finish(&encoder), 0);
	assert_true((double)encoder.out.length * 8 < entropy * 1.001 + 16);
	coder_decode(&decoder, encoder.out.bytes, encoder.out.length);
	code_bits(&decoder);
	assert_int_equal(coder_finish(&decoder), 0);
	coder_release(&encoder);
}

/* Bits that depend on two things at once. */
static void code_mixed(struct coder *coder, const struct odds *odds)
{
	struct opinion by[2][8];
	struct mixer mixer;
	uint64_t seed = 9;

	opinions_reset(by[0], 16, CODER_HALF, 0);
	assert_int_equal(mixer_create(&mixer, odds, 2, 1), 0);
	for (int i = 0; i < BITS; i++) {
		uint32_t a = random_below(&seed, 8), b = random_below(&seed, 8);
		uint32_t bit = random_below(&seed, 64) < a * b;
		struct opinion *opinions[] = { &by[0][a], &by[1][b] };

		assert_int_equal(mixer_bit(&mixer, coder, 0, opinions,
					   coder->decodes ? 0 : bit),
				 bit);
	}
	mixer_release(&mixer);
}

static void a_mixer_learns(void **state)
{
	static struct odds odds;
	struct coder encoder, decoder;
	double entropy = 0;

	(void)state;
	odds_create(&odds);
	coder_encode(&encoder);
	code_mixed(&encoder, &odds);
	assert_int_equal(coder_finish(&encoder), 0);
	for (int i = 0; i < 64; i++) {
		double p = (double)((i & 7) * (i >> 3)) / 64;

		if (p > 0)
			entropy -= p * log2(p) + (1 - p) * log2(1 - p);
	}
	/* 64 probabilities from 16 opinions; those of one kind alone take 1.19 of it */
	assert_true((double)encoder.out.length * 8 <
		    entropy / 64 * BITS * 1.12);
	coder_decode(&decoder, encoder.out.bytes, encoder.out.length);
	code_mixed(&decoder, &odds);
	assert_int_equal(coder_finish(&decoder), 0);
	coder_release(&encoder);
}

static uint64_t number_of(int i)
{
	uint64_t power = (uint64_t)1 << (i / 3 % NUMBER_BITS);

	return power - (i % 3 == 0) + (i % 3 == 2 && power > 1);
}

static void numbers_come_back(void **state)
{
	static struct number_model model;
	static struct odds odds;
	struct coder encoder, decoder;

	(void)state;
	odds_create(&odds);
	coder_encode(&encoder);
	number_reset(&model);
	for (int i = 0; i < 1000; i++)
		number_code(&model, &odds, &encoder, number_of(i));
	assert_int_equal(coder_finish(&encoder), 0);
	coder_decode(&decoder, encoder.out.bytes, encoder.out.length);
	number_reset(&model);
	for (int i = 0; i < 1000; i++)
		assert_true(number_code(&model, &odds, &decoder, 0) ==
			    number_of(i));
	assert_int_equal(coder_finish(&decoder), 0);
	coder_release(&encoder);
}

/* Also those that no function gives. */
static void tables_come_back(void **state)
{
	struct opinion opinions[TABLE_OPINIONS];
	static struct odds odds;
	struct coder encoder, decoder;
	int8_t written[2 * 256], *table = written;
	uint64_t seed = 3;

	(void)state;
	odds_create(&odds);
	for (int i = 0; i < 256; i++) {
		written[i] = (int8_t)(i / 2 - 128);
		written[256 + i] = (int8_t)random_below(&seed, 256);
	}
	coder_encode(&encoder);
	opinions_reset(opinions, TABLE_OPINIONS, CODER_HALF, 0);
	assert_int_equal(table_code(opinions, &odds, &encoder, 2, &table), 0);
	assert_int_equal(coder_finish(&encoder), 0);
	coder_decode(&decoder, encoder.out.bytes, encoder.out.length);
	opinions_reset(opinions, TABLE_OPINIONS, CODER_HALF, 0);
	assert_int_equal(table_code(opinions, &odds, &decoder, 2, &table), 0);
	assert_int_equal(coder_finish(&decoder), 0);
	assert_memory_equal(table, written, sizeof(written));
	free(table);
	coder_release(&encoder);
}

static char *text_of(int layers)
{
	char *text = calloc(layers + 1, 64), *end = text;

	assert_non_null(text);
	for (int i = 0; i < layers; i++)
		end += sprintf(end, "{\"name\": \"conv%d\", \"rows\": %d},", i,
			       i * i);
	return text;
}

static void text_comes_back(void **state)
{
	static const int layers[] = { 0, 1, 200 };
	static struct odds odds;

	(void)state;
	odds_create(&odds);
	for (int i = 0; i < 3; i++) {
		char *text = text_of(layers[i]), *back = NULL;
		struct coder encoder, decoder;

		coder_encode(&encoder);
		assert_int_equal(text_code(&odds, &encoder, &text), 0);
		assert_int_equal(coder_finish(&encoder), 0);
		assert_true(encoder.out.length < strlen(text) / 8 + 40);
		coder_decode(&decoder, encoder.out.bytes, encoder.out.length);
		assert_int_equal(text_code(&odds, &decoder, &back), 0);
		assert_int_equal(coder_finish(&decoder), 0);
		assert_string_equal(back, text);
		free(back);
		free(text);
		coder_release(&encoder);
	}
}

/* What costs nothing to write costs little to read all the same. */
static void work_is_in_proportion_to_bytes(void **state)
{
	struct coder encoder, decoder;

	(void)state;
	coder_encode(&encoder);
	assert_true(coder_claim(&encoder, 1000000));
	assert_int_equal(coder_finish(&encoder), 0);
	coder_decode(&decoder, encoder.out.bytes, encoder.out.length);
	assert_true(coder_claim(&decoder, 1000000));
	assert_int_equal(coder_finish(&decoder), 0);
	coder_decode(&decoder, encoder.out.bytes, encoder.out.length / 2);
	assert_false(coder_claim(&decoder, 1000000));
	assert_int_equal(decoder.error, -EBADMSG);
	coder_decode(&decoder, encoder.out.bytes, encoder.out.length);
	assert_false(coder_claim(&decoder, UINT64_MAX));
	assert_true(decoder.error < 0);
	coder_release(&encoder);
}

static void bytes_too_few_or_too_many_are_found(void **state)
{
	struct coder encoder, decoder;
	uint8_t *bytes;
	size_t length;

	(void)state;
	coder_encode(&encoder);
	for (int i = 0; i < 1000; i++)
		coder_bit(&encoder, CODER_HALF, (uint32_t)i % 3 == 0);
	assert_int_equal(coder_finish(&encoder), 0);
	length = encoder.out.length;
	bytes = calloc(length + 2, 1);
	assert_non_null(bytes);
	memcpy(bytes, encoder.out.bytes, length);
	bytes[length + 1] = 1;
	for (size_t i = 0; i <= length + 2; i++) {
		coder_decode(&decoder, bytes, i);
		for (int j = 0; j < 1000; j++)
			coder_bit(&decoder, CODER_HALF, 0);
		/* zeros behind the end are padding */
		assert_int_equal(coder_finish(&decoder),
				 i == length || i == length + 1 ? 0 : -EBADMSG);
	}
	free(bytes);
	coder_release(&encoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_come_back),
		cmocka_unit_test(a_mixer_learns),
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(tables_come_back),
		cmocka_unit_test(text_comes_back),
		cmocka_unit_test(work_is_in_proportion_to_bytes),
		cmocka_unit_test(bytes_too_few_or_too_many_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
