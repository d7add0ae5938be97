/* SPDX-License-Identifier: MIT */
#include "unit.h"
#include "folder.h"

#include <core/error.h>
#include <formats/file.h>
#include <formats/safetensors.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const int8_t bytes[] = { 1, -2, 3 };
static const float floats[] = { 1.5f, -2.5f };
static const uint16_t words[] = { 7, 8 };

static const struct safetensors_tensor tensors[] = {
	{ "a.values", SAFETENSORS_I8, 1, { 3 }, bytes, 3 },
	{ "a.scale", SAFETENSORS_F32, 2, { 1, 2 }, floats, 8 },
	{ "none", SAFETENSORS_F32, 2, { 0, 2 }, floats, 0 },
	{ "a.columns", SAFETENSORS_U16, 1, { 2 }, words, 4 },
};
static const struct safetensors_text texts[] = {
	{ "graph", "{\"x\": \"\\u00e9\"}" },
	{ "crc", "1234" },
};

static const char *save(void **state)
{
	const char *path = folder_path(*state, "a.safetensors");

	assert_int_equal(safetensors_save(path, tensors, 4, texts, 2), 0);
	return path;
}

static void file_comes_back(void **state)
{
	struct safetensors_file *file;

	assert_int_equal(safetensors_open(&file, save(state)), 0);
	assert_int_equal(safetensors_count(file), 4);
	for (size_t i = 0; i < 4; i++) {
		const struct safetensors_tensor *tensor =
			safetensors_find(file, tensors[i].name);

		assert_non_null(tensor);
		assert_int_equal(tensor->type, tensors[i].type);
		assert_int_equal(tensor->rank, tensors[i].rank);
		assert_memory_equal(tensor->shape, tensors[i].shape,
				    sizeof(tensor->shape));
		assert_int_equal(tensor->size, tensors[i].size);
		assert_memory_equal(tensor->data, tensors[i].data,
				    tensor->size);
	}
	assert_null(safetensors_find(file, "b"));
	assert_null(safetensors_find(file, "__metadata__"));
	assert_string_equal(safetensors_metadata(file, "graph"),
			    texts[0].value);
	assert_null(safetensors_metadata(file, "none"));
	safetensors_close(file);
}

/* Larger elements come first, so that each tensor is aligned. */
static void order_is_that_of_the_bytes(void **state)
{
	static const char *const names[] = { "a.scale", "none", "a.columns",
					     "a.values" };
	struct safetensors_file *file;

	assert_int_equal(safetensors_open(&file, save(state)), 0);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(safetensors_at(file, i)->name, names[i]);
	safetensors_close(file);
}

static void same_content_gives_same_bytes(void **state)
{
	size_t first_size, second_size;
	void *first, *second;

	assert_int_equal(file_read(save(state), 10000, &first, &first_size), 0);
	assert_int_equal(file_read(save(state), 10000, &second, &second_size),
			 0);
	assert_int_equal(first_size, second_size);
	assert_memory_equal(first, second, first_size);
	free(first);
	free(second);
}

/* Parse a copy of exact size, so that the sanitizer sees any overrun. */
static int parse(const void *data, size_t size)
{
	struct safetensors_file *file;
	void *copy = malloc(size ? size : 1);
	int ret;

	memcpy(copy, data, size);
	ret = safetensors_parse(&file, copy, size);
	free(copy);
	if (!ret)
		safetensors_close(file);
	return ret;
}

static void every_cut_is_an_error(void **state)
{
	size_t size;
	void *data;

	assert_int_equal(file_read(save(state), 10000, &data, &size), 0);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(parse(data, cut), -EINVAL);
	assert_int_equal(parse(data, size), 0);
	free(data);
}

static int parse_text(const char *header, size_t data_size)
{
	uint8_t file[2000] = { 0 };
	size_t length = strlen(header);

	file[0] = (uint8_t)length;
	file[1] = (uint8_t)(length >> 8);
	memcpy(file + 8, header, length);
	return parse(file, 8 + length + data_size);
}

#define TENSOR(name, type, shape, offsets)                          \
	"\"" name "\": {\"dtype\": \"" type "\", \"shape\": " shape \
	", \"data_offsets\": " offsets "}"

static void plain_headers_are_read(void **state)
{
	(void)state;
	assert_int_equal(parse_text("{}", 0), 0);
	assert_int_equal(parse_text("{}      ", 0), 0);
	assert_int_equal(
		parse_text("{" TENSOR("a", "F32", "[]", "[0, 4]") "}", 4), 0);
	assert_int_equal(
		parse_text("{" TENSOR("b", "I8", "[4]", "[4, 8]") "," TENSOR(
				   "a", "BF16", "[2, 1]", "[0, 4]") "}",
			   8),
		0);
}

