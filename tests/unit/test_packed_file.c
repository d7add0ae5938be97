/* SPDX-License-Identifier: MIT */
/* Packed files give back the model that was packed, and nothing else. */
#include "default_geometry.h"
#include "folder.h"
#include "matrix.h"
#include "random_model.h"
#include "same_files.h"

#include <core/crc32c.h>
#include <core/error.h>
#include <formats/file.h>
#include <model/file.h>
#include <plan/matrix.h>

#include <errno.h>

static const struct model_sizes sizes = { 1, 12, 9, 4 };

static void pack(const struct model *model, const struct geometry *geometry,
		 const char *path)
{
	struct model_packing *packing;

	if (plan_packing_create(model, geometry, &sizes, &packing) ||
	    model_file_write_packed(model, packing, path))
		fail_msg("%s", accel_last_error());
	model_packing_destroy(packing);
}

/* Every array of a model is in its portable file, in order. */
static void assert_comes_back(const char *folder, const struct model *model,
			      const struct geometry *geometry)
{
	struct model *copy = NULL;

	pack(model, geometry, folder_path(folder, "packed"));
	if (model_file_read(folder_path(folder, "packed"), &copy))
		fail_msg("%s", accel_last_error());
	assert_non_null(copy->packing);
	assert_int_equal(copy->packing->geometry.banks, geometry->banks);
	assert_int_equal(copy->packing->sizes.width, sizes.width);
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

	assert_comes_back(*state, model, &default_geometry);
	model_destroy(model);
}

static struct model *matrix_model(enum matrix_kind kind, uint64_t *seed)
{
	uint32_t rows = 1 + random_below(seed, 70);
	uint32_t columns = 4 * (1 + random_below(seed, 80));
	double density = kind == MATRIX_PATTERN || kind == MATRIX_NEARLY ?
				 1 + random_below(seed, 2) :
				 random_unit(seed);
	struct golden_quantization q = sample_quantization();
	struct model *model = model_create("matrix");
	struct model_port port = sample_port(0, MODEL_LAYOUT_NF);
	struct model_layer layer;

	sample_tensor(model, "x", MODEL_INT8, q, columns);
	sample_tensor(model, "y", MODEL_INT8, q, rows);
	layer = sample_spmm(model, "fc", 0, 1, 1);
	matrix_free(&layer.spmm.weights);
	layer.spmm.weights = matrix_random(kind, rows, columns, density, seed);
	/* Some of what was kept is 0, and has to stay. */
	for (int64_t i = 0; i < model_csr_nonzeros(&layer.spmm.weights); i += 3)
		layer.spmm.weights.value[i] = 0;
	sample_add(model, &layer);
	model_add_input(model, &port);
	port.tensor = 1;
	model_add_output(model, &port);
	return model;
}

static struct geometry geometry_random(uint64_t *seed)
{
	struct geometry geometry = default_geometry;

	geometry.clusters = 1 + random_below(seed, 20);
	geometry.lanes = 1u << random_below(seed, 5);
	geometry.banks = geometry.lanes << random_below(seed, 2);
	geometry.schedule_window = 1 + random_below(seed, 32);
	geometry.accumulators = 1 + random_below(seed, 4);
	geometry.decoder_rate = 1 + random_below(seed, 16);
	return geometry;
}

static void random_matrices_come_back(void **state)
{
	uint64_t seed = 20261122;

	for (int i = 0; i < 150; i++) {
		struct geometry geometry = geometry_random(&seed);
		struct model *model = matrix_model(
			(enum matrix_kind)(i % MATRIX_KINDS), &seed);

		assert_comes_back(*state, model, &geometry);
		model_destroy(model);
	}
}

