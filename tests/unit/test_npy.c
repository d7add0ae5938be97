/* SPDX-License-Identifier: MIT */
#include "unit.h"
#include "folder.h"

#include <core/error.h>
#include <formats/npy.h>

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file as NumPy writes it: preamble, dictionary, elements. */
static size_t build(uint8_t *file, int version, const char *dictionary,
		    const void *elements, size_t size)
{
	size_t start = version == 1 ? 10 : 12;
	size_t length = strlen(dictionary);

	memset(file, 0, start);
	memcpy(file, "\x93NUMPY", 6);
	file[6] = (uint8_t)version;
	file[8] = (uint8_t)length;
	file[9] = (uint8_t)(length >> 8);
	memcpy(file + start, dictionary, length);
	if (size)
		memcpy(file + start + length, elements, size);
	return start + length + size;
}

#define DICTIONARY(description, order, shape)                  \
	"{'descr': '" description "', 'fortran_order': " order \
	", 'shape': " shape ", }\n"

static void file_comes_back_exactly(void **state)
{
	float values[] = { 0.0f, -0.0f, 1.5f, NAN, INFINITY, -INFINITY };
	const char *path = folder_path(*state, "a.npy");
	struct npy_array array = { .type = NPY_FLOAT32,
				   .rank = 2,
				   .shape = { 2, 3 },
				   .data = values };
	struct npy_array back;

	assert_int_equal(npy_write(path, &array), 0);
	assert_int_equal(npy_read_float(&back, path), 0);
	assert_int_equal(back.type, NPY_FLOAT32);
	assert_int_equal(back.rank, 2);
	assert_int_equal(back.shape[0], 2);
	assert_int_equal(back.shape[1], 3);
	assert_int_equal(back.count, 6);
	assert_memory_equal(back.data, values, sizeof(values));
	npy_release(&back);
}

static void every_type_and_rank_comes_back(void **state)
{
	(void)state;
	for (int type = 0; type < NPY_TYPES; type++) {
		for (unsigned int rank = 0; rank <= NPY_MAX_RANK; rank++) {
			struct npy_array array = { .type = (enum npy_type)type,
						   .rank = rank };
			uint8_t elements[8 << NPY_MAX_RANK];
			struct npy_array back;
			size_t size;
			void *data;

			for (size_t i = 0; i < sizeof(elements); i++)
				elements[i] = (uint8_t)(i * 7 + 1);
			for (unsigned int i = 0; i < rank; i++)
				array.shape[i] = 2;
			array.data = elements;
			assert_int_equal(npy_encode(&array, &data, &size), 0);
			assert_int_equal(npy_parse(&back, data, size), 0);
			assert_int_equal(back.type, type);
			assert_int_equal(back.rank, rank);
			assert_int_equal(back.count, 1u << rank);
			assert_memory_equal(back.data, elements,
					    back.count *
						    npy_type_size(back.type));
			npy_release(&back);
			free(data);
		}
	}
}

