/* SPDX-License-Identifier: MIT */
/* Compact files give back the very model, are as small as they should be, and end lies. */
#include "folder.h"
#include "matrix.h"
#include "same_files.h"
#include "sample_model.h"

#include <core/error.h>
#include <model/compact.h>
#include <model/file.h>

#include <errno.h>
#include <math.h>

/* Every array of a model is in its portable file, in order. */
static void assert_comes_back(const char *folder, const struct model *model)
{
	struct model *copy = NULL;

	if (model_file_write_compact(model, folder_path(folder, "compact")) ||
	    model_file_read(folder_path(folder, "compact"), &copy))
		fail_msg("%s", accel_last_error());
	assert_null(copy->packing);
	assert_int_equal(model_file_write(model, folder_path(folder, "before")),
			 0);
	assert_int_equal(model_file_write(copy, folder_path(folder, "after")),
			 0);
	assert_same_files(folder, "before", "after");
	model_destroy(copy);
}

static void every_operation_comes_back(void **state)
{
	struct model *model = sample_model();

	assert_comes_back(*state, model);
	model_destroy(model);
}

static struct model *matrix_model(struct model_csr csr)
{
	struct golden_quantization q = sample_quantization();
	struct model *model = model_create("matrix");
	struct model_port port = sample_port(0, MODEL_LAYOUT_NF);
	struct model_layer layer;

	sample_tensor(model, "x", MODEL_INT8, q, csr.columns);
	sample_tensor(model, "y", MODEL_INT8, q, csr.rows);
	layer = sample_spmm(model, "fc", 0, 1, 1);
	matrix_free(&layer.spmm.weights);
	layer.spmm.weights = csr;
	sample_add(model, &layer);
	model_add_input(model, &port);
	port.tensor = 1;
	model_add_output(model, &port);
	return model;
}

static struct model *random_model(uint64_t *seed, enum matrix_kind kind)
{
	uint32_t rows = 1 + random_below(seed, 70);
	uint32_t columns = 4 * (1 + random_below(seed, 80));
	double density = kind == MATRIX_PATTERN || kind == MATRIX_NEARLY ?
				 1 + random_below(seed, 2) :
				 random_unit(seed);

	return matrix_model(matrix_random(kind, rows, columns, density, seed));
}

/* Of what is kept, some is 0, some -128, and biases reach both ends. */
static void make_extreme(struct model_spmm *spmm, uint64_t *seed)
{
	const struct model_csr *csr = &spmm->weights;

	for (int64_t i = 0; i < model_csr_nonzeros(csr); i += 3)
		csr->value[i] = random_below(seed, 2) ? 0 : -128;
	spmm->bias[0] = INT32_MAX;
	spmm->bias[csr->rows - 1] = INT32_MIN;
}

static void random_matrices_come_back(void **state)
{
	uint64_t seed = 20261123;

	for (int i = 0; i < 150; i++) {
		struct model *model = random_model(
			&seed, (enum matrix_kind)(i % MATRIX_KINDS));

		if (i % 2)
			make_extreme(&model->layers[0].spmm, &seed);
		assert_comes_back(*state, model);
		model_destroy(model);
	}
}

static void the_same_model_gives_the_same_bytes(void **state)
{
	struct model *model = sample_model();

	for (int i = 0; i < 2; i++)
		assert_int_equal(model_file_write_compact(
					 model,
					 folder_path(*state, i ? "a" : "b")),
				 0);
	assert_same_files(*state, "a", "b");
	model_destroy(model);
}

static size_t compact_length(const struct model *model)
{
	uint8_t *bytes;
	size_t length;

	assert_int_equal(model_compact_encode(model, &bytes, &length), 0);
	free(bytes);
	return length;
}

/* All rows' scales and biases are the same, lest they take most of it. */
static double bits_of_weight(double density, uint32_t values)
{
	uint64_t seed = 77;
	struct model_csr csr =
		matrix_random(MATRIX_UNIFORM, 1000, 500, density, &seed);
	struct model *model = matrix_model(csr);
	struct model_spmm *spmm = &model->layers[0].spmm;
	double bits;

	for (uint32_t row = 0; row < csr.rows; row++) {
		spmm->weight_scale[row] = 1;
		spmm->bias[row] = 0;
	}
	for (int64_t i = 0; i < model_csr_nonzeros(&csr); i++)
		csr.value[i] = (int8_t)((int)random_below(&seed, values) -
					(int)(values / 2));
	bits = 8 * (double)compact_length(model);
	bits /= (double)model_csr_nonzeros(&csr);
	model_destroy(model);
	return bits;
}

static double entropy(double p)
{
	return -(p * log2(p) + (1 - p) * log2(1 - p)) / p;
}

