/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compress/export_npz.h"
#include "core/error.h"
#include "formats/npy.h"
#include "formats/zip_store.h"

/* A matrix and what belongs to its rows. */
struct npz_matrix {
	const struct model_csr *csr;
	const float *scale;
	const int32_t *bias;
	const char *name;
	const char *part; /* "" or, of a recurrent layer, which of its two */
};

static int add_bytes(struct zip_store *zip, const char *name, void *data,
		     size_t size)
{
	int ret = zip_store_add(zip, name, data, size);

	free(data);
	return ret;
}

static int add_array(struct zip_store *zip, const char *name,
		     enum npy_type type, const void *values, size_t count)
{
	struct npy_array array = {
		.type = type,
		.rank = 1,
		.shape = { count },
		.count = count,
		.data = (void *)values,
	};
	size_t size;
	void *data;
	int ret = npy_encode(&array, &data, &size);

	return ret ? ret : add_bytes(zip, name, data, size);
}

static int add_text(struct zip_store *zip, const char *name, const char *text)
{
	size_t size;
	void *data;
	int ret = npy_encode_text(text, &data, &size);

	return ret ? ret : add_bytes(zip, name, data, size);
}

/* scipy wants both index arrays in one type. */
static int add_row_starts(struct zip_store *zip, const struct model_csr *csr)
{
	size_t count = (size_t)csr->rows + 1;
	int32_t *starts = malloc(count * sizeof(*starts));
	int ret;

	if (!starts)
		return accel_error(-ENOMEM, "out of memory for a matrix");
	for (size_t r = 0; r < count; r++)
		starts[r] = (int32_t)csr->row_start[r];
	ret = add_array(zip, "indptr.npy", NPY_INT32, starts, count);
	free(starts);
	return ret;
}

static int add_matrix(struct zip_store *zip, const struct npz_matrix *matrix)
{
	const struct model_csr *csr = matrix->csr;
	const int64_t shape[2] = { csr->rows, csr->columns };
	size_t nonzeros = (size_t)csr->row_start[csr->rows];
	int ret =
		add_array(zip, "indices.npy", NPY_INT32, csr->column, nonzeros);

	if (!ret)
		ret = add_row_starts(zip, csr);
	if (!ret)
		ret = add_text(zip, "format.npy", "csr");
	if (!ret)
		ret = add_array(zip, "shape.npy", NPY_INT64, shape, 2);
	if (!ret)
		ret = add_array(zip, "data.npy", NPY_INT8, csr->value,
				nonzeros);
	if (!ret)
		ret = add_array(zip, "scale.npy", NPY_FLOAT32, matrix->scale,
				csr->rows);
	if (!ret)
		ret = add_array(zip, "bias.npy", NPY_INT32, matrix->bias,
				csr->rows);
	return ret;
}

static int write_matrix(const struct npz_matrix *matrix, const char *path)
{
	struct zip_store *zip;
	int ret = zip_store_open(&zip, path);

	if (ret)
		return ret;
	ret = add_matrix(zip, matrix);
	if (ret) {
		zip_store_abandon(zip);
		return ret;
	}
	return zip_store_commit(zip);
}

/* The matrices of a layer: none, one or two. */
static int layer_matrices(const struct model_layer *layer,
			  struct npz_matrix matrices[2])
{
	const struct model_recurrent *recurrent = &layer->recurrent;

	if (layer->op == MODEL_SPMM) {
		matrices[0] = (struct npz_matrix){ &layer->spmm.weights,
						   layer->spmm.weight_scale,
						   layer->spmm.bias,
						   layer->name, "" };
		return 1;
	}
	if (layer->op != MODEL_LSTM && layer->op != MODEL_GRU)
		return 0;
	matrices[0] = (struct npz_matrix){ &recurrent->input_weights,
					   recurrent->input_scale,
					   recurrent->input_bias, layer->name,
					   ".input" };
	matrices[1] = (struct npz_matrix){ &recurrent->hidden_weights,
					   recurrent->hidden_scale,
					   recurrent->hidden_bias, layer->name,
					   ".hidden" };
	return 2;
}

static int matrix_count(const struct model *model)
{
	struct npz_matrix matrices[2];
	int count = 0;

	for (uint32_t i = 0; i < model->layer_count; i++)
		count += layer_matrices(&model->layers[i], matrices);
	return count;
}

/* PATH.npz becomes PATH.LAYER.npz; what no file name should hold becomes '_'. */
static char *matrix_path(const char *path, const struct npz_matrix *matrix)
{
	size_t length = strlen(path);
	char *name = strdup(matrix->name), *result = NULL;

	if (length > 4 && !strcmp(path + length - 4, ".npz"))
		length -= 4;
	for (char *c = name; c && *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.')
			*c = '_';
	if (!name || asprintf(&result, "%.*s.%s%s.npz", (int)length, path, name,
			      matrix->part) < 0)
		result = NULL;
	free(name);
	return result;
}

static int write_one_of_many(const struct npz_matrix *matrix, const char *path)
{
	char *own = matrix_path(path, matrix);
	int ret;

	if (!own)
		return accel_error(-ENOMEM, "out of memory for %s", path);
	ret = write_matrix(matrix, own);
	free(own);
	return ret;
}

int export_npz(const struct model *model, const char *path)
{
	int total = matrix_count(model), ret = 0;

	if (!total)
		return accel_error(-EINVAL, "the model has no weights");
	for (uint32_t i = 0; i < model->layer_count; i++) {
		struct npz_matrix matrices[2];
		int count = layer_matrices(&model->layers[i], matrices);

		for (int k = 0; !ret && k < count; k++)
			ret = total == 1 ?
				      write_matrix(&matrices[k], path) :
				      write_one_of_many(&matrices[k], path);
	}
	return ret;
}
