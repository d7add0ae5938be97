/* SPDX-License-Identifier: MIT */
#include "sample_model.h"

#include <core/error.h>
#include <model/file.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct bytes {
	char *data;
	size_t size;
};

static char path[64];

static struct bytes file_bytes(void)
{
	struct bytes bytes = { NULL, 0 };
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	bytes.size = (size_t)ftell(file);
	rewind(file);
	bytes.data = malloc(bytes.size + 1);
	assert_non_null(bytes.data);
	assert_int_equal(fread(bytes.data, 1, bytes.size, file), bytes.size);
	fclose(file);
	return bytes;
}

/* The reader on bytes, without the file system. */
static int load(const char *data, size_t size, struct model **model)
{
	struct safetensors_file *file;
	int ret = safetensors_parse(&file, data, size);

	if (ret)
		return ret;
	ret = model_file_load(file, model);
	safetensors_close(file);
	return ret;
}

static struct bytes written(const struct model *model)
{
	if (model_file_write(model, path))
		fail_msg("%s", accel_last_error());
	return file_bytes();
}

static void a_model_comes_back_byte_for_byte(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct model *model = sample_model(), *copy = NULL;
		struct bytes first = written(model), second;

		if (model_file_read(path, &copy))
			fail_msg("%s", accel_last_error());
		second = written(copy);
		assert_int_equal(first.size, second.size);
		assert_memory_equal(first.data, second.data, first.size);
		free(first.data);
		free(second.data);
		model_destroy(copy);
		model_destroy(model);
	}
}

static void all_of_the_model_comes_back(void **state)
{
	struct model *model = sample_model(), *copy = NULL;
	const struct model_spmm *a, *b;

	(void)state;
	assert_int_equal(model_file_write(model, path), 0);
	assert_int_equal(model_file_read(path, &copy), 0);
	assert_string_equal(copy->provenance, model->provenance);
	assert_int_equal(copy->kind, model->kind);
	assert_int_equal(copy->tensor_count, model->tensor_count);
	for (uint32_t i = 0; i < model->tensor_count; i++) {
		assert_string_equal(copy->tensors[i].name,
				    model->tensors[i].name);
		assert_true(copy->tensors[i].quantization.scale ==
			    model->tensors[i].quantization.scale);
	}
	a = &model->layers[1].spmm;
	b = &copy->layers[1].spmm;
	assert_string_equal(copy->layers[1].activation, "prelu");
	assert_int_equal(b->weights.columns, a->weights.columns);
	assert_int_equal(model_csr_nonzeros(&b->weights),
			 model_csr_nonzeros(&a->weights));
	assert_memory_equal(b->weights.column, a->weights.column,
			    4 * (size_t)model_csr_nonzeros(&a->weights));
	assert_memory_equal(b->table, a->table, 8 * 256);
	assert_memory_equal(&b->window, &a->window, sizeof(a->window));
	assert_memory_equal(copy->layers[11].permute.axis,
			    model->layers[11].permute.axis, 3);
	model_destroy(copy);
	model_destroy(model);
}

/* One SPMM, so that every byte of the file can be tried. */
static struct model *tiny_model(uint32_t columns, int percent)
{
	struct golden_quantization q = sample_quantization();
	struct model *model = model_create("tiny");
	struct model_layer layer;
	struct model_port port = sample_port(0, MODEL_LAYOUT_NF);

	sample_tensor(model, "x", MODEL_INT8, q, columns);
	sample_tensor(model, "y", MODEL_INT8, q, 3);
	layer = sample_spmm(model, "fc", 0, 1, 1);
	free(layer.spmm.weights.row_start);
	free(layer.spmm.weights.column);
	free(layer.spmm.weights.value);
	layer.spmm.weights = sample_csr(3, columns, percent);
	sample_add(model, &layer);
	model_add_input(model, &port);
	port.tensor = 1;
	model_add_output(model, &port);
	return model;
}

/*
 * Harmless is what the format itself ignores: then the model that comes back is
 * the same to the byte.
 */
