/* SPDX-License-Identifier: MIT */
/* Words come back from their code, take few bits where they are alike, and lies are found. */
#include "unit.h"

#include <pack/bits.h>
#include <pack/words.h>

#include <stdlib.h>

#define COUNT 200

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state;
}

/* How many bytes the code of words that come back has. */
static size_t assert_come_back(const uint32_t *words, size_t count)
{
	struct bit_writer writer = { .bytes = NULL };
	struct bit_reader reader;
	uint32_t back[COUNT];

	words_encode(words, count, &writer);
	bits_align(&writer);
	assert_false(writer.failed);
	assert_true(8 * writer.length >= words_least_bits(count));
	reader = (struct bit_reader){ .bytes = writer.bytes,
				      .end = 8 * writer.length };
	assert_true(words_decode(&reader, back, count));
	assert_true(reader.end - reader.position < 8);
	if (count)
		assert_memory_equal(back, words, count * sizeof(*back));
	free(writer.bytes);
	return writer.length;
}

static void test_any_words_come_back(void **state)
{
	uint32_t words[COUNT], seed = 1;

	(void)state;
	for (unsigned int bits = 0; bits < 32; bits++) {
		for (int i = 0; i < COUNT; i++)
			words[i] = next(&seed) >> bits;
		for (size_t count = 0; count <= COUNT; count += 25)
			assert_come_back(words, count);
	}
	words[0] = 0;
	words[1] = UINT32_MAX;
	assert_come_back(words, 2);
}

static void test_words_that_are_alike_take_few_bits(void **state)
{
	uint32_t words[COUNT], seed = 1;

	(void)state;
	for (int i = 0; i < COUNT; i++)
		words[i] = 0x3f800000;
	assert_true(assert_come_back(words, COUNT) <= 4 * 6);
	for (int i = 0; i < COUNT; i++)
		words[i] = 0x3f800000 + (next(&seed) >> 24 << 16);
	assert_true(assert_come_back(words, COUNT) <= COUNT + 4 * 6);
}

/* Nothing is read beyond the end, and no word is more than 32 bits. */
static void test_lies_are_found(void **state)
{
	uint8_t bytes[64];
	uint32_t words[COUNT], seed = 1;
	struct bit_writer writer = { .bytes = NULL };
	struct bit_reader reader = { .bytes = bytes, .end = 8 * sizeof(bytes) };

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	assert_false(words_decode(&reader, words, 1));
	bits_put(&writer, UINT32_MAX, 32);
	bits_put(&writer, 1, 6);
	bits_put(&writer, 0, 5);
	bits_put(&writer, 1, 1);
	bits_align(&writer);
	reader = (struct bit_reader){ .bytes = writer.bytes,
				      .end = 8 * writer.length };
	assert_false(words_decode(&reader, words, 1));
	free(writer.bytes);
	for (int trial = 0; trial < 1000; trial++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)(next(&seed) >> 24);
		reader = (struct bit_reader){ .bytes = bytes,
					      .end = next(&seed) >> 23 };
		words_decode(&reader, words, COUNT);
		assert_true(reader.position <= reader.end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_words_come_back),
		cmocka_unit_test(test_words_that_are_alike_take_few_bits),
		cmocka_unit_test(test_lies_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