/* What numpy.save(array([1, 2], "<f4")) writes, as documented in NEP 1. */
static void bytes_are_those_of_numpy(void **state)
{
	float values[] = { 1, 2 };
	struct npy_array array = {
		.type = NPY_FLOAT32, .rank = 1, .shape = { 2 }, .data = values
	};
	char expected[136];
	size_t size;
	void *data;

	(void)state;
	memset(expected, ' ', sizeof(expected));
	memcpy(expected, "\x93NUMPY\x01\x00\x76\x00", 10);
	memcpy(expected + 10,
	       "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 57);
	expected[127] = '\n';
	memcpy(expected + 128, values, 8);
	assert_int_equal(npy_encode(&array, &data, &size), 0);
	assert_int_equal(size, sizeof(expected));
	assert_memory_equal(data, expected, sizeof(expected));
	free(data);
}

static void expect_floats(const uint8_t *file, size_t size,
			  const float *expected, size_t count)
{
	struct npy_array array;

	if (npy_parse(&array, file, size))
		fail_msg("%s", accel_last_error());
	assert_int_equal(npy_to_float(&array), 0);
	assert_int_equal(array.count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(((float *)array.data)[i] == expected[i]);
	npy_release(&array);
}

static void elements_become_floats(void **state)
{
	static const struct {
		const char *dictionary;
		uint8_t elements[8];
		size_t size;
		float value;
	} cases[] = {
		{ DICTIONARY("|b1", "False", "()"), { 2 }, 1, 1 },
		{ DICTIONARY("|i1", "False", "()"), { 0xff }, 1, -1 },
		{ DICTIONARY("|u1", "False", "()"), { 0xff }, 1, 255 },
		{ DICTIONARY("<i2", "False", "()"), { 0xfe, 0xff }, 2, -2 },
		{ DICTIONARY(">u2", "False", "()"), { 1, 2 }, 2, 258 },
		{ DICTIONARY("<f2", "False", "()"), { 0, 0xc0 }, 2, -2 },
		{ DICTIONARY("<f2", "False", "()"), { 1, 0 }, 2, 0x1p-24f },
		{ DICTIONARY("<f2", "False", "()"), { 0xff, 0x7b }, 2, 65504 },
		{ DICTIONARY(">i4", "False", "()"), { 0, 0, 1, 0 }, 4, 256 },
		{ DICTIONARY("<u4", "False", "()"),
		  { 0, 0, 0, 0x80 },
		  4,
		  2147483648.0f },
		{ DICTIONARY("<i8", "False", "()"), { 5 }, 8, 5 },
		{ DICTIONARY(">f8", "False", "()"), { 0x3f, 0xf8 }, 8, 1.5f },
		{ DICTIONARY("<u8", "False", "()"), { 9 }, 8, 9 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t file[256];
		size_t size = build(file, 1, cases[i].dictionary,
				    cases[i].elements, cases[i].size);

		expect_floats(file, size, &cases[i].value, 1);
	}
}

static void fortran_order_is_turned(void **state)
{
	/* element (i, j, k) of a 2 x 3 x 2 array is 100 i + 10 j + k */
	uint8_t elements[12];
	float expected[12];
	uint8_t file[256];
	size_t size;

	(void)state;
	for (int i = 0; i < 2; i++) {
		for (int j = 0; j < 3; j++) {
			for (int k = 0; k < 2; k++) {
				int value = 100 * i + 10 * j + k;

				elements[i + 2 * (j + 3 * k)] = (uint8_t)value;
				expected[(i * 3 + j) * 2 + k] = (float)value;
			}
		}
	}
	size = build(file, 1, DICTIONARY("|u1", "True", "(2, 3, 2)"), elements,
		     12);
	expect_floats(file, size, expected, 12);
}

static void other_spellings_are_read(void **state)
{
	static const char *const dictionaries[] = {
		"{\"shape\": (2L,), \"fortran_order\": False, \"descr\": \"|u1\"}",
		"{ 'fortran_order':True,'descr':'|u1','shape':( 2 , ) }   \n",
	};
	const uint8_t elements[] = { 3, 4 };
	const float expected[] = { 3, 4 };
	uint8_t file[256];

	(void)state;
	for (int version = 1; version <= 3; version++) {
		for (size_t i = 0; i < 2; i++) {
			size_t size = build(file, version, dictionaries[i],
					    elements, 2);

			expect_floats(file, size, expected, 2);
		}
	}
}

static void every_cut_is_an_error(void **state)
{
	const uint8_t elements[] = { 3, 4, 5 };
	uint8_t file[256];
	size_t size =
		build(file, 2, DICTIONARY("|u1", "False", "(3,)"), elements, 3);
	struct npy_array array;

	(void)state;
	for (size_t cut = 0; cut < size; cut++) {
		/* At its true size, so that the sanitizer sees any overrun. */
		void *copy = malloc(cut ? cut : 1);

		memcpy(copy, file, cut);
		assert_int_equal(npy_parse(&array, copy, cut), -EINVAL);
		free(copy);
	}
	assert_int_equal(npy_parse(&array, file, size), 0);
	npy_release(&array);
	assert_int_equal(npy_parse(&array, file, size + 1), -EINVAL);
}

static void hostile_headers_are_errors(void **state)
{
	static const char *const dictionaries[] = {
		"",
		"{",
		"{}",
		"[]",
		DICTIONARY("<f4", "False", "(18446744073709551615,)"),
		DICTIONARY("<f4", "False", "(4294967296, 4294967296)"),
		DICTIONARY("<f4", "False", "(99999999999999999999999,)"),
		DICTIONARY("<f4", "False", "(-1,)"),
		DICTIONARY("<f4", "False", "(1,1,1,1,1,1,1,1,1)"),
		DICTIONARY("<f4", "False", "(1"),
		DICTIONARY("<f4", "Maybe", "(1,)"),
		DICTIONARY("<c8", "False", "(1,)"),
		DICTIONARY("<f40000000000000000", "False", "(1,)"),
		DICTIONARY("O", "False", "(1,)"),
		DICTIONARY("", "False", "(1,)"),
		"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}",
		"{'descr': '<f4', 'fortran_order': False}",
		"{'descr': '<f4', 'descr': '<f4', 'shape': ()}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': ()} x",
	};
	const float element = 1;
	struct npy_array array;
	uint8_t file[256];

	(void)state;
	for (size_t i = 0; i < sizeof(dictionaries) / sizeof(dictionaries[0]);
	     i++) {
		size_t size = build(file, 1, dictionaries[i], &element, 4);

		assert_int_equal(npy_parse(&array, file, size), -EINVAL);
		assert_true(strlen(accel_last_error()) > 0);
	}
}

static void nothing_is_an_array_too(void **state)
{
	uint8_t file[256];
	size_t size =
		build(file, 1, DICTIONARY("<f4", "True", "(3, 0)"), NULL, 0);
	struct npy_array array;

	(void)state;
	assert_int_equal(npy_parse(&array, file, size), 0);
	assert_int_equal(array.count, 0);
	npy_release(&array);
}

static void text_is_a_byte_string(void **state)
{
	size_t size;
	void *data;

	(void)state;
	assert_int_equal(npy_encode_text("csr", &data, &size), 0);
	assert_int_equal(size, 128 + 3);
	assert_non_null(strstr((char *)data + 10, "'|S3'"));
	assert_memory_equal((char *)data + 128, "csr", 3);
	free(data);
}

static void missing_file_is_named(void **state)
{
	const char *path = folder_path(*state, "none.npy");
	struct npy_array array;

	assert_int_equal(npy_read(&array, path), -ENOENT);
	assert_non_null(strstr(accel_last_error(), "none.npy"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(file_comes_back_exactly),
		cmocka_unit_test(every_type_and_rank_comes_back),
		cmocka_unit_test(bytes_are_those_of_numpy),
		cmocka_unit_test(elements_become_floats),
		cmocka_unit_test(fortran_order_is_turned),
		cmocka_unit_test(other_spellings_are_read),
		cmocka_unit_test(every_cut_is_an_error),
		cmocka_unit_test(hostile_headers_are_errors),
		cmocka_unit_test(nothing_is_an_array_too),
		cmocka_unit_test(text_is_a_byte_string),
		folder_test(missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
