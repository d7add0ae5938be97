/* SPDX-License-Identifier: MIT */
#ifndef COMPRESS_EXPORT_NPZ_H
#define COMPRESS_EXPORT_NPZ_H

#include "model/model.h"

/**
 * export_npz() - one scipy.sparse matrix for each weight matrix
 * @model: valid
 * @path: of the first file. Of several matrices each gets its own file, with its
 *	layer's name before the extension: scipy.sparse.load_npz() reads one matrix
 *	from a file
 *
 * Matrices are CSR and int8, with their scales and biases as further arrays
 * "scale" and "bias", which load_npz() ignores and numpy.load() shows.
 *
 * Return: 0; −EINVAL for a model without weights; −ENOMEM; what the file system
 * says.
 */
int export_npz(const struct model *model, const char *path);

#endif