/* Positions and values at random, of which nothing can be known. */
static void a_weight_takes_its_entropy(void **state)
{
	static const double densities[] = { 0.5, 0.25, 0.1 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		double positions = entropy(densities[i]);

		assert_true(bits_of_weight(densities[i], 256) <
			    1.03 * (positions + 8));
		assert_true(bits_of_weight(densities[i], 16) <
			    1.03 * (positions + 4));
	}
	assert_true(bits_of_weight(1, 16) < 1.03 * 4);
}

static int load(const void *bytes, size_t size)
{
	struct safetensors_file *file;
	struct model *model = NULL;
	int ret = safetensors_parse(&file, bytes, size);

	if (ret)
		return ret;
	ret = model_file_load(file, &model);
	safetensors_close(file);
	model_destroy(model);
	return ret;
}

static void every_changed_byte_is_found(void **state)
{
	uint64_t seed = 7;
	struct model *model = random_model(&seed, MATRIX_UNIFORM);
	const char *path = folder_path(*state, "compact");
	uint8_t *bytes;
	void *data;
	size_t size, header = 0;

	assert_int_equal(model_file_write_compact(model, path), 0);
	assert_int_equal(file_read(path, 1 << 30, &data, &size), 0);
	bytes = data;
	for (int i = 7; i >= 0; i--)
		header = header << 8 | bytes[i];
	assert_int_equal(load(bytes, size), 0);
	for (size_t at = 8 + header; at < size; at++) {
		bytes[at] ^= 0x10;
		assert_int_equal(load(bytes, size), -EBADMSG);
		bytes[at] ^= 0x10;
	}
	for (size_t length = 0; length < size; length++)
		assert_true(load(bytes, length) < 0);
	free(data);
	model_destroy(model);
}

/* As if the checksum were right: an error, or another model, but no harm. */
static void bytes_that_lie_do_no_harm(void **state)
{
	uint64_t seed = 11;
	struct model *model = sample_model();
	uint8_t *bytes;
	size_t length;
	int refused = 0;

	(void)state;
	assert_int_equal(model_compact_encode(model, &bytes, &length), 0);
	for (int i = 0; i < 300; i++) {
		size_t at = random_below(&seed, (uint32_t)length);
		uint8_t flip = (uint8_t)(1 + random_below(&seed, 255));
		struct model *copy = NULL;

		bytes[at] ^= flip;
		if (model_compact_decode(bytes, length, &copy)) {
			assert_null(copy);
			refused++;
		}
		model_destroy(copy);
		bytes[at] ^= flip;
	}
	/* nearly all: what follows a wrong bit is at random */
	assert_true(refused > 250);
	/* the last bytes may decide nothing but the last bits */
	for (size_t cut = length % 61; cut + 4 < length; cut += 61) {
		struct model *copy = NULL;

		assert_true(model_compact_decode(bytes, cut, &copy) < 0);
	}
	free(bytes);
	model_destroy(model);
}

/* Sizes that the graph claims are believed as far as there are bytes for them. */
static void a_short_file_makes_no_large_model(void **state)
{
	uint64_t seed = 13;
	struct model *model = random_model(&seed, MATRIX_UNIFORM);
	struct model_csr *csr = &model->layers[0].spmm.weights;
	struct model *copy = NULL;
	uint8_t *bytes;
	size_t length;

	(void)state;
	assert_int_equal(model_compact_encode(model, &bytes, &length), 0);
	assert_int_equal(model_compact_decode(bytes, length, &copy), 0);
	model_destroy(copy);
	free(bytes);

	/* as many weights in a matrix of 2^18 columns: the graph says so, the rest does not */
	csr->columns = 1u << 18;
	assert_int_equal(model_compact_encode(model, &bytes, &length), 0);
	assert_int_equal(model_compact_decode(bytes, length / 4, &copy),
			 -EBADMSG);
	free(bytes);
	model_destroy(model);
}

/* No column is claimed there, so its phases must not cost anything either. */
static void no_columns_make_no_large_model(void **state)
{
	uint64_t seed = 17;
	struct model *model = random_model(&seed, MATRIX_UNIFORM);
	struct model_spmm *spmm = &model->layers[0].spmm;
	struct model *copy = NULL;
	uint8_t *bytes;
	size_t length;

	(void)state;
	spmm->weights.columns = 0;
	memset(spmm->weights.row_start, 0,
	       (spmm->weights.rows + 1) * sizeof(*spmm->weights.row_start));
	spmm->shuffle_height = 65535;
	spmm->shuffle_width = 65537;
	assert_int_equal(model_compact_encode(model, &bytes, &length), 0);
	assert_int_equal(model_compact_decode(bytes, length, &copy), 0);
	model_destroy(copy);
	free(bytes);
	model_destroy(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(every_operation_comes_back),
		folder_test(random_matrices_come_back),
		folder_test(the_same_model_gives_the_same_bytes),
		cmocka_unit_test(a_weight_takes_its_entropy),
		folder_test(every_changed_byte_is_found),
		cmocka_unit_test(bytes_that_lie_do_no_harm),
		cmocka_unit_test(a_short_file_makes_no_large_model),
		cmocka_unit_test(no_columns_make_no_large_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