static void every_changed_byte_is_found_or_harmless(void **state)
{
	struct model *model = tiny_model(5, 60), *copy;
	struct bytes bytes = written(model), again;
	size_t harmless = 0;

	(void)state;
	for (size_t at = 0; at < bytes.size; at++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes.data[at] ^= (char)(1 << bit);
			copy = NULL;
			if (!load(bytes.data, bytes.size, &copy)) {
				harmless++;
				bytes.data[at] ^= (char)(1 << bit);
				again = written(copy);
				assert_int_equal(again.size, bytes.size);
				assert_memory_equal(again.data, bytes.data,
						    bytes.size);
				free(again.data);
				bytes.data[at] ^= (char)(1 << bit);
				model_destroy(copy);
			} else {
				assert_null(copy);
				assert_true(strlen(accel_last_error()) > 0);
			}
			bytes.data[at] ^= (char)(1 << bit);
		}
	}
	assert_true(harmless < 64 * 8); /* spaces after the header */
	free(bytes.data);
	model_destroy(model);
}

static void every_truncation_is_found(void **state)
{
	struct model *model = tiny_model(5, 60), *copy = NULL;
	struct bytes bytes = written(model);

	(void)state;
	for (size_t size = 0; size < bytes.size; size++)
		assert_true(load(bytes.data, size, &copy) < 0);
	assert_null(copy);
	free(bytes.data);
	model_destroy(model);
}

static void a_layer_without_weights_survives(void **state)
{
	struct model *model = tiny_model(5, 0), *copy = NULL;

	(void)state;
	assert_int_equal(model_file_write(model, path), 0);
	assert_int_equal(model_file_read(path, &copy), 0);
	assert_int_equal(model_csr_nonzeros(&copy->layers[0].spmm.weights), 0);
	model_destroy(copy);
	model_destroy(model);
}

static void wide_matrices_have_wide_columns(void **state)
{
	static const uint32_t columns[] = { 65535, 65536, 65537 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct model *model = tiny_model(columns[i], 1), *copy = NULL;
		const struct model_csr *csr = &model->layers[0].spmm.weights;
		struct safetensors_file *file;

		csr->column[csr->row_start[1] - 1] = (int32_t)columns[i] - 1;
		assert_int_equal(model_file_write(model, path), 0);
		assert_int_equal(safetensors_open(&file, path), 0);
		assert_int_equal(safetensors_find(file, "fc.col_indices")->type,
				 columns[i] > 65536 ? SAFETENSORS_I32 :
						      SAFETENSORS_U16);
		assert_int_equal(model_file_load(file, &copy), 0);
		assert_memory_equal(copy->layers[0].spmm.weights.column,
				    csr->column,
				    4 * (size_t)model_csr_nonzeros(csr));
		safetensors_close(file);
		model_destroy(copy);
		model_destroy(model);
	}
}

static void what_is_not_valid_is_not_written(void **state)
{
	struct model *model = tiny_model(5, 60), *copy = NULL;

	(void)state;
	assert_int_equal(model_file_write(model, path), 0);
	model->tensors[1].quantization.scale = 0;
	assert_int_equal(model_file_write(model, path), -EINVAL);
	assert_int_equal(model_file_read(path, &copy), 0);
	model_destroy(copy);
	model_destroy(model);
}

static void other_files_are_refused(void **state)
{
	const struct safetensors_text text = { "format", "pt" };
	struct model *copy = NULL;

	(void)state;
	assert_int_equal(safetensors_save(path, NULL, 0, &text, 1), 0);
	assert_int_equal(model_file_read(path, &copy), -EBADMSG);
	assert_non_null(strstr(accel_last_error(), "accel compress"));
	assert_non_null(strstr(accel_last_error(), path));
	assert_int_equal(model_file_read("/nonexistent", &copy), -ENOENT);
}

static int make_path(void **state)
{
	int file;

	(void)state;
	strcpy(path, "/tmp/test_model_file_XXXXXX");
	file = mkstemp(path);
	if (file < 0)
		return -1;
	return close(file);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_comes_back_byte_for_byte),
		cmocka_unit_test(all_of_the_model_comes_back),
		cmocka_unit_test(every_changed_byte_is_found_or_harmless),
		cmocka_unit_test(every_truncation_is_found),
		cmocka_unit_test(a_layer_without_weights_survives),
		cmocka_unit_test(wide_matrices_have_wide_columns),
		cmocka_unit_test(what_is_not_valid_is_not_written),
		cmocka_unit_test(other_files_are_refused),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