static void the_same_model_packs_to_the_same_bytes(void **state)
{
	struct model *model = sample_model();

	pack(model, &default_geometry, folder_path(*state, "a"));
	pack(model, &default_geometry, folder_path(*state, "b"));
	assert_same_files(*state, "a", "b");
	model_destroy(model);
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

/* Spaces and the order of keys are the header's own; all else has a checksum. */
static void every_changed_byte_of_a_stream_is_found(void **state)
{
	uint64_t seed = 7;
	struct model *model = matrix_model(MATRIX_UNIFORM, &seed);
	const char *path = folder_path(*state, "packed");
	uint8_t *bytes;
	void *data;
	size_t size, header = 0;

	pack(model, &default_geometry, path);
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
	assert_true(load(bytes, size - 1) < 0);
	free(data);
	model_destroy(model);
}

/* The checksums are right, and the contents lie. */
static void streams_that_lie_are_refused(void **state)
{
	uint64_t seed = 99;
	const char *path = folder_path(*state, "packed");

	for (int i = 0; i < 200; i++) {
		struct model *model = matrix_model(MATRIX_UNIFORM, &seed);
		struct model_packing *packing;
		struct model *copy = NULL;
		struct model_stream *stream;

		assert_int_equal(plan_packing_create(model, &default_geometry,
						     &sizes, &packing),
				 0);
		stream = &packing->layers[0][0];
		if (i % 4 == 0)
			stream->nonzeros++;
		else if (i % 4 == 1)
			stream->mapping.row_groups++;
		else if (i % 4 == 2)
			packing->geometry.lanes = random_below(&seed, 7);
		else
			stream->bytes[random_below(&seed,
						   (uint32_t)stream->length)] ^=
				(uint8_t)(1 + random_below(&seed, 255));
		assert_int_equal(model_file_write_packed(model, packing, path),
				 0);
		if (model_file_read(path, &copy))
			assert_null(copy);
		else
			assert_int_equal(i % 4, 3); /* another weight */
		model_destroy(copy);
		model_packing_destroy(packing);
		model_destroy(model);
	}
}

/* Tensors of a file of the first packed form, and their checksums as JSON. */
struct old_file {
	struct safetensors_tensor tensors[16];
	char names[16][64];
	size_t count;
	char crcs[1024];
};

static void old_add(struct old_file *old, const char *name,
		    const struct safetensors_tensor *tensor)
{
	size_t at = strlen(old->crcs);

	assert_true(old->count < 16);
	snprintf(old->names[old->count], sizeof(old->names[0]), "%s", name);
	old->tensors[old->count] = *tensor;
	old->tensors[old->count].name = old->names[old->count];
	old->count++;
	snprintf(old->crcs + at, sizeof(old->crcs) - at, "%s\"%s\":\"%08x\"",
		 at ? "," : "{", name, crc32c(0, tensor->data, tensor->size));
}

static void old_add_row(struct old_file *old, const char *name,
			enum safetensors_type type, uint32_t rows,
			const void *data)
{
	const struct safetensors_tensor tensor = {
		.type = type,
		.rank = 1,
		.shape = { rows },
		.data = data,
		.size = (size_t)rows * 4,
	};

	old_add(old, name, &tensor);
}

/* In the first packed form, scales and biases were tensors as in portable files. */
static void old_save(const struct safetensors_file *packed,
		     const struct model_spmm *spmm, const char *path)
{
	static const char *const keys[] = { "graph", "graph_crc32c", "packing",
					    "packing_crc32c" };
	struct old_file old = { .count = 0 };
	struct safetensors_text texts[6] = {
		{ "format", "accel-model-packed-1" },
		{ "crc32c", old.crcs },
	};

	for (size_t i = 0; i < safetensors_count(packed); i++) {
		const struct safetensors_tensor *tensor =
			safetensors_at(packed, i);

		if (!strstr(tensor->name, ".rows"))
			old_add(&old, tensor->name, tensor);
	}
	old_add_row(&old, "fc.scale", SAFETENSORS_F32, spmm->weights.rows,
		    spmm->weight_scale);
	old_add_row(&old, "fc.bias", SAFETENSORS_I32, spmm->weights.rows,
		    spmm->bias);
	strcat(old.crcs, "}");
	for (int i = 0; i < 4; i++)
		texts[2 + i] = (struct safetensors_text){
			keys[i], safetensors_metadata(packed, keys[i])
		};
	assert_int_equal(
		safetensors_save(path, old.tensors, old.count, texts, 6), 0);
}

static void older_files_are_read(void **state)
{
	uint64_t seed = 41;
	struct model *model = matrix_model(MATRIX_UNIFORM, &seed);
	struct safetensors_file *packed;
	struct model *copy = NULL;

	pack(model, &default_geometry, folder_path(*state, "packed"));
	assert_int_equal(
		safetensors_open(&packed, folder_path(*state, "packed")), 0);
	old_save(packed, &model->layers[0].spmm, folder_path(*state, "old"));
	safetensors_close(packed);
	if (model_file_read(folder_path(*state, "old"), &copy))
		fail_msg("%s", accel_last_error());
	assert_non_null(copy->packing);
	assert_int_equal(model_file_write(model, folder_path(*state, "before")),
			 0);
	assert_int_equal(model_file_write(copy, folder_path(*state, "after")),
			 0);
	assert_same_files(*state, "before", "after");
	model_destroy(copy);
	model_destroy(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(every_operation_comes_back),
		folder_test(random_matrices_come_back),
		folder_test(the_same_model_packs_to_the_same_bytes),
		folder_test(every_changed_byte_of_a_stream_is_found),
		folder_test(streams_that_lie_are_refused),
		folder_test(older_files_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