static void hostile_headers_are_errors(void **state)
{
	static const struct {
		const char *header;
		size_t data_size;
	} cases[] = {
		{ "", 0 },
		{ "[]", 0 },
		{ "{", 0 },
		{ "null", 0 },
		{ "{}", 1 },
		{ "{\"a\": 1}", 0 },
		{ "{\"a\": {}}", 0 },
		{ "{\"__metadata__\": {\"a\": 1}}", 0 },
		{ "{\"__metadata__\": []}", 0 },
		{ "{" TENSOR("a", "F33", "[1]", "[0, 4]") "}", 4 },
		{ "{" TENSOR("a", "F32", "[2]", "[0, 4]") "}", 4 },
		{ "{" TENSOR("a", "F32", "[1]", "[0, 4]") "}", 3 },
		{ "{" TENSOR("a", "F32", "[1]", "[0, 4]") "}", 5 },
		{ "{" TENSOR("a", "F32", "[1]", "[4, 0]") "}", 4 },
		{ "{" TENSOR("a", "F32", "[1]", "[0]") "}", 4 },
		{ "{" TENSOR("a", "F32", "[-1]", "[0, 4]") "}", 4 },
		{ "{" TENSOR("a", "F32", "[1.0]", "[0, 4]") "}", 4 },
		{ "{" TENSOR("a", "F32", "4", "[0, 4]") "}", 4 },
		{ "{" TENSOR("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0, 4]") "}",
		  4 },
		{ "{" TENSOR("a", "F32", "[4294967296, 4294967296]",
			     "[0, 0]") "}",
		  0 },
		{ "{" TENSOR("a", "F32", "[9223372036854775807]", "[0, 4]") "}",
		  4 },
		{ "{" TENSOR("a", "F32", "[1]",
			     "[0, 99999999999999999999]") "}",
		  4 },
		/* overlap, hole, misaligned, twice */
		{ "{" TENSOR("a", "I8", "[4]", "[0, 4]") "," TENSOR(
			  "b", "I8", "[4]", "[2, 6]") "}",
		  6 },
		{ "{" TENSOR("a", "I8", "[4]", "[0, 4]") "," TENSOR(
			  "b", "I8", "[4]", "[6, 10]") "}",
		  10 },
		{ "{" TENSOR("a", "I8", "[1]", "[0, 1]") "," TENSOR(
			  "b", "F32", "[1]", "[1, 5]") "}",
		  5 },
		{ "{" TENSOR("a", "I8", "[1]", "[0, 1]") "," TENSOR(
			  "a", "I8", "[1]", "[1, 2]") "}",
		  2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = parse_text(cases[i].header, cases[i].data_size);

		if (ret != -EINVAL)
			fail_msg("%s is no error", cases[i].header);
	}
}

static void deep_header_is_an_error(void **state)
{
	size_t depth = 200000;
	uint8_t *file = malloc(8 + depth);

	(void)state;
	memset(file, 0, 8);
	for (int i = 0; i < 4; i++)
		file[i] = (uint8_t)(depth >> (8 * i));
	memset(file + 8, '[', depth);
	assert_int_equal(parse(file, 8 + depth), -EINVAL);
	free(file);
}

static void bad_tensors_are_not_written(void **state)
{
	const char *path = folder_path(*state, "a.safetensors");
	struct safetensors_tensor bad[2] = { tensors[0], tensors[1] };
	struct safetensors_text text = { "k", "\xff" };

	bad[1].size = 4;
	assert_int_equal(safetensors_save(path, bad, 2, NULL, 0), -EINVAL);
	bad[1] = bad[0];
	assert_int_equal(safetensors_save(path, bad, 2, NULL, 0), -EINVAL);
	bad[1].name = "__metadata__";
	assert_int_equal(safetensors_save(path, bad, 2, NULL, 0), -EINVAL);
	bad[1].name = "\xff";
	assert_int_equal(safetensors_save(path, bad, 2, NULL, 0), -EINVAL);
	assert_int_equal(safetensors_save(path, bad, 1, &text, 1), -EINVAL);
	assert_int_equal(folder_count(*state), 0);
}

static void full_device_is_told(void **state)
{
	(void)state;
	if (access("/dev/full", W_OK))
		skip();
	assert_int_equal(safetensors_save("/dev/full", tensors, 4, texts, 2),
			 -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(file_comes_back),
		folder_test(order_is_that_of_the_bytes),
		folder_test(same_content_gives_same_bytes),
		folder_test(every_cut_is_an_error),
		cmocka_unit_test(plain_headers_are_read),
		cmocka_unit_test(hostile_headers_are_errors),
		cmocka_unit_test(deep_header_is_an_error),
		folder_test(bad_tensors_are_not_written),
		cmocka_unit_test(full_device_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
