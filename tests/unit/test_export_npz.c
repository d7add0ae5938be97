/* SPDX-License-Identifier: MIT */
/* The archives that scipy.sparse.load_npz() reads hold a model's matrices. */
#include "unit.h"

#include "random_graph.h"

#include <unistd.h>

#include <compress/export_npz.h>
#include <formats/npy.h>

/* A member of an archive of uncompressed files, from its local header. */
static int find_member(const uint8_t *zip, size_t size, const char *name,
		       struct npy_array *array)
{
	size_t length = strlen(name);

	for (size_t at = 0; at + 30 + length <= size; at++) {
		const uint8_t *header = zip + at;
		uint32_t bytes = header[22] | header[23] << 8 |
				 header[24] << 16 | (uint32_t)header[25] << 24;
		size_t name_length = header[26] | (size_t)header[27] << 8;
		size_t extra = header[28] | (size_t)header[29] << 8;

		if (memcmp(header, "PK\3\4", 4) || name_length != length ||
		    memcmp(header + 30, name, length))
			continue;
		return npy_parse(array, header + 30 + length + extra, bytes);
	}
	fail_msg("no %s in the archive", name);
	return -1;
}

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(1 << 20);

	assert_non_null(file);
	*size = fread(data, 1, 1 << 20, file);
	fclose(file);
	return data;
}

static void check_member(const uint8_t *zip, size_t size, const char *name,
			 const void *expected, size_t bytes)
{
	struct npy_array array;

	CHECK(find_member(zip, size, name, &array));
	assert_int_equal(array.count * npy_type_size(array.type), bytes);
	assert_memory_equal(array.data, expected, bytes);
	npy_release(&array);
}

static void check_archive(const char *path, const struct model_spmm *spmm)
{
	const struct model_csr *csr = &spmm->weights;
	const int64_t shape[2] = { csr->rows, csr->columns };
	size_t nonzeros = (size_t)csr->row_start[csr->rows], size;
	int32_t *starts = calloc((size_t)csr->rows + 1, sizeof(*starts));
	uint8_t *zip = read_file(path, &size);

	for (uint32_t r = 0; r <= csr->rows; r++)
		starts[r] = (int32_t)csr->row_start[r];
	check_member(zip, size, "indptr.npy", starts,
		     sizeof(*starts) * ((size_t)csr->rows + 1));
	check_member(zip, size, "indices.npy", csr->column,
		     sizeof(*csr->column) * nonzeros);
	check_member(zip, size, "data.npy", csr->value, nonzeros);
	check_member(zip, size, "shape.npy", shape, sizeof(shape));
	check_member(zip, size, "scale.npy", spmm->weight_scale,
		     sizeof(float) * csr->rows);
	check_member(zip, size, "bias.npy", spmm->bias,
		     sizeof(int32_t) * csr->rows);
	free(starts);
	free(zip);
}

/* A model of so many matrix products in a row. */
static struct model *products(int count)
{
	struct graph *graph = graph_create("products");
	struct graph_shape shape = { 2, { 3, 8 } };
	int x = graph_add_tensor(graph, "x", &shape);
	struct quantize_range ranges[16];
	struct lower_options options = { .ranges = ranges };
	struct model *model;

	graph_add_input(graph, x);
	for (int i = 0; i < count; i++)
		x = add_node(graph, GRAPH_GEMM,
			     (int[]){ x, weight_of(graph, 8, 8, 1, 1, 2) }, 2);
	graph_add_output(graph, x);
	assert_true(settle_shapes(graph));
	for (int i = 0; i < 16; i++)
		ranges[i] = (struct quantize_range){ -9, 9 };
	CHECK(graph_lower(graph, &options, &model));
	graph_destroy(graph);
	return model;
}

static void test_one_matrix_is_one_file(void **state)
{
	char folder[] = "/tmp/accel-npz-XXXXXX", path[64];
	struct model *model = products(1);

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/m.npz", folder);
	CHECK(export_npz(model, path));
	check_archive(path, &model->layers[0].spmm);
	unlink(path);
	rmdir(folder);
	model_destroy(model);
}

static void test_several_are_named_after_their_layers(void **state)
{
	char folder[] = "/tmp/accel-npz-XXXXXX", path[64];
	struct model *model = products(3);

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/m.npz", folder);
	CHECK(export_npz(model, path));
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/m.Gemm%d.npz", folder, i);
		check_archive(path, &model->layers[i].spmm);
		unlink(path);
	}
	rmdir(folder);
	model_destroy(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_matrix_is_one_file),
		cmocka_unit_test(test_several_are_named_after_their_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
